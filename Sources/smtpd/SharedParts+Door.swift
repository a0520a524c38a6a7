// Whom we believe at the door: balancers and xclients in front of us, by the configuration.

import Connection
import SMTPProtocol

extension SharedParts {
    /// XCLIENT is for port 25: a submission client is who it proves to be.
    func takesXClient(from arrival: Arrival) -> Bool { session.service == .relay && xclients.contains(arrival.peer) }
}
