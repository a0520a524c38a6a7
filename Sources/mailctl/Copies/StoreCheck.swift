// What the logs say was delivered, compared with what the store holds and what its owners removed.
// Memory: 16 bytes for a message of the store or a removal, some hundred for an open or a missing copy.

import Configuration
import Kernel
import Mailbox
import MailModel
import Spool
import SpoolFormat

/// A copy that was delivered, and that the store does not hold though nobody is known to have removed it.
struct MissingCopy: Hashable, Sendable {
    let id: QueueID
    let recipient: [UInt8]
    let final: [UInt8]
    let account: [UInt8]
    /// When it was delivered, or ended, as its log says it; empty if it does not.
    let at: [UInt8]
    /// It only keeps the message, under a name of its own.
    var isArchive = false
}

/// Names a copy by message and final address, as the names of files do: the same from a log and from the store.
struct CopyMark: Hashable, Sendable {
    private let hash: Int

    /// `s000004q3v9h2m5k00007R3v9h2m5k0abc` of the unique part of a delivered message's name; nil for any other.
    init?(unique: some Collection<UInt8>) {
        let parts = unique.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].count == QueueID.textLength + 13 else { return nil }
        self.init(middle: parts[1])
    }

    /// As locald names it.
    init?(_ id: QueueID, final: [UInt8], archive: [UInt8]? = nil) {
        guard let address = EmailAddress(parsing: final) else { return nil }
        self.init(unique: UniquePart(seconds: 0, message: id, finalAddress: address, archive: archive, host: [0x78]).bytes)
    }

    private init(middle: some Collection<UInt8>) {
        var hasher = Hasher()
        for byte in middle { hasher.combine(byte) }
        hash = hasher.finalize()
    }
}

/// One comparison. What the logs cite of each other is noted on the way.
struct StoreCheck {
    private(set) var missing: [CopyMark: MissingCopy] = [:]
    /// The farthest segment of each log that queued speaks of.
    private(set) var cited: [LogName: UInt32] = [:]
    private(set) var delivered = 0
    private var accounted: Set<CopyMark> = []
    /// What was removed before this is unknown: the events that said it are past retention. Deliveries before it prove nothing.
    private(set) var horizon = WallTime(nanoseconds: 0)
    /// Copies that locald was given and whose message is not over; gone once it is.
    private var open: [QueueID: [MissingCopy]] = [:]
    private let progress: (String) -> Void

    init(_ paths: Configuration.Paths, progress: @escaping (String) -> Void = { _ in }) throws(Failure) {
        self.progress = progress
        do throws(StoreError) { try takeStore(paths.store) } catch { throw Failure(store: error, paths.store) }
        try attempting { () throws(KernelError) in
            let spool = try DirectoryDescriptor(opening: paths.spool)
            for owner in [SpoolOwner.pop3d, .imapd, .mailctl, .supervisor] { try hear(owner, in: spool) }
            for owner in [SpoolOwner.locald, .queued] { try hear(owner, in: spool) }
        }
        open = [:]
    }

    private mutating func takeStore(_ store: Path) throws(StoreError) {
        var marks: Set<CopyMark> = []
        var count = 0
        try StoreListing.forEachMessage(store: store) { name in
            count += 1
            if let mark = CopyMark(unique: name.unique) { marks.insert(mark) }
        }
        accounted = marks
        progress("the store holds \(count) messages")
    }

    private mutating func hear(_ owner: SpoolOwner, in spool: borrowing DirectoryDescriptor) throws(KernelError) {
        let follower = try LogFollower(spool: spool, LogName(owner, .events), from: .start)
        var count = 0
        while true {
            let records = try follower.poll()
            if records.isEmpty { break }
            if count == 0, owner == .pop3d || owner == .imapd { noteBeginning(records[0]) }
            for placed in records { hear(placed.record, from: owner) }
            count += records.count
            if count % 1_048_576 < records.count, count >= 1_048_576 { progress("\(count) facts of \(owner.rawValue) read") }
        }
    }

