// mailctl tree: what `mailctl run` does before the first service and after the last, for other supervisors.

import ArgumentParser
import Configuration
import Kernel

struct TreeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree", abstract: "Begin and end a life of the tree: for supervisors other than `mailctl run`.",
        discussion: """
            A spool or a store that is a copy is recognised at `start`, before any service moves mail. systemd starts and \
            stops it by martlet-tree.service; runit and s6 keep `hold` running.
            """,
        subcommands: [TreeStart.self, TreeStop.self, TreeHold.self])
}

struct TreeStart: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Recognise copies and begin a life; before the services.")
    @OptionGroup var options: GlobalOptions
    func run() throws { _ = try TreeLife(options) }
}

struct TreeStop: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stop", abstract: "End the life; after the services.")
    @OptionGroup var options: GlobalOptions
    func run() throws { Copies.rest(try options.loadConfiguration().paths) }
}

struct TreeHold: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "hold", abstract: "Begin a life, stay until SIGTERM, end it.")
    @OptionGroup var options: GlobalOptions

    func run() throws {
        let signals = Signals.catching([Signals.terminate, Signals.interrupt])
        let life = try TreeLife(options)
        while !Signals.received().contains(where: { $0 == Signals.terminate || $0 == Signals.interrupt }) {
            _ = waitReadable([signals], milliseconds: 60_000)
        }
        life.end()
    }
}

/// A life of spool and store. The supervisor's log is its lock: one life at a time, and no `mailctl run` beside it.
final class TreeLife {
    private let configuration: Configuration
    private let log: SupervisorLog

    init(_ options: GlobalOptions) throws {
        configuration = try options.loadConfiguration()
        let spool = try attempting { [configuration] () throws(KernelError) in try DirectoryDescriptor(opening: configuration.paths.spool) }
        log = try SupervisorLog.begin(spool) { [] }
        // As at `mailctl run`: what is missing of the directory stops no mail.
        do throws(Failure) { _ = try options.openDirectory() } catch { Output.note("\(error.what)\n  \(error.remedy)") }
        try Copies.recognise(configuration.paths, note: Output.note, say: log.say)
        PublishedFolder(configuration.paths).begin(configuration)
    }

    func end() { Copies.rest(configuration.paths) }

    /// Whether another process holds one, or is a supervisor.
    static func isHeld(_ spool: Path) throws(Failure) -> Bool {
        try attempting { () throws(KernelError) in
            let folder = try DirectoryDescriptor(opening: spool).openDirectory("supervisor/events")
            guard let lock = try present({ () throws(KernelError) in try folder.open(".lock", .readWrite) }) else { return false }
            return try !lock.tryLock()
        }
    }
}
