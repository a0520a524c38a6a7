// What smtpd, as either service, may still do once it serves: the one place that says so.

package import Configuration
import Kernel
package import Sandbox

extension Confinement {
    /// Its own folder for writing; the snapshots that it asks, what queued released, certificate and key for reading; submission also the
    /// events of the others that check passwords; inherited sockets; connections to its content filters, if there are any. Port 25's
    /// policy asks DNS, by datagrams alone; submission asks nobody.
    package static func smtpd(_ configuration: Configuration, service: Service) -> Confinement {
        let paths = configuration.paths
        let isSubmission = service == .submission
        var confinement = Confinement(
            readable: [paths.addressSnapshot] + (isSubmission ? [paths.credentialSnapshot] + paths.loginEvents(besides: service) : ["/etc/resolv.conf"])
                + configuration.tls.folders + [paths.spool / "queued" / "released", paths.published, .ownThreads],
            writable: [paths.spool / Path(service.rawValue.utf8)], network: .listening)
        let filters = configuration.filter.sockets(of: service)
        confinement.outgoing = .filters(filters)
        confinement.outgoing.sendsDatagrams = service == .smtpd
        confinement.descriptors = UInt64(configuration.limits.connections) * UInt64(2 + filters.count) + 256
        return confinement
    }
}

extension Confinement.Outgoing {
    fileprivate static func filters(_ sockets: [FilterSocket]) -> Confinement.Outgoing {
        var outgoing = Confinement.Outgoing()
        for socket in sockets {
            switch socket {
            case .internet(let endpoint): outgoing.ports.append(endpoint.port)
            case .local: outgoing.isLocal = true
            }
        }
        return outgoing
    }
}
