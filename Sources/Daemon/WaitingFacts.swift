// Facts on their way from the threads that see them to the one that owns the event log.

package import Kernel
package import Spool
package import SpoolFormat

/// A bounded queue of facts: a disk that hangs must not fill memory, so beyond the bound they are counted and not kept.
package struct WaitingFacts: Sendable {
    /// A few hundred bytes each.
    package static let most = 65_536

    private var facts: [(line: RecordLine, time: WallTime)] = []
    private var lost = 0

    package init() {}

    package var isEmpty: Bool { facts.isEmpty }
    package var isFull: Bool { facts.count >= WaitingFacts.most }

    /// Whether it is the first, for which the log's thread must be woken.
    package mutating func add(_ line: RecordLine, at time: WallTime) -> Bool {
        guard !isFull else {
            lost += 1
            return false
        }
        facts.append((line, time))
        return facts.count == 1
    }

    /// What waits; afterwards nothing does.
    package mutating func take() -> WaitingFacts {
        defer { self = WaitingFacts() }
        return self
    }

    /// Appends them in order, and behind them how many were lost.
    package func append(to events: EventWriter) {
        for fact in facts { events.append(fact.line, at: fact.time) }
        if lost > 0 { events.append(RecordLine(.problem).adding(.reason, "events lost").adding(.count, lost), at: .now()) }
    }
}
