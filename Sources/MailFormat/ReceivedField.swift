// The trace field that each hop adds (RFC 5321 §4.4). What the peer said of itself is untrusted text.

package import MailModel

/// One `Received:` field.
package struct ReceivedField: Hashable, Sendable {
    /// The name that the client gave in EHLO; nil for mail that came without SMTP.
    package var helo: [UInt8]?
    /// The name of the client's address by DNS, if it was verified.
    package var peerName: [UInt8]?
    /// The client's address as text, `192.0.2.1` or `2001:db8::1`.
    package var peerAddress: [UInt8]?
    package var by: Domain
    /// The protocol: `ESMTPS`, `ESMTPSA` (RFC 3848).
    package var with: [UInt8]
    package var id: QueueID
    /// TLS version and cipher, as a comment.
    package var tls: [UInt8]?
    /// The recipient, only if the message has one: the field must not tell others' names (RFC 5321 §7.2).
    package var forRecipient: EmailAddress?
    package var date: MailDate

    package init(by: Domain, with: [UInt8], id: QueueID, date: MailDate) {
        self.by = by
        self.with = with
        self.id = id
        self.date = date
    }

    /// Adds the field to a header.
    package func write(to writer: inout HeaderWriter) { writer.field("Received", value) }

    private var value: [UInt8] {
        var out: [UInt8] = []
        if helo != nil || peerAddress != nil {
            out += Array("from ".utf8) + ReceivedField.nameSafe(helo ?? []) + [0x20] + peerComment
        }
        out += Array("by ".utf8) + by.bytes + Array(" (Martlet) with ".utf8) + ReceivedField.nameSafe(with)
        if let tls { out += Array(" (".utf8) + ReceivedField.commentSafe(tls) + Array(")".utf8) }
        out += Array(" id ".utf8) + id.text
        if let recipient { out += Array(" for <".utf8) + recipient.wire + Array(">".utf8) }
        return out + Array("; ".utf8) + date.text
    }

    /// In ASCII or not at all: this line must not be what keeps a message from a server without SMTPUTF8.
    private var recipient: EmailAddress? {
        guard let address = forRecipient, let domain = address.domain.aLabels else { return nil }
        return EmailAddress(localPart: address.localPart, domain: domain).flatMap { $0.isASCII ? $0 : nil }
    }

    /// `(name [address])`
    private var peerComment: [UInt8] {
        guard let peerAddress else { return [] }
        let name = peerName.map { ReceivedField.nameSafe($0) + [0x20] } ?? []
        let address = ReceivedField.commentSafe(peerAddress)
        return Array("(".utf8) + name + Array("[".utf8) + address + Array("]) ".utf8)
    }

    /// Only what names and address literals hold; the rest becomes `?`. Never empty.
    private static func nameSafe(_ text: [UInt8]) -> [UInt8] {
        if text.isEmpty { return Array("unknown".utf8) }
        return text.prefix(255).map { byte in
            switch byte {
            case 0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F: byte
            default: byte.isASCIILetter || byte.isASCIIDigit ? byte : UInt8(ascii: "?")
            }
        }
    }

    /// Printable ASCII without what would end or nest a comment.
    private static func commentSafe(_ text: [UInt8]) -> [UInt8] {
        text.prefix(255).map { byte in
            let isMark = byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")") || byte == UInt8(ascii: "\\")
            return byte < 0x20 || byte > 0x7E || isMark ? UInt8(ascii: "?") : byte
        }
    }
}
