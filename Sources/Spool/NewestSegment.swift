// A start reads one segment: the newest that can be read, which begins with a state block.

package import Kernel
package import SpoolFormat

extension LogWriter {
    /// The valid records of the newest readable segment, its uncommitted tail included, because `begin` keeps it.
    package func newestRecords() throws(KernelError) -> [PlacedRecord] {
        for number in try segments().reversed() {
            let file: SegmentFile
            do throws(SegmentProblem) { file = try open(number) } catch { continue }
            var reader = SegmentReader(file)
            var records: [PlacedRecord] = []
            while true {
                if let placed = try reader.next() { records.append(placed); continue }
                guard try reader.resynchronise() != nil else { break }
            }
            return records
        }
        return []
    }
}

extension LogFollower {
    /// Where the newest readable segment of a log begins, or the start.
    package static func newestSegment(spool: borrowing DirectoryDescriptor, _ name: LogName) throws(KernelError) -> LogPosition {
        let folder = try spool.openDirectory(name.path)
        let numbers = try folder.list().compactMap { SegmentName.number($0.name) }.sorted()
        for number in numbers.reversed() {
            do throws(SegmentProblem) {
                _ = try SegmentFile(folder: folder, number: number, log: name, owner: nil)
                return LogPosition(segment: number, offset: 0)
            } catch { continue }
        }
        return .start
    }
}
