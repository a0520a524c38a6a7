// The options that every command takes, before or after its name.

import ArgumentParser
import Configuration
import Kernel

struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The tree to work in; without it the system's.", valueName: "dir"))
    var root: String?

    @Option(help: ArgumentHelp("The configuration file; default: etc/martlet.toml in the root.", valueName: "file"))
    var config: String?

    @Flag(help: "Results and errors as JSON.")
    var json = false

    /// The configuration file as the user would name it.
    var configurationPath: String {
        config ?? root.map { Path($0).appending("etc/martlet.toml").description } ?? "/etc/martlet/martlet.toml"
    }

    /// The same, absolute.
    var configurationFile: Path { Path(configurationPath).resolved(from: Identity.workingDirectory) }

    func loadConfiguration() throws(Failure) -> Configuration {
        do throws(ConfigurationError) { return try Configuration.load(path: configurationPath) } catch { throw Failure(error) }
    }
}
