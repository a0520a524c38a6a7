// The logs as an audit reads them: every record that is committed, from the first segment that no checkpoint counts.
// Order of reading: the mail logs first, then what was said. What has left a mail log meanwhile was ended before, and says so.

import Audit
import Kernel
import MailModel
import Spool
import SpoolFormat

/// What stands in the way of a proof.
struct AuditObstacle: Hashable, Sendable {
    let log: String
    let from: String
    let reason: String
}

/// Reads a spool for an audit, as often as it takes.
final class AuditReader {
    private let spool: Path
    private(set) var cuts: Ledger.Cuts = [:]
    private(set) var obstacles: Set<AuditObstacle> = []
    /// How many records were read, over all readings.
    private(set) var count = 0

    init(spool: Path) throws(KernelError) {
        self.spool = spool
        for log in AuditedLog.events { cuts[log] = try lookForCut(log) }
    }

    /// Whether a log was cut since: what is gone was not read.
    func wasOvertaken() throws(KernelError) -> Bool {
        for log in AuditedLog.events where try lookForCut(log)?.segment != cuts[log]?.segment { return true }
        return false
    }

    /// Reads everything into a ledger.
    func read(into ledger: inout Ledger) throws(KernelError) {
        let folder = try DirectoryDescriptor(opening: spool)
        for origin in QueueOrigin.allCases {
            let follower = try LogFollower(spool: folder, LogName(origin.owner, .mail), from: .start)
            while true {
                let records = try follower.poll()
                if records.isEmpty { break }
                for placed in records { ledger.hear(placed.record, at: placed.position, from: .mail(origin)) }
                count += records.count
            }
            note(follower)
        }
        var sources: [Source] = []
        for log in AuditedLog.events {
            let start = LogPosition(segment: cuts[log].map { $0.segment + 1 } ?? 0, offset: 0)
            sources.append(Source(log, try LogFollower(spool: folder, log.file, from: start)))
        }
        try merge(&sources, into: &ledger)
        for source in sources { note(source.follower) }
    }

    /// By time, so that a message is heard of in all logs at about the same time and can be closed; the result depends on each log's order alone.
    private func merge(_ sources: inout [Source], into ledger: inout Ledger) throws(KernelError) {
        while true {
            var first: Int?
            for index in sources.indices where try sources[index].hasMore() {
                if first.map({ sources[index].time < sources[$0].time }) ?? true { first = index }
            }
            guard let first else { return }
            let placed = sources[first].take()
            ledger.hear(placed.record, at: placed.position, from: sources[first].log)
            count += 1
        }
    }

    private func note(_ follower: LogFollower) {
        for damage in follower.damage {
            obstacles.insert(AuditObstacle(log: damage.log.text.display, from: damage.from.text.display, reason: damage.reason))
        }
    }

    /// A log whose records are handed out one by one.
    private struct Source {
        let log: AuditedLog
        let follower: LogFollower
        private var records: ArraySlice<PlacedRecord> = []
        private var isInBlock = false
        /// When the next record was written, or one before it. Milliseconds since 1970.
        private(set) var time = 0

        init(_ log: AuditedLog, _ follower: LogFollower) {
            self.log = log
            self.follower = follower
        }

        mutating func hasMore() throws(KernelError) -> Bool {
            if !records.isEmpty { return true }
            records = try follower.poll(limit: 1024)[...]
            note()
            return !records.isEmpty
        }

        mutating func take() -> PlacedRecord {
            let placed = records.removeFirst()
            note()
            return placed
        }

        /// What a state block repeats says nothing of the time.
        private mutating func note() {
            guard let record = records.first?.record else { return }
            if record.verb == .state { isInBlock = true }
            if !isInBlock, let at = record[.at].flatMap(Checkpoint.milliseconds) { time = max(time, at) }
            if record.verb == .stateEnd { isInBlock = false }
        }
    }
}

// MARK: - Where a log begins

extension AuditReader {
    /// The newest checkpoint of a log; nil if all that was ever said is there.
    private func lookForCut(_ log: AuditedLog) throws(KernelError) -> Checkpoint? {
        let folder = try DirectoryDescriptor(opening: spool)
        let headers = try headers(of: log, folder)
        guard let oldest = headers.first, let before = oldest.predecessor else { return nil }
        let cut = try newestCheckpoint(log, folder, headers)
        let there = Set(headers.map(\.number))
        for header in headers where header.number > cut?.segment ?? 0 {
            guard let before = header.predecessor, before.segment > cut?.segment ?? 0, !there.contains(before.segment) else { continue }
            let reason = "this segment is missing, and no checkpoint counts it"
            obstacles.insert(AuditObstacle(log: log.name, from: LogPosition(segment: before.segment, offset: 0).text.display, reason: reason))
        }
        if let cut {
            if cut[.unreadable] > 0 {
                obstacles.insert(AuditObstacle(log: log.name, from: cut.line.bytes.display, reason: "segments are gone that could not be counted"))
            }
            return cut
        }
        var unknown = Checkpoint()
        unknown.segment = before.segment
        unknown.add(.unreadable)
        return unknown
    }

    private func headers(of log: AuditedLog, _ spool: borrowing DirectoryDescriptor) throws(KernelError) -> [SegmentHeader] {
        let folder = try spool.openDirectory(log.file.path)
        var headers: [SegmentHeader] = []
        for number in try folder.list().compactMap({ SegmentName.number($0.name) }).sorted() {
            do throws(SegmentProblem) { headers.append(try SegmentFile(folder: folder, number: number, log: log.file, owner: nil).header) } catch {
                // What is no segment is reported by who reads it.
                if case .unusable(let reason) = error, !error.isForeign { throw reason }
            }
        }
        return headers
    }

    /// It stands near the end: one is written whenever a segment goes.
    private func newestCheckpoint(
        _ log: AuditedLog, _ spool: borrowing DirectoryDescriptor, _ headers: [SegmentHeader]
    ) throws(KernelError) -> Checkpoint? {
        for header in headers.reversed() {
            let follower = try LogFollower(spool: spool, log.file, from: LogPosition(segment: header.number, offset: 0))
            var found: Checkpoint?
            while true {
                let records = try follower.poll()
                for placed in records where placed.position.segment == header.number {
                    if let checkpoint = Checkpoint(placed.record) { found = checkpoint }
                }
                if records.isEmpty || records.contains(where: { $0.position.segment > header.number }) { break }
            }
            if let found { return found }
        }
        return nil
    }
}

extension AuditedLog {
    /// The log's name in the spool; of a mail log its events' would be another.
    fileprivate var file: LogName {
        switch self {
        case .mail(let origin): LogName(origin.owner, .mail)
        case .accepts(let origin): LogName(origin.owner, .events)
        case .queue: LogName(.queued, .events)
        case .local: LogName(.locald, .events)
        case .remote: LogName(.remoted, .events)
        }
    }
}
