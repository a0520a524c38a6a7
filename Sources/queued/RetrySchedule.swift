// When to try again, and when it is enough (RFC 5321 §4.5.4.1). Pure: time and chance are inputs.

import Kernel
import MailModel

/// Exponential back-off with jitter.
struct RetrySchedule: Sendable {
    /// Seconds.
    var initial: Int64
    var maximum: Int64
    var giveUp: Int64
    /// Per cent of the waiting time that may be added, so that mail that failed together does not come back together.
    var jitter: Int64
    /// Seconds after which a sender hears that it takes long; 0 for never.
    var delayNotice: Int64 = 0

    /// The next time after the `attempts`th attempt failed at `now`; up to `jitter` is added, by `id`.
    func next(after attempts: Int, now: WallTime, id: QueueID) -> WallTime {
        let base = pause(after: attempts)
        let spread = max(base * jitter / 100, 1)
        let share = Int64(UInt64(id.sequence) &* 2_654_435_761 &+ UInt64(attempts) &* 40503 & 0xFFFF) % spread
        return now.adding(seconds: base + share)
    }

    /// Seconds between this attempt and the next, without jitter.
    private func pause(after attempts: Int) -> Int64 { min(initial << Int64(min(max(attempts - 1, 0), 20)), maximum) }

    /// Old by the clock, *and* tried as often as it takes that long to try: a clock that jumped makes no mail old.
    func isExhausted(attempts: Int, accepted: WallTime, now: WallTime) -> Bool {
        now.seconds - accepted.seconds > giveUp && hasWaited(giveUp, attempts)
    }

    /// Whether so many attempts take so long, in seconds: a clock that jumped has waited for nothing.
    private func hasWaited(_ time: Int64, _ attempts: Int) -> Bool {
        var waited: Int64 = 0
        for attempt in 1..<max(attempts, 1) {
            waited += pause(after: attempt)
            if waited >= time { return true }
        }
        return time <= 0
    }

    /// The same of what cannot be routed: it must have waited so long under our eyes.
    func isExhausted(heldSince: WallTime, accepted: WallTime, now: WallTime) -> Bool {
        min(now.seconds - accepted.seconds, now.seconds - heldSince.seconds) > giveUp
    }

    /// Whether it has taken so long that the sender should know (RFC 5321 §4.5.4.1 leaves it to us; RFC 3461 §4.1).
    func tellsDelay(attempts: Int, began: WallTime, now: WallTime) -> Bool {
        delayNotice > 0 && now.seconds - began.seconds >= delayNotice && hasWaited(delayNotice, attempts)
    }

    /// Until when a message is tried: as long as the schedule says, or its sender.
    func end(of message: OpenMessage) -> WallTime {
        let end = message.began.adding(seconds: giveUp)
        guard let deadline = message.deadline, deadline.mode == .return else { return end }
        return min(end, deadline.time)
    }

    /// No wait is longer than this, whatever a clock that was wrong wrote down. Seconds.
    var longest: Int64 { maximum + maximum * jitter / 100 }
}
