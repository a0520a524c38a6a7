// One segment, read forward. Believes lines with a right checksum only; skips content without looking at it.

package import Kernel
package import SpoolFormat

/// A record and where it lies.
package struct PlacedRecord: Sendable {
    package let record: Record
    /// Of the line.
    package let position: LogPosition
    package let lineLength: Int
    /// Of the inline content that follows the line; 0 without one.
    package let contentLength: Int

    package var contentOffset: Int64 { position.offset + Int64(lineLength) }
    /// The offset after the record, its content and the content's line feed.
    package var end: Int64 { contentOffset + (contentLength > 0 ? Int64(contentLength) + 1 : 0) }

    /// Whether it is a commit line of this place: one that was copied from elsewhere states another offset.
    package var commits: Bool { record.verb == .commit && record.number(.upto).map(Int64.init) == position.offset }
}

/// Reads records in order from an offset.
package struct SegmentReader {
    package enum Item: Sendable {
        case record(PlacedRecord)
        /// Bytes that are no record, before one that is.
        case damaged(from: LogPosition, to: Int64)
    }

    /// Why `next` had nothing.
    private enum Halt {
        /// The end of the file or of what counts.
        case end
        /// The beginning of a record, whose rest is being written or was torn off.
        case partial
        /// Bytes that no record begins with.
        case invalid
    }

    private static let chunk = 64 * 1024
    /// Nothing is read beyond: no writer goes so far.
    private static let farthest: Int64 = 1 << 40
    /// Damage is searched no further for its end: a sparse file must not keep a reader busy.
    private static let longestDamage: Int64 = 1 << 26
    package let file: SegmentFile
    package private(set) var offset: Int64
    /// Records end here at the latest: the sealed length, once it is known.
    package var limit: Int64?
    private var halt = Halt.end
    private var buffer: [UInt8] = []
    private var bufferStart: Int64 = 0

    package init(_ file: SegmentFile, from offset: Int64 = 0) {
        self.file = file
        self.offset = max(offset, Int64(file.headerLength))
    }

    private var seed: UInt32 { file.header.seed }

    /// Whether everything up to the sealed length was read.
    package var isExhausted: Bool { limit.map { offset >= $0 } ?? false }

    /// The next record, or nil where what is written so far ends (half a line may stand there).
    package mutating func next() throws(KernelError) -> PlacedRecord? {
        halt = .end
        if isExhausted || offset >= SegmentReader.farthest { return nil }
        var wanted = SegmentReader.chunk
        while true {
            let available = try window(at: offset, wanted: wanted)
            switch RecordParser.parse(available, seed: seed, checksum: spoolChecksum) {
            case .record(let record, let lineLength):
                return try place(record, lineLength)
            case .incomplete:
                halt = available.isEmpty ? .end : .partial
                if available.count < wanted || wanted >= RecordParser.maximumLine { return nil }
                wanted = min(wanted * 4, RecordParser.maximumLine)
            case .invalid:
                halt = .invalid
                return nil
            }
        }
    }

    private mutating func place(_ record: Record, _ lineLength: Int) throws(KernelError) -> PlacedRecord? {
        let placed = PlacedRecord(
            record: record, position: LogPosition(segment: file.header.number, offset: offset),
            lineLength: lineLength, contentLength: record.extent(.content)?.length ?? 0)
        guard placed.end <= min(limit ?? .max, SegmentReader.farthest), try reaches(placed.end) else {
            halt = .partial
            return nil
        }
        offset = placed.end
        return placed
    }

    /// After damage: moves to the next valid record, if one follows; the damaged range, or nil if nothing valid follows.
    package mutating func resynchronise() throws(KernelError) -> Item? {
        let from = offset
        var position = offset
        while position < limit ?? .max {
            guard position - from < SegmentReader.longestDamage else { return nil }
            let available = try window(at: position, wanted: SegmentReader.chunk)
            guard let feed = available.firstIndex(of: 0x0A) else {
                if available.count < SegmentReader.chunk { return nil }
                position += Int64(available.count)
                continue
            }
            position += Int64(feed - available.startIndex + 1)
            if try isRecord(at: position) { break }
        }
        offset = min(position, limit ?? .max)
        return .damaged(from: LogPosition(segment: file.header.number, offset: from), to: offset)
    }

    /// A line may be as long as a chunk and longer: 1,000 recipients stand in one.
    private mutating func isRecord(at position: Int64) throws(KernelError) -> Bool {
        for wanted in [SegmentReader.chunk, RecordParser.maximumLine] {
            let available = try window(at: position, wanted: wanted)
            switch RecordParser.parse(available, seed: seed, checksum: spoolChecksum) {
            case .record: return true
            case .invalid: return false
            case .incomplete: if available.count < wanted { return false }
            }
        }
        return false
    }

    /// Moves past bytes that are no record although a later commit line, or the sealed length, covers them; the range, or nil.
    ///
    /// What follows a record's beginning is its content, which a stranger wrote: it is never searched for records.
    package mutating func skipDamage() throws(KernelError) -> (from: LogPosition, to: Int64)? {
        if isExhausted { return nil }
        // Sealed, and nothing more in it. A power cut may have taken the last commit line, which no sync had covered, or torn it: no damage.
        if let limit, limit - offset == commitLineLength(at: offset) {
            offset = limit
            return nil
        }
        let from = LogPosition(segment: file.header.number, offset: offset)
        var probe = self
        if halt == .invalid, try probe.resynchronise() != nil {
            var isCovered = limit != nil
            if !isCovered { isCovered = try probe.commitFollows() }
            if isCovered {
                self = probe
                return (from, offset)
            }
        }
        guard let limit else { return nil }
        offset = limit
        return (from, limit)
    }

    private func commitLineLength(at offset: Int64) -> Int64 {
        Int64(RecordLine(.commit).adding(.upto, offset).sealed(seed: seed, checksum: spoolChecksum).count)
    }

    private func commitFollows() throws(KernelError) -> Bool {
        var ahead = self
        while true {
            if let placed = try ahead.next() {
                if placed.commits { return true }
            } else {
                guard ahead.halt == .invalid, try ahead.resynchronise() != nil else { return false }
            }
        }
    }

    /// Goes back to an offset and forgets what was read ahead: a writer may have cut the file back and written anew.
    package mutating func rewind(to offset: Int64) {
        self.offset = offset
        buffer.removeAll(keepingCapacity: true)
    }

    private func reaches(_ end: Int64) throws(KernelError) -> Bool {
        if end <= bufferStart + Int64(buffer.count) { return true }
        return try file.descriptor.status().size >= end
    }

    /// Bytes from `position` on: a whole line at least, or `wanted`, or all that there is.
    private mutating func window(at position: Int64, wanted: Int) throws(KernelError) -> ArraySlice<UInt8> {
        if position >= bufferStart, position < bufferStart + Int64(buffer.count) {
            let slice = buffer[Int(position - bufferStart)...]
            if slice.count >= wanted || slice.contains(0x0A) { return slice }
        }
        buffer = try file.descriptor.read(wanted, at: position)
        bufferStart = position
        return buffer[...]
    }
}
