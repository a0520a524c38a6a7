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
