// queued's events as a delivery agent hears them: what it is asked to do, and what it may forget.
// A copy that was ended after it was assigned is never begun again, whatever a restart or a power cut makes us read twice.

package import Kernel
import MailModel
package import SpoolFormat

/// Follows queued's events for one agent. Used by one thread.
package final class AgentInbox {
    private let agent: SpoolOwner
    private let follower: LogFollower
    /// How far the life before had read: nothing is begun before we stand there too.
    private var catchUp: LogPosition?
    private var endings: [(id: QueueID, position: LogPosition)] = []
    /// How far queued has durably read the agent's events.
    package private(set) var consumed = LogPosition.start

    /// `ledger` has read the agent's own log.
    package init<Held>(
        spool: borrowing DirectoryDescriptor, agent: SpoolOwner, resuming ledger: AgentLedger<Held>
    ) throws(KernelError) {
        self.agent = agent
        let log = LogName(.queued, .events)
        let start: LogPosition
        if let resumption = ledger.resumption { start = resumption } else { start = try LogFollower.newestSegment(spool: spool, log) }
        follower = try LogFollower(spool: spool, log, from: start)
        catchUp = ledger.cursor
    }

    package var path: Path { follower.path }

    /// Where the next life must have read to before it begins anything: for the ledger's state block. A life that has not caught up
    /// knows no more than the one before, and no less: answers below that one's cursor may be forgotten.
    package var cursor: LogPosition { max(catchUp ?? .start, follower.safePosition) }

    /// Damage found since it was last taken.
    package func takeDamage() -> [LogDamage] {
        defer { follower.damage.removeAll() }
        return follower.damage
    }

    /// The assignments that follow and are not ended; false when there was no more to hear.
    package func poll<Held>(
        _ ledger: inout AgentLedger<Held>, limit: Int = 1024
    ) throws(KernelError) -> (assigned: [PlacedRecord], heardAll: Bool) {
        var records = try follower.poll(limit: limit)
        var heardAll = records.count < limit
        var ended = note(records)
        var asked = records.filter { asks($0.record) }
        while let target = catchUp {
            records = follower.position < target ? try follower.poll(limit: limit) : []
            // Fewer than asked for may be the work of an error; none at all means that there is no more, unless there was one.
            guard !records.isEmpty else {
                if follower.isHindered { throw KernelError(.read, code: 5, object: follower.path.bytes) }
                catchUp = nil
                break
            }
            heardAll = records.count < limit
            ended.formUnion(note(records))
            asked += records.filter { asks($0.record) }
        }
        forgetWhatIsOver(&ledger)
        return (asked.filter { !ended.contains($0.record.id) }, heardAll)
    }

    private func asks(_ record: Record) -> Bool {
        guard record.verb == .assign || (record.verb == .pending && record[.answers] != nil) else { return false }
        return record.text(.agent) == agent.rawValue
    }

    private func note(_ records: [PlacedRecord]) -> Set<QueueID?> {
        var ended: Set<QueueID?> = []
        for placed in records {
            switch placed.record.verb {
            case .done:
                guard let id = placed.record.id else { continue }
                ended.insert(id)
                endings.append((id, placed.position))
            case .cursor:
                guard placed.record[.log] == LogName(agent, .events).text else { continue }
                consumed = placed.record[.upto].flatMap { LogPosition(parsing: $0) } ?? consumed
            default: break
            }
        }
        return ended
    }

    /// An ending above the safe position may be cut away, and only the assignment be left: until then the answer is kept.
    private func forgetWhatIsOver<Held>(_ ledger: inout AgentLedger<Held>) {
        let over = endings.prefix { $0.position < follower.safePosition }
        for ending in over { ledger.forget(ending.id) }
        endings.removeFirst(over.count)
    }
}
