// What IMAP calls the envelope of a message: ten fields of its header (RFC 9051 §2.3.5).

internal import MailModel

/// The fields of a message that lists of messages show; text is raw, unfolded, encoded words not decoded.
package struct MessageEnvelope: Hashable, Sendable {
    /// Bytes of one address field that are read.
    package static let maximumAddresses = 1 << 20
    /// Bytes of one text field that are kept.
    package static let maximumText = 64 << 10

    package var date: [UInt8]?
    package var subject: [UInt8]?
    package var from = AddressList()
    /// The same as `from` if the field is absent or empty (RFC 9051 §7.5.2).
    package var sender = AddressList()
    /// The same as `from` if the field is absent or empty.
    package var replyTo = AddressList()
    package var to = AddressList()
    package var cc = AddressList()
    package var bcc = AddressList()
    package var inReplyTo: [UInt8]?
    package var messageID: [UInt8]?

    package init() {}

    /// Reads a scanned header. Of a text field that comes twice the first counts; address fields add up.
    package init(_ header: HeaderSection, in bytes: [UInt8]) {
        for field in header.fields { take(field, bytes) }
        if sender.isEmpty { sender = from }
        if replyTo.isEmpty { replyTo = from }
    }

    private mutating func take(_ field: HeaderField, _ bytes: [UInt8]) {
        let name = bytes[field.name]
        let value = bytes[field.value].prefix(MessageEnvelope.maximumAddresses)
        // The length rules out most fields before any letter is compared.
        switch name.count {
        case 2:
            if name.equalsIgnoringASCIICase("To") { to.append(parsing: value) }
            if name.equalsIgnoringASCIICase("Cc") { cc.append(parsing: value) }
        case 3: if name.equalsIgnoringASCIICase("Bcc") { bcc.append(parsing: value) }
        case 4:
            if name.equalsIgnoringASCIICase("From") { from.append(parsing: value) }
            if date == nil, name.equalsIgnoringASCIICase("Date") { date = text(value) }
        case 6: if name.equalsIgnoringASCIICase("Sender") { sender.append(parsing: value) }
        case 7: if subject == nil, name.equalsIgnoringASCIICase("Subject") { subject = text(value) }
        case 8: if name.equalsIgnoringASCIICase("Reply-To") { replyTo.append(parsing: value) }
        case 10: if messageID == nil, name.equalsIgnoringASCIICase("Message-ID") { messageID = text(value) }
        case 11: if inReplyTo == nil, name.equalsIgnoringASCIICase("In-Reply-To") { inReplyTo = text(value) }
        default: break
        }
    }

    private func text(_ value: ArraySlice<UInt8>) -> [UInt8] { unfolded(value.prefix(MessageEnvelope.maximumText)) }
}
