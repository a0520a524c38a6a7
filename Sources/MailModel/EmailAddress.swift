// An address that was parsed once and needs no second look: `EmailAddress(parsing:)` is the only door.

/// A mailbox `local-part@domain` (RFC 5321 §4.1.2 `Mailbox`). Two are equal if they differ only in ASCII case.
package struct EmailAddress: Sendable {
    /// The local part without quotes or escapes: 1 to 64 bytes, no control characters; case as given.
    package let localPart: [UInt8]
    package let domain: Domain

    /// Parses the whole of `text`; nil for anything that is not one mailbox. Source routes are not mailboxes.
    package init?(parsing text: some Collection<UInt8>) {
        let text = Array(text)
        guard text.count <= 64 * 2 + 2 + 1 + 255, let at = text.lastIndex(of: UInt8(ascii: "@")),
            let domain = Domain(parsing: text[(at + 1)...]),
            let local = EmailAddress.unquoted(text[..<at])
        else { return nil }
        self.localPart = local
        self.domain = domain
    }

    package init?(_ text: String) { self.init(parsing: Array(text.utf8)) }

    /// An address of a known local part; nil if it cannot be one.
    package init?(localPart: [UInt8], domain: Domain) {
        guard (1...64).contains(localPart.count), isUTF8(localPart), localPart.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        self.localPart = localPart
        self.domain = domain
    }

    /// The one form for comparison and look-up: `local@domain`, ASCII lower case, unquoted.
    package var canonical: [UInt8] { localPart.asciiLowercased + [UInt8(ascii: "@")] + domain.bytes }

    /// As it goes over the wire: the local part quoted where it must be (RFC 5321 §4.1.2).
    package var wire: [UInt8] { EmailAddress.quoted(localPart) + [UInt8(ascii: "@")] + domain.bytes }

    package var isASCII: Bool { domain.isASCII && localPart.allSatisfy { $0 < 0x80 } }

    /// `user` of `user+tag@domain`, and the tag; nil without a separator or with nothing before it (RFC 5233 §1).
    package func subaddress(separator: UInt8) -> (user: EmailAddress, detail: [UInt8])? {
        guard let index = localPart.firstIndex(of: separator), index > 0,
            let user = EmailAddress(localPart: Array(localPart[..<index]), domain: domain)
        else { return nil }
        return (user, Array(localPart[(index + 1)...]))
    }

    private static func isAtomText(_ byte: UInt8) -> Bool {
        if byte.isASCIILetter || byte.isASCIIDigit || byte >= 0x80 { return true }
        switch byte {
        case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E, 0x5F, 0x60, 0x7B, 0x7C, 0x7D, 0x7E:
            return true
        default: return false
        }
    }

    /// `Dot-string`: atoms joined by single dots.
    private static func isDotString(_ text: ArraySlice<UInt8>) -> Bool {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0.allSatisfy(isAtomText) }
    }

    private static func unquoted(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        if text.first != UInt8(ascii: "\"") {
            return isDotString(text) && text.count <= 64 && isUTF8(text) ? Array(text) : nil
        }
        guard text.count > 2, text.last == UInt8(ascii: "\"") else { return nil }
        var out: [UInt8] = []
        var escaped = false
        for byte in text.dropFirst().dropLast() {
            guard byte >= 0x20, byte != 0x7F else { return nil }
            if !escaped, byte == UInt8(ascii: "\\") { escaped = true; continue }
            if !escaped, byte == UInt8(ascii: "\"") { return nil }
            out.append(byte)
            escaped = false
        }
        guard !escaped, (1...64).contains(out.count), isUTF8(out) else { return nil }
        return out
    }

    private static func quoted(_ local: [UInt8]) -> [UInt8] {
        if isDotString(local[...]) { return local }
        var out: [UInt8] = [UInt8(ascii: "\"")]
        for byte in local {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
            out.append(byte)
        }
        return out + [UInt8(ascii: "\"")]
    }
}

extension EmailAddress: Hashable {
    package static func == (a: EmailAddress, b: EmailAddress) -> Bool {
        a.domain == b.domain && a.localPart.equalsIgnoringASCIICase(b.localPart)
    }
    package func hash(into hasher: inout Hasher) {
        domain.hash(into: &hasher)
        localPart.asciiLowercased.hash(into: &hasher)
    }
}

extension EmailAddress: CustomStringConvertible {
    package var description: String { wire.display }
}

/// Where bounces go: `MAIL FROM:<>` is nobody (RFC 5321 §4.1.1.2).
package enum ReversePath: Hashable, Sendable {
    case null
    case address(EmailAddress)

    /// The path as in the command, without the angle brackets; empty for the null path.
    package var wire: [UInt8] {
        switch self {
        case .null: []
        case .address(let address): address.wire
        }
    }

    package var address: EmailAddress? {
        if case .address(let address) = self { return address }
        return nil
    }
}
