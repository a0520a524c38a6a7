// How often something may happen: a bucket that holds one number, the moment at which it will be full again.

/// So many in so many seconds; as many at once after a rest.
package struct Rate: Hashable, Sendable {
    /// 1 to 1,000,000.
    package let count: Int
    /// 1 to 31 days.
    package let seconds: Int

    package init(_ count: Int, per seconds: Int) {
        self.count = min(max(count, 1), 1_000_000)
        self.seconds = min(max(seconds, 1), 31 * 86400)
    }

    /// So many per cent of it, at least one.
    package func scaled(_ percent: Int) -> Rate { Rate(count * min(max(percent, 1), 1000) / 100, per: seconds) }

    /// Nanoseconds in which one token comes back.
    fileprivate var interval: Int64 { Int64(seconds) * 1_000_000_000 / Int64(count) }
    /// Nanoseconds in which an empty bucket fills.
    fileprivate var period: Int64 { interval * Int64(count) }
}

/// The state of one rate. Times are nanoseconds of a clock that does not jump.
struct TokenBucket: Hashable, Sendable {
    /// When it is full if nothing more is taken.
    private var full: Int64 = 0

    /// Seconds until `count` tokens are there, rounded up; nil if they are there now.
    func wait(_ count: Int, of rate: Rate, at now: Int64) -> Int? {
        guard count <= rate.count else { return rate.seconds }
        let missing = level(of: rate, at: now) + Int64(max(count, 0)) * rate.interval - rate.period
        return missing > 0 ? Int((missing + 999_999_999) / 1_000_000_000) : nil
    }

    /// Takes tokens that `wait` found; what was taken beyond them is forgiven.
    mutating func take(_ count: Int, of rate: Rate, at now: Int64) {
        let taken = Int64(min(max(count, 0), rate.count)) * rate.interval
        full = TokenBucket.clamped(now) + level(of: rate, at: now) + taken
    }

    /// Nanoseconds until it is full; never more than the period, whatever the clock did.
    private func level(of rate: Rate, at now: Int64) -> Int64 { min(max(full - TokenBucket.clamped(now), 0), rate.period) }

    private static func clamped(_ now: Int64) -> Int64 { min(max(now, 0), Int64.max / 2) }
}
