// A request about chosen messages: what would be done, the question whether it is meant, and the records that ask for it.

import ArgumentParser
import Configuration
import Kernel
import MailModel
import Spool
import SpoolFormat

/// What the administrator wants of some messages.
struct QueueRequest {
    /// Ids that one record names: a line has a limit, and queued hears a record at once.
    static let portion = 500

    let command: String
    /// `hold`: "to hold", "held".
    let words: (toDo: String, done: String)
    var reason: [UInt8] = []
    let options: GlobalOptions

    /// The words of an administrator for a record, and perhaps a sender.
    static func reason(_ text: String?) throws(Failure) -> [UInt8] {
        let bytes = Array((text ?? "").utf8)
        guard bytes.count <= 500, bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw Failure(.usage, "the reason is longer than 500 bytes, or more than one line", remedy: "say it in one short sentence")
        }
        return bytes
    }

    /// Asks queued, and returns when the request is durable.
    func ask(_ messages: [QueueView.Message], _ configuration: Configuration) throws(Failure) {
        var records: [RecordLine] = []
        for start in stride(from: 0, to: messages.count, by: QueueRequest.portion) {
            var record = RecordLine(.request).adding(.command, command)
            for message in messages[start..<min(start + QueueRequest.portion, messages.count)] { record.add(.target, message.id) }
            if !reason.isEmpty { record.add(.reason, reason) }
            records.append(record)
        }
        if !records.isEmpty { try AdministratorLog.append(records, configuration) }
        report(messages)
    }

    /// Shows what would be done to them.
    func preview(_ messages: [QueueView.Message], _ criteria: QueueCriteria) {
        let now = WallTime.now()
        if options.json {
            return Output.json(.object(["requested": .boolean(false), "command": .text(command), "messages": .array(messages.map { $0.json(now) })]))
        }
        for message in messages { message.lines(now).forEach(Output.line) }
        let others = messages.reduce(0) { sum, message in sum + message.copies.count { $0.isWaiting && !criteria.match($0, of: message) } }
        Output.line("\(QueueRequest.count(messages.count)) would be \(words.done)\(others > 0 ? ", with \(others) waiting copies that were not asked for: an order is about whole messages" : "")")
    }

    private func report(_ messages: [QueueView.Message]) {
        let assigned = messages.reduce(0) { $0 + $1.copies.count { $0.state == .assigned } }
        if options.json {
            return Output.json(.object([
                "requested": .boolean(true), "command": .text(command), "ids": .array(messages.map { .text($0.id.text) }), "assigned": .number(assigned),
            ]))
        }
        if messages.isEmpty { return Output.line("no message is chosen: nothing was asked for") }
        Output.line("asked queued to \(words.toDo) \(messages.count == 1 ? messages[0].id.description : QueueRequest.count(messages.count))")
        guard assigned > 0, ["hold", "delete", "bounce"].contains(command) else { return }
        Output.line("\(assigned) \(assigned == 1 ? "copy is" : "copies are") with an agent now: \(words.done) if that attempt fails for a time, delivered if it does not")
    }

    static func count(_ number: Int) -> String { "\(number) message\(number == 1 ? "" : "s")" }
}
