// Whom we believe at the door: balancers and xclients in front of us, by the configuration.

import Configuration
import Connection
import SMTPProtocol

extension PeerNetworks {
    init(_ networks: [Network]) { self.init(networks.map { (Array($0.address.utf8), $0.length) }) }
}

extension SharedParts {
    /// XCLIENT is for port 25: a submission client is who it proves to be.
    func takesXClient(from arrival: Arrival) -> Bool { session.service == .relay && xclients.contains(arrival.peer) }
}
