// What a log's commits cost: counted where they happen, read by whoever publishes metrics.

package import SpoolFormat

/// The commits of one log since it was opened.
package struct LogMeasure: Sendable {
    package private(set) var batch = Histogram(bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256])
    /// Microseconds.
    package private(set) var sync = Histogram(bounds: [250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000])
    package private(set) var bytes = 0
    /// Records that wait for the next commit.
    var pending = 0

    mutating func committed(bytes count: Int, microseconds: Int) {
        batch.add(pending)
        sync.add(microseconds)
        bytes &+= count
        pending = 0
    }
}
