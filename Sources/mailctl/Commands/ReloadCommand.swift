// mailctl reload: changed keys and renewed certificates reach the services while they run.

import ArgumentParser
import Configuration
import Kernel

struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Have the services take a changed configuration and a renewed certificate.",
        discussion: """
            Changed keys are named. Most hold at once, for sessions and messages that begin from then on; some only for a process that \
            starts anew: those are told apart, with the reason, and --restart restarts the services that they concern.
            """)
    @OptionGroup var options: GlobalOptions
    @Flag(help: "Restart the services that a changed key needs it of.") var restart = false
    @Argument(help: "Services to tell at once; none means all. What is changed holds for all of them.") var services: [Service] = []

    func run() throws {
        let control = try SupervisorControl(options)
        let reload = ConfigurationReload.pending(control.configuration)
        let concerned = restart ? reload.services : []
        // Only what has happened is said to be in force.
        if !concerned.isEmpty {
            try control.restart(concerned)
            try refuseDeaf(reload, control.configuration)
        }
        try ConfigurationReload.publish(control.configuration, haveRestarted: !concerned.isEmpty)
        try control.send(.reload, services)
        if options.json { return Output.json(reload.json(restarted: concerned)) }
        for line in reload.lines(hasRestarted: restart, command: options.command("reload --restart")) { Output.line(line) }
        if reload.live.isEmpty, reload.restart.isEmpty, reload.unread.isEmpty { Output.line("nothing has changed; certificates were looked at") }
    }

    /// A new address that could not be bound leaves the services on the old one; the supervisor says why.
    private func refuseDeaf(_ reload: ConfigurationReload, _ configuration: Configuration) throws(Failure) {
        let open = ListeningSockets.read()
        for name in ListenerName.allCases where reload.restart.contains(where: { $0.change.key.name == "listen.\(name.rawValue)" }) {
            for endpoint in configuration.listen[name] where !open.contains(endpoint) {
                throw Failure(.unavailable, "nothing listens on \(endpoint), the new address of \(name.rawValue)", remedy: "the supervisor's stderr says why; the old addresses stay")
            }
        }
    }
}
