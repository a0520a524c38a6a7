// The front of IMAP: what is its own.

import Configuration
import Connection
import Daemon
import IMAPProtocol
import Login
import SASLProtocol

extension Front<LoginDialogue> {
    init(_ context: DaemonContext, channel: Int32) {
        self.init(
            context, channel: channel, refusal: "* BYE [UNAVAILABLE] too many connections\r\n",
            silence: { $0.limits.imapIdleTimeout }
        ) { offer, arrival in LoginDialogue(offer.settings(for: arrival.peer), isTLS: arrival.role.isImplicitTLS) }
    }
}

extension Offer {
    fileprivate func settings(for peer: SocketName) -> LoginSession.Settings {
        LoginSession.Settings(
            mechanisms: mechanisms.map(\.name), offersTLS: hasCertificate, allowsPlaintext: allowsPlaintext(from: peer))
    }
}
