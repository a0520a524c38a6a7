// Signals as readable bytes: a daemon's loop sees SIGTERM where it sees everything else.

import CLinux
import Glibc

/// Writes one byte a signal into a pipe; the reading end is polled.
package enum Signals {
    private static let pipe: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        _ = martlet_pipe(&ends)
        return (ends[0], ends[1])
    }()

    /// Catches these signals from now on and ignores SIGPIPE; the descriptor becomes readable when one came.
    package static func catching(_ signals: [Int32]) -> Int32 {
        let end = pipe.read
        signal(SIGPIPE, SIG_IGN)
        for number in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = Glibc.write(Signals.pipe.write, &byte, 1)
                errno = saved
            }
            sigemptyset(&action.sa_mask)
            sigaction(number, &action, nil)
        }
        return end
    }

    /// The signals that came since the last call.
    package static func received() -> [Int32] {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(pipe.read, &buffer, buffer.count)
        return count > 0 ? buffer.prefix(count).map(Int32.init) : []
    }

    package static let terminate = SIGTERM
    package static let interrupt = SIGINT
    package static let hangup = SIGHUP
    package static let child = SIGCHLD
    package static let kill = SIGKILL

    package static func send(_ signal: Int32, to pid: Int32) -> Bool { Glibc.kill(pid, signal) == 0 }
}
