// Whether the books are in balance, message by message, and the sums of what is gone.
// A claim is judged by what was read after it was made: the evidence for it was durable before, or is there still.

package import MailModel
import SpoolFormat

/// Something that does not add up.
package struct Imbalance: Hashable, Sendable {
    package enum Kind: String, Sendable {
        /// Accepted, not over, and in no mail log: nobody will deliver it.
        case lost
        /// Facts about a message that nobody accepted.
        case unaccepted
        /// Over, without a result for this copy.
        case unanswered
        /// Two results for one copy, or two copies for one mailbox.
        case twice
        /// A result for a copy that nobody assigned.
        case unassigned
        /// queued's `done` counts other results than there are.
        case miscounted
        /// Over, and a recipient never became a copy.
        case unrouted
        /// The sums of the segments that are gone.
        case sums
    }

    package let kind: Kind
    package let id: QueueID?
    package let recipient: [UInt8]?
    package let found: String
    package let place: String
}

/// What an audit found.
package struct Judgement: Sendable {
    package var sums: Sums
    package var imbalances: [Imbalance] = []
    /// Messages that are to be looked at again: their facts were read at different times.
    package var suspects: Set<QueueID> = []
    var straddling = Straddling()
}

extension Judgement {
    fileprivate mutating func take(_ account: Account) {
        // A closed one stands in the sums already.
        if !account.claims.wasClosed { sums.add(account.tally, isOpen: account.isOpen) }
        account.note(in: &straddling)
    }
}

/// Messages whose facts stand partly in segments that are gone.
struct Straddling: Sendable {
    /// Accepted in what is there, ended in what is gone.
    var endedBefore: [QueueOrigin: Int] = [:]
    /// Accepted in what is gone, ended in what is there, or not yet.
    var acceptedBefore: [QueueOrigin: Int] = [:]
    /// Copies of messages that ended in what is there, brought to their goal in what is gone; and the other way round.
    var takenBefore = 0
    var takenSince = 0
    var isUntold = false
}

extension Ledger {
    /// Judges what is open. What cannot be closed by what was read so far is suspect.
    package func judge() -> Judgement {
        var judgement = Judgement(sums: sums)
        for (id, tally) in tallies where concerns(tally) {
            let account = Account(ledger: self, id: id, tally: tally, claims: tally)
            if account.imbalances().isEmpty { judgement.take(account) } else { judgement.suspects.insert(id) }
        }
        return judgement
    }

    /// Judges the suspects of an earlier reading: what it claimed must be proved by this one, which listened for them alone.
    package func judge(suspectsOf judged: Judgement, claimedBy first: Ledger) -> Judgement {
        var judgement = judged
        for id in judged.suspects.sorted() {
            guard let claims = first.tallies[id] else { continue }
            // Nothing may be left of it at all.
            let account = Account(ledger: self, id: id, tally: tallies[id] ?? Tally(at: claims.place), claims: claims)
            judgement.imbalances += account.imbalances()
            judgement.take(account)
        }
        return judgement
    }

    /// The sums of the checkpoints: what was accepted and is gone was ended, and what ended had its results.
    package func judgeSums(_ judgement: inout Judgement) {
        guard since == nil, !cuts.values.contains(where: { $0[.unreadable] > 0 }) else { return }
        let queue = cuts[.queue] ?? .init()
        for origin in [QueueOrigin.smtpd, .submission] {
            let accepts = AuditedLog.accepts(origin)
            let accepted = cuts[accepts]?[.accept] ?? 0
            let stillNeeded = judgement.straddling.acceptedBefore[origin] ?? 0
            let ended = queue[.done(origin)]
            let stillThere = judgement.straddling.endedBefore[origin] ?? 0
            guard accepted - stillNeeded != ended - stillThere else { continue }
            judgement.imbalances.append(
                Imbalance(
                    kind: .sums, id: nil, recipient: nil,
                    found: "\(accepted) accepted in segments that are gone, \(stillNeeded) of them ended later or open; "
                        + "\(ended) ended in segments that are gone, \(stillThere) of them accepted later",
                    place: "\(accepts.name) and \(AuditedLog.queue.name)"))
        }
        judgeCopies(&judgement, queue)
    }

    private func judgeCopies(_ judgement: inout Judgement, _ queue: Checkpoint) {
        let said = (cuts[.local]?[.delivered] ?? 0) + (cuts[.remote]?[.sent] ?? 0)
        let straddling = judgement.straddling
        guard queue[.untold] == 0, !straddling.isUntold, said - straddling.takenBefore != queue[.taken] - straddling.takenSince else { return }
        judgement.imbalances.append(
            Imbalance(
                kind: .sums, id: nil, recipient: nil,
                found: "\(said) copies delivered or sent in segments that are gone, \(straddling.takenBefore) of messages that ended later; "
                    + "\(queue[.taken]) copies of messages that ended in segments that are gone, \(straddling.takenSince) delivered or sent later",
                place: "\(AuditedLog.local.name), \(AuditedLog.remote.name) and \(AuditedLog.queue.name)"))
    }
}
