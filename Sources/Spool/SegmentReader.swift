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
}

/// An open segment that several readers may share.
package final class SegmentFile: Sendable {
    package let descriptor: Descriptor
    package let header: SegmentHeader
    package let headerLength: Int

    /// Opens a segment defensively: a regular file of the right owner with a valid header, or nil and why.
    package init(folder: borrowing DirectoryDescriptor, number: UInt32, log: LogName, owner: UInt32?) throws(SegmentProblem) {
        let name = Path(SegmentName.name(number))
        do throws(KernelError) {
            descriptor = try folder.open(name)
            let status = try descriptor.status()
            guard status.kind == .file else { throw KernelError(.read, code: 22, object: (folder.path / name).bytes) }
            if let owner, status.owner != owner { throw KernelError(.read, code: 1, object: (folder.path / name).bytes) }
            let first = try descriptor.read(512, at: 0)
            guard let parsed = SegmentHeader.parse(first[...], checksum: spoolChecksum), parsed.0.number == number,
                parsed.0.log == log.text
            else { throw KernelError(.read, code: 74, object: (folder.path / name).bytes) }
            header = parsed.0
            headerLength = parsed.length
        } catch {
            throw error.isMissing ? .missing : .unusable(error)
        }
    }
}

/// Why a segment cannot be read.
package enum SegmentProblem: Error, Sendable {
    case missing
    /// Not a regular file, not its owner's, no valid header, or an error of the disk.
    case unusable(KernelError)
}

/// Reads records in order from an offset.
package struct SegmentReader {
    package enum Item: Sendable {
        case record(PlacedRecord)
        /// Bytes that are no record, before one that is.
        case damaged(from: LogPosition, to: Int64)
    }

    private static let chunk = 64 * 1024
    package let file: SegmentFile
    package private(set) var offset: Int64
    /// Records end here at the latest: the sealed length, once it is known.
    package var limit: Int64?
    private var buffer: [UInt8] = []
    private var bufferStart: Int64 = 0

    package init(_ file: SegmentFile, from offset: Int64 = 0) {
        self.file = file
        self.offset = max(offset, Int64(file.headerLength))
    }

    private var seed: UInt32 { file.header.seed }

    /// The next record, or nil where what is written so far ends (half a line may stand there).
    package mutating func next() throws(KernelError) -> PlacedRecord? {
        if let limit, offset >= limit { return nil }
        var wanted = SegmentReader.chunk
        while true {
            let available = try window(at: offset, wanted: wanted)
            switch RecordParser.parse(available, seed: seed, checksum: spoolChecksum) {
            case .record(let record, let lineLength):
                let length = record.extent(.content)?.length ?? 0
                let placed = PlacedRecord(
                    record: record, position: LogPosition(segment: file.header.number, offset: offset),
                    lineLength: lineLength, contentLength: length)
                if let limit, placed.end > limit { return nil }
                if length > 0, try !reaches(placed.end) { return nil }
                offset = placed.end
                return placed
            case .incomplete:
                if available.count < wanted || wanted >= RecordParser.maximumLine { return nil }
                wanted = min(wanted * 4, RecordParser.maximumLine)
            case .invalid:
                return nil
            }
        }
    }

    /// After damage: moves to the next valid record, if one follows; the damaged range, or nil if nothing valid follows.
    package mutating func resynchronise() throws(KernelError) -> Item? {
        let from = offset
        var position = offset
        while true {
            let available = try window(at: position, wanted: SegmentReader.chunk)
            guard let feed = available.firstIndex(of: 0x0A) else {
                if available.count < SegmentReader.chunk { return nil }
                position += Int64(available.count)
                continue
            }
            position += Int64(feed - available.startIndex + 1)
            if let limit, position >= limit {
                offset = limit
                return .damaged(from: LogPosition(segment: file.header.number, offset: from), to: limit)
            }
            let rest = try window(at: position, wanted: SegmentReader.chunk)
            if rest.isEmpty { return nil }
            if case .record = RecordParser.parse(rest, seed: seed, checksum: spoolChecksum) {
                offset = position
                return .damaged(from: LogPosition(segment: file.header.number, offset: from), to: position)
            }
        }
    }

    /// Forgets what was read ahead: a writer may have cut the file back and written anew.
    package mutating func refresh() { buffer.removeAll(keepingCapacity: true) }

    private func reaches(_ end: Int64) throws(KernelError) -> Bool {
        if end <= bufferStart + Int64(buffer.count) { return true }
        return try file.descriptor.status().size >= end
    }

    private mutating func window(at position: Int64, wanted: Int) throws(KernelError) -> ArraySlice<UInt8> {
        let end = bufferStart + Int64(buffer.count)
        let lineInside = position >= bufferStart && position < end
        if lineInside {
            let slice = buffer[Int(position - bufferStart)...]
            if slice.count >= min(wanted, 4096) || slice.contains(0x0A), wanted == SegmentReader.chunk { return slice }
        }
        buffer = try file.descriptor.read(wanted, at: position)
        bufferStart = position
        return buffer[...]
    }
}
