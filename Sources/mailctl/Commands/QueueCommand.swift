// mailctl queue: mail in transit.

import ArgumentParser
import Configuration
import Kernel
import MailModel
import Spool

struct QueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Look at mail in transit, and have it tried, held, returned or deleted.",
        discussion: """
            Messages are chosen by id, or by --from, --to, --domain, --older-than, --newer-than, --reason and --state; all that are given must \
            hold. An order is about whole messages. What an agent is sending or storing at that moment cannot be called back: the order acts \
            if that attempt fails for a time, and the command says of how many copies that is so.
            """,
        subcommands: [
            QueueList.self, QueueShow.self, QueueCat.self, QueueStats.self, QueueHold.self, QueueRelease.self, QueueRetry.self, QueueFlush.self,
            QueueDelete.self, QueueBounce.self, QueueReroute.self, QueueExport.self, QueueImport.self,
        ])
}

struct QueueList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show every message that is not done, and why.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var selection: QueueSelection

    func run() throws {
        let configuration = try options.loadConfiguration()
        let now = WallTime.now()
        let view = try QueueView.read(configuration)
        let messages = try selection.messages(of: view, now: now)
        if options.json { return Output.json(.array(messages.map { $0.json(now) })) }
        for message in messages { message.lines(now).forEach(Output.line) }
        if view.messages.isEmpty { return Output.line("the queue is empty") }
        let count = "\(messages.count) message\(messages.count == 1 ? "" : "s")"
        Output.line(selection.isEmpty ? count : "\(count) of \(view.messages.count)")
    }
}

extension QueueView {
    static func read(_ configuration: Configuration) throws(Failure) -> QueueView {
        try attempting { () throws(KernelError) in try read(spool: try DirectoryDescriptor(opening: configuration.paths.spool)) }
    }
}
