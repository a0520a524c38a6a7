// One message on its way: which replies are still to come, and what is known of each recipient.

internal import MailModel

/// The state of one mail transaction (RFC 5321 §3.3).
struct ClientTransaction: Sendable {
    let message: OutgoingMessage
    private var settled: [RecipientResult?]
    /// Recipients that the server took, by index, in the order of RCPT; LMTP answers in this order.
    private(set) var accepted: [Int] = []
    /// Recipients still to be offered, and those whose reply is awaited.
    var unsent: [Int] = []
    var awaited: ArraySlice<Int> = []
    var awaitsMail = false
    var mailRefusal: ReceivedReply?
    /// What the server lacks of what the message asks for.
    var missing: MissingExtensions = []
    var form = ContentForm.stuffed

    init(_ message: OutgoingMessage) {
        self.message = message
        settled = Array(repeating: nil, count: message.recipients.count)
        unsent = Array(message.recipients.indices)
    }

    mutating func accept(_ index: Int) { accepted.append(index) }

    mutating func settle(_ index: Int, _ outcome: DeliveryOutcome, _ stage: ClientStage, _ reply: [UInt8]) {
        guard settled.indices.contains(index), settled[index] == nil else { return }
        let recipient = message.recipients[index]
        settled[index] = RecipientResult(recipient: recipient, outcome: outcome, stage: stage, reply: reply, missing: missing)
    }

    mutating func settleAll(_ outcome: DeliveryOutcome, _ stage: ClientStage, _ reply: [UInt8]) {
        for index in settled.indices { settle(index, outcome, stage, reply) }
    }

    /// The next recipient that LMTP's reply after the content speaks of.
    mutating func takeAccepted() -> Int? { accepted.isEmpty ? nil : accepted.removeFirst() }

    func results(at stage: ClientStage) -> [RecipientResult] {
        zip(settled, message.recipients).map { result, recipient in
            let unknown = DeliveryOutcome.temporary(.temporary(4, 0), reason: Array("no result".utf8))
            return result ?? RecipientResult(recipient: recipient, outcome: unknown, stage: stage, reply: [], missing: missing)
        }
    }
}

extension ReceivedReply {
    /// What this reply, as the last word on a recipient, means for it.
    var outcome: DeliveryOutcome {
        let text = Array(lines.joined(separator: [UInt8(ascii: " ")]))
        switch replyClass {
        case .positive: return .delivered
        case .temporary: return .temporary(status ?? .temporary(0, 0), reason: text)
        case .permanent: return .permanent(status ?? .permanent(0, 0), reason: text)
        // Neither yes nor no: a server that speaks so may do better later.
        case .intermediate: return .temporary(.temporary(5, 0), reason: text)
        }
    }

    /// What it means where it speaks of the host or of our password, not of the recipient: never final.
    var hostOutcome: DeliveryOutcome {
        let text = Array(lines.joined(separator: [UInt8(ascii: " ")]))
        return .temporary(.init(.temporary, status?.subject ?? 3, status?.detail ?? 0), reason: text)
    }
}
