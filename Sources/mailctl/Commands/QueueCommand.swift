// mailctl queue: mail in transit.

import ArgumentParser
import Configuration
import Kernel
import MailModel
import Spool
import SpoolFormat

struct QueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Look at mail in transit, and have it tried now.", subcommands: [QueueList.self, QueueRetry.self])
}

struct QueueList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show every message that is not done, and why.")
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let configuration = try options.loadConfiguration()
        let messages = try attempting { () throws(KernelError) in
            try QueueView.read(spool: try DirectoryDescriptor(opening: configuration.paths.spool)).sorted
        }
        let now = WallTime.now()
        if options.json { return Output.json(.array(messages.map { json($0, now) })) }
        for message in messages { show(message, now) }
        Output.line(messages.isEmpty ? "the queue is empty" : "\(messages.count) message\(messages.count == 1 ? "" : "s")")
    }

    private func json(_ message: QueueView.Message, _ now: WallTime) -> JSONValue {
        .object([
            "id": .text(message.id.text), "from": .text(message.sender), "size": .number(message.size),
            "accepted": .optional(message.accepted?.seconds), "age": .optional(message.accepted.map { now.seconds - $0.seconds }),
            "recipients": .array(message.copies.map(json)),
        ])
    }

    private func json(_ copy: QueueView.Copy) -> JSONValue {
        .object([
            "address": .text(copy.original), "final": copy.final.isEmpty ? .null : .text(copy.final), "state": .text(copy.state.rawValue),
            "attempts": .number(copy.attempts), "next": .optional(copy.until?.seconds),
            "status": copy.status.isEmpty ? .null : .text(copy.status), "reason": copy.reason.isEmpty ? .null : .text(copy.reason),
        ])
    }

    private func show(_ message: QueueView.Message, _ now: WallTime) {
        let age = message.accepted.map { StatusCommand.span(max(0, now.seconds - $0.seconds)) } ?? "?"
        Output.line("\(message.id)  \(message.size) bytes  \(age)  from <\(message.sender.visible)>")
        for copy in message.copies {
            let final = copy.final.isEmpty || copy.final == copy.original ? "" : " → \(copy.final.visible)"
            let next = copy.until.map { ", next in \(StatusCommand.span(max(0, $0.seconds - now.seconds)))" } ?? ""
            let attempts = copy.attempts > 0 ? ", attempt \(copy.attempts)" : ""
            Output.line("  \(copy.original.visible)\(final): \(copy.state.rawValue)\(attempts)\(next)")
            if !copy.reason.isEmpty { Output.line("    \(copy.status.visible) \(copy.reason.visible)") }
        }
    }
}

struct QueueRetry: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "retry", abstract: "Have deferred mail tried now.")
    @OptionGroup var options: GlobalOptions
    @Argument(help: "Ids as `queue list` shows them; none means all.") var ids: [String] = []

    func run() throws {
        var request = RecordLine(.request).adding(.command, "retry")
        for text in ids {
            guard let id = QueueID(parsing: Array(text.utf8)) else {
                throw Failure(.usage, "\(text) is not the id of a message", remedy: "`mailctl queue list` shows the ids")
            }
            request.add(.target, id)
        }
        let configuration = try options.loadConfiguration()
        try AdministratorLog.append([request], configuration)
        if options.json {
            Output.json(.object(["requested": .boolean(true), "ids": .array(ids.map(JSONValue.text))]))
        } else {
            Output.line("asked queued to try \(ids.isEmpty ? "all deferred mail" : ids.joined(separator: ", ")) now")
        }
    }
}

extension [UInt8] {
    /// For a terminal: what a peer wrote must not steer it.
    var visible: String {
        String(String(decoding: self, as: UTF8.self).unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format ? "\u{FFFD}" : Character(scalar)
        })
    }
}
