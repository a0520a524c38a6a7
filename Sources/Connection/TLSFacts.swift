// What a TLS handshake agreed, for `Received:` lines, events and policies.

/// The facts of an encrypted connection.
package struct TLSFacts: Hashable, Sendable {
    package enum Version: Hashable, Sendable { case tls12, tls13, older }
    package let version: Version
    /// The peer showed a certificate that we verified for the name that we dialled.
    package let isVerified: Bool
    /// The cipher suite by IANA's name; empty where it was not seen (as client).
    package let cipher: [UInt8]
    /// The name that the client asked for (RFC 6066 §3), in lower case.
    package let serverName: [UInt8]?
    /// The protocol that ALPN chose; nil for a client that offered none (RFC 7301).
    package let protocolName: [UInt8]?
    /// tls-server-end-point (RFC 5929 §4): the hash of the certificate that we showed; empty if there is none.
    package let endPoint: [UInt8]

    package init(
        version: Version, isVerified: Bool, cipher: [UInt8] = [], serverName: [UInt8]? = nil, protocolName: [UInt8]? = nil, endPoint: [UInt8] = []
    ) {
        self.version = version
        self.isVerified = isVerified
        self.cipher = cipher
        self.serverName = serverName
        self.protocolName = protocolName
        self.endPoint = endPoint
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
    /// For events: `TLS1.3`.
    package var summary: [UInt8] { versionName.withUTF8Buffer { Array($0) } }

    /// For trace fields: `TLS1.3 TLS_AES_128_GCM_SHA256`.
    package var trace: [UInt8] { cipher.isEmpty ? summary : summary + [0x20] + cipher }
}
