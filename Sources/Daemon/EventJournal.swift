// The event log of a program whose facts come from many threads: one thread owns the log, the others post to it.

import Configuration
package import Kernel
import MailModel
package import Spool
package import SpoolFormat
import Synchronization

/// Facts for `spool/<program>/events`, which nobody waits for: on disk a second later at most.
package final class EventJournal: Sendable {
    private struct Waiting {
        var facts = WaitingFacts()
        var isStopping = false
        var hasStopped = false
    }

    /// Sendable: used by `init`, which ends before the thread begins, and by the thread.
    private struct Owned: @unchecked Sendable { let events: EventWriter }

    private let owned: Owned
    private let live: LiveConfiguration
    private let monitor = Monitor()
    private let waiting = Mutex(Waiting())

    /// Opens the log, writes `start` and syncs it; makes no thread.
    package init(spool: borrowing DirectoryDescriptor, _ owner: SpoolOwner, _ live: LiveConfiguration) throws(LogError) {
        self.live = live
        let events = try EventWriter(spool: spool, owner)
        try events.log.begin()
        events.append(RecordLine(.start).adding(.pid, Identity.processID), at: .now())
        events.report(events.log.damage, at: .now())
        try events.commit()
        owned = Owned(events: events)
    }

    /// Begins the thread; call once, after confinement.
    package func start() { startThread { self.run() } }

    package func note(_ line: RecordLine) {
        let now = WallTime.now()
        monitor.lock()
        let isFirst = waiting.withLock { $0.facts.add(line, at: now) }
        if isFirst { monitor.signalAll() }
        monitor.unlock()
    }

    /// Something that the program survives and the operator should know.
    package func problem(_ reason: String) { note(RecordLine(.problem).adding(.reason, reason)) }

    /// Writes what waits and `stop`, syncs, ends the thread.
    package func stop() {
        monitor.lock()
        waiting.withLock { $0.isStopping = true }
        monitor.signalAll()
        while !waiting.withLock({ $0.hasStopped }) { monitor.wait() }
        monitor.unlock()
    }

    private func run() {
        while true {
            let (facts, isStopping) = take()
            facts.append(to: owned.events)
            write(stopping: isStopping)
            if isStopping { break }
        }
        monitor.lock()
        waiting.withLock { $0.hasStopped = true }
        monitor.signalAll()
        monitor.unlock()
    }

    /// Waits for facts, not longer than metrics may be old; while some are not on disk yet, not longer than a part of a second.
    private func take() -> (WaitingFacts, isStopping: Bool) {
        monitor.lock()
        defer { monitor.unlock() }
        if waiting.withLock({ $0.facts.isEmpty && !$0.isStopping }) {
            if owned.events.log.hasPending { monitor.wait(milliseconds: 250) } else { monitor.wait(milliseconds: owned.events.hasPublishedMetrics ? 15_000 : 1000) }
        }
        return waiting.withLock { ($0.facts.take(), $0.isStopping) }
    }

    private func write(stopping: Bool) {
        do {
            if stopping {
                owned.events.append(RecordLine(.stop), at: .now())
                try owned.events.commit()
            } else {
                try owned.events.commitLazily(now: .now())
                let retention = live.current.retention.events.components.seconds
                try owned.events.expire(before: WallTime.now().adding(seconds: -retention), now: .now())
                owned.events.publishMetrics(now: .now())
            }
        } catch {
            let name = owned.events.log.name.owner.rawValue
            writeToStandardError(Array("\(name): problem - reason=\(error)\n".utf8))
        }
    }
}