    private mutating func noteBeginning(_ first: PlacedRecord) {
        guard first.position.segment > 1, let time = first.record[.at].flatMap(Timestamp.time) else { return }
        horizon = max(horizon, time)
    }

    private mutating func hear(_ record: Record, from owner: SpoolOwner) {
        switch owner {
        // mailctl: what went with the account of an examination.
        case .pop3d, .imapd, .mailctl:
            if record.verb == .delete, let mark = record[.file].flatMap(CopyMark.init(unique:)) { accounted.insert(mark) }
        case .locald:
            switch record.verb {
            case .staged, .delivered: note(record)
            default: break
            }
        case .queued: hearQueue(record)
        case .supervisor:
            // A message of its own brings it now.
            if record.verb == .recognised, record[.drop] != nil, let mark = MissingCopy(record)?.mark { accounted.insert(mark) }
        case .smtpd, .submission, .remoted: break
        }
    }

    // MARK: What was delivered

    /// locald says that a copy is on the store.
    private mutating func note(_ record: Record) {
        guard var copy = MissingCopy(record), let mark = record[.file].flatMap(MissingCopy.mark) ?? copy.mark else { return }
        copy.isArchive = mark == CopyMark(copy.id, final: copy.final, archive: copy.recipient)
        if record.verb == .delivered { delivered += 1 }
        take(copy, mark)
    }

    private mutating func take(_ copy: MissingCopy, _ mark: CopyMark) {
        if !accounted.contains(mark), Timestamp.time(copy.at) ?? horizon >= horizon { missing[mark] = copy }
    }

    /// queued says which copies of a message locald was given, and that it is over: locald's own word may be older.
    private mutating func hearQueue(_ record: Record) {
        cite(record)
        guard let id = record.id else { return }
        switch record.verb {
        case .assign, .pending:
            guard record.text(.agent) == "locald", let copy = MissingCopy(record), let mark = copy.mark, !accounted.contains(mark) else { return }
            if record.verb == .pending, record.text(.result) == "delivered" { return take(copy, mark) }
            if open[id]?.contains(where: { $0.isSame(as: copy) }) ?? false { return }
            open[id, default: []].append(copy)
        case .bounced: open[id]?.removeAll { $0.recipient == record[.recipient] && $0.final == record[.final] }
        case .done:
            for copy in open.removeValue(forKey: id) ?? [] { if let mark = copy.mark { take(copy.ended(record[.at]), mark) } }
        default: break
        }
    }

    private mutating func cite(_ record: Record) {
        if record.verb == .cursor, let log = record[.log].flatMap(LogName.init(parsing:)), let end = record[.upto].flatMap({ LogPosition(parsing: $0) }) {
            cited[log] = max(cited[log] ?? 0, end.segment)
        }
        if let location = record[.location].flatMap({ ContentLocation(parsing: $0) }), let position = location.position {
            let log = LogName(location.origin.owner, .mail)
            cited[log] = max(cited[log] ?? 0, position.segment)
        }
    }
}

extension MissingCopy {
    init?(_ record: Record) {
        guard let id = record.id, let recipient = record[.recipient], let final = record[.final] else { return nil }
        self.init(id: id, recipient: recipient, final: final, account: record[.account] ?? [], at: record[.at] ?? [], isArchive: record.text(.kind) == "archive")
    }

    var mark: CopyMark? { CopyMark(id, final: final, archive: isArchive ? recipient : nil) }

    fileprivate static func mark(_ file: [UInt8]) -> CopyMark? { MessageName(parsing: file).flatMap { CopyMark(unique: $0.unique) } }
    fileprivate func isSame(as other: MissingCopy) -> Bool { recipient == other.recipient && final == other.final }
    fileprivate func ended(_ at: [UInt8]?) -> MissingCopy {
        MissingCopy(id: id, recipient: recipient, final: final, account: account, at: at ?? self.at, isArchive: isArchive)
    }
}

extension Failure {
    init(store error: StoreError, _ path: Path) {
        if case .kernel(let cause) = error { self.init(cause) } else {
            self.init(.inputOutput, "the mail store cannot be read: \(error)", remedy: "look at \(path)")
        }
    }
}
