// One message's account: what is claimed of it, and whether the evidence is there.

import MailModel
import SpoolFormat

/// The facts of one message before its judge.
struct Account {
    let ledger: Ledger
    let id: QueueID
    /// Everything that was read of it.
    let tally: Tally
    /// What an earlier reading said, and this one must prove.
    let claims: Tally

    // MARK: Where it stands

    private var cutsOfAgents: [AuditedLog] { [.local, .remote].filter { ledger.cuts[$0] != nil } }

    /// Its accept is among the segments that are gone.
    var wasAcceptedBefore: Bool {
        guard !tally.isCounted, let cut = ledger.cuts[.accepts(id.origin)] else { return tally.isCounted }
        return !tally.isAccepted && cut.newest.map { id <= $0 } ?? (cut[.unreadable] > 0)
    }

    /// It ended among the segments of queued that are gone: it was heard of before the oldest block that is there, which does not name it.
    var hasEndedBefore: Bool {
        if tally.wasDone { return true }
        // A notice is heard of after what names it.
        if tally.isNotice || claims.isNotice { return false }
        guard ledger.cuts[.queue] != nil, tally.done == nil, !tally.isKnown, !tally.wasOpen, let heard = ledger.heard[.mail(id.origin)]
        else { return false }
        if let mail = tally.mail { return mail < heard }
        // The id of a child says nothing of its age; others begin with the number of the segment that they were accepted in.
        return id.origin == .queued || id.epoch >> 40 <= UInt64(heard.segment & 0xFF_FFFF)
    }

    var isOver: Bool { tally.done != nil || hasEndedBefore }
    var isOpen: Bool { !isOver && tally.mail != nil }

    /// What an agent said of it may be among the segments that are gone: it had heard of the end when its oldest one began.
    private var answersMayBeGone: Bool {
        guard let done = tally.done else { return true }
        return cutsOfAgents.contains { log in ledger.heard[log].map { done < $0 } ?? true }
    }

    /// Adds it to those whose facts stand on both sides of a cut.
    func note(in straddling: inout Straddling) {
        let isAcceptedHere = tally.isAccepted && !tally.isCounted
        if isAcceptedHere, hasEndedBefore { straddling.endedBefore[id.origin, default: 0] += 1 }
        if wasAcceptedBefore, !hasEndedBefore { straddling.acceptedBefore[id.origin, default: 0] += 1 }
        let old = tally.taken - tally.newlyTaken
        if hasEndedBefore {
            straddling.takenSince += tally.newlyTaken
        } else if tally.done == nil {
            straddling.takenBefore += old
        } else if let told = tally.doneResult {
            if !cutsOfAgents.isEmpty { straddling.takenBefore += told.delivered - tally.newlyTaken }
        } else if !cutsOfAgents.isEmpty {
            straddling.isUntold = true
        }
    }

    // MARK: What is wrong

    func imbalances() -> [Imbalance] {
        let twice = contradictions()
        let stray = unaccepted()
        if !stray.isEmpty { return stray + twice }
        return twice + lost() + unassigned() + unanswered()
    }

    private func imbalance(_ kind: Imbalance.Kind, _ recipient: [UInt8]?, _ found: String, _ place: AuditedPlace? = nil) -> Imbalance {
        let place = place ?? claims.place
        return Imbalance(kind: kind, id: id, recipient: recipient, found: found, place: "\(place.log.name) \(place.position.text.display)")
    }

    /// A copy has one result, and a mailbox gets one copy, beside an archive's.
    private func contradictions() -> [Imbalance] {
        var found: [Imbalance] = []
        var mailboxes: [[UInt8]: CopyTally] = [:]
        for copy in tally.copies {
            if copy.results.count > 1 {
                found.append(imbalance(.twice, copy.recipient, copy.results.map(\.text).joined(separator: " and "), copy.place))
            }
            guard copy.results.contains(where: \.isTaken), !copy.isArchive else { continue }
            if let other = mailboxes.updateValue(copy, forKey: copy.final) {
                found.append(imbalance(.twice, copy.recipient, "\(copy.final.display) has the copy for \(other.recipient.display) too", copy.place))
            }
        }
        return found
    }

