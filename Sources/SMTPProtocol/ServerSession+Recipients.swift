// RCPT (RFC 5321 §4.1.1.3): whose address it is, the daemon says; what it costs, the limits.

internal import MailModel

extension ServerSession {
    mutating func rcpt(_ path: ForwardPath, _ options: RecipientOptions) {
        guard let transaction else { return refuse(.mailFirst) }
        guard reception == nil else { return refuse(.recipientTooLate) }
        self.transaction?.attempts += 1
        if transaction.attempts >= 4 * configuration.limits.recipients { return close(saying: .tooManyErrors) }
        switch path {
        case .mailbox(let address):
            guard address.isASCII || transaction.options.isUTF8 else { return refuse(.senderNotUTF8) }
            if isNew(address, options) { ask(.recipient(address), .recipient(address, options)) }
        case .postmaster: ask(.postmaster, .postmaster(options))
        }
    }

    /// Whether there is something to find out; if not, the reply has been given.
    private mutating func isNew(_ address: EmailAddress, _ options: RecipientOptions) -> Bool {
        guard let transaction else { return false }
        if transaction.known.contains(address) {
            replyInGroup(.recipientOK)
        } else if transaction.recipients.count >= configuration.limits.recipients
            || transaction.recipientOctets + address.octets + options.octets > configuration.limits.recipientOctets
        {
            refuse(.tooManyRecipients)
        } else if let limit = configuration.limits.recipientDomains, totals.recipientDomains.count >= limit,
            !totals.recipientDomains.contains(address.domain)
        {
            refuse(.tooManyDomains)
        } else {
            return true
        }
        return false
    }

    mutating func recipientAnswered(_ answer: ServerAnswer.Recipient, _ address: EmailAddress, _ options: RecipientOptions) {
        switch answer {
        case .local: add(address, options)
        case .remote where configuration.service == .submission && identity != nil: add(address, options)
        case .remote: refuse(.relayDenied)
        case .unknown: refuse(.unknownUser)
        case .unavailable: refuse(.lookupFailed)
        case .refused(let reply): refuse(reply)
        }
    }

    mutating func postmasterAnswered(_ address: EmailAddress?, _ options: RecipientOptions) {
        guard let address else { return refuse(.lookupFailed) }
        if isNew(address, options) { add(address, options) }
    }

    private mutating func add(_ address: EmailAddress, _ options: RecipientOptions) {
        transaction?.recipients.append(address)
        transaction?.recipientOctets += address.octets + options.octets
        transaction?.known.insert(address)
        if options != RecipientOptions() { transaction?.recipientOptions[address] = options }
        if configuration.limits.recipientDomains != nil { totals.recipientDomains.insert(address.domain) }
        replyInGroup(.recipientOK)
    }
}

extension EmailAddress {
    /// What it costs in an envelope, with what stands before it.
    fileprivate var octets: Int { wire.count + 4 }
}

extension RecipientOptions {
    /// What they cost in an envelope, with the keys and the number that stand before them there.
    fileprivate var octets: Int {
        (notify.map { $0.text.utf8.count + 16 } ?? 0) + (originalRecipient.map { $0.text.count + 16 } ?? 0)
    }
}
