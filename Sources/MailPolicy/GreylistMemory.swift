// What greylisting remembers, in bounded memory; the event log has it too, and is read again after a start.

package struct GreylistMemory: Sendable {
    private var table: RecencyTable<GreylistKey, GreylistEntry>
    /// Whether all that the log has was recalled: before, a key that is not here may be known all the same.
    package var isComplete = false

    /// `capacity`: keys at most; the one that was used longest ago is forgotten, and its client waits once more.
    package init(capacity: Int = 65536) { table = RecencyTable(capacity: capacity) }

    package var count: Int { table.count }
    package subscript(_ key: GreylistKey) -> GreylistEntry? { table[key] }

    /// Whether the change is worth a line of the log: a new key, its first success, and later one a day.
    package mutating func remember(_ key: GreylistKey, _ entry: GreylistEntry) -> Bool {
        let known = table[key]
        set(key, entry)
        guard let known, known.firstSeen == entry.firstSeen else { return true }
        return known.passes == 0 ? entry.passes > 0 : known.lastSeen / 86400 != entry.lastSeen / 86400
    }

    /// An entry of the log; what was learnt since stays.
    package mutating func recall(_ key: GreylistKey, _ entry: GreylistEntry) {
        if let known = table[key], known.lastSeen > entry.lastSeen { return }
        set(key, entry)
    }

    private mutating func set(_ key: GreylistKey, _ entry: GreylistEntry) {
        table.update(key, or: entry, isPinned: { _ in false }) { $0 = entry }
    }
}
