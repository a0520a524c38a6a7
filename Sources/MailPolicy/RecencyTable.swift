// A bounded memory: a fixed number of keys, and the one that was used longest ago makes room for a new one.

/// A key that is pinned is never forgotten. Every operation takes constant time.
struct RecencyTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Slot: Sendable {
        var key: Key
        var value: Value
        var isPinned = false
        /// Neighbours among those that may be forgotten: the older, the newer.
        var older: Int?
        var newer: Int?
    }

    let capacity: Int
    private var slots: [Slot] = []
    private var places: [Key: Int] = [:]
    private var oldest: Int?
    private var newest: Int?

    init(capacity: Int) { self.capacity = max(capacity, 1) }

    var count: Int { slots.count }
    subscript(_ key: Key) -> Value? { places[key].map { slots[$0].value } }

    /// Whether `update` would find room.
    func hasRoom(for keys: [Key]) -> Bool {
        let new = Set(keys.filter { places[$0] == nil })
        // A key in hand must not be what makes room for another.
        let kept = Set(keys.compactMap { places[$0] }.filter { !slots[$0].isPinned })
        var free = capacity - slots.count
        var place = oldest
        while free < new.count, let candidate = place {
            if !kept.contains(candidate) { free += 1 }
            place = slots[candidate].newer
        }
        return free >= new.count
    }

    /// Changes the value of a key, made from `initial` if there is none; it becomes the newest. False without room.
    @discardableResult
    mutating func update(_ key: Key, or initial: Value, isPinned: (Value) -> Bool, _ change: (inout Value) -> Void) -> Bool {
        guard let place = place(of: key, or: initial) else { return false }
        change(&slots[place].value)
        slots[place].isPinned = isPinned(slots[place].value)
        if !slots[place].isPinned { append(place) }
        return true
    }

    /// The slot of a key, taken out of the order.
    private mutating func place(of key: Key, or initial: Value) -> Int? {
        if let place = places[key] {
            if !slots[place].isPinned { unlink(place) }
            return place
        }
        if slots.count < capacity {
            slots.append(Slot(key: key, value: initial))
            places[key] = slots.count - 1
            return slots.count - 1
        }
        guard let place = oldest else { return nil }
        unlink(place)
        places[slots[place].key] = nil
        slots[place] = Slot(key: key, value: initial)
        places[key] = place
        return place
    }

    private mutating func unlink(_ place: Int) {
        let (older, newer) = (slots[place].older, slots[place].newer)
        if let older { slots[older].newer = newer } else { oldest = newer }
        if let newer { slots[newer].older = older } else { newest = older }
        slots[place].older = nil
        slots[place].newer = nil
    }

    private mutating func append(_ place: Int) {
        slots[place].older = newest
        if let newest { slots[newest].newer = place } else { oldest = place }
        newest = place
    }
}
