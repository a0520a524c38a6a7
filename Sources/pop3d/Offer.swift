// What we offer before login, said once for both processes: CAPA must not change by logging in (RFC 2449 §5).

import Configuration
import Connection
import POP3Protocol
import SASLProtocol

/// The part of the configuration that capabilities come from.
struct Offer: Sendable {
    private let mechanisms: [Mechanism]
    private let plaintext: AllowPlaintext
    private let hasCertificate: Bool

    /// SCRAM-SHA-256-PLUS is left out: the process that checks it does not see the TLS connection it would be bound to.
    init(_ configuration: Configuration, hasCertificate: Bool) {
        mechanisms = configuration.auth.mechanisms.compactMap { Mechanism(name: Array($0.rawValue.utf8)) }
            .filter { $0 != .scramSHA256Plus }
        plaintext = configuration.auth.allowPlaintext
        self.hasCertificate = hasCertificate
    }

    func capabilities(for peer: SocketName, isTLS: Bool) -> Capabilities {
        Capabilities(
            mechanisms: mechanisms, offersTLS: hasCertificate, allowsPlaintextLogin: allowsPlaintext(from: peer), isTLS: isTLS)
    }

    /// RFC 8314 §4.1.
    private func allowsPlaintext(from peer: SocketName) -> Bool {
        switch plaintext {
        case .never: false
        case .loopback: peer.address.starts(with: "127.".utf8) || peer.address.elementsEqual("::1".utf8)
        case .always: true
        }
    }
}
