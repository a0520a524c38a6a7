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

    mutating func next() -> CopyIndex? {
        while !turns.isEmpty {
            if turn >= turns.count { turn = 0 }
            let lane = turns[turn]
            guard var queue = queues[lane], !queue.isEmpty else {
                queues[lane] = nil
                turns.swapAt(turn, turns.count - 1)
                turns.removeLast()
                continue
            }
            queues[lane] = nil
            let item = queue.next()
            queues[lane] = queue
            turn += 1
            return item
        }
        return nil
    }
}

/// Lanes for each priority: what is more urgent goes first, whatever its destination (RFC 6710 §3).
struct PriorityLanes {
    /// The most urgent first; most messages say no priority, and there is one.
    private var levels: [(priority: Int8, lanes: Lanes)] = []

    mutating func append(_ copy: CopyIndex, lane: [UInt8], priority: Int8) {
        let place = levels.firstIndex { $0.priority <= priority } ?? levels.endIndex
        if place == levels.endIndex || levels[place].priority != priority { levels.insert((priority, Lanes()), at: place) }
        levels[place].lanes.append(copy, lane: lane)
    }

    mutating func next() -> CopyIndex? {
        while !levels.isEmpty {
            if let copy = levels[0].lanes.next() { return copy }
            guard levels.count > 1 else { return nil }
            levels.removeFirst()
        }
        return nil
    }
}
