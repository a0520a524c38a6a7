// mailctl log-level: how much a service says on its stderr, from now on and until it is told otherwise.

import ArgumentParser
import Configuration
import Kernel
import Spool

struct LogLevelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log-level", abstract: "Show or set how much the services say on stderr.",
        discussion: """
            problems: what the operator should know. events: every fact; the usual. debug: also commits, replies and the dialogues with other \
            hosts. The level holds until it is changed, over restarts too. The event logs have every fact at any level.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "A service, or `all`; none shows the levels.") var service: String?
    @Argument(help: "problems, events or debug.") var level: String?

    func run() throws {
        let configuration = try options.loadConfiguration()
        let folder = PublishedFolder(configuration.paths)
        var levels = folder.levels
        if let service {
            guard let level, let chosen = LogLevel(name: level) else {
                throw Failure(.usage, level.map { "\($0) is no level" } ?? "no level is named", remedy: "write one of " + LogLevel.allCases.map(\.name).joined(separator: ", "))
            }
            let services = try LogLevelCommand.services(service)
            for service in services { levels[service] = chosen == .events ? nil : chosen }
            try folder.publish(levels)
            // They look by themselves within seconds; those that run are told at once.
            try SupervisorStatus.read(configuration, file: options.configurationFile).signal(Signals.hangup, to: services)
        }
        let shown = Service.allCases.map { ($0, levels[$0] ?? .events) }
        if options.json { return Output.json(.object(shown.map { JSONValue.Member(name: $0.0.rawValue, value: .text($0.1.name)) })) }
        Output.table(["service", "level"], shown.map { [$0.0.rawValue, $0.1.name] })
    }

    private static func services(_ name: String) throws(Failure) -> [Service] {
        if name == "all" { return Service.allCases }
        guard let service = Service(rawValue: name) else {
            throw Failure(.usage, "there is no service \(name)", remedy: "the services: all, " + Service.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return [service]
    }
}
