// Threads for work that blocks: look-ups, reads of mailboxes, password hashes. Bounded, and never an event loop.

internal import NIOPosix

/// A fixed number of threads that take work in the order in which it was submitted.
package final class WorkerPool: Sendable {
    private let pool: NIOThreadPool

    package init(threads: Int) {
        pool = NIOThreadPool(numberOfThreads: max(1, threads))
        pool.start()
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
