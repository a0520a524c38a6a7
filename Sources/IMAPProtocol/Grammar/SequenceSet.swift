// A set of message numbers or UIDs as the client wrote it, and as it is once `*` has a value.
// Invariant of `NumberSet`: ranges ascend, do not touch and are not empty.

/// `sequence-set` (RFC 3501 §9): ranges of numbers in which nil stands for `*`, the largest in use.
package struct SequenceSet: Hashable, Sendable {
    package struct Element: Hashable, Sendable {
        /// nil is `*`.
        package let first: UInt32?
        package let last: UInt32?
        package init(_ first: UInt32?, _ last: UInt32?) {
            self.first = first
            self.last = last
        }
    }

    package let elements: [Element]
    package init(_ elements: [Element]) { self.elements = elements }

    /// The numbers meant when `*` is `largest`; an empty mailbox has no numbers, whatever `*` says.
    ///
    /// `5:*` with 3 messages is `3:5`: the order of a range's ends does not matter (RFC 3501 §9 `seq-range`).
    package func resolved(largest: UInt32) -> NumberSet {
        NumberSet(
            elements.map { element in
                let a = element.first ?? largest
                let b = element.last ?? largest
                return min(a, b)...max(a, b)
            })
    }
}

/// Numbers from 1 as ascending, separate ranges.
package struct NumberSet: Hashable, Sendable {
    package private(set) var ranges: [ClosedRange<UInt32>] = []

    /// Sorts and joins; n log n, so that a set repeated ten thousand times costs no more than its text.
    package init(_ unordered: [ClosedRange<UInt32>]) {
        for range in unordered.sorted(by: { $0.lowerBound < $1.lowerBound }) { append(range) }
    }

    package init(ascending numbers: some Sequence<UInt32>) {
        for number in numbers { append(number...number) }
    }

    package var isEmpty: Bool { ranges.isEmpty }

    package func contains(_ number: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(number)
    }

    /// The lower bound must not be below that of the last range.
    private mutating func append(_ range: ClosedRange<UInt32>) {
        guard let last = ranges.last else { return ranges.append(range) }
        // Widened: UInt32.max + 1 must not trap.
        if UInt64(range.lowerBound) <= UInt64(last.upperBound) + 1 {
            ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
            ranges.append(range)
        }
    }
}
