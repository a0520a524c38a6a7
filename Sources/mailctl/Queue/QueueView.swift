// Mail in transit as the logs tell it: queued's newest state block, what it said since, and what came in meanwhile.
// Reading needs no queued: the logs are the truth while it is down too.

import Kernel
import MailModel
import Spool
import SpoolFormat

/// The messages that somebody still waits for.
struct QueueView {
    struct Copy: Hashable, Sendable {
        /// The recipient of the envelope.
        let original: [UInt8]
        /// Where routing leads it; empty before routing and for a refusal.
        var final: [UInt8] = []
        /// It goes to a mailbox here.
        var isLocal = false
        /// It only keeps the message (`routing.archive`): no recipient's copy.
        var isArchive = false
        var state: State
        var attempts = 0
        /// The next attempt.
        var until: WallTime?
        var status: [UInt8] = []
        var reason: [UInt8] = []
        /// Who has it, and since when, as far as the tail of the log tells.
        var agent: String?
        var since: WallTime?
        /// The host whose words the reason is; empty where nobody was reached.
        var host: [UInt8] = []

        /// Nobody has it, and it is not over.
        var isWaiting: Bool { state == .waiting || state == .unrouted }
        /// Where it goes, as far as that is known.
        var destination: [UInt8] { final.isEmpty ? original : final }
    }

    /// `held` is what `shown` makes of a copy that waits; no copy has it as its own.
    enum State: String, Sendable, CaseIterable { case unrouted, waiting, assigned, delivered, failed, bounced, held }

    struct Message: Hashable, Sendable {
        let id: QueueID
        let sender: [UInt8]
        let accepted: WallTime?
        /// Bytes.
        let size: Int
        var copies: [Copy]
        /// Recipients whose routing was said in part, and how many records it lacks.
        var routesToCome: [[UInt8]: Int] = [:]
        /// What the administrator wants of it, `hold`, `delete` or `bounce`, and his words.
        var order: String?
        var orderReason: [UInt8] = []
        /// It may travel under TLS only (RFC 8689).
        var requiresTLS = false

        var isHeld: Bool { order == "hold" }
        var hasAssigned: Bool { copies.contains { $0.state == .assigned } }
        func shown(_ copy: Copy) -> State { isHeld && copy.isWaiting ? .held : copy.state }

        fileprivate mutating func take(order record: Record) {
            order = record.text(.command).flatMap { $0 == "release" ? nil : $0 }
            orderReason = order == nil ? [] : record[.reason] ?? []
        }
    }

    private(set) var messages: [QueueID: Message] = [:]

    /// Accepted messages in the order of their acceptance.
    var sorted: [Message] { messages.values.sorted { ($0.accepted?.nanoseconds ?? 0, $0.id) < ($1.accepted?.nanoseconds ?? 0, $1.id) } }

    /// Reads the logs of a spool.
    static func read(spool: borrowing DirectoryDescriptor) throws(KernelError) -> QueueView {
        let folder = try spool.openDirectory(LogName(.queued, .events).path)
        let numbers = try folder.list().compactMap { SegmentName.number($0.name) }.sorted()
        let (own, records) = try newestBlock(of: numbers, in: spool)
        var view = QueueView()
        let (cursors, tail) = view.loadBlock(records)
        for origin in QueueOrigin.allCases {
            let name = LogName(origin.owner, .mail)
            let follower = try LogFollower(spool: spool, name, from: cursors[name.text] ?? .start)
            for record in try all(follower) where record.isAccept(from: origin) { view.accept(record) }
        }
        // What was done while the mail logs were read is done.
        for record in try tail + all(own) { view.apply(record) }
        // queued says of a copy that it is delivered only when its message is done, or in a block.
        for (owner, verb) in [(SpoolOwner.locald, Verb.delivered), (.remoted, .sent)] where view.messages.values.contains(where: \.hasAssigned) {
            let name = LogName(owner, .events)
            let follower = try LogFollower(spool: spool, name, from: cursors[name.text] ?? .start)
            for record in try all(follower) where record.verb == verb { view.change(record) { $0.state = .delivered } }
        }
        return view
    }

    /// The records from the newest whole block on: the newest segment may have its name and not yet its first commit line.
    private static func newestBlock(of numbers: [UInt32], in spool: borrowing DirectoryDescriptor) throws(KernelError) -> (LogFollower, [Record]) {
        for number in numbers.reversed() {
            let own = try LogFollower(spool: spool, LogName(.queued, .events), from: LogPosition(segment: number, offset: 0))
            let records = try all(own)
            if records.contains(where: { $0.verb == .stateEnd }) { return (own, records) }
        }
        let own = try LogFollower(spool: spool, LogName(.queued, .events), from: .start)
        return (own, try all(own))
    }

