// Where the policy meets the dialogue: a recipient of ours is judged before the client hears of it.

import Connection
import MailModel
import MailPolicy
import SMTPProtocol
import SpoolFormat

extension SMTPDriver {
    /// RCPT of an address that the directory knows; the answer comes now or later.
    func judge(_ recipient: EmailAddress) {
        if let verdict = policy?.recipientGiven(recipient) { conclude(verdict) }
    }

    func policyAnswered(_ answer: PolicyAnswer) {
        if let verdict = policy?.answered(answer) { conclude(verdict) }
    }

    private func conclude(_ verdict: PolicySession.Verdict) {
        if case .refused(let reply) = verdict.answer {
            var line = RecordLine(.refuse).adding(.peer, peer).adding(.to, verdict.recipient.wire)
            line.add(.reason, reply.lines.first ?? [])
            if let status = reply.status { line.add(.status, status.description) }
            if let rule = verdict.rule { line.add(.policy, rule.rawValue) }
            shared.intake.note(line)
        }
        decide(.recipient(verdict.answer), .recipient(verdict.recipient))
    }
}
