// The writer's segments as files: which are there, which may go, and what of them is freed.

package import Kernel
package import SpoolFormat

extension LogWriter {
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

    /// When a segment was last written. Nanoseconds since 1970.
    func modified(_ number: UInt32) throws(KernelError) -> Int64 {
        try folder.status(of: Path(SegmentName.name(number))).modified
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
