// The write-ahead log: append what waits, one sync, then the commit line. Everything a program says goes through this.
// Rule of opening: never append to a segment that another process began (docs/spool.md, rules W1 to W9).

package import Kernel
package import MailModel
package import SpoolFormat

/// The one writer of a log; used by one thread.
package final class LogWriter {
    package static let segmentSize: Int64 = 16 << 20

    package let name: LogName
    private let folder: DirectoryDescriptor
    private let reserve: Int64
    private var segment: ActiveSegment?
    private var pending: [UInt8] = []
    /// Where the next segment's predecessor ends, as long as the current one is sealed or not begun.
    private var predecessor: LogPosition?
    private var tail: [TailRecord]
    private var nextSequence: UInt32 = 0

    /// Called for the first records of each new segment: queued's state block.
    package var preamble: (() -> [RecordLine])?

    /// A record that was valid but uncommitted when the last writer ended.
    package struct TailRecord: Sendable {
        package let placed: PlacedRecord
        let line: [UInt8]
        let content: [UInt8]
    }

    private struct ActiveSegment: ~Copyable {
        let file: Descriptor
        let header: SegmentHeader
        /// The end of the file.
        var size: Int64
        /// The end of the last commit line: what counts if nothing more goes well.
        var committed: Int64
        var allocated: Int64
    }

    /// Locks the folder and reads how the last writer ended; nothing is written before `begin`.
    ///
    /// `reserve`: bytes kept allocated beyond the end, so that the log can go on for a while on a full disk.
    package init(spool: borrowing DirectoryDescriptor, _ name: LogName, reserve: Int64 = 0) throws(LogError) {
        self.name = name
        self.reserve = reserve
        tail = []
        let unlocked: Bool
        do throws(KernelError) {
            folder = try spool.openDirectory(name.path)
            unlocked = try folder.descriptor.tryLock()
            if unlocked { try findTail() }
        } catch { throw .failed(error) }
        guard unlocked else { throw .locked(name) }
    }

    /// What the last writer left uncommitted and `begin` will keep: a reply may have been sent for it.
    package var recovered: [TailRecord] { tail }

    /// The position after the last record that the last writer committed, or the start.
    package var recoveredEnd: LogPosition { predecessor ?? .start }

    private func findTail() throws(KernelError) {
        var last: UInt32 = 0
        for entry in try folder.list() {
            if let number = SegmentName.number(entry.name) { last = max(last, number) }
            if entry.name.starts(with: Array(".new-".utf8)) { try folder.unlink(Path(entry.name)) }
        }
        guard last > 0 else { return }
        let file: SegmentFile
        do throws(SegmentProblem) {
            file = try SegmentFile(folder: folder, number: last, log: name, owner: nil)
        } catch {
            // No valid first line: it was renamed only after a sync, so this is damage. It stays as it is, set aside by number.
            predecessor = LogPosition(segment: last, offset: 0)
            return
        }
        var reader = SegmentReader(file)
        var committed = Int64(file.headerLength)
        var uncommitted: [PlacedRecord] = []
        while true {
            guard let placed = try reader.next() else {
                // Damage before a later commit is skipped here as every follower skips it; torn bytes at the end are no record.
                let before = reader.offset
                guard try reader.resynchronise() != nil, try commitFollows(reader) else { reader = SegmentReader(file, from: before); break }
                continue
            }
            if placed.record.verb == .commit {
                committed = placed.end
                uncommitted.removeAll()
            } else {
                uncommitted.append(placed)
            }
        }
        predecessor = LogPosition(segment: last, offset: committed)
        for placed in uncommitted {
            if let kept = try TailRecord(placed, in: file) { tail.append(kept) } else { break }
        }
    }

    private func commitFollows(_ reader: SegmentReader) throws(KernelError) -> Bool {
        var ahead = reader
        while let placed = try ahead.next() { if placed.record.verb == .commit { return true } }
        return false
    }

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
    package func dropPending() { pending.removeAll(keepingCapacity: true) }

    /// Puts a record into the next commit; returns where its line begins and how long the line is.
    @discardableResult
    package func append(_ line: RecordLine, content: [[UInt8]] = []) -> (position: LogPosition, lineLength: Int) {
        let position = end
        let bytes = line.sealed(seed: currentSeed, checksum: spoolChecksum)
        pending.append(contentsOf: bytes)
        for part in content { pending.append(contentsOf: part) }
        if !content.isEmpty { pending.append(0x0A) }
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
            pending.removeAll(keepingCapacity: true)
            do throws(KernelError) { try startSegment() } catch { throw .broken(error) }
            throw .failed(KernelError(.write, code: 5, object: name.text))
        }
        guard !pending.isEmpty else { return }
        do throws(KernelError) {
            try writePending()
        } catch {
            pending.removeAll(keepingCapacity: true)
            throw recover(from: error)
        }
        if end.offset >= LogWriter.segmentSize { rollOver() }
    }

    private var isActive: Bool {
        switch segment {
        case .some: true
        case .none: false
        }
    }

    private func writePending() throws(KernelError) {
        let bytes = pending
        pending.removeAll(keepingCapacity: true)
        try withSegment { (active: inout ActiveSegment) throws(KernelError) in
            try active.file.write(bytes)
            active.size += Int64(bytes.count)
            try active.file.syncData()
            let line = RecordLine(.commit).adding(.upto, active.size).sealed(seed: active.header.seed, checksum: spoolChecksum)
            try active.file.write(line)
            active.size += Int64(line.count)
            active.committed = active.size
        }
        extendReserve()
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
                    active.size = active.committed
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

    /// Starts a new segment after a commit. If that fails the old one goes on growing.
    package func rollOver() {
        guard pending.isEmpty, let old = segment.take() else { return }
        let before = predecessor
        predecessor = LogPosition(segment: old.header.number, offset: old.committed)
        do throws(KernelError) { try startSegment() } catch {
            predecessor = before
            segment = consume old
        }
    }

    private func startSegment() throws(KernelError) {
        let number = (predecessor?.segment ?? 0) + 1
        let header = SegmentHeader(log: name.text, number: number, random: try Randomness.uint64(), predecessor: predecessor)
        var bytes = header.line(checksum: spoolChecksum)
        for record in tail { bytes += record.resealed(seed: header.seed) }
        for line in preamble?() ?? [] { bytes += line.sealed(seed: header.seed, checksum: spoolChecksum) }
        let temporary = Path(Array(".new-".utf8) + SegmentName.digits(number))
        do throws(KernelError) { try folder.unlink(temporary) } catch { if !error.isMissing { throw error } }
        let file = try folder.create(temporary, mode: 0o640, .append)
        try file.write(bytes)
        try file.sync()
        try folder.rename(temporary, to: Path(SegmentName.name(number)))
        try folder.sync()
        // From here on the name is durable: a failure below leaves a valid segment, whose tail the next opening keeps.
        var size = Int64(bytes.count)
        let commit = RecordLine(.commit).adding(.upto, size).sealed(seed: header.seed, checksum: spoolChecksum)
        predecessor = LogPosition(segment: number, offset: 0)
        tail = try writeFirstCommit(commit, to: file, header: header, size: &size)
        segment = ActiveSegment(file: file, header: header, size: size, committed: size, allocated: size)
        nextSequence = 0
        extendReserve()
    }

    private func writeFirstCommit(
        _ commit: [UInt8], to file: borrowing Descriptor, header: SegmentHeader, size: inout Int64
    ) throws(KernelError) -> [TailRecord] {
        do throws(KernelError) {
            try file.write(commit)
            size += Int64(commit.count)
            return []
        } catch {
            // The segment is durable with its tail; a successor may repeat the tail, because ids are looked up, not counted.
            predecessor = LogPosition(segment: header.number, offset: size)
            throw error
        }
    }

    private func extendReserve() {
        guard reserve > 0 else { return }
        // Without space there is nothing to reserve; the next commit tries again.
        try? withSegment { (active: inout ActiveSegment) throws(KernelError) in
            guard active.allocated < active.size + reserve / 2 else { return }
            try active.file.allocateBeyondEnd(active.size + reserve)
            active.allocated = active.size + reserve
        }
    }

    /// Removes segments whose number is below `first`; the current one always stays.
    package func dropSegments(below first: UInt32) throws(KernelError) {
        for entry in try folder.list() {
            guard let number = SegmentName.number(entry.name), number < first, number < end.segment else { continue }
            try folder.unlink(Path(entry.name))
        }
    }

    /// Frees the disk blocks of a range of a segment; offsets never move.
    package func punch(_ position: LogPosition, length: Int64) throws(KernelError) {
        let file = try folder.open(Path(SegmentName.name(position.segment)), .readWrite)
        try file.punchHole(at: position.offset, length: length)
    }

    package func dropSegment(_ number: UInt32) throws(KernelError) {
        guard number < end.segment else { return }
        try folder.unlink(Path(SegmentName.name(number)))
    }

    /// The numbers of the segments that are there, ascending.
    package func segments() throws(KernelError) -> [UInt32] {
        try folder.list().compactMap { SegmentName.number($0.name) }.sorted()
    }

    /// Opens one of this log's segments for reading.
    package func open(_ number: UInt32) throws(SegmentProblem) -> SegmentFile {
        try SegmentFile(folder: folder, number: number, log: name, owner: nil)
    }
}

extension LogWriter.TailRecord {
    /// Reads a record of the tail whole; nil if its content was torn.
    init?(_ placed: PlacedRecord, in file: SegmentFile) throws(KernelError) {
        self.placed = placed
        let whole = try file.descriptor.read(placed.lineLength + (placed.contentLength > 0 ? placed.contentLength + 1 : 0), at: placed.position.offset)
        // The line without ` #crc` and its line feed: the checksum depends on the segment.
        line = Array(whole.prefix(placed.lineLength - 11))
        content = Array(whole.dropFirst(placed.lineLength))
        if let extent = placed.record.extent(.content) {
            guard spoolChecksum.of(content.prefix(extent.length)) == extent.checksum else { return nil }
        }
    }

    func resealed(seed: UInt32) -> [UInt8] {
        var bytes = line
        bytes += Array(" #".utf8)
        Hex.append(UInt64(spoolChecksum.of(line, seed: seed)), digits: 8, to: &bytes)
        bytes.append(0x0A)
        return bytes + content
    }
}
