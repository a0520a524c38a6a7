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
        let reload = try ConfigurationReload.apply(control.configuration, restarting: restart)
        let concerned = restart ? reload.services : []
        try control.send(.reload, services)
        if !concerned.isEmpty { try control.restart(concerned) }
        if options.json { return Output.json(reload.json(restarted: concerned)) }
        for line in reload.lines(hasRestarted: restart, command: options.command("reload --restart")) { Output.line(line) }
        if reload.live.isEmpty, reload.restart.isEmpty, reload.unread.isEmpty { Output.line("nothing has changed; certificates were looked at") }
    }
}
