// What the two processes of pop3d and imapd may still do once they serve: the one place that says so.

package import Configuration
import Kernel
package import Sandbox

extension Confinement {
    /// The front: inherited sockets, and the folders of certificate and key, which are read again when they were renewed.
    package static func front(_ configuration: Configuration) -> Confinement {
        var confinement = Confinement(readable: configuration.tls.folders + [configuration.paths.published, .ownThreads], writable: [], network: .listening)
        confinement.relays = true
        // A relayed connection is two sockets, and for a moment three.
        confinement.descriptors = UInt64(configuration.limits.connections) * 3 + 256
        return confinement
    }

    /// The session process: the store, its own events, those of the others that check passwords, the credentials; no socket of its own making, no signal but to its front.
    package static func session(_ configuration: Configuration, service: Service, front: Int32?) -> Confinement {
        let paths = configuration.paths
        var confinement = Confinement(
            readable: [paths.credentialSnapshot, paths.published, .ownThreads] + paths.loginEvents(besides: service),
            writable: [paths.store, paths.spool / Path(service.rawValue.utf8)], network: .handed)
        // A session has its socket; at work also its mailboxes' folders (IMAP: two) and the messages that are open.
        confinement.descriptors = UInt64(configuration.limits.connections) * (service == .imapd ? 20 : 12) + 256
        confinement.child = front
        return confinement
    }
}
