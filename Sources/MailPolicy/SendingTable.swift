// How much our own users send, by account and by client address, in bounded memory; time is an argument.

/// The limits of one account or one address; nil is none.
package struct SendingLimits: Hashable, Sendable {
    package var messages: [Rate]
    package var recipients: [Rate]

    /// Counts an hour and a day; 0 is no limit.
    package init(messagesPerHour: Int = 0, messagesPerDay: Int = 0, recipientsPerHour: Int = 0, recipientsPerDay: Int = 0) {
        let rates = { (hour: Int, day: Int) in (hour > 0 ? [Rate(hour, per: 3600)] : []) + (day > 0 ? [Rate(day, per: 86400)] : []) }
        messages = rates(messagesPerHour, messagesPerDay)
        recipients = rates(recipientsPerHour, recipientsPerDay)
    }
}

/// Whose sending is counted.
package enum SendingKey: Hashable, Sendable {
    /// The account's canonical address.
    case account([UInt8])
    /// One IPv4 address, or one IPv6 /64.
    case address(IPNetwork)

    package init(client: IPAddress) { self = .address(RateScope.address.key(client)) }
}

/// Which limit is reached, and when there is room again.
package struct SendingDelay: Hashable, Sendable {
    package let isOfAccount: Bool
    package let isOfMessages: Bool
    package let seconds: Int
}

/// Limits on sending applied. Nanoseconds of a clock that does not jump are `now` everywhere.
package struct SendingTable: Sendable {
    private struct Counts: Sendable {
        var messages: [TokenBucket]
        var recipients: [TokenBucket]
    }

    package let account: SendingLimits
    package let address: SendingLimits
    private var table: RecencyTable<SendingKey, Counts>

    package init(account: SendingLimits, address: SendingLimits, capacity: Int = 65536) {
        self.account = account
        self.address = address
        table = RecencyTable(capacity: capacity)
    }

    package var count: Int { table.count }

    private func limits(_ key: SendingKey) -> SendingLimits {
        switch key {
        case .account: account
        case .address: address
        }
    }

    private func fresh(_ limits: SendingLimits) -> Counts {
        Counts(messages: limits.messages.map { _ in TokenBucket() }, recipients: limits.recipients.map { _ in TokenBucket() })
    }

    /// The limit that one message to so many recipients would meet, the longest wait of all; nil if it may be sent.
    package func wait(recipients: Int, of keys: [SendingKey], at now: Int64) -> SendingDelay? {
        var longest: SendingDelay?
        for key in keys {
            let limits = limits(key)
            let counts = table[key] ?? fresh(limits)
            for (isOfMessages, rates, buckets, count) in [(true, limits.messages, counts.messages, 1), (false, limits.recipients, counts.recipients, recipients)] {
                for (rate, bucket) in zip(rates, buckets) {
                    guard let seconds = bucket.wait(count, of: rate, at: now), seconds > longest?.seconds ?? 0 else { continue }
                    var isOfAccount = false
                    if case .account = key { isOfAccount = true }
                    longest = SendingDelay(isOfAccount: isOfAccount, isOfMessages: isOfMessages, seconds: seconds)
                }
            }
        }
        return longest
    }

    /// Counts a message to so many recipients, whatever the limits say.
    package mutating func count(recipients: Int, of keys: [SendingKey], at now: Int64) {
        for key in keys {
            let limits = limits(key)
            table.update(key, or: fresh(limits), isPinned: { _ in false }) { counts in
                for (index, rate) in limits.messages.enumerated() { counts.messages[index].take(1, of: rate, at: now) }
                for (index, rate) in limits.recipients.enumerated() { counts.recipients[index].take(recipients, of: rate, at: now) }
            }
        }
    }
}
