// What CAPA announces (RFC 2449 §5), said once for both sessions: a list must not change by logging in.

package import SASLProtocol

/// The parts of a server's offer that depend on its configuration and on TLS.
package struct Capabilities: Hashable, Sendable {
    /// Mechanisms in the order of preference.
    package var mechanisms: [Mechanism]
    /// Whether STLS is possible; it is announced only before TLS.
    package var offersTLS: Bool
    /// Whether passwords may cross the wire without TLS.
    package var allowsPlaintextLogin: Bool
    /// Whether the connection is under TLS now.
    package var isTLS: Bool

    package init(mechanisms: [Mechanism], offersTLS: Bool, allowsPlaintextLogin: Bool = false, isTLS: Bool = false) {
        self.mechanisms = mechanisms
        self.offersTLS = offersTLS
        self.allowsPlaintextLogin = allowsPlaintextLogin
        self.isTLS = isTLS
    }

    /// Whether USER and PASS, PLAIN and LOGIN are allowed here (RFC 8314 §3.3).
    package var allowsPasswords: Bool { isTLS || allowsPlaintextLogin }

    /// The mechanisms that may be used on this connection.
    package var usableMechanisms: [Mechanism] {
        mechanisms.filter { (allowsPasswords || !$0.revealsPassword) && (isTLS || $0 != .scramSHA256Plus) }
    }

    /// The reply to CAPA; STLS only in the authorization state (RFC 2595 §4).
    func reply(beforeLogin: Bool) -> [UInt8] {
        var lines = ["+OK capability list follows", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"]
        if allowsPasswords { lines.append("USER") }
        let names = usableMechanisms.map(\.rawValue)
        if !names.isEmpty { lines.append((["SASL"] + names).joined(separator: " ")) }
        if beforeLogin, offersTLS, !isTLS { lines.append("STLS") }
        lines += ["EXPIRE NEVER", "IMPLEMENTATION Martlet", ".", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}
