// Copies that wait for their time. An entry may be older than what its copy waits for now: it is looked at again when it is due.

import Kernel
import MailModel

/// Copies that wait for a time, the earliest first.
struct TimerHeap {
    private var items: [(time: WallTime, copy: CopyIndex)] = []

    var first: WallTime? { items.first?.time }
    var count: Int { items.count }
    /// What was left when it was tidied last.
    private var tidied = 0
    private static let few = 4096

    /// Drops entries that mean nothing any more, when they may be most of what there is.
    mutating func tidy(keeping isWanted: (WallTime, CopyIndex) -> Bool) {
        guard items.count > 2 * tidied + TimerHeap.few else { return }
        let kept = items.filter { isWanted($0.time, $0.copy) }
        items.removeAll()
        for item in kept { insert(item.time, item.copy) }
        tidied = items.count
    }

    mutating func insert(_ time: WallTime, _ copy: CopyIndex) {
        items.append((time, copy))
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child].time < items[parent].time else { return }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop(until now: WallTime) -> CopyIndex? {
        guard let first = items.first, first.time <= now else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child].time < items[least].time { least = child }
            if least == parent { return first.copy }
            items.swapAt(parent, least)
            parent = least
        }
    }
}
