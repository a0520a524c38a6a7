// DATA and what follows it, to the reply that takes or refuses the message.

private import MailModel

extension ServerSession {
    mutating func data() {
        guard let transaction else { return refuse(.mailFirst) }
        // RFC 3030 §2: no message comes half in chunks. §3: and binary content in nothing else.
        if reception != nil {
            spoil()
            return refuse(.chunksFirst)
        }
        if let missing = missingRecipients(transaction) { return refuse(missing) }
        guard transaction.body != .binaryMIME else { return refuse(.binaryNeedsChunks) }
        reception = ContentReception(.data(ContentFramer(limit: configuration.limits.messageSize)))
        reply(.startContent)
    }

    func missingRecipients(_ transaction: Transaction) -> Reply? {
        guard transaction.recipients.isEmpty else { return nil }
        return transaction.attempts > 0 ? .noValidRecipients : .recipientFirst
    }

    /// Takes content up to its end, or its chunk's; returns the bytes behind that.
    mutating func receiveContent(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let limit = configuration.limits.inlineContent
        var used = 0
        while used < bytes.count, reception?.awaitsContent == true {
            // In slices, so that one large read does not become one large buffer.
            let slice = UnsafeRawBufferPointer(rebasing: bytes[used..<min(bytes.count, used + limit)])
            used += takeContent(slice)
            spill(above: limit)
        }
        if reception?.awaitsContent == false { contentPaused() }
        return UnsafeRawBufferPointer(rebasing: bytes[used...])
    }

    mutating func contentPaused() {
        switch reception?.framing {
        case .data: contentEnded()
        case .chunks(let framer): chunkEnded(framer)
        case nil: break
        }
    }

    private mutating func takeContent(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard var current = reception else { return bytes.count }
        // Moved out and back, so that the content is never shared and never copied.
        reception = nil
        defer { reception = current }
        return current.consume(bytes)
    }

    /// Hands out what is above the inline limit. A spoiled message keeps nothing: its memory is constant.
    private mutating func spill(above limit: Int) {
        guard let current = reception else { return }
        if current.isSpoiled {
            reception?.content = []
        } else if current.content.count > limit {
            act(.content(current.content))
            reception?.content = []
            reception?.isSpilled = true
        }
    }

    /// The message is here, whole or spoiled.
    mutating func contentEnded() {
        guard let ended = reception, let envelope else { return close(saying: .internalError) }
        if let refusal = refusal(of: ended) {
            forget(.transaction)
            refuse(refusal)
            // A peer that sends bare CR or LF may be carrying somebody's smuggled second message: hear no more of it.
            return refusal == .bareCRInContent || refusal == .bareLFInContent ? close() : ()
        }
        reception = nil
        if ended.isSpilled, !ended.content.isEmpty { act(.content(ended.content)) }
        ask(.accept(envelope, content: ended.isSpilled ? [] : ended.content, facts(of: ended)), .message)
    }

    /// Bare CR and LF are faults of DATA alone: in a chunk every octet is content (RFC 3030 §2).
    private func refusal(of ended: ContentReception) -> Reply? {
        if case .data(let framer) = ended.framing {
            switch framer.fault {
            case .bareCR: return .bareCRInContent
            case .bareLF: return .bareLFInContent
            case .tooBig: return .tooBig
            case nil: break
            }
        }
        return ended.header.receivedCount > configuration.limits.hops ? .loop : nil
    }

    private func facts(of ended: ContentReception) -> AcceptFacts {
        AcceptFacts(
            size: ended.size, messageID: ended.header.messageID,
            receivedCount: ended.header.receivedCount, clientName: client?.name ?? [],
            isExtended: client?.isExtended ?? false, isTLS: isTLS, identity: identity, isSpilled: ended.isSpilled,
            isChunked: transaction?.isChunked ?? false)
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
