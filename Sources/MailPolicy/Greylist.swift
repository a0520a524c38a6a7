// Greylisting (RFC 6647) as a function of what is remembered and the time. Where entries are kept is decided elsewhere.

package import MailModel

/// Who writes to whom from where: what a retry has in common with the first attempt.
package struct GreylistKey: Hashable, Sendable {
    /// The /24 or /64 of the client: big senders retry from a neighbour (RFC 6647 §3).
    package let network: IPNetwork
    /// Lower case; empty for the null path.
    package let sender: [UInt8]
    package let recipient: [UInt8]

    package init(client: IPAddress, sender: ReversePath, recipient: EmailAddress) {
        let client = client.unmapped
        network = IPNetwork(client, length: client.family == .four ? 24 : 64)
        self.sender = sender.address?.canonical ?? []
        self.recipient = recipient.canonical
    }

    init(network: IPNetwork, sender: [UInt8], recipient: [UInt8]) {
        self.network = network
        self.sender = sender
        self.recipient = recipient
    }
}

/// What is remembered of a key. Seconds since 1970.
package struct GreylistEntry: Hashable, Sendable {
    package var firstSeen: Int
    package var lastSeen: Int
    /// How often it was let in; above zero it is whitelisted.
    package var passes: Int

    package init(firstSeen: Int, lastSeen: Int, passes: Int = 0) {
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
        self.passes = passes
    }
}

package struct Greylist: Hashable, Sendable {
    package enum Answer: Hashable, Sendable {
        case accepted
        /// Come back after so many seconds, at least 1.
        case deferred(seconds: Int)
    }

    /// Seconds that a stranger waits: 0 to a day (RFC 6647 §4).
    package let delay: Int
    /// Seconds within which the retry must come.
    package let window: Int
    /// Seconds that a success is remembered.
    package let retention: Int

    package init(delay: Int = 300, window: Int = 2 * 86400, retention: Int = 36 * 86400) {
        self.delay = min(max(delay, 0), 86400)
        self.window = min(max(window, self.delay + 3600), 30 * 86400)
        self.retention = min(max(retention, 86400), 366 * 86400)
    }

    /// The answer for now, and the entry to keep from now on.
    ///
    /// A clock that was set back makes nobody wait longer than `delay`.
    package func decide(_ known: GreylistEntry?, at now: Int) -> (answer: Answer, entry: GreylistEntry) {
        guard var entry = known, !isExpired(entry, at: now), entry.passes > 0 || entry.firstSeen <= now else {
            let entry = GreylistEntry(firstSeen: now, lastSeen: now)
            return delay == 0 ? pass(entry, now) : (.deferred(seconds: delay), entry)
        }
        // Both lie within the window, so the difference is small.
        if entry.passes == 0, now - entry.firstSeen < delay {
            entry.lastSeen = now
            return (.deferred(seconds: delay - (now - entry.firstSeen)), entry)
        }
        return pass(entry, now)
    }

    private func pass(_ entry: GreylistEntry, _ now: Int) -> (answer: Answer, entry: GreylistEntry) {
        var entry = entry
        entry.lastSeen = now
        entry.passes = min(max(entry.passes, 0), Int.max - 1) + 1
        return (.accepted, entry)
    }

    /// Whether an entry means nothing any more and may be forgotten.
    package func isExpired(_ entry: GreylistEntry, at now: Int) -> Bool {
        let (age, overflow) = now.subtractingReportingOverflow(entry.passes > 0 ? entry.lastSeen : entry.firstSeen)
        return overflow || age > (entry.passes > 0 ? retention : window)
    }
}
