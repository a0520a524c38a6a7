// A set of UIDs as ascending ranges, with the text that IMAP and our files share: `3:7,12`.

/// Many UIDs in little room: sorted, disjoint, never adjacent ranges.
package struct UIDRanges: Hashable, Sendable {
    package private(set) var ranges: [ClosedRange<UInt32>] = []

    package init() {}

    /// Any order, any repetition.
    package init(_ uids: some Sequence<MessageUID>) {
        for value in uids.map(\.rawValue).sorted() { appendAscending(value...value) }
    }

    /// `3:7,12`, ascending; nil for anything else.
    package init?(parsing text: some Collection<UInt8>) {
        for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let ends = part.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { canonicalDecimal($0, limit: UInt64(UInt32.max)).map(UInt32.init(truncatingIfNeeded:)) }
            guard (1...2).contains(ends.count), let low = ends[0], let high = ends[ends.count - 1], low > 0, low <= high,
                ranges.last.map({ $0.upperBound < low }) ?? true
            else { return nil }
            appendAscending(low...high)
        }
    }

    package var text: [UInt8] {
        var out: [UInt8] = []
        for range in ranges {
            if !out.isEmpty { out.append(UInt8(ascii: ",")) }
            out += decimal(range.lowerBound)
            if range.count > 1 { out += [UInt8(ascii: ":")] + decimal(range.upperBound) }
        }
        return out
    }

    package var isEmpty: Bool { ranges.isEmpty }
    package var uids: [MessageUID] { ranges.flatMap { $0.map { MessageUID($0) } } }
    package var count: Int { ranges.reduce(0) { $0 + $1.count } }

    package func contains(_ uid: MessageUID) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < uid.rawValue { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(uid.rawValue)
    }

    package mutating func formUnion(_ other: UIDRanges) {
        let all = (ranges + other.ranges).sorted { $0.lowerBound < $1.lowerBound }
        ranges = []
        for range in all { appendAscending(range) }
    }

    /// Every UID below `end` that is not in `present`, which ascends.
    package static func complement(of present: some Sequence<MessageUID>, below end: MessageUID) -> UIDRanges {
        var gaps = UIDRanges()
        var next: UInt32 = 1
        for uid in present where uid < end {
            if uid.rawValue > next { gaps.appendAscending(next...(uid.rawValue - 1)) }
            next = uid.rawValue + 1
        }
        if next < end.rawValue { gaps.appendAscending(next...(end.rawValue - 1)) }
        return gaps
    }

    /// `range` begins nowhere before the last one begins.
    private mutating func appendAscending(_ range: ClosedRange<UInt32>) {
        guard let last = ranges.last, UInt64(last.upperBound) + 1 >= UInt64(range.lowerBound) else {
            ranges.append(range)
            return
        }
        ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
    }
}
