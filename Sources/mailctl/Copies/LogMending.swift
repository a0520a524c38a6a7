// The programs' folders were copied at different moments: what one log says of another may be ahead of it, or behind.
// Afterwards no cursor lies beyond the end of its log for ever, no position is given twice, and nothing is erased too early.

import Kernel
import MailModel
import Spool
import SpoolFormat

/// What an agent holds of a copy, as its log says it: carried over, never looked into.
private struct CarriedCopy: HeldCopy {
    let facts: [Key: [UInt8]]
    private static let keys: [Key] = [.account, .file, .store]

    init?(staged record: Record) {
        facts = Dictionary(uniqueKeysWithValues: CarriedCopy.keys.compactMap { key in record[key].map { (key, $0) } })
    }

    func describe(in line: inout RecordLine) {
        for key in CarriedCopy.keys { line.add(key, facts[key]) }
    }
}

/// Mends the logs of a copy before its programs see them. What a start that was killed did once more does no harm.
struct LogMending: ~Copyable {
    private let spool: DirectoryDescriptor

    init(_ spool: Path) throws(KernelError) { self.spool = try DirectoryDescriptor(opening: spool) }

    /// `cited`: the farthest segment of each log that queued speaks of.
    func mend(cited: [LogName: UInt32]) throws(LogError) {
        do throws(KernelError) { try forgetReleased() } catch { throw .failed(error) }
        for agent in [SpoolOwner.locald, .remoted] { try renew(agent, beyond: cited[LogName(agent, .events)] ?? 0) }
        for (log, segment) in cited.sorted(by: { $0.key.text.lexicographicallyPrecedes($1.key.text) }) {
            if log.owner != .locald, log.owner != .remoted { try passOver(segment, of: log) }
        }
    }

    /// What may be erased may be newer than queued's own events, for which it is not done: queued says it again at its start (O12).
    private func forgetReleased() throws(KernelError) {
        let folder = try spool.openDirectory(LogName(.queued, .released).path)
        for entry in try folder.list() where SegmentName.number(entry.name) != nil { try folder.unlink(Path(entry.name)) }
        try folder.sync()
    }

    /// Begins a segment above the numbers that are known elsewhere, where the log has not come so far.
    private func passOver(_ segment: UInt32, of name: LogName) throws(LogError) {
        let writer = try LogWriter(spool: spool, name)
        guard writer.end.segment < segment else { return }
        writer.passOver(segment)
        try writer.begin()
        try giveToOwner(name)
    }

    /// Begins a segment of an agent with what it knows, but for temporary answers: they may name assignments of which this queued
    /// knows nothing, and an older one would wait for ever. Nor does it wait for words of queued that are not here.
    private func renew(_ agent: SpoolOwner, beyond segment: UInt32) throws(LogError) {
        let writer = try LogWriter(spool: spool, LogName(agent, .events))
        var known = AgentLedger<CarriedCopy>()
        let end: LogPosition
        do throws(KernelError) {
            for placed in try writer.newestRecords() where placed.record.verb != .temporary { known.replay(placed.record) }
            end = try endOfQueue()
        } catch { throw .failed(error) }
        let cursor = min(known.cursor ?? end, end)
        writer.passOver(segment)
        writer.preamble = { [known] in known.stateBlock(cursor: cursor) }
        try writer.begin()
        try giveToOwner(LogName(agent, .events))
    }

    private func endOfQueue() throws(KernelError) -> LogPosition {
        let name = LogName(.queued, .events)
        let follower = try LogFollower(spool: spool, name, from: try LogFollower.newestSegment(spool: spool, name))
        while try !follower.poll().isEmpty {}
        return follower.position
    }

    /// Only its owner's files are believed.
    private func giveToOwner(_ name: LogName) throws(LogError) {
        guard Identity.isRoot else { return }
        do throws(KernelError) {
            let folder = try spool.openDirectory(name.path)
            let owner = try folder.status().owner
            for entry in try folder.list() where entry.kind == .file { try folder.setOwner(of: Path(entry.name), uid: owner, gid: nil) }
            try folder.sync()
        } catch { throw .failed(error) }
    }
}
