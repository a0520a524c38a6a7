// What a sender hears of his message: the notice is composed here and accepted like any other message.

import Crypto
import Kernel
import MailFormat
import MailModel
import Spool
import SpoolFormat

/// Composes notices and puts them into queued's own mail log.
struct BounceWriter {
    let host: Domain
    let content: ContentReader

    /// The identity of the notice about these copies: the same after a crash.
    static func identity(of parent: QueueID, _ action: BounceMessage.Action = .failed, covering copies: [Copy]) -> QueueID {
        var hash = SHA256()
        hash.update(data: parent.text + Array((action == .failed ? " bounce" : " \(action)").utf8))
        let keys = copies.map { Array("\n".utf8) + $0.original + Array(">".utf8) + $0.final }
        for key in keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) { hash.update(data: key) }
        return QueueID(origin: .queued, digest: Array(hash.finalize()))
    }

    /// Appends the notice; nil if there is nobody to tell (RFC 5321 §6.1: the null path gets none).
    ///
    /// `notice`: what of; nil for a failure. `until`: when what is delayed is given up. `addressee`: who is told, if not the sender.
    func append(
        _ notice: Notice?, about message: OpenMessage, _ copies: [Copy], to log: MailLog, addressee: EmailAddress? = nil, now: WallTime, until: WallTime? = nil
    ) -> QueueID? {
        let action = notice?.action ?? .failed
        guard let sender = addressee ?? EmailAddress(parsing: message.sender) else { return nil }
        let id = BounceWriter.identity(of: message.id, action, covering: copies)
        if log.holds(id) { return id }
        let bytes = compose(id, to: sender, about: message, action, copies, now: now, until: until)
        let kind: MessageKind = action != .failed ? .notice : message.isForPostmaster ? .doubleBounce : .bounce
        var line = RecordLine(.accept, id)
        line.add(.at, Timestamp.text(now))
        line.add(.kind, kind.rawValue)
        line.add(.parent, message.id)
        line.add(.from, [UInt8]())
        line.add(.to, sender.wire)
        if !sender.isASCII { line.add(.charset, "utf-8") }
        if let notice { line.add(.told, notice.rawValue) }
        for copy in copies {
            line.add(.covers, copy.original)
            line.add(.final, copy.final)
        }
        _ = log.append(line, id: id, content: [bytes])
        return id
    }

    private func compose(
        _ id: QueueID, to sender: EmailAddress, about message: OpenMessage, _ action: BounceMessage.Action, _ copies: [Copy], now: WallTime,
        until: WallTime?
    ) -> [UInt8] {
        let date = MailDate(secondsSince1970: now.seconds)
        // RFC 8689 §5: what had to travel under TLS does not come back by other ways.
        let isSecret = message.asked?.message.requiresTLS ?? false
        // RFC 3461 §4.3: the whole message comes back only with its failure.
        let isFull = !isSecret && action == .failed && returnsAll(message)
        var notice = BounceMessage(
            action: action, sender: sender, host: host, messageID: Array("<".utf8) + id.text + Array("@".utf8) + host.bytes + Array(">".utf8),
            date: date, arrival: MailDate(secondsSince1970: message.accepted.seconds), originalID: message.id,
            recipients: copies.compactMap { reported($0, of: message, action, until) },
            original: start(of: message, atMost: isFull ? BounceMessage.maximumContent : BounceMessage.maximumHeader),
            boundary: Array("martlet".utf8) + id.text)
        notice.returned = isSecret ? .nothing : isFull ? .message : .header
        notice.envelopeID = message.asked?.message.envelopeID
        notice.isUTF8 = message.asked?.message.isUTF8 ?? false || !sender.isASCII
        notice.isDouble = message.isForPostmaster
        return notice.bytes()
    }

    /// What RET asked for within its bound; the postmaster sees the whole notice, because nobody else will.
    private func returnsAll(_ message: OpenMessage) -> Bool {
        let length = message.location.extent.length
        if message.isForPostmaster { return length <= BounceMessage.maximumHeader }
        return message.asked?.message.returnContent == .full && length <= BounceMessage.maximumContent
    }

    private func reported(_ copy: Copy, of message: OpenMessage, _ action: BounceMessage.Action, _ until: WallTime?) -> ReportedRecipient? {
        guard let original = EmailAddress(parsing: copy.original) else { return nil }
        let status = action.isSuccess ? EnhancedStatus(.success, 0, 0) : EnhancedStatus(parsing: copy.answer.status) ?? EnhancedStatus(.permanent, 0, 0)
        var reported = ReportedRecipient(
            original: original, final: EmailAddress(parsing: copy.final) ?? original, status: status, reason: copy.answer.lastWords)
        if action.isSuccess { reported.reason = [] } else {
            if !copy.answer.host.isEmpty { reported.remoteHost = copy.answer.host }
            reported.isOurWord = !copy.answer.isReply
            if let order = message.order?.answer, copy.answer.reason == order.reason { reported.kind = .returned }
            reported.attempts = Int(copy.attempts)
            reported.firstAttempt = date(copy.tried.first)
            reported.lastAttempt = date(copy.tried.last)
            reported.retryUntil = until.map { MailDate(secondsSince1970: $0.seconds) }
        }
        reported.originalRecipient = message.options(for: copy.original).originalRecipient
        return reported
    }

    private func date(_ seconds: UInt32) -> MailDate? { seconds > 0 ? MailDate(secondsSince1970: Int64(seconds)) : nil }

    /// The first octets of the original; empty if it cannot be read, because a notice without it is better than none.
    private func start(of message: OpenMessage, atMost limit: Int) -> [UInt8] {
        if message.location.position != nil {
            return (try? content.content(at: message.location, id: message.id)) ?? []
        }
        guard let file = try? content.big(message.location, id: message.id) else { return [] }
        return (try? file.read(min(message.location.extent.length, limit), at: 0)) ?? []
    }
}

extension Notice {
    /// What the machine part calls it (RFC 3464 §2.3.3).
    var action: BounceMessage.Action {
        switch self {
        case .delivered: .delivered
        case .relayed: .relayed
        case .delayed: .delayed
        }
    }
}
