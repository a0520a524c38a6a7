// Who waits for changes of which folder: one inotify instance for all idling sessions, read by a thread of its own.
// It only wakes sessions up; what changed they find out themselves. So a wake-up too many costs a look and nothing else.

import Connection
import Kernel
import Synchronization

/// Tells sessions at once that a mailbox changed.
final class MailboxWatch: Sendable {
    typealias Listener = ReplyAddress<StoreNews>

    private struct Table {
        var watched: [Inotify.Watch: Set<UInt64>] = [:]
        var listeners: [UInt64: Listener] = [:]
        /// Those for whom the kernel had no watch left.
        var blind: Set<UInt64> = []
        var next: UInt64 = 0
    }

    /// How late a session without a watch learns of a change.
    private static let blindInterval: Int64 = 30_000

    private let inotify: Inotify
    private let table = Mutex(Table())

    init() throws(KernelError) { inotify = try Inotify() }

    /// Begins the thread; call once, after confinement.
    func start() { startThread { self.run() } }

    /// Wakes `listener` whenever one of these folders changes, until the token is gone. Looks up paths: for worker threads.
    func watch(_ paths: [Path], for listener: Listener) -> WatchToken {
        table.withLock { table in
            table.next += 1
            let id = table.next
            table.listeners[id] = listener
            var watches: [Inotify.Watch] = []
            for path in paths {
                // Under the lock: a watch that is taken away by one session may be the one that another gets here.
                do throws(KernelError) {
                    let watch = try inotify.watch(path, for: [.created, .movedTo, .movedFrom, .deleted])
                    table.watched[watch, default: []].insert(id)
                    watches.append(watch)
                } catch {
                    table.blind.insert(id)
                }
            }
            return WatchToken(id: id, watches: watches, of: self)
        }
    }

    fileprivate func end(_ id: UInt64, _ watches: [Inotify.Watch]) {
        table.withLock { table in
            table.listeners[id] = nil
            table.blind.remove(id)
            for watch in watches {
                table.watched[watch]?.remove(id)
                guard table.watched[watch]?.isEmpty == true else { continue }
                table.watched[watch] = nil
                inotify.remove(watch)
            }
        }
    }

    private func run() {
        var blindLook = MonotonicTime.now().adding(milliseconds: MailboxWatch.blindInterval)
        while true {
            let left = (blindLook.nanoseconds - MonotonicTime.now().nanoseconds) / 1_000_000
            _ = waitReadable([inotify.descriptor.raw], milliseconds: Int(max(0, left)) + 1)
            wake(inotify.drain())
            guard blindLook < .now() else { continue }
            blindLook = MonotonicTime.now().adding(milliseconds: MailboxWatch.blindInterval)
            wake(table.withLock { $0.blind })
        }
    }

    private func wake(_ fired: Set<Inotify.Watch>) {
        guard !fired.isEmpty else { return }
        wake(table.withLock { table in
            // The kernel's queue overflowed: what was lost may concern anybody.
            if fired.contains(where: { $0.raw < 0 }) { return Set(table.listeners.keys) }
            return fired.reduce(into: []) { ids, watch in ids.formUnion(table.watched[watch] ?? []) }
        })
    }

    private func wake(_ ids: Set<UInt64>) {
        guard !ids.isEmpty else { return }
        let listeners = table.withLock { table in ids.compactMap { table.listeners[$0] } }
        var slot = Mailslot<StoreNews>()
        for listener in listeners { slot.put(.changed, for: listener) }
        slot.send()
    }
}

/// A session's watch; ends with its last holder.
final class WatchToken: Sendable {
    private let id: UInt64
    private let watches: [Inotify.Watch]
    private let owner: MailboxWatch

    fileprivate init(id: UInt64, watches: [Inotify.Watch], of owner: MailboxWatch) {
        self.id = id
        self.watches = watches
        self.owner = owner
    }

    deinit { owner.end(id, watches) }
}
