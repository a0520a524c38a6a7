// What filters decided about a whole message, applied: nothing that they add is believed without the directory's word.

import Connection
import MailModel
import MilterProtocol
import SMTPProtocol
import Spool
import SpoolFormat

extension Filter {
    /// The message as the filters leave it; nil where a worker writes it anew and hands it on.
    func conclude(_ acceptance: Acceptance, _ edits: MessageEdits, by number: Int?) -> FilterOutcome? {
        var envelope = acceptance.envelope.edited(edits)
        if let trouble = trouble(envelope, was: acceptance.envelope, acceptance.facts) { return putOff(acceptance, trouble) }
        var fields: [UInt8] = []
        if let reason = edits.quarantine {
            guard let keeper = settings.quarantine else { return putOff(acceptance, "it wants the message held: set filter.quarantine") }
            guard shared.directory.recipient(keeper) == .local else { return putOff(acceptance, "filter.quarantine is no local address that takes mail") }
            fields = QuarantineField(reason: reason, envelope: envelope).bytes
            envelope = Envelope(sender: envelope.sender, recipients: [keeper], body: envelope.body, options: envelope.options)
        }
        guard !envelope.recipients.isEmpty else { return discard(acceptance, "content filter: no recipient is left") }
        let isChanged = edits.isHeaderChanged || edits.replacedBody != nil || !fields.isEmpty
        guard isChanged else { return .accept(acceptance.with(envelope)) }
        let bodySize = edits.replacedBody?.count ?? acceptance.octets - header.bytes.count
        let rewrite = Rewrite(
            acceptance: acceptance.with(envelope), header: fields + edits.header, receivedHeader: header.bytes.count,
            body: edits.replacedBody, size: fields.count + edits.header.count + bodySize)
        guard rewrite.size <= settings.messageSize else { return putOff(acceptance, "the message became too long (limits.message_size)") }
        return run(rewrite)
    }

    /// Short to short costs no thread; all else is work with files.
    private func run(_ rewrite: Rewrite) -> FilterOutcome? {
        if let short = rewrite.inMemory() { return .accept(short) }
        let (intake, trace, address) = (shared.intake, shared.trace, address)
        shared.workers.submit {
            // Straight to the log: a message on its way belongs to nobody else, also when its session ends meanwhile.
            if let message = rewrite.onDisk(intake, trace) { return intake.accept(message) }
            intake.note(RecordLine(.problem).adding(.reason, "a message that a content filter changed could not be written anew"))
            address.deliver(.answer(.message(.temporary(.filterTrouble))))
        }
        return nil
    }

    /// Why this envelope cannot be taken; nil if it can.
    ///
    /// On port 25 a filter adds local recipients only: what it says must not make us relay for strangers.
    private func trouble(_ new: Envelope, was old: Envelope, _ facts: AcceptFacts) -> String? {
        let limits = shared.session.limits
        let known = Set(old.recipients)
        guard new.recipients.count <= limits.recipients, new.recipients.reduce(0, { $0 + $1.wire.count + 4 }) <= limits.recipientOctets
        else { return "it wants too many recipients" }
        if let sender = new.sender.address, new.sender != old.sender, !sender.isASCII, !new.options.isUTF8 { return "its sender is not ASCII" }
        for added in new.recipients where !known.contains(added) {
            guard added.isASCII || new.options.isUTF8 else { return "its recipient \(added) is not ASCII" }
            switch shared.directory.recipient(added) {
            case .local: break
            case .remote: if !mayRelay(facts) { return "its recipient \(added) is not local" }
            case .unknown, .refused: return "its recipient \(added) takes no mail"
            case .unavailable: return "the directory is unavailable"
            }
        }
        return nil
    }

    /// What a filter wants and cannot have: the sender keeps the message until somebody has looked.
    private func putOff(_ acceptance: Acceptance, _ why: String) -> FilterOutcome {
        shared.intake.note(about(.problem).adding(.reason, "a content filter's changes are not taken: \(why)"))
        acceptance.content.discard()
        return .answer(.message(.temporary(.filterTrouble)))
    }

    /// Yes to the client, and nothing of it in the mail log.
    func discard(_ acceptance: Acceptance, _ reason: String) -> FilterOutcome {
        let id: QueueID
        switch acceptance.content {
        case .inline: id = shared.intake.nextID()
        case .big(let file): id = file.id
        }
        var line = RecordLine(.refuse, id).adding(.from, acceptance.envelope.sender.wire)
        for recipient in acceptance.envelope.recipients { line.add(.to, recipient.wire) }
        line.add(.size, acceptance.octets)
        line.add(.peer, peer.address)
        line.add(.auth, acceptance.facts.identity)
        line.add(.messageID, acceptance.facts.messageID)
        shared.intake.note(line.adding(.result, "discarded").adding(.reason, reason))
        acceptance.content.discard()
        return .answer(.message(.accepted(id: id.text)))
    }

    /// Nothing in it could be shown as a header.
    func refuseHeader(_ question: Pending) {
        question.acceptance?.content.discard()
        shared.intake.note(question.about.adding(.reason, "its header is too long for a content filter"))
        answer(.message(.refused(.headerTooLong)))
    }
}

extension Envelope {
    /// What was asked for recipients that stay still holds.
    fileprivate func edited(_ edits: MessageEdits) -> Envelope {
        let isEightBit = edits.replacedBody?.contains { $0 >= 0x80 } ?? false
        return Envelope(
            sender: edits.sender, recipients: edits.recipients, body: body == .sevenBit && isEightBit ? .eightBitMIME : body, options: options,
            recipientOptions: recipientOptions.filter { edits.recipients.contains($0.key) })
    }
}

/// `X-Martlet-Quarantine`: why a message is held, and for whom it was.
struct QuarantineField {
    let reason: [UInt8]
    let envelope: Envelope

    /// A line for the reason, one for the sender, one for each recipient; addresses are unstructured text here.
    var bytes: [UInt8] {
        var out = Array("X-Martlet-Quarantine: ".utf8) + reason.map { $0 >= 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: "?") }
        out += Array("\r\n\tfrom=<".utf8) + envelope.sender.wire + Array(">".utf8)
        for recipient in envelope.recipients { out += Array("\r\n\tto=<".utf8) + recipient.wire + Array(">".utf8) }
        return out + [13, 10]
    }
}

extension Reply {
    static let filterTrouble = Reply(451, EnhancedStatus(.temporary, 3, 0), "the content filter's decision cannot be carried out now, try again later")
    static let headerTooLong = Reply(552, EnhancedStatus(.permanent, 3, 4), "the header is too long")
}
