// What smtpd, as either service, may still do once it serves: the one place that says so.

package import Configuration
import Kernel
package import Sandbox

extension Confinement {
    /// Its own folder for writing; the events of the others that check passwords, the snapshots that it asks, what queued released, certificate and key for reading;
    /// inherited sockets.
    package static func smtpd(_ configuration: Configuration, service: Service) -> Confinement {
        let paths = configuration.paths
        var confinement = Confinement(
            readable: [paths.addressSnapshot] + (service == .submission ? [paths.credentialSnapshot] + paths.loginEvents(besides: service) : []) + configuration.tls.folders
                + [paths.spool / "queued" / "released", paths.published, .ownThreads],
            writable: [paths.spool / Path(service.rawValue.utf8)], network: .listening)
        confinement.descriptors = UInt64(configuration.limits.connections) * 2 + 256
        return confinement
    }
}
