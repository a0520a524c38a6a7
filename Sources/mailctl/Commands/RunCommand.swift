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
        let configuration = try options.loadConfiguration()
        let supervisor = try Supervisor(configuration, path: path)
        if !Identity.isRoot { Output.note("not started as root: every service runs as you, without privilege separation") }
        // A directory that cannot be put in order stops no mail: who needs it says so, and what waits is kept.
        do throws(Failure) { _ = try options.openDirectory() } catch { Output.note("\(error.what)\n  \(error.remedy)") }
        try Copies.recognise(configuration.paths, note: Output.note, say: supervisor.say)
        PublishedFolder(configuration.paths).begin(configuration)
        supervisor.run()
        Copies.rest(configuration.paths)
    }
}
