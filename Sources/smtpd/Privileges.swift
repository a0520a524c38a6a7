// What smtpd may still do once it serves: the one place that says so.

import Configuration
import Daemon
import Directory
import Kernel
import Sandbox

extension Confinement {
    /// Its own folder for writing; the snapshots that it asks, what queued released, certificate and key for reading;
    /// inherited sockets.
    static func smtpd(_ configuration: Configuration, service: Service) -> Confinement {
        let spool = configuration.paths.spool
        var snapshots: [SnapshotKind] = [.addresses]
        if service == .submission { snapshots.append(.credentials) }
        var confinement = Confinement(
            readable: snapshots.map { $0.folder(in: configuration.paths.directory) } + configuration.tls.folders
                + [spool / "queued" / "released", .ownThreads],
            writable: [spool / Path(service.rawValue.utf8)], network: .inheritedSockets)
        confinement.descriptors = UInt64(configuration.limits.connections) * 2 + 256
        return confinement
    }
}
