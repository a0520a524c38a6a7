// DATA and what follows it, to the reply that takes or refuses the message.

private import MailModel

/// The content that is being received.
struct ContentReception: Sendable {
    var framer: ContentFramer
    /// What has not gone out by `.content`.
    var content: [UInt8] = []
    var isSpilled = false
}

extension ServerSession {
    mutating func data() {
        guard let transaction else { return refuse(.mailFirst) }
        guard !transaction.recipients.isEmpty else {
            return refuse(transaction.attempts > 0 ? .noValidRecipients : .recipientFirst)
        }
        reception = ContentReception(framer: ContentFramer(limit: configuration.limits.messageSize))
        reply(.startContent)
    }

    /// Takes content up to its end; returns the bytes behind the end.
    mutating func receiveContent(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let limit = configuration.limits.inlineContent
        var used = 0
        while used < bytes.count, reception?.framer.isComplete == false {
            // In slices, so that one large read does not become one large buffer.
            let slice = UnsafeRawBufferPointer(rebasing: bytes[used..<min(bytes.count, used + limit)])
            used += takeContent(slice)
            spill(above: limit)
        }
        if reception?.framer.isComplete == true { contentEnded() }
        return UnsafeRawBufferPointer(rebasing: bytes[used...])
    }

    private mutating func takeContent(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard var current = reception else { return bytes.count }
        // Moved out and back, so that the content is never shared and never copied.
        reception = nil
        defer { reception = current }
        return current.framer.consume(bytes, into: &current.content)
    }

    /// Hands out what is above the inline limit. A spoiled message keeps nothing: its memory is constant.
    private mutating func spill(above limit: Int) {
        guard let current = reception else { return }
        if current.framer.fault != nil {
            reception?.content = []
        } else if current.content.count > limit {
            act(.content(current.content))
            reception?.content = []
            reception?.isSpilled = true
        }
    }

    private mutating func contentEnded() {
        guard let ended = reception, let transaction else { return close(saying: .internalError) }
        if let refusal = refusal(of: ended.framer) {
            if ended.isSpilled { act(.discardContent) }
            forget(.transaction)
            refuse(refusal)
            // A peer that sends bare CR or LF may be carrying somebody's smuggled second message: hear no more of it.
            return ended.framer.fault == .bareCR || ended.framer.fault == .bareLF ? close() : ()
        }
        reception = nil
        if ended.isSpilled, !ended.content.isEmpty { act(.content(ended.content)) }
        let envelope = Envelope(sender: transaction.sender, recipients: transaction.recipients, body: transaction.body)
        ask(.accept(envelope, content: ended.isSpilled ? [] : ended.content, facts(of: ended)), .message)
    }

    private func refusal(of framer: ContentFramer) -> Reply? {
        switch framer.fault {
        case .bareCR: .bareCRInContent
        case .bareLF: .bareLFInContent
        case .tooBig: .tooBig
        case nil: framer.header.receivedCount > configuration.limits.hops ? .loop : nil
        }
    }

    private func facts(of ended: ContentReception) -> AcceptFacts {
        AcceptFacts(
            size: ended.framer.size, messageID: ended.framer.header.messageID,
            receivedCount: ended.framer.header.receivedCount, clientName: client?.name ?? [],
            isExtended: client?.isExtended ?? false, isTLS: isTLS, identity: identity, isSpilled: ended.isSpilled)
    }

    mutating func messageAnswered(_ answer: ServerAnswer.Message) {
        forget(.transaction)
        switch answer {
        case .accepted(let id):
            counters = Counters()
            reply(Reply(250, .init(.success, 0, 0), lines: [id + Array(" accepted".utf8)]))
        case .temporary(let reply), .refused(let reply): refuse(reply)
        }
    }
}
