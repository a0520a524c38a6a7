// What smtpd's event log tells its policy, read as smtpd reads it at a start.

import Kernel
import MailPolicy
import Spool
import SpoolFormat

struct PolicyPast {
    private(set) var greylist = GreylistMemory()
    private(set) var history = NetworkHistory()

    /// Nil if the log is not there or may not be read.
    init?(_ spool: Path) {
        guard let folder = try? DirectoryDescriptor(opening: spool), let own = try? folder.openDirectory(LogName(.smtpd, .events).path),
            let entries = try? own.list()
        else { return nil }
        let numbers = entries.compactMap { SegmentName.number($0.name) }.sorted()
        let start = LogPosition(segment: numbers.suffix(PolicyRecord.segments).first ?? 0, offset: 0)
        guard let follower = try? LogFollower(spool: folder, LogName(.smtpd, .events), from: start) else { return nil }
        while let records = try? follower.poll(), !records.isEmpty {
            for placed in records { hear(placed.record) }
        }
    }

    private mutating func hear(_ record: Record) {
        switch PolicyRecord(record) {
        case .greylist(let key, let entry): greylist.recall(key, entry)
        case .recipients(let count, let fate, let client, let time): history.count(count, fate, from: client, at: time)
        case nil: break
        }
    }
}
