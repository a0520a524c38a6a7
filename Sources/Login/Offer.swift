// What is offered before login, said once for both processes, so that logging in changes none of it.

package import Configuration
package import Connection
package import SASLProtocol

/// The part of the configuration that the dialogue before login comes from.
package struct Offer: Sendable {
    package let mechanisms: [Mechanism]
    package let hasCertificate: Bool
    private let plaintext: AllowPlaintext

    /// `bindsLogins`: the certificate has a hash that a login can be bound to.
    package init(_ configuration: Configuration, hasCertificate: Bool, bindsLogins: Bool) {
        mechanisms = configuration.auth.mechanisms.compactMap { Mechanism(name: Array($0.rawValue.utf8)) }
            .filter { bindsLogins || $0 != .scramSHA256Plus }
        plaintext = configuration.auth.allowPlaintext
        self.hasCertificate = hasCertificate
    }

    /// Whether a password may cross the wire in clear (RFC 8314 §4.1).
    package func allowsPlaintext(from peer: SocketName) -> Bool {
        switch plaintext {
        case .never: false
        case .loopback: peer.address.starts(with: "127.".utf8) || peer.address.elementsEqual("::1".utf8)
        case .always: true
        }
    }
}
