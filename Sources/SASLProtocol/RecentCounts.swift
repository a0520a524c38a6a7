// Counts that go by themselves, in bounded memory: so many in an hour, and one less with each part of the hour.

/// How often something happened of late, by key. Times are nanoseconds of a clock that does not jump.
struct RecentCounts<Key: Hashable & Sendable>: Sendable {
    private struct Entry: Sendable {
        /// When the count is zero again.
        var empty: Int64
        var last: Int64
    }

    /// Nanoseconds in an hour: the time in which a full count goes.
    static var hour: Int64 { 3600 * 1_000_000_000 }

    /// The most that is counted.
    private let most: Int
    /// Two generations: what was not used while the younger one filled goes with the older one.
    private let capacity: Int
    private var young: [Key: Entry] = [:]
    private var old: [Key: Entry] = [:]

    init(most: Int, capacity: Int) {
        self.most = min(max(most, 1), 1_000_000)
        self.capacity = max(capacity, 2)
    }

    /// Nanoseconds that one stays.
    private var share: Int64 { RecentCounts.hour / Int64(most) }

    var count: Int { young.count + old.count }

    /// 0 to `most`.
    func count(_ key: Key, at now: Int64) -> Int {
        guard let entry = young[key] ?? old[key] else { return 0 }
        let left = min(max(entry.empty - now, 0), share * Int64(most))
        return Int((left + share - 1) / share)
    }

    /// Whether it happened within the last hour, however often.
    func isRecent(_ key: Key, at now: Int64) -> Bool {
        guard let entry = young[key] ?? old[key] else { return false }
        return now - entry.last < RecentCounts.hour
    }

    func holds(_ key: Key) -> Bool { young[key] != nil || old[key] != nil }

    /// Once more; beyond `most` nothing is added.
    mutating func add(_ key: Key, at now: Int64) {
        let level = min(max((young[key] ?? old[key])?.empty ?? now, now), now + share * Int64(most - 1))
        set(key, Entry(empty: level + share, last: now))
    }

    /// The key is held, with the count that it has.
    mutating func hold(_ key: Key, at now: Int64) { set(key, young[key] ?? old[key] ?? Entry(empty: now, last: now - RecentCounts.hour)) }

    private mutating func set(_ key: Key, _ entry: Entry) {
        if young[key] == nil, young.count >= capacity / 2 {
            old = young
            young = [:]
        }
        young[key] = entry
    }
}
