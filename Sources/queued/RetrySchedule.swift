// When to try again, and when it is enough (RFC 5321 §4.5.4.1). Pure: time and chance are inputs.

import Kernel
import MailModel

/// Exponential back-off with jitter.
struct RetrySchedule: Sendable {
    /// Seconds.
    var initial: Int64
    var maximum: Int64
    var giveUp: Int64
    /// A message is never given up before this many attempts, however the wall clock jumps.
    var minimumAttempts: Int
    /// Per cent of the waiting time that may be added, so that mail that failed together does not come back together.
    var jitter: Int64

    /// The next time after the `attempts`th attempt failed at `now`; up to `jitter` is added, by `id`.
    func next(after attempts: Int, now: WallTime, id: QueueID) -> WallTime {
        let doublings = min(max(attempts - 1, 0), 20)
        let base = min(initial << Int64(doublings), maximum)
        let spread = max(base * jitter / 100, 1)
        let share = Int64(UInt64(id.sequence) &* 2_654_435_761 &+ UInt64(attempts) &* 40503 & 0xFFFF) % spread
        return now.adding(seconds: base + share)
    }

    func isExhausted(attempts: Int, accepted: WallTime, now: WallTime) -> Bool {
        now.seconds - accepted.seconds > giveUp && attempts >= minimumAttempts
    }
}
