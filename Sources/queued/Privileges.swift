// What queued may still do once it runs: the one place that says so.

import Configuration
import Daemon
import Kernel
import Sandbox

extension Confinement {
    /// The spool for reading, queued's own folder and the drops for writing, the address snapshot; no network.
    static func queued(_ configuration: Configuration) -> Confinement {
        let spool = configuration.paths.spool
        var confinement = Confinement(
            readable: [spool, configuration.paths.directory, .ownThreads], writable: [spool / "queued", spool / "drop"], network: .none)
        confinement.descriptors = 1024
        return confinement
    }
}
