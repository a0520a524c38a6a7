// mailctl run: all services in the foreground, until Ctrl-C, SIGTERM or `mailctl stop`.

import ArgumentParser
import Configuration
import Kernel

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run all services in the foreground: for development, containers, and systems without systemd.")

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let path = Path(options.configurationPath).resolved(from: Identity.workingDirectory)
        let supervisor = try Supervisor(try options.loadConfiguration(), path: path)
        if !Identity.isRoot { Output.note("not started as root: every service runs as you, without privilege separation") }
        supervisor.run()
    }
}
