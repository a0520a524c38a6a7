// The SASL mechanisms that we speak, by their registered names.

/// A mechanism; the raw value is its name in the IANA registry.
package enum Mechanism: String, Sendable, Hashable, CaseIterable {
    case plain = "PLAIN"
    case login = "LOGIN"
    case scramSHA256 = "SCRAM-SHA-256"
    case scramSHA256Plus = "SCRAM-SHA-256-PLUS"

    /// Names are compared without case, as every protocol that carries them does.
    package init?(name: some Collection<UInt8>) {
        guard name.count <= 20 else { return nil }
        let upper = name.map { (0x61...0x7A).contains($0) ? $0 & 0xDF : $0 }
        guard let found = Mechanism.allCases.first(where: { $0.rawValue.utf8.elementsEqual(upper) }) else { return nil }
        self = found
    }

    package var name: [UInt8] { Array(rawValue.utf8) }

    /// Whether the password itself crosses the wire: then only under TLS.
    package var revealsPassword: Bool { self == .plain || self == .login }
}

/// A TLS channel binding (RFC 5056), such as `tls-exporter` (RFC 9266 §2).
package struct ChannelBinding: Sendable, Equatable {
    package let type: [UInt8]
    package let data: [UInt8]

    package init(type: [UInt8], data: [UInt8]) {
        self.type = type
        self.data = data
    }
}

/// What may be a user name or a password: UTF-8 (RFC 4616 §2), not empty, no NUL, at most 1024 bytes.
func isCredentialText(_ text: some Collection<UInt8>) -> Bool {
    !text.isEmpty && text.count <= 1024 && !text.contains(0) && String(validating: text, as: UTF8.self) != nil
}
