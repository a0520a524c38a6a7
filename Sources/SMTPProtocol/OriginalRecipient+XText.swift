// ORCPT on the wire: xtext, or for UTF-8 addresses a form of its own that servers without SMTPUTF8 take too.

package import MailModel

extension OriginalRecipient {
    /// `rfc822;a+2Bb@example.org`, or `utf-8;gr\x{FC}n@example.org` (RFC 6533 §3); at most 500 characters (RFC 3461 §4.2).
    package init?(xtext value: some Collection<UInt8>, allowsUTF8: Bool) {
        guard value.count <= 500, let semicolon = value.firstIndex(of: UInt8(ascii: ";")) else { return nil }
        let type = value[..<semicolon]
        let encoded = value[semicolon...].dropFirst()
        let isUTF8 = type.equalsIgnoringASCIICase("utf-8")
        guard let address = isUTF8 ? UnicodeText.decode(encoded, allowsUTF8: allowsUTF8) : XText.decode(encoded) else { return nil }
        self.init(type: type, address: address)
    }

    /// The value of the parameter, in ASCII.
    package var xtext: [UInt8] {
        type + [UInt8(ascii: ";")] + (isUTF8Type ? UnicodeText.encode(address) : XText.encode(address))
    }
}

extension EnvelopeID {
    /// At most 100 characters as they stand in the command (RFC 3461 §4.4).
    init?(xtext value: some Collection<UInt8>) {
        guard value.count <= 100, let bytes = XText.decode(value) else { return nil }
        self.init(bytes)
    }
}
