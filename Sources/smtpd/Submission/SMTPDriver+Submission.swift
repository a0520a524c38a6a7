// Where the rules of submission meet the dialogue: who may send as whom, how much, and what a message must have.

import Connection
import MailFormat
import MailModel
import SMTPProtocol
import SpoolFormat

extension SMTPDriver {
    private var submitter: Submitter? { Submitter(session.clientFacts, peer: peer) }

    func refusal(of path: ReversePath) -> ServerAnswer.Sender? {
        guard let rules = shared.rules, let submitter, let answer = rules.refusal(of: path, from: submitter) else { return nil }
        switch answer {
        case .temporary(let reply), .refused(let reply): noteRefusal(submitter, from: path.wire, reply)
        case .accepted: break
        }
        return answer
    }

    func refusalOfOneMore() -> ServerAnswer.Recipient? {
        guard let rules = shared.rules, let submitter else { return nil }
        return rules.refusal(ofRecipientAfter: session.envelope?.recipients.count ?? 0, from: submitter).map { .refused($0) }
    }

    /// The next piece of a submitted message, as it will be kept.
    func examine(_ bytes: [UInt8], isWhole: Bool) {
        guard shared.rules != nil else { return }
        var current = examination ?? ContentExamination()
        examination = nil
        current.take(bytes, isWhole: isWhole)
        examination = current
    }

    /// What is added to the message at hand, or why it is not taken.
    func examined(_ envelope: Envelope, _ facts: AcceptFacts) -> (MissingFields, ServerAnswer.Message?) {
        defer { examination = nil }
        guard let rules = shared.rules, let submitter = Submitter(facts, peer: peer), let examination else { return ([], nil) }
        let answer = rules.refusal(of: examination, envelope, from: submitter)
        switch answer {
        case .temporary(let reply), .refused(let reply): noteRefusal(submitter, from: envelope.sender.wire, reply)
        case .accepted, nil: break
        }
        return (rules.missing(examination), answer)
    }

    private func noteRefusal(_ submitter: Submitter, from sender: [UInt8], _ reply: Reply) {
        shared.intake.note(
            fact(.refuse).adding(.account, submitter.account.wire).adding(.from, sender).adding(.reason, reply.lines.first ?? []))
    }
}
