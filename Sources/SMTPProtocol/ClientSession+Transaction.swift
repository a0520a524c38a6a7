// MAIL, RCPT, DATA and the content: one message, with a result for each recipient.

internal import MailModel

extension ClientSession {
    /// Starts the message at hand; what cannot be said to this server is settled without a word.
    mutating func begin() {
        if !offer.smtpUTF8, let plain = transaction?.message.asciiForm { transaction = ClientTransaction(plain) }
        if let message = transaction?.message { transaction?.missing = offer.missing(for: message, isTLS: isTLS) }
        settleUnsayable()
        guard transaction?.unsent.isEmpty == false else {
            stage = .idle
            return finish()
        }
        if needsReset { return send(Command.rset.wire, awaiting: .reset) }
        sendEnvelope()
    }

    mutating func resetAnswered(_ reply: ReceivedReply) {
        guard reply.replyClass == .positive else { return giveUpOnHost(reply) }
        needsReset = false
        sendEnvelope()
    }

    private mutating func settleUnsayable() {
        guard let message = transaction?.message else { return }
        if let missing = transaction?.missing, let end = DeliveryOutcome.withoutExtensions(missing, message) {
            transaction?.settleAll(end.outcome, end.mayDiffer ? .hello : .mail, [])
            transaction?.unsent = []
            return
        }
        let speaksUTF8 = message.options.isUTF8
        let needsUTF8 = DeliveryOutcome.permanent(
            .permanent(6, 7), reason: Array("server takes ASCII addresses only".utf8))
        if let limit = offer.sizeLimit, let size = message.size, size > limit {
            let tooBig = DeliveryOutcome.permanent(
                .permanent(3, 4), reason: Array("larger than the server's limit of \(limit)".utf8))
            transaction?.settleAll(tooBig, .mail, [])
            transaction?.unsent = []
        } else if message.sender.address?.isASCII == false, !speaksUTF8 {
            transaction?.settleAll(needsUTF8, .mail, [])
            transaction?.unsent = []
        }
        guard !speaksUTF8 else { return }
        for index in transaction?.unsent ?? [] where !message.recipients[index].isASCII {
            transaction?.settle(index, needsUTF8, .recipients, [])
        }
        transaction?.unsent.removeAll { !message.recipients[$0].isASCII }
    }

    /// With PIPELINING, the whole envelope at once (RFC 2920 §3.1); DATA waits for the verdict on it.
    private mutating func sendEnvelope() {
        guard let message = transaction?.message, let unsent = transaction?.unsent else { return }
        var bytes = Command.mail(message.sender, parameters(of: message)).wire
        transaction?.awaitsMail = true
        needsReset = true
        if offer.pipelining {
            for index in unsent { bytes += recipient(index, of: message).wire }
            transaction?.awaited = unsent[...]
            transaction?.unsent = []
        }
        send(bytes, awaiting: .mail)
    }

    private func parameters(of message: OutgoingMessage) -> MailParameters {
        MailParameters(
            size: offer.offersSize ? message.size : nil,
            body: says(message.body) ? message.body : nil, options: offer.sayable(message.options))
    }

    private func says(_ body: BodyType) -> Bool {
        switch body {
        case .sevenBit: false
        case .eightBitMIME: offer.eightBitMIME
        case .binaryMIME: offer.binaryMIME
        }
    }

    private func recipient(_ index: Int, of message: OutgoingMessage) -> Command {
        let address = message.recipients[index]
        return .rcpt(.mailbox(address), offer.dsn ? message.recipientOptions[address] ?? RecipientOptions() : RecipientOptions())
    }

    mutating func envelopeAnswered(_ reply: ReceivedReply) {
        if transaction?.awaitsMail == true {
            mailAnswered(reply)
        } else if let index = transaction?.awaited.popFirst() {
            recipientAnswered(index, reply)
        }
        guard transaction?.awaited.isEmpty == true else { return }
        if transaction?.mailRefusal == nil, let index = transaction?.unsent.first {
            transaction?.unsent.removeFirst()
            transaction?.awaited = [index]
            guard let message = transaction?.message else { return }
            return send(recipient(index, of: message).wire, awaiting: .recipients)
        }
        envelopeDone()
    }

    private mutating func mailAnswered(_ reply: ReceivedReply) {
        transaction?.awaitsMail = false
        stage = .recipients
        guard reply.replyClass != .positive else { return }
        transaction?.mailRefusal = reply
        transaction?.settleAll(reply.outcome, .mail, reply.bytes)
    }

    /// After a refused MAIL the replies to pipelined RCPTs mean nothing, and are counted all the same.
    private mutating func recipientAnswered(_ index: Int, _ reply: ReceivedReply) {
        guard transaction?.mailRefusal == nil else { return }
        if reply.replyClass == .positive {
            transaction?.accept(index)
        } else {
            transaction?.settle(index, reply.outcome, .recipients, reply.bytes)
        }
    }

    private mutating func envelopeDone() {
        if transaction?.mailRefusal != nil { needsReset = false }
        guard transaction?.mailRefusal == nil, transaction?.accepted.isEmpty == false else { return finish() }
        guard let size = chunkSize else { return send(Command.data.wire, awaiting: .data) }
        transaction?.form = .octets(size)
        send(Command.bdat(octets: size, isLast: true).wire, awaiting: .content)
        if stage == .content { act(.sendContent) }
    }

    /// The octets of the one chunk in which the content goes, if it goes so (RFC 3030 §2).
    private var chunkSize: Int? {
        guard let message = transaction?.message, offer.chunking, configuration.usesChunking && message.isLines || message.body == .binaryMIME
        else { return nil }
        return message.size
    }

    mutating func dataAnswered(_ reply: ReceivedReply) {
        guard reply.replyClass == .intermediate else {
            // 2xx to DATA is nonsense, and whatever it means, no content was taken.
            let outcome = reply.replyClass == .positive ? reply.hostOutcome : reply.outcome
            transaction?.settleAll(outcome, .data, reply.bytes)
            return finish()
        }
        stage = .content
        act(.sendContent)
    }

    /// RFC 5321 §4.2.5: one reply for all recipients. RFC 2033 §4.2: one for each that was accepted.
    mutating func contentAnswered(_ reply: ReceivedReply) {
        guard earlyOctets == 0 || reply.replyClass != .positive else { return abandon("server replied out of turn") }
        // A chunk that was refused leaves a transaction of which nothing is known (RFC 3030 §2).
        needsReset = transaction?.form != .stuffed && reply.replyClass != .positive
        if configuration.dialect == .lmtp, let index = transaction?.takeAccepted() {
            transaction?.settle(index, reply.outcome, .end, reply.bytes)
            if transaction?.accepted.isEmpty == false { return }
        } else {
            transaction?.settleAll(reply.outcome, .end, reply.bytes)
        }
        finish()
    }
}
