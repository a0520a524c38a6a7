// What each of the two processes may still do once it serves. What differs between programs stands in their own `Privileges.swift`.

package import Configuration
import Daemon
import Directory
package import Kernel
package import Sandbox

extension Confinement {
    /// The front: inherited sockets, and the folders of certificate and key, which are read again when they were renewed.
    static func front(_ configuration: Configuration) -> Confinement {
        var confinement = Confinement(
            readable: configuration.tls.folders + [.ownThreads], writable: [],
            network: .inheritedSockets)
        // A relayed connection is two sockets, and for a moment three.
        confinement.descriptors = UInt64(configuration.limits.connections) * 3 + 256
        return confinement
    }

    /// The session process: the store, its own events, the credentials; no socket of its own making.
    package static func session(_ configuration: Configuration, events: Path, descriptorsEach: UInt64) -> Confinement {
        var confinement = Confinement(
            readable: [SnapshotKind.credentials.folder(in: configuration.paths.directory), .ownThreads], writable: [configuration.paths.store, events], network: .none)
        confinement.descriptors = UInt64(configuration.limits.connections) * descriptorsEach + 256
        confinement.maySignal = true
        return confinement
    }
}
