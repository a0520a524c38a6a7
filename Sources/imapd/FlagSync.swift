// Changed flags reach the disk within a second, and no client waits for it: one thread syncs what gathered.

import Daemon
import Kernel
import Mailbox
import Synchronization

/// Folders whose last changes are not on the disk yet.
final class FlagSync: Sendable {
    private struct Work {
        var folders: [ObjectIdentifier: Folder] = [:]
        var isStopping = false
        var hasStopped = false
    }

    /// A burst of STOREs becomes one sync.
    private static let gathering = 300

    private let journal: EventJournal
    private let monitor = Monitor()
    private let work = Mutex(Work())

    init(journal: EventJournal) { self.journal = journal }

    /// Begins the thread; call once, after confinement.
    func start() { startThread { self.run() } }

    /// Takes the folder on if something in it waits.
    func note(_ folder: Folder) {
        guard folder.pendingSync else { return }
        monitor.lock()
        work.withLock { $0.folders[ObjectIdentifier(folder)] = folder }
        monitor.signalAll()
        monitor.unlock()
    }

    /// Syncs what is left and ends the thread.
    func stop() {
        monitor.lock()
        work.withLock { $0.isStopping = true }
        monitor.signalAll()
        while !work.withLock({ $0.hasStopped }) { monitor.wait() }
        monitor.unlock()
    }

    private func run() {
        var isStopping = false
        while !isStopping {
            monitor.lock()
            while work.withLock({ $0.folders.isEmpty && !$0.isStopping }) { monitor.wait() }
            monitor.unlock()
            if !work.withLock({ $0.isStopping }) { pause(milliseconds: FlagSync.gathering) }
            let folders = work.withLock { work in
                isStopping = work.isStopping
                defer { work.folders = [:] }
                return work.folders
            }
            for folder in folders.values { sync(folder) }
        }
        monitor.lock()
        work.withLock { $0.hasStopped = true }
        monitor.signalAll()
        monitor.unlock()
    }

    private func sync(_ folder: Folder) {
        do throws(StoreError) { try folder.syncFlags() } catch {
            // A mailbox that was deleted meanwhile needs no flags.
            if error.isTrouble { journal.problem("flags not synced: \(error)") }
        }
    }
}