    /// Something is said of it, and nobody took it.
    private func unaccepted() -> [Imbalance] {
        let isTalkedOf = claims.isKnown || claims.wasOpen || claims.copies.contains { !$0.results.isEmpty || $0.hasFailed }
        guard isTalkedOf, !tally.isAccepted, tally.mail == nil, !wasAcceptedBefore, !tally.wasDone else { return [] }
        // queued's own messages are accepted in its mail log, which is erased: that it speaks of them is the evidence.
        if id.origin == .queued, tally.isKnown || tally.wasOpen || hasEndedBefore { return [] }
        let copies = tally.copies.filter { !$0.results.isEmpty }
        let what = "never accepted by \(AuditedLog.mail(id.origin).name)"
        if copies.isEmpty { return [imbalance(.unaccepted, nil, what)] }
        return copies.map { imbalance(.unaccepted, $0.recipient, "\($0.results[0].text), \(what)", $0.place) }
    }

    /// It was taken, is not over, and there is nothing to deliver.
    private func lost() -> [Imbalance] {
        guard !isOver, tally.mail == nil, claims.isAccepted || claims.mail != nil || claims.isNotice || claims.isKnown || claims.wasOpen
        else { return [] }
        let what = claims.isNotice && !tally.isKnown ? "named as the notice of a failure, and in no log" : "accepted, not ended, and not in the mail log"
        let open = tally.copies.filter(\.results.isEmpty).map(\.recipient) + recipientsWithoutCopy
        if open.isEmpty { return [imbalance(.lost, nil, tally.copies.isEmpty ? what : "every copy has its result, and queued never ended it")] }
        return open.map { imbalance(.lost, $0, what) }
    }

    private var recipientsWithoutCopy: [[UInt8]] {
        guard !tally.everyoneHasACopy else { return [] }
        let routed = Set(tally.copies.filter { !$0.isArchive }.map(\.recipient))
        return tally.recipients.filter { !routed.contains($0) }
    }

    /// An agent brought a copy to its goal that queued did not give it.
    private func unassigned() -> [Imbalance] {
        guard !hasEndedBefore else { return [] }
        return tally.copies.compactMap { copy in
            let isClaimed = claims.copies.contains { $0.recipient == copy.recipient && $0.final == copy.final && !$0.results.isEmpty }
            guard isClaimed, !copy.isRouted else { return nil }
            return imbalance(.unassigned, copy.recipient, "\(copy.results.map(\.text).joined(separator: ", ")) to \(copy.final.display)", copy.place)
        }
    }

    /// It is over: every copy has a result, every recipient a copy, and queued counted them so.
    private func unanswered() -> [Imbalance] {
        guard claims.done != nil, let done = tally.done else { return [] }
        let place = AuditedPlace(.queue, done)
        var found: [Imbalance] = []
        let open = tally.copies.filter { $0.results.isEmpty && $0.isRouted && !(tally.doneResult == nil && $0.hasFailed) }
        if !answersMayBeGone {
            found += open.map { imbalance(.unanswered, $0.recipient, "no result for the copy to \($0.final.display), though the message is done", place) }
        }
        if !tally.wasOpen {
            found += recipientsWithoutCopy.map { imbalance(.unrouted, $0, "done, and the recipient never became a copy", place) }
        }
        if let told = tally.doneResult, found.isEmpty {
            let returned = tally.copies.count { $0.results.contains { !$0.isTaken } }
            let fits = open.isEmpty ? told.delivered == tally.taken && told.bounced == returned : told.delivered >= tally.taken && told.bounced >= returned
            if !fits {
                let counted = "done counts delivered:\(told.delivered),bounced:\(told.bounced)"
                found.append(imbalance(.miscounted, nil, "\(counted); found are \(tally.taken) and \(returned)", place))
            }
        }
        return found
    }
}
