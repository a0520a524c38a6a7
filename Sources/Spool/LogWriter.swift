// The write-ahead log: append what waits, one sync, then the commit line. Everything a program says goes through this.
// Rule of opening: never append to a segment that another process began (docs/spool.md, rules W1 to W9).

package import Kernel
package import MailModel
package import SpoolFormat

/// The one writer of a log; used by one thread.
package final class LogWriter {
    package static let segmentSize: Int64 = 16 << 20

    package let name: LogName
    let folder: DirectoryDescriptor
    private let lock: Descriptor
    let reserve: Int64
    /// Bytes that the spare file has, as far as this writer knows.
    var spare: Int64 = 0
    private var segment: ActiveSegment?
    private var pending: [UInt8] = []
    /// The newest readable segment before the current one and its sealed length.
    private var predecessor: LogPosition?
    /// The highest number that anything in the folder has: given once, whatever became of it.
    private var lastNumber: UInt32 = 0
    private var tail: [TailRecord]
    private var nextSequence: UInt32 = 0
    /// What its commits cost.
    package private(set) var measure = LogMeasure()
    /// A record was appended that no reader would believe.
    private var isOversized = false

    /// What was found unusable when the log was opened; it stays where it is, and its owner reports it.
    package private(set) var damage: [LogDamage] = []
    /// Whether the newest readable segment lacks records before its last commit.
    package private(set) var isNewestDamaged = false

    /// The newest readable segment when the log was opened, and the end of its last commit.
    package private(set) var recoveredNewest: LogPosition?

    /// Called for the first records of each new segment: queued's state block, of which each line is made when it is written.
    package var preamble: (() -> any Sequence<RecordLine>)?

    /// A record that was valid but uncommitted when the last writer ended.
    package struct TailRecord: Sendable {
        package let placed: PlacedRecord
        let line: [UInt8]
        let content: [UInt8]
    }

    private struct ActiveSegment: ~Copyable {
        let file: Descriptor
        let header: SegmentHeader
        /// What it began with: a large state block must not make the next commit begin another segment.
        let base: Int64
        /// The end of the file.
        var size: Int64
        /// The end of the last commit line: what counts if nothing more goes well.
        var committed: Int64
        /// The end of what no power cut can take back: the commit lines before the last sync.
        var covered: Int64
        var allocated: Int64
    }

    /// Locks the log and reads how the last writer ended; nothing else is written before `begin`.
    ///
    /// `reserve`: bytes kept allocated beyond the end, so that the log can go on for a while on a full disk.
    package init(spool: borrowing DirectoryDescriptor, _ name: LogName, reserve: Int64 = 0) throws(LogError) {
        self.name = name
        self.reserve = reserve
        tail = []
        let unlocked: Bool
        do throws(KernelError) {
            folder = try spool.openDirectory(name.path)
            lock = try LogWriter.lock(in: folder)
            unlocked = try lock.tryLock()
            if unlocked { try findTail() }
        } catch { throw .failed(error) }
        guard unlocked else { throw .locked(name) }
    }

    /// A file that the owner alone may open: a lock on the folder, or on a segment, could be taken by whoever may read it, and would keep
    /// the writer from its next start.
    private static func lock(in folder: borrowing DirectoryDescriptor) throws(KernelError) -> Descriptor {
        do throws(KernelError) { return try folder.open(".lock", .readWrite) } catch {
            guard error.isMissing else { throw error }
        }
        do throws(KernelError) { return try folder.create(".lock", mode: 0o600) } catch {
            guard error.exists else { throw error }
        }
        return try folder.open(".lock", .readWrite)
    }

    /// What the last writer left uncommitted and `begin` will keep: a reply may have been sent for it.
    package var recovered: [TailRecord] { tail }

    /// Leaves records out of what `begin` keeps, because its preamble says them again in its own words.
    package func leaveOut(_ isSaidAgain: (Record) -> Bool) { tail.removeAll { isSaidAgain($0.placed.record) } }

    /// The position after the last record that the last writer committed, or the start.
    package var recoveredEnd: LogPosition { predecessor ?? .start }

    private func findTail() throws(KernelError) {
        // What is there may have a name that no sync covers: were it lost and the next segment's kept, nobody would say how far it counts.
        try folder.sync()
        for entry in try folder.list() where entry.kind != .directory && entry.name.starts(with: ".new-".utf8) {
            try folder.unlink(Path(entry.name))
        }
        try discardUsedSpare()
        let numbers = try segments()
        lastNumber = numbers.last ?? 0
        for number in numbers.reversed() {
            // No valid first line: it was renamed only after a sync, so this is damage, or foreign. It stays as it is.
            guard let file = try readable(number) else {
                damage.append(LogDamage(log: name, from: LogPosition(segment: number, offset: 0), to: nil, reason: "no segment of this log"))
                continue
            }
            let end = try file.end()
            predecessor = LogPosition(segment: number, offset: end.committed)
            recoveredNewest = predecessor
            try note(end, of: file)
            for placed in end.tail {
                guard let kept = try TailRecord(placed, in: file) else { return }
                tail.append(kept)
            }
            return
        }
    }

    private func note(_ end: SegmentEnd, of file: SegmentFile) throws(KernelError) {
        let number = file.header.number
        isNewestDamaged = end.isDamaged
        if end.isDamaged { damage.append(LogDamage(log: name, from: LogPosition(segment: number, offset: 0), to: nil, reason: "records are damaged")) }
        let last = end.tail.last?.end ?? end.committed
        let size = try file.descriptor.status().size
        guard size > last else { return }
        damage.append(LogDamage(log: name, from: LogPosition(segment: number, offset: last), to: size, reason: "unfinished at the end"))
    }

    /// Gives no number up to this one: somebody may know positions in segments that this log does not have.
    package func passOver(_ number: UInt32) { lastNumber = max(lastNumber, number) }

    /// Starts this writer's first segment: the header, the recovered tail and the preamble, durable before this returns.
    package func begin() throws(LogError) {
        do throws(KernelError) { try startSegment() } catch {
            throw error.isNoSpace ? .noSpace(error) : .broken(error)
        }
    }

    /// The identity for a message that is about to be appended.
    package func newID(_ origin: QueueOrigin) -> QueueID? {
        guard let epoch = currentEpoch, nextSequence < QueueID.maximumSequence else { return nil }
        nextSequence += 1
        return QueueID(origin: origin, epoch: epoch, sequence: nextSequence)
    }

    private var currentEpoch: UInt64? {
        switch segment {
        case .some(let active): active.header.epoch
        case .none: nil
        }
    }

    /// Where the next record will lie. Only a commit makes it so.
    package var end: LogPosition {
        switch segment {
        case .some(let active): LogPosition(segment: active.header.number, offset: active.size + Int64(pending.count))
        case .none: predecessor ?? .start
        }
    }

    package var hasPending: Bool { !pending.isEmpty }

    /// Forgets what was appended and not committed.
    package func dropPending() {
        pending.removeAll(keepingCapacity: true)
        measure.pending = 0
        isOversized = false
    }

    /// Puts a record into the next commit; returns where its line begins and how long the line is.
    @discardableResult
    package func append(_ line: RecordLine, content: [[UInt8]] = []) -> (position: LogPosition, lineLength: Int) {
        let position = end
        let bytes = line.sealed(seed: currentSeed, checksum: spoolChecksum)
        if bytes.count > RecordParser.maximumLine { isOversized = true }
        pending.append(contentsOf: bytes)
        measure.pending += 1
        for part in content { pending.append(contentsOf: part) }
        if content.contains(where: { !$0.isEmpty }) { pending.append(0x0A) }
        return (position, bytes.count)
    }

    private var currentSeed: UInt32 {
        switch segment {
        case .some(let active): active.header.seed
        case .none: 0
        }
    }

    /// Makes everything appended durable and visible to followers, or nothing of it.
    package func commit() throws(LogError) {
        guard isActive else {
            dropPending()
            do throws(KernelError) { try startSegment() } catch { throw .broken(error) }
            throw .failed(KernelError(.write, code: 5, object: name.text))
        }
        guard !pending.isEmpty else { return }
        if isOversized {
            dropPending()
            throw .failed(KernelError(.write, code: 90, object: name.text))
        }
        do throws(KernelError) {
            try writePending()
        } catch {
            dropPending()
            throw recover(from: error)
        }
        if isFull { rollOver() }
    }

    private var isActive: Bool {
        switch segment {
        case .some: true
        case .none: false
        }
    }

    /// 16 MiB beyond what it began with, or as much again as that.
    private var isFull: Bool {
        switch segment {
        case .some(let active): active.size - active.base >= max(LogWriter.segmentSize - min(active.base, 1 << 20), 2 * active.base)
        case .none: false
        }
    }

    private func writePending() throws(KernelError) {
        let bytes = pending
        pending.removeAll(keepingCapacity: true)
        var microseconds = 0
        try withSegment { (active: inout ActiveSegment) throws(KernelError) in
            try active.file.write(bytes)
            active.size += Int64(bytes.count)
            let begun = MonotonicTime.now()
            try active.file.syncData()
            microseconds = Int((MonotonicTime.now().nanoseconds - begun.nanoseconds) / 1000)
            active.covered = active.committed
            let line = RecordLine(.commit).adding(.upto, active.size).sealed(seed: active.header.seed, checksum: spoolChecksum)
            try active.file.write(line)
            active.size += Int64(line.count)
            active.committed = active.size
        }
        note(bytes.count, microseconds)
        extendReserve()
    }

    private func note(_ count: Int, _ microseconds: Int) {
        Verbosity.debug(name.owner.rawValue, Array("commit log=\(name.kind.rawValue) records=\(measure.pending) bytes=\(count) microseconds=\(microseconds)".utf8))
        measure.committed(bytes: count, microseconds: microseconds)
    }

    private func withSegment(_ body: (inout ActiveSegment) throws(KernelError) -> Void) throws(KernelError) {
        guard var active = segment.take() else { throw KernelError(.write, code: 5, object: name.text) }
        var failure: KernelError?
        do throws(KernelError) { try body(&active) } catch { failure = error }
        segment = consume active
        if let failure { throw failure }
    }

    /// After a failed write or sync: cut back if that is all it takes, else seal durably before anybody hears of it.
    private func recover(from error: KernelError) -> LogError {
        if error.isNoSpace, error.call == .write {
            do throws(KernelError) {
                try withSegment { (active: inout ActiveSegment) throws(KernelError) in
                    try active.file.truncate(to: active.committed)
                    // Without this a power cut may bring the longer file back, after its client was told that we do not have it.
                    try active.file.syncData()
                    active.size = active.committed
                    // What was allocated beyond the end is gone with it.
                    active.allocated = active.size
                }
                return .noSpace(error)
            } catch {}
        }
        if let active = segment.take() {
            predecessor = LogPosition(segment: active.header.number, offset: active.committed)
        }
        do throws(KernelError) {
            try startSegment()
            return .failed(error)
        } catch {
            return .broken(error)
        }
    }

    /// The end of what no power cut can take back of the current segment.
    var covered: Int64 {
        switch segment {
        case .some(let active): active.covered
        case .none: 0
        }
    }

    /// Makes the last commit line as durable as what it covers, when nothing else comes that would.
    func cover() throws(KernelError) {
        guard isActive, pending.isEmpty else { return }
        do throws(KernelError) {
            try withSegment { (active: inout ActiveSegment) throws(KernelError) in
                guard active.covered < active.committed else { return }
                try active.file.syncData()
                active.covered = active.committed
            }
        } catch {
            _ = recover(from: error)
            throw error
        }
    }

    /// Starts a new segment after a commit. If that fails the old one goes on growing, unless it may be known as sealed.
    package func rollOver() {
        guard pending.isEmpty, let old = segment.take() else { return }
        let before = (predecessor, lastNumber)
        predecessor = LogPosition(segment: old.header.number, offset: old.committed)
        do throws(KernelError) {
            try startSegment(isNeeded: false)
            // What was allocated beyond its end serves nobody any more.
            try? old.file.truncate(to: old.size)
        } catch {
            // Once the new name was asked for, followers may see it and read the old segment no further.
            guard lastNumber == before.1 else { return }
            predecessor = before.0
            segment = consume old
        }
    }

    /// On a full disk a segment that is needed to go on at all is written into the spare file; any other is not begun.
    private func startSegment(isNeeded: Bool = true) throws(KernelError) {
        guard lastNumber < SegmentName.maximum else { throw KernelError(.create, code: 75, object: name.text) }
        let header = SegmentHeader(
            log: name.text, number: lastNumber + 1, random: try Randomness.uint64(),
            salt: UInt32(truncatingIfNeeded: try Randomness.uint64()), predecessor: predecessor)
        do throws(KernelError) {
            try startSegment(header, in: try newFile(header.number, withReserve: isNeeded))
        } catch {
            guard isNeeded, error.isNoSpace, lastNumber < header.number else { throw error }
            try removeNewFile(header.number)
            if hasSpare { return try startSegment(header, in: try takeSpare()) }
            // The last resort: the rest of the reserve of the segment before.
            giveBackReserve()
            try startSegment(header, in: try newFile(header.number, withReserve: false))
        }
        if isNeeded { giveBackReserve() }
    }

    private func startSegment(_ header: SegmentHeader, in file: consuming Descriptor) throws(KernelError) {
        let base = try write(header, to: file)
        // A failure from here on leaves a segment without a commit line that may have the name, or lose it in a power cut. So
        // the name is never used again, and the next segment has the same predecessor and repeats the tail.
        lastNumber = header.number
        try folder.rename(file.name.lastComponent, to: Path(SegmentName.name(header.number)))
        try folder.sync()
        let commit = RecordLine(.commit).adding(.upto, base).sealed(seed: header.seed, checksum: spoolChecksum)
        try file.write(commit)
        let size = base + Int64(commit.count)
        tail = []
        segment = ActiveSegment(file: file, header: header, base: size, size: size, committed: size, covered: 0, allocated: size)
        nextSequence = 0
        extendReserve()
    }

    /// Header, tail and preamble, a part at a time: the state block of a large queue is larger than what should be in memory.
    private func write(_ header: SegmentHeader, to file: borrowing Descriptor) throws(KernelError) -> Int64 {
        var size: Int64 = 0
        var bytes = header.line(checksum: spoolChecksum)
        for record in tail { bytes += record.resealed(seed: header.seed) }
        if let lines = preamble?() {
            for line in lines {
                bytes += line.sealed(seed: header.seed, checksum: spoolChecksum)
                guard bytes.count >= 1 << 20 else { continue }
                try file.write(bytes)
                size += Int64(bytes.count)
                bytes.removeAll(keepingCapacity: true)
            }
        }
        try file.write(bytes)
        try file.sync()
        return size + Int64(bytes.count)
    }

    private func extendReserve() {
        keepSpare(for: preamble == nil ? 0 : end.offset)
        guard reserve > 0 else { return }
        // Without space there is nothing to reserve; the next commit tries again.
        try? withSegment { (active: inout ActiveSegment) throws(KernelError) in
            guard active.allocated < active.size + reserve / 2 else { return }
            try active.file.allocateBeyondEnd(active.size + reserve)
            active.allocated = active.size + reserve
        }
    }
}
