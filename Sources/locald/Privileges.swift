// What locald may still do once it runs: the one place that says so.

import Configuration
import Daemon
import Kernel
import Sandbox

extension Confinement {
    /// queued's events and the mail logs for reading, locald's own folder and the store for writing; no network.
    static func locald(_ configuration: Configuration) -> Confinement {
        let spool = configuration.paths.spool
        var confinement = Confinement(
            readable: configuration.paths.mailLogs
                + [configuration.paths.assignments, .ownThreads, "/proc/sys/kernel/random"],
            writable: [spool / "locald", configuration.paths.store], network: .none)
        confinement.descriptors = 4096
        return confinement
    }
}
