// The limits of one connection as plain numbers, so that one lazily moved alarm serves them all.

internal import NIOCore

/// Which limits a connection has, and when the first of them passes.
struct SessionClock {
    /// The longest time without a byte from the peer (or, while we cannot write, without one taken by it).
    var silence: TimeAmount?
    /// The end of a whole transaction or dialogue, however busy it is.
    var end: NIODeadline?
    /// The end of a closing connection.
    var closing: NIODeadline?
    private(set) var lastActivity = NIODeadline.now()

    mutating func touch() { lastActivity = .now() }

    var next: NIODeadline? {
        if let closing { return closing }
        let silent = silence.map { lastActivity + $0 }
        guard let end else { return silent }
        return silent.map { min($0, end) } ?? end
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        self = .nanoseconds(overflow ? Int64.max / 4 : min(whole, Int64.max / 4) + attoseconds / 1_000_000_000)
    }
}
