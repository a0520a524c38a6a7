// What smtpd may still do once it serves: the one place that says so.

import Configuration
import Daemon
import Kernel
import Sandbox

extension Confinement {
    /// Its own folder for writing; the snapshots, what queued released, certificate and key for reading; inherited sockets.
    static func smtpd(_ configuration: Configuration, service: Service) -> Confinement {
        let spool = configuration.paths.spool
        let folder = spool / Path(service.rawValue.utf8)
        var confinement = Confinement(
            readable: [
                spool / "queued" / "released", configuration.paths.directory, .ownThreads,
            ] + configuration.tls.folders,
            writable: [folder], network: .inheritedSockets)
        confinement.descriptors = UInt64(configuration.limits.connections) * 2 + 256
        return confinement
    }
}
