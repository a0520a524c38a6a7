// The list of commands.

import ArgumentParser

struct Mailctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mailctl",
        abstract: "Administers Martlet: sets it up, runs it, and tells what it does.",
        discussion: """
            A system installation is at /etc/martlet and /var/spool/martlet. `--root DIR` names a tree that holds \
            everything: etc/martlet.toml, spool and cache.
            """,
        version: "mailctl (Martlet) 1.0",
        groupedSubcommands: [
            CommandGroup(name: "Setup", subcommands: [SetupCommand.self, InitCommand.self, ConfigCommand.self, CheckCommand.self, DoctorCommand.self]),
            CommandGroup(name: "Running", subcommands: [
                RunCommand.self, StartCommand.self, StopCommand.self, RestartCommand.self, ReloadCommand.self, StatusCommand.self, LogLevelCommand.self, DebugCommand.self,
                MetricsCommand.self, ListenCommand.self, TreeCommand.self, SandboxCommand.self,
            ]),
            CommandGroup(name: "Directory", subcommands: [
                DomainCommand.self, AccountCommand.self, AliasCommand.self, RouteCommand.self, RelayPasswordCommand.self, DirectoryCommand.self,
            ]),
            CommandGroup(name: "Mail", subcommands: [QueueCommand.self, TraceCommand.self, ExplainCommand.self, AuditCommand.self]),
        ])

    @OptionGroup var options: GlobalOptions
}
