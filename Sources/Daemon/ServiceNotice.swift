// What a service manager is told: that the service is ready, that it still turns, that it stops (sd_notify(3)).
// Told nothing where $NOTIFY_SOCKET names nobody.

import Configuration
import Kernel
import Synchronization

/// Used by the main loop and, for the beat, by the event loop that it passes through.
package final class ServiceNotice: Sendable {
    package typealias Route = @Sendable (_ arrived: @escaping @Sendable () -> Void) -> Void

    private let socket: Channel?
    /// Between two beats: a quarter of what the manager waits for; nil if it waits for none.
    private let interval: Duration?
    private let isReady = Atomic<Bool>(false)
    private let progress = Mutex(Progress())

    private struct Progress {
        var lastBeat: MonotonicTime?
        var route: Route?
    }

    private final class Channel: Sendable {
        let socket: NotifySocket
        init(address: String) throws(KernelError) { socket = try NotifySocket(address: address) }
    }

    /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. A manager that cannot be reached is not told; nothing depends on it.
    package init() {
        let address = Identity.environment("NOTIFY_SOCKET") ?? ""
        socket = address.isEmpty ? nil : try? Channel(address: address)
        let isMeant = Identity.environment("WATCHDOG_PID").flatMap(Int32.init).map { $0 == Identity.processID } ?? true
        let microseconds = Identity.environment("WATCHDOG_USEC").flatMap(Int64.init) ?? 0
        interval = isMeant && microseconds > 0 ? .microseconds(microseconds / 4) : nil
    }

    /// The service does its work from now on; said once.
    package func ready() {
        guard let socket, !isReady.exchange(true, ordering: .relaxed) else { return }
        socket.socket.say("READY=1")
    }

    package func stopping() { socket?.socket.say("STOPPING=1") }

    /// For a program whose work is done by an event loop: a beat counts when it has passed through that.
    package func beatThrough(_ route: @escaping Route) { progress.withLock { $0.route = route } }

    /// Milliseconds that a main loop may wait before its next turn.
    package var patience: Int { interval.map { min(60_000, max(100, $0.wholeMilliseconds)) } ?? 60_000 }

    /// One turn of the main loop. Call at least each minute; most calls say nothing.
    package func turned() {
        ready()
        guard let socket, let interval else { return }
        let now = MonotonicTime.now()
        let (isDue, route): (Bool, Route?) = progress.withLock { progress in
            if let last = progress.lastBeat, now - last < interval { return (false, nil) }
            progress.lastBeat = now
            return (true, progress.route)
        }
        guard isDue else { return }
        if let route { route { socket.socket.say("WATCHDOG=1") } } else { socket.socket.say("WATCHDOG=1") }
    }
}
