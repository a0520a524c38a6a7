// What the administrator wants of a message: `mailctl queue hold`, `release`, `delete` and `bounce` (docs/spool.md, "Orders").
// An order is a fact about the message, said in queued's log. What an agent has is the agent's until it has answered.

import Kernel
import MailModel
import SpoolFormat

/// The administrator's wish, as long as the message is open. An object: few messages have one.
final class Order: Sendable {
    enum Command: String, Sendable {
        /// No copy is handed out before `release`.
        case hold
        /// Its copies end, and nobody is told.
        case delete
        /// Its copies fail, and the sender is told.
        case bounce
    }

    /// A record has room for more; a notice that returns them should be read.
    static let longestReason = 500

    let command: Command
    /// His words.
    let reason: [UInt8]

    init(_ command: Command, reason: [UInt8]) {
        self.command = command
        self.reason = Array(reason.prefix(Order.longestReason))
    }

    /// Of an `ordered` record, of the `open` of a block, or of a request; nil for one that ends an order, and where there is none.
    convenience init?(_ record: Record) {
        guard let command = record.text(.command).flatMap(Command.init(rawValue:)) else { return nil }
        self.init(command, reason: record[.reason] ?? [])
    }

    /// As what its copies fail; nil if they only wait (RFC 3463 §3.8: delivery not authorized).
    var answer: Answer? {
        let what: String
        switch command {
        case .hold: return nil
        case .delete: what = "deleted by the administrator"
        case .bounce: what = "returned by the administrator"
        }
        return Answer(status: Array("5.7.1".utf8), reason: Array(what.utf8) + (reason.isEmpty ? [] : Array(": ".utf8) + reason))
    }
}

extension OpenMessage {
    /// Nobody hears of its failure.
    var isDeleted: Bool { order?.command == .delete }
}

extension Queue {
    /// Hears a request; false if it is none for the queue. Heard twice it changes nothing, and of what is not open it says nothing.
    mutating func obey(_ request: Record) -> Bool {
        let targets = request.all(.target)
        let ids = targets.compactMap { QueueID(parsing: $0) }
        switch request.text(.command) {
        case "retry": _ = retry(targets.isEmpty ? nil : ids)
        case "flush": _ = retry(nil)
        case "release": for id in ids { release(id, request) }
        default:
            guard let order = Order(request) else { return false }
            for id in ids { self.order(id, order, request) }
        }
        return true
    }

    /// What ends a message stands; a hold gives way to it.
    private mutating func order(_ id: QueueID, _ order: Order, _ request: Record) {
        guard let message = messages[id], message.order.map({ $0.command == .hold && order.command != .hold }) ?? true else { return }
        message.order = order
        lines.append(.ordered(id, order.command.rawValue, order.reason, request[.uid]))
        carryOut(message)
    }

    private mutating func release(_ id: QueueID, _ request: Record) {
        guard let message = messages[id], message.order?.command == .hold else { return }
        message.order = nil
        lines.append(.ordered(id, "release", request[.reason] ?? [], request[.uid]))
        for (index, copy) in message.copies.enumerated() {
            // A destination that asked meanwhile has passed over it.
            message.change(index) { $0.isParked = false }
            if case .waiting = copy.state { ready.takeUp(copy, CopyIndex(id: id, index: index), message.rank) }
        }
    }

    /// Ends what no agent has: recipients that are not routed, and copies that wait. The others when their agent answers.
    mutating func carryOut(_ message: OpenMessage) {
        guard let answer = message.order?.answer, let status = EnhancedStatus(parsing: answer.status) else { return }
        message.dropHalfRouted()
        let recipients = message.unrouted
        message.unrouted.removeAll()
        var known: Set<Destination> = []
        for recipient in recipients { add([], (status, answer.reason), for: recipient, to: message, &known) }
        for index in message.copies.indices {
            guard case .waiting = message.copies[index].state else { continue }
            destinations.release(CopyIndex(id: message.id, index: index), at: destinationName(of: message.copies[index]))
            message.set(index, .failed)
            message.owe(index, nil)
            message.change(index) { $0.answer = texts(answer) }
        }
        if !message.failed.isEmpty { bounceDue.insert(message.id) }
    }
}

extension RecordLine {
    /// A request as queued heard it. `command`: an order's, or `release`.
    fileprivate static func ordered(_ id: QueueID, _ command: String, _ reason: [UInt8], _ uid: [UInt8]?) -> RecordLine {
        var line = RecordLine(.ordered, id).adding(.command, command)
        if !reason.isEmpty { line.add(.reason, reason) }
        line.add(.uid, uid)
        return line
    }

    /// Adds the order to the `open` of a message.
    mutating func add(_ order: Order?) {
        guard let order else { return }
        add(.command, order.command.rawValue)
        if !order.reason.isEmpty { add(.reason, order.reason) }
    }
}
