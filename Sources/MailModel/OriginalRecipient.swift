// To whom a message was sent at first, as whoever sent it wrote it: kept for notices, never looked up, never mailed to.

/// The value of ORCPT, decoded: `rfc822;alice@example.org` (RFC 3461 §4.2).
package struct OriginalRecipient: Hashable, Sendable {
    /// The address type as given: an atom of at most 32 characters, compared without case.
    package let type: [UInt8]
    /// 1 to 496 octets without control characters; UTF-8 if the type is `utf-8`, otherwise ASCII.
    package let address: [UInt8]

    package init?(type: some Collection<UInt8>, address: some Collection<UInt8>) {
        guard (1...32).contains(type.count), type.allSatisfy(OriginalRecipient.isAtomText), (1...496).contains(address.count),
            address.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        let isUTF8Type = type.equalsIgnoringASCIICase("utf-8")
        guard isUTF8Type ? isUTF8(address) : address.allSatisfy({ $0 < 0x80 }) else { return nil }
        self.type = Array(type)
        self.address = Array(address)
    }

    /// What RCPT named itself: `rfc822`, or `utf-8` where ASCII cannot say it (RFC 6533 §3).
    package init?(_ address: EmailAddress) {
        self.init(type: Array((address.isASCII ? "rfc822" : "utf-8").utf8), address: address.wire)
    }

    /// The decoded form, as it stands in records and in notices.
    package init?(parsing text: some Collection<UInt8>) {
        guard let semicolon = text.firstIndex(of: UInt8(ascii: ";")) else { return nil }
        self.init(type: text[..<semicolon], address: text[semicolon...].dropFirst())
    }

    package var text: [UInt8] { type + [UInt8(ascii: ";")] + address }

    package var isUTF8Type: Bool { type.equalsIgnoringASCIICase("utf-8") }

    private static func isAtomText(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }

    package static func == (a: OriginalRecipient, b: OriginalRecipient) -> Bool {
        a.address == b.address && a.type.equalsIgnoringASCIICase(b.type)
    }

    package func hash(into hasher: inout Hasher) { address.hash(into: &hasher) }
}
