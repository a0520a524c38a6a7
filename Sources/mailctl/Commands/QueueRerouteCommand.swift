// mailctl queue reroute: mail whose next hop has changed since it was tried last, and another try for it.

import ArgumentParser
import Configuration
import Directory
import Kernel
import MailModel

struct QueueReroute: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reroute", abstract: "Try mail now whose next hop is another one than at its last attempt.",
        discussion: """
            queued asks for the next hop at each attempt, so a changed route is taken by itself when a copy's time comes; this is for not waiting. \
            --dry-run shows the differences. Where aliases lead was decided when a message was routed, and stays.
            """)
    @OptionGroup var options: GlobalOptions
    @OptionGroup var selection: QueueSelection
    @Flag(help: "Show what would change, and do nothing.") var dryRun = false

    struct Change: Hashable {
        let id: QueueID
        let final: [UInt8]
        /// Empty for the domain's own servers, or the smarthost; nil where no attempt is known, because its destination rested.
        let before: [UInt8]?
        let now: [UInt8]
    }

    func run() throws {
        let configuration = try options.loadConfiguration()
        let messages = try selection.messages(of: try QueueView.read(configuration), now: .now())
        let changes = try changes(messages, configuration)
        if dryRun { return show(changes) }
        let ids = Set(changes.map(\.id))
        try QueueRequest(command: "retry", words: ("try", "tried"), options: options).ask(messages.filter { ids.contains($0.id) }, configuration)
    }

    private func changes(_ messages: [QueueView.Message], _ configuration: Configuration) throws(Failure) -> [Change] {
        let snapshot = AddressSnapshot(folder: configuration.paths.directory)
        snapshot.refresh(at: .now())
        var waiting: [(key: LastHops.Key, sender: [UInt8])] = []
        var wanted: [LastHops.Key: WallTime] = [:]
        for message in messages where message.order == nil {
            for copy in message.copies where copy.state == .waiting && copy.attempts > 0 && !copy.isLocal {
                let key = LastHops.Key(id: message.id, original: copy.original, final: copy.final)
                waiting.append((key, message.sender))
                wanted[key] = message.accepted ?? WallTime(nanoseconds: 0)
            }
        }
        let hops = try attempting { () throws(KernelError) in
            try LastHops(of: wanted, in: try DirectoryDescriptor(opening: configuration.paths.spool))
        }
        var changes: [Change] = []
        for (key, sender) in waiting {
            guard let recipient = EmailAddress(parsing: key.final) else { continue }
            let last = hops[key]
            let now = try hop(of: recipient, from: EmailAddress(parsing: last?.sender ?? sender), snapshot)
            // What was put off without an attempt may have waited for another hop than the route of now.
            if now != last?.hop ?? [] { changes.append(Change(id: key.id, final: key.final, before: last?.hop, now: now)) }
        }
        return changes
    }

    /// As queued decides it, with the sender of the last attempt.
    private func hop(of recipient: EmailAddress, from sender: EmailAddress?, _ snapshot: AddressSnapshot) throws(Failure) -> [UInt8] {
        do throws(DirectoryUnavailable) {
            let decision = try RouteDecision.decide(recipient: recipient, sender: sender, smarthost: nil) { (pattern) throws(DirectoryUnavailable) in
                try snapshot.route(pattern)
            }
            return decision.rule == .exchangers ? [] : decision.hop.bytes
        } catch {
            throw Failure(.temporary, "the directory cannot be asked: \(error)", remedy: "run `mailctl check`; queued waits with what it cannot look up")
        }
    }

    private func show(_ changes: [Change]) {
        if options.json {
            return Output.json(.array(changes.map { change in
                .object([
                    "id": .text(change.id.text), "recipient": .text(change.final), "before": change.before.flatMap { $0.isEmpty ? nil : .text($0) } ?? .null,
                    "now": change.now.isEmpty ? .null : .text(change.now),
                ])
            }))
        }
        func name(_ hop: [UInt8]) -> String { hop.isEmpty ? "its own servers" : hop.visible }
        for change in changes { Output.line("\(change.id)  \(change.final.visible): \(change.before.map(name) ?? "not known") → \(name(change.now))") }
        if changes.isEmpty { Output.line("nothing would go another way") }
    }
}
