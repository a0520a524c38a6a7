// What `mailctl audit` prints: the sums, then each thing that does not add up, by message and recipient.

import Audit
import MailModel
import SpoolFormat

extension AuditResult {
    private var verdict: String { !obstacles.isEmpty ? "unproven" : judgement.imbalances.isEmpty ? "even" : "uneven" }

    // MARK: For people

    var lines: [String] {
        let sums = judgement.sums
        var lines = [
            "accepted   \(sums.accepted) messages (smtpd \(sums.smtpd), submission \(sums.submission), drops \(sums.drops), notices \(sums.notices)) "
                + "for \(sums.recipients) recipients: \(sums.copies) copies, \(sums.merged) recipients share one",
            "delivered  \(sums.delivered)", "sent       \(sums.sent)", "returned   \(sums.bounced)", "discarded  \(sums.discarded)",
            "queued     \(sums.queued) of \(sums.open) messages",
        ]
        if sums.missing > 0 { lines.append("missing    \(sums.missing)") }
        if !cuts.isEmpty { lines.append("gone       " + gone.map { "\($0.value) \($0.name)" }.joined(separator: ", ")) }
        lines += obstacles.map { "damaged: \($0.log) \($0.from): \($0.reason)" }
        lines += judgement.imbalances.map { found in
            let subject = [found.id?.description, found.recipient.map { "to \($0.visible)" }].compactMap(\.self).joined(separator: " ")
            return "\(found.kind.rawValue): \(subject.isEmpty ? "" : subject + ": ")\(Array(found.found.utf8).visible) (\(found.place))"
        }
        switch verdict {
        case "even": lines.append("in balance: copies = delivered + sent + returned + discarded + queued")
        case "unproven": lines.append("no proof: some of what was written cannot be read")
        default: lines.append("OUT OF BALANCE: \(judgement.imbalances.count) found")
        }
        return lines
    }

    /// What the checkpoints count.
    private var gone: [(name: String, value: Int)] {
        let sum = { (fact: Checkpoint.Fact) in cuts.values.reduce(0) { $0 + $1[fact] } }
        return [
            ("accepted", sum(.accept)), ("ended", sum(.doneSmtpd) + sum(.doneSubmission) + sum(.doneQueued)), ("delivered", sum(.delivered)),
            ("sent", sum(.sent)), ("returned", sum(.returned)),
        ]
    }

    // MARK: For programs

    var json: JSONValue {
        let sums = judgement.sums
        return .object([
            "balance": .text(verdict),
            "sums": .object([
                "accepted": .number(sums.accepted), "smtpd": .number(sums.smtpd), "submission": .number(sums.submission),
                "drops": .number(sums.drops), "notices": .number(sums.notices), "recipients": .number(sums.recipients),
                "merged": .number(sums.merged), "copies": .number(sums.copies), "delivered": .number(sums.delivered),
                "sent": .number(sums.sent), "bounced": .number(sums.bounced), "discarded": .number(sums.discarded),
                "queued": .number(sums.queued), "open": .number(sums.open), "missing": .number(sums.missing),
            ]),
            "gone": .object(gone.map { JSONValue.Member(name: $0.name, value: .number($0.value)) }),
            "imbalances": .array(judgement.imbalances.map(json)),
            "damage": .array(obstacles.map { .object(["log": .text($0.log), "from": .text($0.from), "reason": .text($0.reason)]) }),
        ])
    }

    private func json(_ found: Imbalance) -> JSONValue {
        .object([
            "kind": .text(found.kind.rawValue), "id": .optional(found.id?.description),
            "recipient": found.recipient.map { JSONValue.text($0) } ?? .null, "found": .text(found.found), "where": .text(found.place),
        ])
    }
}
