// Messages that a program took responsibility for: the record and the content in one append, and their erasure when all is done.

package import Kernel
package import MailModel
package import SpoolFormat

/// The mail log of smtpd, submission or queued; used by one thread.
package final class MailLog {
    /// Longer content gets a file of its own. Bytes.
    package static let inlineLimit = 128 * 1024
    /// Content of a finished message whose segment must stay is punched out after this time. Seconds.
    private static let punchDelay: Int64 = 5

    package let log: LogWriter
    package let origin: QueueOrigin
    private let big: DirectoryDescriptor
    private var bigPending = false
    /// After a commit that nobody may be told about: its records may count after all, so their files stay.
    private var isInDoubt = false
    private var segments: [UInt32: SegmentMessages] = [:]
    private var home: [QueueID: UInt32] = [:]
    private var finished: [(content: LogPosition, length: Int64, at: MonotonicTime)] = []

    private struct SegmentMessages {
        struct Extent { let offset: Int64; let length: Int64; let isBig: Bool }
        var live: [QueueID: Extent] = [:]
        /// Something in it cannot be read: it may be mail, so it stays for the administrator.
        var isDamaged = false
    }

    package init(spool: borrowing DirectoryDescriptor, _ owner: SpoolOwner, origin: QueueOrigin, reserve: Int64 = 0) throws(LogError) {
        self.origin = origin
        log = try LogWriter(spool: spool, LogName(owner, .mail), reserve: reserve)
        do throws(KernelError) { big = try spool.openDirectory(LogName(owner, .mail).path / "big") } catch { throw .failed(error) }
    }

    /// Starts writing, learns what is still there, and removes content files that no record names.
    ///
    /// Calls `hear` with the accept records that are there, oldest first.
    package func begin(_ hear: (Record) -> Void = { _ in }) throws(LogError) {
        try log.begin()
        do throws(KernelError) {
            var isWhole = true
            let sealed = try sealedLengths()
            for number in try log.segments() {
                if try !index(number, sealed: sealed[number], hear) { isWhole = false }
            }
            // A record that cannot be read may name a file: better a file too many than a message without its content.
            if isWhole { try removeOrphans() }
        } catch { throw .failed(error) }
    }

    /// What each segment's successor says of its length.
    private func sealedLengths() throws(KernelError) -> [UInt32: Int64] {
        var sealed: [UInt32: Int64] = [:]
        for number in try log.segments() {
            if let before = try log.readable(number)?.header.predecessor { sealed[before.segment] = before.offset }
        }
        return sealed
    }

    /// Learns what one segment holds; false if some of it cannot be read. What was never committed is not ours.
    private func index(_ number: UInt32, sealed: Int64?, _ hear: (Record) -> Void) throws(KernelError) -> Bool {
        guard let file = try log.readable(number) else { return false }
        segments[number] = SegmentMessages()
        let end = try file.scan(sealed: sealed) { placed in
            guard placed.record.verb == .accept, let id = placed.record.id else { return }
            note(id, segment: number, offset: placed.contentOffset, length: Int64(placed.contentLength), isBig: placed.record.extent(.big) != nil)
            hear(placed.record)
        }
        segments[number]?.isDamaged = end.isDamaged
        return !end.isDamaged
    }

    private func note(_ id: QueueID, segment: UInt32, offset: Int64, length: Int64, isBig: Bool) {
        if let earlier = home[id], earlier != segment { segments[earlier]?.live[id] = nil }
        home[id] = segment
        segments[segment, default: SegmentMessages()].live[id] = .init(offset: offset, length: length, isBig: isBig)
    }

    private func removeOrphans() throws(KernelError) {
        for entry in try big.list() where entry.kind != .directory {
            if let id = QueueID(parsing: entry.name), home[id] != nil { continue }
            try big.unlink(Path(entry.name))
        }
    }

    /// Appends an accept record and its content, which `line` must not state yet.
    package func append(_ line: RecordLine, id: QueueID, content: [[UInt8]]) -> ContentLocation {
        var checksum: UInt32 = 0
        var length = 0
        for part in content {
            checksum = CRC32C.checksum(part, continuing: checksum)
            length += part.count
        }
        let extent = ContentExtent(length: length, checksum: checksum)
        let (position, lineLength) = log.append(line.adding(.content, extent.text), content: content)
        let start = LogPosition(segment: position.segment, offset: position.offset + Int64(lineLength))
        note(id, segment: start.segment, offset: start.offset, length: Int64(length), isBig: false)
        return ContentLocation(origin: origin, position: start, extent: extent)
    }

    /// Appends an accept record whose content is a file that was written and synced.
    package func append(_ line: RecordLine, id: QueueID, big extent: ContentExtent) -> ContentLocation {
        let (position, _) = log.append(line.adding(.big, extent.text))
        note(id, segment: position.segment, offset: 0, length: 0, isBig: true)
        bigPending = true
        return ContentLocation(origin: origin, position: nil, extent: extent)
    }

    /// Creates the file for content above the limit.
    package func createBig(_ id: QueueID) throws(KernelError) -> Descriptor { try big.create(Path(id.text), mode: 0o640, .append) }
    package func discardBig(_ id: QueueID) { try? big.unlink(Path(id.text)) }

    /// Makes what was appended durable: first the folder of big files, then the log.
    package func commit() throws(LogError) {
        if bigPending {
            do throws(KernelError) { try big.sync() } catch {
                log.dropPending()
                throw .failed(error)
            }
            bigPending = false
        }
        do throws(LogError) { try log.commit() } catch {
            switch error {
            case .broken: isInDoubt = true
            case .locked, .noSpace, .failed: break
            }
            throw error
        }
    }

    /// What a failed commit left: these messages are not ours.
    package func forget(_ ids: [QueueID]) {
        for id in ids {
            if let segment = home.removeValue(forKey: id), let extent = segments[segment]?.live.removeValue(forKey: id), extent.isBig {
                if !isInDoubt { discardBig(id) }
            }
        }
        isInDoubt = false
    }

    package var liveCount: Int { home.count }
    package func holds(_ id: QueueID) -> Bool { home[id] != nil }

    /// `queued` has said durably that nobody needs these any more.
    package func release(_ ids: [QueueID], now: MonotonicTime) {
        for id in ids {
            guard let number = home.removeValue(forKey: id), let extent = segments[number]?.live.removeValue(forKey: id) else { continue }
            if extent.isBig { discardBig(id) }
            if extent.length >= 4096 {
                finished.append((LogPosition(segment: number, offset: extent.offset), extent.length, now))
            }
        }
    }

    /// Whether nobody needs a segment: it has no open message, and its predecessor, whose last commit line no sync may have covered
    /// and of which it alone says how far it counts, has none either.
    private func isOver(_ number: UInt32) throws(KernelError) -> Bool {
        func isNeeded(_ number: UInt32) -> Bool { segments[number].map { !$0.live.isEmpty || $0.isDamaged } ?? false }
        if isNeeded(number) { return false }
        // Those before it are gone already, but for few: seldom is a header read.
        guard segments.keys.contains(where: { $0 < number && isNeeded($0) }) else { return true }
        guard let before = try log.readable(number)?.header.predecessor else { return true }
        return !isNeeded(before.segment)
    }

    /// Unlinks segments whose messages are all done, and after a while frees the content of done messages beside open ones.
    ///
    /// Only below a commit line that a later sync has covered: a record that a power cut makes part of the tail is
    /// repeated with its content.
    package func erase(now: MonotonicTime) throws(KernelError) {
        let current = log.end.segment
        for number in segments.keys.sorted() where number < current {
            guard try isOver(number) else { continue }
            try log.dropSegment(number)
            segments[number] = nil
        }
        var kept: [(content: LogPosition, length: Int64, at: MonotonicTime)] = []
        var waitsForSync = false
        for entry in finished where segments[entry.content.segment] != nil {
            if now - entry.at < .seconds(MailLog.punchDelay) {
                kept.append(entry)
            } else if entry.content.segment < current || entry.content.offset + entry.length <= log.covered {
                try log.punch(entry.content, length: entry.length)
            } else {
                kept.append(entry)
                waitsForSync = true
            }
        }
        finished = kept
        // Nothing may come for hours: the next turn frees what this sync covers.
        if waitsForSync { try log.cover() }
        // An idle program's last segment would keep what is done: begin a new one when nothing in it is open.
        if let messages = segments[current], messages.live.isEmpty, log.end.offset > 1 << 20 { log.rollOver() }
    }
}
