// MAIL (RFC 5321 §4.1.1.2): a transaction begins, if what is asked for it can be done.

internal import MailModel

extension ServerSession {
    mutating func mail(_ sender: ReversePath, _ parameters: MailParameters) {
        guard client != nil else { return refuse(.helloFirst) }
        guard transaction == nil else { return refuse(.nestedMail) }
        if configuration.service == .submission, identity == nil {
            return refuse(mayAuthenticateNow ? .authenticationRequired : .startTLSFirst)
        }
        if let limit = configuration.limits.transactions, totals.transactions >= limit { return close(saying: .tooManyTransactions) }
        if let size = parameters.size, size > configuration.limits.messageSize { return refuse(.tooBig) }
        if let refusal = refusal(of: parameters.options) { return refuse(refusal) }
        ask(.sender(sender, size: parameters.size), .sender(sender, parameters))
    }

    /// Values that their keyword in EHLO's answer has ruled out.
    private func refusal(of options: MessageOptions) -> Reply? {
        if let hold = options.hold, offer.futureRelease?.allows(hold) != true { return .holdTooLong }
        if let deliverBy = options.deliverBy, offer.deliverBy?.allows(deliverBy) != true { return .deliverByTooSoon }
        return nil
    }

    mutating func senderAnswered(_ answer: ServerAnswer.Sender, _ sender: ReversePath, _ parameters: MailParameters) {
        switch answer {
        case .accepted:
            var options = parameters.options
            let isLowered = lowerPriority(&options)
            transaction = Transaction(sender: sender, body: parameters.body ?? .sevenBit, options: options)
            totals.transactions += 1
            replyInGroup(isLowered ? .priorityLowered : .senderOK)
        case .temporary(let reply), .refused(let reply): refuse(reply)
        }
    }

    /// Nobody overtakes other mail who has not said who he is; the reply tells him (RFC 6710 §4.1, §9).
    private func lowerPriority(_ options: inout MessageOptions) -> Bool {
        guard identity == nil, let priority = options.priority, priority > .ordinary else { return false }
        options.priority = .ordinary
        return true
    }
}
