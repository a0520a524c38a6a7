// What a message is to a server that knows ASCII addresses only (RFC 6531 §3.2, §3.7).

internal import MailModel

extension OutgoingMessage {
    /// The same message without SMTPUTF8: domains in A-labels. Nil where its header is not ASCII, or where nothing changes.
    ///
    /// An address whose local part is not ASCII stays as it is, and comes back by itself.
    var asciiForm: OutgoingMessage? {
        guard options.isUTF8 ? hasASCIIHeader : needsUTF8Path else { return nil }
        var message = self
        message.options.isUTF8 = false
        if case .address(let address) = sender { message.sender = .address(address.asciiForm) }
        message.recipients = recipients.map(\.asciiForm)
        message.recipientOptions = [:]
        for (address, options) in recipientOptions { message.recipientOptions[address.asciiForm] = options }
        return message
    }

    /// Whether a path is not ASCII.
    var needsUTF8Path: Bool { sender.address?.isASCII == false || recipients.contains { !$0.isASCII } }
}

extension EmailAddress {
    fileprivate var asciiForm: EmailAddress {
        guard !isASCII, let domain = domain.aLabels, let address = EmailAddress(localPart: localPart, domain: domain) else { return self }
        return address
    }
}
