// What queued may still do once it runs: the one place that says so.

import Configuration
import Daemon
import Directory
import Kernel
import Sandbox
import Spool

extension Confinement {
    /// The logs that it follows, the content of what may bounce, the address snapshot; its own folder and the drops for
    /// writing; no network.
    static func queued(_ configuration: Configuration) -> Confinement {
        let spool = configuration.paths.spool
        var confinement = Confinement(
            readable: Source.names.map { spool / $0.path }
                + [SnapshotKind.addresses.folder(in: configuration.paths.directory), .ownThreads],
            writable: [spool / "queued", spool / "drop"], network: .none)
        confinement.descriptors = 1024
        return confinement
    }
}
