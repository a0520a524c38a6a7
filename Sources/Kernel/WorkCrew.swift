// A few threads that do the items of one job side by side: many syncs at once become one commit of the file system.

import Glibc
import Synchronization

/// A mutex and a condition, for threads that wait for each other.
///
/// Sendable: both words are only touched by the pthread functions, which are made for use by several threads;
/// they are allocated once, never moved, and freed when nobody refers to this object any more.
package final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(condition)
        mutex.deallocate()
        condition.deallocate()
    }

    package func lock() { pthread_mutex_lock(mutex) }
    package func unlock() { pthread_mutex_unlock(mutex) }
    /// Waits for a signal; the lock is held before and after.
    package func wait() { pthread_cond_wait(condition, mutex) }
    /// The same, but not longer than this.
    package func wait(milliseconds: Int) {
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let nanoseconds = Int(end.tv_nsec) + (milliseconds % 1000) * 1_000_000
        end.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        pthread_cond_timedwait(condition, mutex, &end)
    }
    package func signalAll() { pthread_cond_broadcast(condition) }
}

/// Starts a thread that lives as long as the process.
package func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Box(body)).toOpaque()
    let result = pthread_create(&thread, nil, { raw in
        guard let raw else { return nil }
        Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body()
        return nil
    }, context)
    if result == 0 { pthread_detach(thread) } else { Unmanaged<Box>.fromOpaque(context).release() }
}

/// A fixed number of threads.
package final class WorkCrew: Sendable {
    private struct Job {
        var count = 0
        var next = 0
        var finished = 0
        var body: (@Sendable (_ worker: Int, _ item: Int) -> Void)?
    }

    private let monitor = Monitor()
    private let job = Mutex(Job())
    package let size: Int

    package init(size: Int) {
        self.size = max(size, 1)
        for worker in 0..<self.size { startThread { [self] in work(worker) } }
    }

    /// Calls `body` once for each item, from several threads; returns when all are done. One job at a time.
    ///
    /// `worker` is below `size` and no two threads have the same one.
    package func forEach(_ count: Int, _ body: @escaping @Sendable (_ worker: Int, _ item: Int) -> Void) {
        guard count > 0 else { return }
        monitor.lock()
        job.withLock { $0 = Job(count: count, next: 0, finished: 0, body: body) }
        monitor.signalAll()
        while job.withLock({ $0.finished < $0.count }) { monitor.wait() }
        job.withLock { $0.body = nil }
        monitor.unlock()
    }

    private func work(_ worker: Int) {
        while true {
            guard let (item, body) = take() else {
                monitor.lock()
                while job.withLock({ $0.body == nil || $0.next >= $0.count }) { monitor.wait() }
                monitor.unlock()
                continue
            }
            body(worker, item)
            let last = job.withLock { job in
                job.finished += 1
                return job.finished == job.count
            }
            if last {
                monitor.lock()
                monitor.signalAll()
                monitor.unlock()
            }
        }
    }

    private func take() -> (Int, @Sendable (Int, Int) -> Void)? {
        job.withLock { job in
            guard let body = job.body, job.next < job.count else { return nil }
            job.next += 1
            return (job.next - 1, body)
        }
    }
}
