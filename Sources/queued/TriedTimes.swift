// When a copy was tried, for the notice about it. Seconds in 32 bits: a queue may hold a million copies.

import Kernel
import MailModel

/// The times of the first and the last answer that put a copy off or ended it; seconds since 1970, 0 for none.
struct TriedTimes: Hashable, Sendable {
    private(set) var first: UInt32 = 0
    private(set) var last: UInt32 = 0

    init() {}

    /// `first-last`, as `tried` of a state block says it.
    init?(parsing text: [UInt8]) {
        let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map { $0.decimalValue.flatMap { UInt32(exactly: $0) } }
        guard parts.count == 2, let first = parts[0], let last = parts[1], first > 0, last > 0 else { return nil }
        self.first = first
        self.last = last
    }

    /// Nil while there is nothing to say.
    var text: [UInt8]? { first > 0 ? Array("\(first)-\(last)".utf8) : nil }

    mutating func note(_ time: WallTime) {
        guard let seconds = UInt32(exactly: time.seconds), seconds > 0 else { return }
        if first == 0 { first = seconds }
        last = seconds
    }
}
