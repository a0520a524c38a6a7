// mailctl trace: what became of a message.

import ArgumentParser
import Kernel
import MailModel

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Tell what became of a message, from the events of all programs.",
        discussion: """
            One line a fact, in the order of time: who sent it, where each recipient leads, each attempt with the host and its reply, where it was \
            delivered, who has read or removed it, and what its sender was told. Notices about it are told with it, and so is what it is a notice \
            about. Events are kept for `retention.events`.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "The id, as `queue list`, the events and the trace fields of messages show it.") var id: String

    func run() throws {
        let configuration = try options.loadConfiguration()
        let id = try QueueSelection.id(id)
        let history = try MessageHistory.read(id, configuration, family: true)
        guard !history.facts.isEmpty else {
            throw Failure(
                .noInput, "nothing is known of \(id)",
                remedy: "it was never here, or its events are older than retention.events; `mailctl queue list` shows what waits")
        }
        if options.json { return Output.json(.array(history.facts.map(\.json))) }
        history.show(of: id)
    }
}
