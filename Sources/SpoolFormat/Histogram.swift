// Counts by size, as Prometheus wants them: cumulative, with a sum.

/// How often values fell below each bound.
package struct Histogram: Hashable, Sendable {
    /// Ascending; what lies above the last is counted in `count` alone.
    package let bounds: [Int]
    /// Values up to each bound, not cumulative.
    package private(set) var counts: [Int]
    package private(set) var count = 0
    package private(set) var sum = 0

    package init(bounds: [Int]) {
        self.bounds = bounds
        counts = [Int](repeating: 0, count: bounds.count)
    }

    package mutating func add(_ value: Int) {
        count &+= 1
        sum &+= value
        if let index = bounds.firstIndex(where: { value <= $0 }) { counts[index] &+= 1 }
    }
}
