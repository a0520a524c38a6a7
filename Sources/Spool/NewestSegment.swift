// A start reads one segment: the newest that can be read, which begins with a state block.

package import Kernel
package import SpoolFormat

extension LogWriter {
    /// The committed records of the newest readable segment and its uncommitted tail, which `begin` keeps: no others.
    package func newestRecords() throws(KernelError) -> [PlacedRecord] {
        var records: [PlacedRecord] = []
        try forEachNewestRecord { records.append($0) }
        return records
    }

    /// The same, one at a time, from a position in that segment on.
    package func forEachNewestRecord(from position: LogPosition = .start, _ body: (PlacedRecord) -> Void) throws(KernelError) {
        try readNewest(from: position) {
            body($0)
            return true
        }
    }

    /// The same, until `body` returns false.
    package func readNewest(from position: LogPosition = .start, _ body: (PlacedRecord) -> Bool) throws(KernelError) {
        for number in try segments().reversed() {
            guard let file = try readable(number) else { continue }
            let known = recoveredNewest?.segment == number ? recoveredNewest?.offset : nil
            var committed = known ?? 0
            if known == nil { committed = try file.end().committed }
            var wantsMore = true
            try file.scan(from: position.segment == number ? position.offset : 0, committed: committed) { placed in
                wantsMore = body(placed)
                return wantsMore
            }
            for record in recovered where wantsMore && record.placed.position.segment == number { wantsMore = body(record.placed) }
            return
        }
    }

    /// The committed records of every readable segment, oldest first, and the tail: for a start that cannot trust the newest alone.
    package func allRecords() throws(KernelError) -> [PlacedRecord] {
        var records: [PlacedRecord] = []
        var newer: SegmentHeader?
        for number in try segments().reversed() {
            guard let file = try readable(number) else { continue }
            let sealed = newer?.predecessor.flatMap { $0.segment == number ? $0.offset : nil }
            var own: [PlacedRecord] = []
            _ = try file.scan(sealed: sealed) { own.append($0) }
            records = own + records
            newer = file.header
        }
        return records + recovered.map(\.placed)
    }

    /// A segment, or nil if there is none of this number; an error of the disk is thrown and proves nothing.
    func readable(_ number: UInt32) throws(KernelError) -> SegmentFile? {
        do throws(SegmentProblem) { return try open(number) } catch {
            switch error {
            case .missing: return nil
            case .unusable(let reason):
                if error.isForeign { return nil }
                throw reason
            }
        }
    }
}

extension LogFollower {
    /// Where the newest readable segment of a log begins, or the start; `withOlder`: so many before it are read too, where they are.
    package static func newestSegment(
        spool: borrowing DirectoryDescriptor, _ name: LogName, withOlder: Int = 0
    ) throws(KernelError) -> LogPosition {
        let folder = try spool.openDirectory(name.path)
        let owner = try name.user(in: spool)
        let numbers = try folder.list().compactMap { SegmentName.number($0.name) }.sorted()
        var (found, left) = (LogPosition.start, withOlder)
        for number in numbers.reversed() {
            do throws(SegmentProblem) {
                _ = try SegmentFile(folder: folder, number: number, log: name, owner: owner)
                found = LogPosition(segment: number, offset: 0)
                if left == 0 { return found }
                left -= 1
            } catch {
                if case .unusable(let reason) = error, !error.isForeign { throw reason }
            }
        }
        return found
    }
}
