// A policy as it lies on disk between two lives of a program, and what is to be done about it (RFC 8461 §5.1).

/// A policy, which version it is, and since when.
package struct KeptPolicy: Hashable, Sendable {
    package let id: [UInt8]
    /// Seconds since 1970.
    package let fetched: Int64
    /// The file as it came.
    package let text: [UInt8]
    package let policy: STSPolicy

    private static let heading = "martlet-sts 1"
    /// The heading and the fields that stand above a policy.
    package static let mostOctets = STSPolicy.mostOctets + 256

    package init?(id: [UInt8], fetched: Int64, text: [UInt8]) {
        guard let policy = STSPolicy(parsing: text) else { return nil }
        self.id = id
        self.fetched = fetched
        self.text = text
        self.policy = policy
    }

    package var bytes: [UInt8] { Array("\(KeptPolicy.heading)\n".utf8) + id + Array("\n\(fetched)\n".utf8) + text }

    package init?(parsing bytes: [UInt8]) {
        let parts = bytes.split(separator: 10, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].elementsEqual(KeptPolicy.heading.utf8), let fetched = Int64(String(decoding: parts[2], as: UTF8.self))
        else { return nil }
        self.init(id: Array(parts[1]), fetched: fetched, text: Array(parts[3]))
    }

    /// Whether it holds; a clock that was set back does not make it immortal.
    package func isInForce(at now: Int64) -> Bool { now < fetched &+ policy.maximumAge && now > fetched &- 86400 }

    /// Whether a newer one is worth a look although this one holds: it is a day old, or half of its life is over.
    package func isStale(at now: Int64) -> Bool { now &- fetched > min(86400, policy.maximumAge / 2) }
}

/// What to do about a domain's policy, from what is kept and what DNS says.
package enum STSStep: Hashable, Sendable {
    /// There is none.
    case none
    /// The kept one holds.
    case use(KeptPolicy)
    /// The kept one holds, and may be renewed when there is time.
    case useAndRenew(KeptPolicy, id: [UInt8])
    /// A newer one must be asked for; what holds if it cannot be had.
    case fetch(id: [UInt8], otherwise: KeptPolicy?)

    /// `record`: nil where DNS has none, or does not answer: neither ends a policy that is kept (RFC 8461 §5.1).
    package init(kept: KeptPolicy?, record: STSRecord?, at now: Int64) {
        let kept = kept.flatMap { $0.isInForce(at: now) ? $0 : nil }
        switch (kept, record) {
        case (nil, nil): self = .none
        case (let kept?, nil): self = .use(kept)
        case (nil, let record?): self = .fetch(id: record.id, otherwise: nil)
        case (let kept?, let record?):
            if kept.id != record.id { self = .fetch(id: record.id, otherwise: kept) } else {
                self = kept.isStale(at: now) ? .useAndRenew(kept, id: record.id) : .use(kept)
            }
        }
    }
}
