// What a TLS handshake agreed, for `Received:` lines, events and policies.

/// The facts of an encrypted connection.
package struct TLSFacts: Hashable, Sendable {
    package enum Version: Hashable, Sendable { case tls12, tls13, older }
    package let version: Version
    /// The peer showed a certificate that we verified for the name that we dialled.
    package let isVerified: Bool

    package init(version: Version, isVerified: Bool) {
        self.version = version
        self.isVerified = isVerified
    }

    /// As RFC 8314 §4.3 writes it: `TLS1.3`.
    package var versionName: StaticString {
        switch version {
        case .tls12: "TLS1.2"
        case .tls13: "TLS1.3"
        case .older: "TLS"
        }
    }
}

extension TLSFacts {
    /// For trace fields and events: `TLSv1.3`.
    package var summary: [UInt8] { versionName.withUTF8Buffer { Array($0) } }
}
