// Threads for work that blocks: look-ups, reads of mailboxes, password hashes. Bounded, and never an event loop.

internal import NIOPosix
import Synchronization

/// A fixed number of threads that take work in the order in which it was submitted.
package final class WorkerPool: Sendable {
    private let pool: NIOThreadPool
    private let mostOffered: Int
    private let offered = Atomic<Int>(0)

    /// `mostOffered`: how much work of `offer` waits at a time.
    package init(threads: Int, mostOffered: Int = 512) {
        self.mostOffered = mostOffered
        pool = NIOThreadPool(numberOfThreads: max(1, threads))
        pool.start()
    }

    /// For what strangers ask, who go and come back with more of it: false, and not done, when too much waits already.
    package func offer(_ work: @escaping @Sendable () -> Void) -> Bool {
        guard offered.add(1, ordering: .relaxed).newValue <= mostOffered else {
            offered.subtract(1, ordering: .relaxed)
            return false
        }
        submit {
            self.offered.subtract(1, ordering: .relaxed)
            work()
        }
        return true
    }

    /// Each connection asks a bounded number of questions at a time, so the connection limit bounds the queue.
    package func submit(_ work: @escaping @Sendable () -> Void) {
        pool.submit { state in
            switch state {
            case .active: work()
            case .cancelled: break
            }
        }
    }

    /// Ends the threads; for tests, which make many pools.
    package func stop() { try? pool.syncShutdownGracefully() }
}
