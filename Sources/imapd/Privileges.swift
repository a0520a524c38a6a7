// What each of the two processes may still do once it serves: the one place that says so.

import Configuration
import Daemon
import Kernel
import Sandbox

extension Confinement {
    /// The front: inherited sockets, and the folders of certificate and key, which are read again when they were renewed.
    static func front(_ configuration: Configuration) -> Confinement {
        var confinement = Confinement(
            readable: [configuration.tls.certificate.parent, configuration.tls.key.parent, .ownThreads], writable: [],
            network: .inheritedSockets)
        // A relayed connection is two sockets, and for a moment three.
        confinement.descriptors = UInt64(configuration.limits.connections) * 3 + 256
        return confinement
    }

    /// The session process: the store, its own events, the snapshots; no socket of its own making.
    static func session(_ configuration: Configuration) -> Confinement {
        var confinement = Confinement(
            readable: [configuration.paths.directory, .ownThreads],
            writable: [configuration.paths.store, configuration.paths.spool / "imapd"], network: .none)
        // A session at work has its socket, two mailboxes' folders and two messages open; one at rest has its socket.
        confinement.descriptors = UInt64(configuration.limits.connections) * 20 + 256
        confinement.maySignal = true
        return confinement
    }
}
