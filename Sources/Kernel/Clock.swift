// Time as it comes from the machine; every core above gets it as an input.

import Glibc

/// Wall time: may jump. Nanoseconds since 1970-01-01 UTC.
package struct WallTime: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    package init(seconds: Int64) { nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue }
    package var seconds: Int64 { nanoseconds / 1_000_000_000 }
    package static func < (a: WallTime, b: WallTime) -> Bool { a.nanoseconds < b.nanoseconds }
    package func adding(seconds: Int64) -> WallTime { WallTime(nanoseconds: nanoseconds &+ seconds &* 1_000_000_000) }

    package static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// Time that never jumps, since some moment of this boot. Nanoseconds.
package struct MonotonicTime: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    package static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }
    package static func - (a: MonotonicTime, b: MonotonicTime) -> Duration { .nanoseconds(a.nanoseconds - b.nanoseconds) }
    package func adding(milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds + milliseconds * 1_000_000) }

    package static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// The wall's time when it was made, and from then on time that never jumps: for what waits, however the clock is set.
package struct SteadyClock: Sendable {
    private let wall = WallTime.now()
    private let begun = MonotonicTime.now()

    package init() {}

    package var now: WallTime { WallTime(nanoseconds: wall.nanoseconds &+ (MonotonicTime.now().nanoseconds - begun.nanoseconds)) }
}

/// Lets this thread rest.
package func pause(milliseconds: Int) { usleep(UInt32(clamping: milliseconds * 1000)) }