    private static func all(_ follower: LogFollower) throws(KernelError) -> [Record] {
        var records: [Record] = []
        while true {
            let more = try follower.poll()
            if more.isEmpty { return records }
            records += more.map(\.record)
        }
    }

    /// The cursors of the block, and the records after it.
    mutating func loadBlock(_ records: [Record]) -> (cursors: [[UInt8]: LogPosition], tail: ArraySlice<Record>) {
        guard let start = records.lastIndex(where: { $0.verb == .state }),
            let end = records[start...].firstIndex(where: { $0.verb == .stateEnd })
        else { return ([:], records[...]) }
        var cursors: [[UInt8]: LogPosition] = [:]
        for record in records[start...end] {
            if record.verb == .cursor, let log = record[.log] {
                cursors[log] = record[.upto].flatMap { LogPosition(parsing: $0) }
            } else if record.verb == .open {
                accept(record)
                if let id = record.id { messages[id]?.take(order: record) }
            } else if record.verb == .pending {
                change(record, orAdd: true) { $0.take(pending: record) }
            }
        }
        // Messages whose accept stands above its log's cursor, and which are done all the same.
        let done = records[start...end].filter { $0.verb == .done }
        return (cursors, done + records[(end + 1)...])
    }

    /// An `accept` of a mail log or an `open` of a state block.
    mutating func accept(_ record: Record) {
        guard let id = record.id, let sender = record[.from], messages[id] == nil else { return }
        let extent = record.extent(.content) ?? record.extent(.big) ?? record[.location].flatMap { ContentLocation(parsing: $0)?.extent }
        messages[id] = Message(
            id: id, sender: sender, accepted: record[.at].flatMap(Timestamp.time), size: extent?.length ?? 0,
            copies: record.all(.to).map { Copy(original: $0, state: .unrouted) }, requiresTLS: record[.requiretls] != nil)
    }

    /// What queued said of a copy or a message.
    mutating func apply(_ record: Record) {
        switch record.verb {
        case .route:
            countRoute(record)
            change(record, orAdd: true) { copy in
                copy.state = record[.final] == nil ? .failed : .waiting
                copy.status = record[.status] ?? []
                copy.reason = record[.reason] ?? []
            }
        case .assign:
            change(record) { copy in
                copy.state = .assigned
                copy.until = nil
                copy.agent = record.text(.agent)
                copy.host = []
                copy.since = record[.at].flatMap(Timestamp.time)
                copy.attempts = record.number(.attempt) ?? copy.attempts + 1
            }
        case .deferred: change(record) { $0.take(deferral: record) }
        case .bounced: change(record) { $0.state = .bounced }
        case .ordered: if let id = record.id { messages[id]?.take(order: record) }
        case .done: if let id = record.id { messages[id] = nil }
        default: return  // Other facts move no message.
        }
    }

    /// At the first record of a routing a half that was said of the recipient before was an earlier one, and is void (O4a).
    private mutating func countRoute(_ record: Record) {
        guard let id = record.id, let original = record[.recipient] else { return }
        let count = record.number(.count), missing = messages[id]?.routesToCome.removeValue(forKey: original)
        if count != nil, missing != nil {
            messages[id]?.copies.removeAll { $0.original == original && $0.attempts == 0 && ($0.state == .waiting || $0.state == .failed) }
        }
        if let left = (count ?? missing).map({ $0 - 1 }), left > 0 { messages[id]?.routesToCome[original] = left }
    }

    private mutating func change(_ record: Record, orAdd: Bool = false, _ body: (inout Copy) -> Void) {
        guard let id = record.id, var message = messages[id], let original = record[.recipient] else { return }
        let final = record[.final] ?? []
        var index = message.copies.firstIndex { $0.original == original && $0.final == final && $0.state != .unrouted }
        if index == nil, orAdd {
            message.copies.removeAll { $0.original == original && $0.state == .unrouted }
            message.copies.append(
                Copy(original: original, final: final, isLocal: record[.account] != nil, isArchive: record.text(.kind) == "archive", state: .waiting))
            index = message.copies.indices.last
        }
        guard let index else { return }
        body(&message.copies[index])
        messages[id] = message
    }
}

extension QueueView.Copy {
    fileprivate mutating func take(deferral record: Record) {
        state = .waiting
        until = record[.until].flatMap(Timestamp.time)
        attempts = record.number(.attempt) ?? attempts
        status = record[.status] ?? []
        reason = record[.reason] ?? []
        host = record[.host] ?? []
    }

    /// A `pending` line says its state by which of its keys are there (docs/spool.md).
    fileprivate mutating func take(pending record: Record) {
        take(deferral: record)
        if record[.answers] != nil {
            state = .assigned
            agent = record.text(.agent)
            host = []
        } else if let result = record.text(.result) {
            state = result == "delivered" ? .delivered : .bounced
        } else if record[.until] == nil {
            state = .failed
        }
        if until?.nanoseconds == 0 { until = nil }
    }
}
