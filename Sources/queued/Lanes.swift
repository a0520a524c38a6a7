// Fairness: each destination has its queue, and they take turns.

import Kernel
import MailModel

/// A copy by its place in its message.
struct CopyIndex: Hashable, Sendable {
    let id: QueueID
    let index: Int
}

/// Ready copies of one agent, first in first out within a destination, destinations in turn.
struct Lanes {
    private var queues: [[UInt8]: FIFO] = [:]
    private var turns = [[UInt8]]()
    private var turn = 0

    private struct FIFO {
        var items: [CopyIndex] = []
        var head = 0
        var isEmpty: Bool { head == items.count }
        mutating func next() -> CopyIndex {
            let item = items[head]
            head += 1
            if head > 1024, head * 2 > items.count {
                items.removeFirst(head)
                head = 0
            }
            return item
        }
    }

    mutating func append(_ copy: CopyIndex, lane: [UInt8]) {
        if queues[lane] == nil { turns.append(lane) }
        queues[lane, default: FIFO()].items.append(copy)
    }

    var isEmpty: Bool { turns.isEmpty }

    /// The next of a lane that may have one more; nil if there is none, or none may.
    mutating func next(where mayGo: ([UInt8]) -> Bool) -> CopyIndex? {
        var passed = 0
        while passed < turns.count {
            if turn >= turns.count { turn = 0 }
            let lane = turns[turn]
            guard var queue = queues[lane], !queue.isEmpty else {
                queues[lane] = nil
                turns.swapAt(turn, turns.count - 1)
                turns.removeLast()
                continue
            }
            turn += 1
            guard mayGo(lane) else {
                passed += 1
                continue
            }
            queues[lane] = nil
            let item = queue.next()
            queues[lane] = queue
            return item
        }
        return nil
    }
}

/// Lanes for each class of senders, which take turns: whose fifty thousand messages wait does not delay who has one.
struct SenderLanes {
    private var classes: [UInt8: Lanes] = [:]
    private var turns: [UInt8] = []
    private var turn = 0

    var isEmpty: Bool { turns.isEmpty }

    mutating func append(_ copy: CopyIndex, lane: [UInt8], sender: UInt8) {
        if classes[sender] == nil { turns.append(sender) }
        classes[sender, default: Lanes()].append(copy, lane: lane)
    }

    mutating func next(where mayGo: ([UInt8]) -> Bool) -> CopyIndex? {
        var passed = 0
        while passed < turns.count {
            if turn >= turns.count { turn = 0 }
            let sender = turns[turn]
            let copy = classes[sender]?.next(where: mayGo)
            if copy == nil, classes[sender]?.isEmpty ?? true {
                classes[sender] = nil
                turns.remove(at: turn)
                continue
            }
            turn += 1
            if let copy { return copy }
            passed += 1
        }
        return nil
    }
}

/// What decides a copy's turn beside its destination.
struct Rank: Hashable, Sendable {
    /// As MT-PRIORITY says it.
    let priority: Int8
    /// Senders fall into 256 classes by chance: so many lists and no more, whoever writes under a million names.
    let sender: UInt8

    init(priority: Int8, sender address: [UInt8]) {
        self.priority = priority
        var hash: UInt32 = 2_166_136_261
        // What a list puts behind a plus sign for each recipient makes no other sender of it.
        var isTag = false
        for byte in address {
            if byte == UInt8(ascii: "+") { isTag = true } else if byte == UInt8(ascii: "@") { isTag = false }
            if !isTag { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        }
        sender = UInt8(truncatingIfNeeded: hash ^ hash >> 8 ^ hash >> 16)
    }
}

/// Lanes for each priority: what is more urgent goes first, whatever its destination (RFC 6710 §3).
struct PriorityLanes {
    /// The most urgent first; most messages say no priority, and there is one.
    private var levels: [(priority: Int8, lanes: SenderLanes)] = []

    mutating func append(_ copy: CopyIndex, lane: [UInt8], rank: Rank) {
        let place = levels.firstIndex { $0.priority <= rank.priority } ?? levels.endIndex
        if place == levels.endIndex || levels[place].priority != rank.priority { levels.insert((rank.priority, SenderLanes()), at: place) }
        levels[place].lanes.append(copy, lane: lane, sender: rank.sender)
    }

    /// Of what is less urgent only what the lanes of the more urgent leave: a lane that has its share stops no other.
    mutating func next(where mayGo: ([UInt8]) -> Bool) -> CopyIndex? {
        var place = 0
        while place < levels.count {
            if let copy = levels[place].lanes.next(where: mayGo) { return copy }
            if levels[place].lanes.isEmpty, levels.count > 1 { levels.remove(at: place) } else { place += 1 }
        }
        return nil
    }
}
