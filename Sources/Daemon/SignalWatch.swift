// What SIGTERM, SIGINT and SIGHUP mean to a daemon.

import Kernel
import Spool

/// The operator's wishes, from signals.
package enum OperatorWish: Sendable { case stop, reload }

extension DaemonContext {
    /// The wishes that came since the last call: once a turn of the main loop, which the service manager is told of. A
    /// configuration that was published is one, also where nobody sent a signal.
    package func wishes() -> [OperatorWish] {
        notice.turned()
        var wishes = Signals.received().compactMap { number -> OperatorWish? in
            switch number {
            case Signals.terminate, Signals.interrupt:
                notice.stopping()
                return .stop
            case Signals.hangup: return .reload
            default: return nil
            }
        }
        let isTold = wishes.contains(.reload)
        if live.look(now: .now(), isTold: isTold), !isTold { wishes.append(.reload) }
        return wishes
    }
}

extension DaemonContext {
    /// Runs one life after another: after an error everything is in the logs, and is begun again from them, a little later
    /// each time. Ends the process when the operator wishes, or when another process holds the log.
    package func repeatUntilStopped(_ life: () throws -> Void) -> Never {
        var failures = 0
        while true {
            let begun = MonotonicTime.now()
            do {
                try life()
                Identity.exit(0)
            } catch let error as LogError {
                if case .locked = error { refuse(error) }
                complain(error)
            } catch {
                complain(error)
            }
            // Trouble long after the last is new trouble.
            failures = MonotonicTime.now() - begun > .seconds(60) ? 1 : failures + 1
            pause(milliseconds: min(200 << min(failures, 7), 15_000))
            if wishes().contains(.stop) { Identity.exit(0) }
        }
    }
}
