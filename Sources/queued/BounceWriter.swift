// Failures that the sender must hear of: the notice is composed here and accepted like any other message.

import Crypto
import Kernel
import MailFormat
import MailModel
import Spool
import SpoolFormat

/// Composes failure notices and puts them into queued's own mail log.
struct BounceWriter {
    let host: Domain
    let content: ContentReader

    /// The identity of the notice about these copies: the same after a crash.
    static func identity(of parent: QueueID, covering copies: [Copy]) -> QueueID {
        var hash = SHA256()
        hash.update(data: parent.text + Array(" bounce".utf8))
        let keys = copies.map { Array("\n".utf8) + $0.original + Array(">".utf8) + $0.final }
        for key in keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) { hash.update(data: key) }
        return QueueID(origin: .queued, digest: Array(hash.finalize()))
    }

    /// Appends the notice; nil if there is nobody to tell (RFC 5321 §6.1: the null path gets none).
    func append(about message: OpenMessage, failed: [Copy], to log: MailLog, now: WallTime) -> QueueID? {
        guard let sender = EmailAddress(parsing: message.sender) else { return nil }
        let id = BounceWriter.identity(of: message.id, covering: failed)
        if log.holds(id) { return id }
        let bytes = notice(id, to: sender, about: message, failed: failed, now: now)
        var line = RecordLine(.accept, id)
        line.add(.at, Timestamp.text(now))
        line.add(.kind, "bounce")
        line.add(.parent, message.id)
        line.add(.from, [UInt8]())
        line.add(.to, sender.wire)
        for copy in failed {
            line.add(.covers, copy.original)
            line.add(.final, copy.final)
        }
        _ = log.append(line, id: id, content: [bytes])
        return id
    }

    private func notice(_ id: QueueID, to sender: EmailAddress, about message: OpenMessage, failed: [Copy], now: WallTime) -> [UInt8] {
        let date = MailDate(secondsSince1970: now.seconds)
        let notice = BounceMessage(
            action: .failed, sender: sender, host: host, messageID: Array("<".utf8) + id.text + Array("@".utf8) + host.bytes + Array(">".utf8),
            date: date, arrival: MailDate(secondsSince1970: message.accepted.seconds), originalID: message.id,
            recipients: failed.compactMap(reported), original: header(of: message), boundary: Array("martlet".utf8) + id.text)
        return notice.bytes()
    }

    private func reported(_ copy: Copy) -> ReportedRecipient? {
        guard let original = EmailAddress(parsing: copy.original) else { return nil }
        let status = EnhancedStatus(parsing: copy.answer.status) ?? EnhancedStatus(.permanent, 0, 0)
        var reported = ReportedRecipient(
            original: original, final: EmailAddress(parsing: copy.final) ?? original, status: status, reason: copy.answer.reason)
        if !copy.answer.host.isEmpty { reported.remoteHost = copy.answer.host }
        return reported
    }

    /// The head of the original; empty if it cannot be read, because a notice without it is better than none.
    private func header(of message: OpenMessage) -> [UInt8] {
        if message.location.position != nil {
            return (try? content.content(at: message.location, id: message.id)) ?? []
        }
        guard let file = try? content.big(message.location, id: message.id) else { return [] }
        return (try? file.read(min(message.location.extent.length, BounceMessage.maximumHeader), at: 0)) ?? []
    }
}
