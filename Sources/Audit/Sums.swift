// The sums of an audit: copies = delivered + sent + bounced + discarded + queued.

import MailModel

/// Messages and copies, counted message by message.
package struct Sums: Hashable, Sendable {
    /// Accepted messages by who took them; those of queued are notices and drops.
    package var smtpd = 0, submission = 0, notices = 0, drops = 0
    package var recipients = 0
    /// Recipients that needed no copy of their own: their mailbox has one.
    package var merged = 0
    package var copies = 0
    package var delivered = 0, sent = 0, bounced = 0, discarded = 0, queued = 0
    /// Copies without a result, of messages that are over.
    package var missing = 0
    /// Messages that are not over.
    package var open = 0

    package var accepted: Int { smtpd + submission + notices + drops }

    init() {}

    mutating func add(_ tally: Tally, isOpen: Bool = false) {
        switch tally.origin {
        case .smtpd: smtpd += 1
        case .submission: submission += 1
        case .queued: if tally.isNotice { notices += 1 } else { drops += 1 }
        }
        let routed = Set(tally.copies.map(\.recipient)).count + tally.merged
        let unrouted = max(0, tally.recipients.count - routed)
        recipients += max(tally.recipients.count, routed)
        merged += tally.merged
        copies += tally.copies.count + unrouted
        if isOpen { open += 1 }
        if isOpen { queued += unrouted } else { missing += unrouted }
        for copy in tally.copies { add(copy, isOpen: isOpen) }
    }

    private mutating func add(_ copy: CopyTally, isOpen: Bool) {
        switch copy.results.first {
        case .delivered: delivered += 1
        case .sent: sent += 1
        case .bounced: bounced += 1
        case .discarded: discarded += 1
        case nil: if isOpen { queued += 1 } else { missing += 1 }
        }
    }
}
