// ENVELOPE (RFC 3501 §7.4.2): ten fields, text as it stands in the header.

internal import MailFormat

extension ResponsePrinter {
    mutating func envelope(_ envelope: MessageEnvelope?) {
        let envelope = envelope ?? MessageEnvelope()
        raw("(")
        nstring(envelope.date)
        raw(" ")
        nstring(envelope.subject)
        for list in [
            envelope.from, envelope.sender, envelope.replyTo, envelope.to, envelope.cc, envelope.bcc,
        ] {
            raw(" ")
            addresses(list)
        }
        raw(" ")
        nstring(envelope.inReplyTo)
        raw(" ")
        nstring(envelope.messageID)
        raw(")")
    }

    private mutating func addresses(_ list: AddressList) {
        guard !list.isEmpty else { return raw("NIL") }
        raw("(")
        for item in list.items { address(item) }
        raw(")")
    }

    /// A missing domain is an empty string: NIL would open a group (RFC 3501 §7.4.2).
    private mutating func address(_ item: AddressList.Item) {
        switch item {
        case .mailbox(let mailbox):
            raw("(")
            nstring(mailbox.name)
            raw(" ")
            nstring(mailbox.route)
            raw(" ")
            string(mailbox.localPart)
            raw(" ")
            string(mailbox.domain)
            raw(")")
        case .groupStart(let name):
            raw("(NIL NIL ")
            string(name)
            raw(" NIL)")
        case .groupEnd: raw("(NIL NIL NIL NIL)")
        }
    }
}
