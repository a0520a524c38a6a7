// The front of POP3: what is its own.

import Configuration
import Connection
import Daemon
import Login
import POP3Protocol

extension Front<LoginDialogue> {
    init(_ context: DaemonContext, channel: Int32) {
        self.init(
            context, channel: channel, refusal: "-ERR [SYS/TEMP] too many connections\r\n",
            silence: { $0.limits.pop3IdleTimeout }
        ) { offer, arrival in LoginDialogue(offer.capabilities(for: arrival.peer, isTLS: arrival.role.isImplicitTLS)) }
    }
}

extension Offer {
    /// Of both processes: CAPA must not change by logging in (RFC 2449 §5).
    func capabilities(for peer: SocketName, isTLS: Bool) -> Capabilities {
        Capabilities(
            mechanisms: mechanisms, offersTLS: hasCertificate, allowsPlaintextLogin: allowsPlaintext(from: peer), isTLS: isTLS)
    }
}
