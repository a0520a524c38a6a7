// What we offer before login, from the configuration.

import Configuration
import Connection
import IMAPProtocol

/// The part of the configuration that the dialogue before login comes from.
struct Offer: Sendable {
    private let mechanisms: [[UInt8]]
    private let plaintext: AllowPlaintext
    private let hasCertificate: Bool

    /// SCRAM-SHA-256-PLUS is left out: the process that checks it does not see the TLS connection it would be bound to.
    init(_ configuration: Configuration, hasCertificate: Bool) {
        mechanisms = configuration.auth.mechanisms.map { Array($0.rawValue.utf8) }.filter { !$0.ends(with: "-PLUS") }
        plaintext = configuration.auth.allowPlaintext
        self.hasCertificate = hasCertificate
    }

    func settings(for peer: SocketName) -> LoginSession.Settings {
        LoginSession.Settings(mechanisms: mechanisms, offersTLS: hasCertificate, allowsPlaintext: allowsPlaintext(from: peer))
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

extension [UInt8] {
    fileprivate func ends(with text: StaticString) -> Bool { text.withUTF8Buffer { suffix($0.count).elementsEqual($0) } }
}
