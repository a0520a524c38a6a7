// A segment that was opened defensively, and what it says from its first line to its last commit.

package import Kernel
package import SpoolFormat

/// An open segment that several readers may share.
package final class SegmentFile: Sendable {
    package let descriptor: Descriptor
    package let header: SegmentHeader
    package let headerLength: Int

    /// Opens a segment defensively: a regular file of the right owner with a valid header.
    package init(folder: borrowing DirectoryDescriptor, number: UInt32, log: LogName, owner: UInt32?) throws(SegmentProblem) {
        let name = Path(SegmentName.name(number))
        do throws(KernelError) {
            descriptor = try folder.open(name)
            let status = try descriptor.status()
            guard status.kind == .file else { throw KernelError(.read, code: 22, object: (folder.path / name).bytes) }
            let first = try descriptor.read(512, at: 0)
            guard let parsed = SegmentHeader.parse(first[...], checksum: spoolChecksum), parsed.0.number == number,
                parsed.0.log == log.text
            else { throw KernelError(.read, code: 74, object: (folder.path / name).bytes) }
            if let owner, status.owner != owner { throw KernelError(.read, code: 13, object: (folder.path / name).bytes) }
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

    /// Whether there is no segment to read, now or later: EINVAL as said above, EBADMSG, and what opening says of links, sockets
    /// and other file systems. Any other error says nothing about the segment, and nothing may be concluded: one of another
    /// owner is a segment again as soon as an administrator gives it back.
    package var isForeign: Bool {
        switch self {
        case .missing: false
        case .unusable(let error): [6, 18, 22, 40, 74].contains(error.code)
        }
    }
}

/// How a segment ends.
package struct SegmentEnd: Sendable {
    /// After the last commit line, or the sealed length.
    package var committed: Int64
    /// Valid records after that, up to the first byte that is none.
    package var tail: [PlacedRecord] = []
    /// Whether something before the last commit is no record.
    package var isDamaged = false
}

extension SegmentFile {
    /// Where it ends, as it says itself. However much one commit covers, nothing of it is kept.
    package func end() throws(KernelError) -> SegmentEnd {
        var end = SegmentEnd(committed: Int64(headerLength))
        var reader = SegmentReader(self)
        while true {
            if let placed = try reader.next() {
                if placed.commits { end.committed = placed.end }
            } else {
                guard try reader.skipDamage() != nil else { break }
                end.isDamaged = true
            }
        }
        reader = SegmentReader(self, from: end.committed)
        while let placed = try reader.next() {
            if placed.record.verb != .commit { end.tail.append(placed) }
        }
        return end
    }

    /// Calls `body` with each committed record but the commit lines; `sealed` counts as the last commit where it is known.
    package func scan(sealed: Int64?, _ body: (PlacedRecord) -> Void) throws(KernelError) -> SegmentEnd {
        var end = SegmentEnd(committed: sealed ?? 0)
        if sealed == nil { end = try self.end() }
        let isWhole = try scan(committed: end.committed) {
            body($0)
            return true
        }
        end.isDamaged = !isWhole
        return end
    }

    /// The same from an offset on, until `body` wants no more; false if something before `committed` is no record.
    @discardableResult
    package func scan(from offset: Int64 = 0, committed: Int64, _ body: (PlacedRecord) -> Bool) throws(KernelError) -> Bool {
        var reader = SegmentReader(self, from: offset)
        reader.limit = committed
        var isWhole = true
        while true {
            guard let placed = try reader.next() else {
                guard try reader.skipDamage() != nil else { return isWhole }
                isWhole = false
                continue
            }
            if placed.record.verb != .commit, !body(placed) { return isWhole }
        }
    }
}
