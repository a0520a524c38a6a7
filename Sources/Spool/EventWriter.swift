// What this program did, one line a fact: durable in its own log, and at once on stderr for journald and grep.

package import Kernel
import MailModel
package import SpoolFormat

/// Appends facts to `spool/<program>/events`; used by one thread.
package final class EventWriter {
    package let log: LogWriter
    private let echoes: Bool
    private var echo: [UInt8] = []
    private var lastSync = MonotonicTime(nanoseconds: 0)
    var lastExpiry = MonotonicTime(nanoseconds: 0)
    /// The sums of the segments that are gone, once they were looked for.
    var checkpoint: Checkpoint?
    var tally = EventTally()
    let begun = WallTime.now()
    var lastMetrics = MonotonicTime(nanoseconds: 0)
    /// Whether a first page of metrics was written.
    package internal(set) var hasPublishedMetrics = false

    /// `echoes`: whether each event also goes to stderr.
    package init(spool: borrowing DirectoryDescriptor, _ owner: SpoolOwner, reserve: Int64 = 0, echoes: Bool = true) throws(LogError) {
        log = try LogWriter(spool: spool, LogName(owner, .events), reserve: reserve)
        self.echoes = echoes
    }

    /// Appends a fact; its time is added. Durable after `commit`.
    @discardableResult
    package func append(_ line: RecordLine, at time: WallTime) -> LogPosition {
        var line = line
        line.add(.at, Timestamp.text(time))
        tally.count(line)
        if echoes, Verbosity.echoes(line.verb) {
            echo.append(contentsOf: log.name.owner.rawValue.utf8)
            echo.append(contentsOf: ": ".utf8)
            echo.append(contentsOf: line.bytes)
            echo.append(0x0A)
        }
        return log.append(line).position
    }

    /// Says of each damaged place that it was found.
    package func report(_ damage: [LogDamage], at time: WallTime) {
        for found in damage {
            append(RecordLine(.corrupt).adding(.log, found.log.text).adding(.upto, found.from.text).adding(.reason, found.reason), at: time)
        }
    }

    package func commit() throws(LogError) {
        flushEcho()
        try log.commit()
    }

    /// For facts that nothing waits for: syncs at most once a second.
    package func commitLazily(now: MonotonicTime) throws(LogError) {
        guard log.hasPending, now - lastSync >= .seconds(1) else { return }
        lastSync = now
        try commit()
    }

    private func flushEcho() {
        guard !echo.isEmpty else { return }
        writeToStandardError(echo)
        echo.removeAll(keepingCapacity: true)
    }
}

/// `at=` values: seconds since 1970 with three decimals.
package enum Timestamp {
    package static func text(_ time: WallTime) -> [UInt8] {
        let milliseconds = time.nanoseconds / 1_000_000
        let fraction = String(milliseconds % 1000)
        return Array("\(milliseconds / 1000).".utf8) + Array(String(repeating: "0", count: max(0, 3 - fraction.utf8.count)).utf8) + Array(fraction.utf8)
    }

    package static func time(_ text: [UInt8]) -> WallTime? {
        let parts = text.split(separator: UInt8(ascii: "."))
        guard parts.count == 2, let seconds = parts[0].decimalValue, let milliseconds = parts[1].decimalValue, milliseconds < 1000,
            seconds <= 9_000_000_000
        else { return nil }
        return WallTime(nanoseconds: Int64(seconds) * 1_000_000_000 + Int64(milliseconds) * 1_000_000)
    }
}
