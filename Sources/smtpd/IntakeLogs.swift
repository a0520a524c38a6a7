// The logs of one service, and their upkeep between commits: events synced, released messages erased.

import Kernel
import MailModel
import SMTPProtocol
import Spool
import SpoolFormat

/// Owned by the commit thread.
final class IntakeLogs {
    let mail: MailLog
    let events: EventWriter
    private let released: LogFollower
    private let trace: TraceField
    private let spool: Path
    /// Seconds, as they are now.
    private let retention: () -> Int64
    private var lastTended = MonotonicTime(nanoseconds: 0)
    private var lastComplaint = MonotonicTime(nanoseconds: 0)
    private(set) var freeBytes = Int64.max

    init(spool: borrowing DirectoryDescriptor, owner: SpoolOwner, origin: QueueOrigin, trace: TraceField, retention: @escaping () -> Int64) throws {
        self.retention = retention
        self.trace = trace
        self.spool = spool.path
        events = try EventWriter(spool: spool, owner)
        mail = try MailLog(spool: spool, owner, origin: origin)
        released = try LogFollower(spool: spool, LogName(.queued, .released), from: .start)
        let history = try EventHistory(events.log)
        try events.log.begin()
        // An accept whose event a crash took: the mail log is the truth, and the history must not lack it.
        try mail.begin { record in
            guard let id = record.id, history.lacks(id) else { return }
            events.append(RecordLine(accept: record, id: id), at: record[.at].flatMap(Timestamp.time) ?? .now())
        }
        events.append(RecordLine(.start).adding(.pid, Identity.processID).adding(.upto, mail.log.end.text), at: .now())
        events.report(events.log.damage + mail.log.damage, at: .now())
        try events.commit()
    }

    /// Appends one message; its record as it will also stand in the events.
    func append(_ message: Acceptance, now: WallTime) -> Result<(QueueID, RecordLine), KernelError> {
        switch message.content {
        case .inline(let body):
            guard let id = mail.log.newID(mail.origin) else {
                mail.log.rollOver()
                return .failure(KernelError(.write, code: 11, object: Array("spool log".utf8)))
            }
            let line = record(message, id: id, size: body.count, now: now)
            let field = trace.bytes(id: id, envelope: message.envelope, facts: message.facts, peer: message.peer, tls: message.tls, now: now, missing: message.missing)
            _ = mail.append(line.adding(.at, Timestamp.text(now)), id: id, content: [message.policy.fields + field, body])
            return .success((id, line))
        case .big(let big):
            do throws(KernelError) {
                let extent = try big.finish()
                let line = record(message, id: big.id, size: extent.length, now: now)
                _ = mail.append(line.adding(.at, Timestamp.text(now)), id: big.id, big: extent)
                return .success((big.id, line))
            } catch {
                return .failure(error)
            }
        }
    }

    private func record(_ message: Acceptance, id: QueueID, size: Int, now: WallTime) -> RecordLine {
        var line = RecordLine(.accept, id)
        line.add(pathsOf: message.envelope)
        line.add(.size, size)
        line.add(.peer, message.peer)
        line.add(.helo, message.facts.clientName)
        // Binary content was encoded when it came.
        line.add(message.envelope.body == .binaryMIME ? .eightBitMIME : message.envelope.body)
        // The version alone; the cipher stands in the trace field.
        line.add(.tls, message.tls.map { Array($0.prefix { $0 != 0x20 }) })
        line.add(.auth, message.facts.identity)
        line.add(.messageID, message.facts.messageID)
        line.add(.hops, message.facts.receivedCount)
        // By which rule it was taken: every recipient is ours, or the sender has proved who it is. Then what the policy found.
        line.add(.policy, ([message.facts.identity == nil ? "local-recipients" : "authenticated"] + message.policy.rules).joined(separator: ","))
        line.add(optionsOf: message.envelope)
        return line
    }

    /// What waits for no reply, a few times a second.
    func tend(stopping: Bool) {
        let now = MonotonicTime.now()
        guard stopping || now - lastTended >= .milliseconds(200) else { return }
        lastTended = now
        if stopping { events.append(RecordLine(.stop), at: .now()) }
        // Each for itself: on a full disk the events cannot be written, and the erasure is what makes room for them.
        attempt { try stopping ? events.commit() : events.commitLazily(now: now) }
        attempt { try events.expire(before: WallTime.now().adding(seconds: -retention()), now: now) }
        events.publishMetrics(now: now, logs: [mail.log])
        attempt { mail.release(try released.poll().compactMap(\.record.id), now: now) }
        // A segment goes with its records: what they say is durable in the events before, unless the room is needed for that.
        if !events.log.hasPending || freeBytes < Intake.minimumFree { attempt { try mail.erase(now: now) } }
        attempt { freeBytes = try FileSystem(at: spool).free }
    }

    private func attempt(_ task: () throws -> Void) {
        do { try task() } catch { complain(error) }
    }

    /// At most one line a second.
    func complain(_ error: any Error) {
        let now = MonotonicTime.now()
        guard now - lastComplaint >= .seconds(1) else { return }
        lastComplaint = now
        writeToStandardError(Array("\(events.log.name.owner.rawValue): problem - reason=\(Path(Array("\(error)".utf8)))\n".utf8))
    }
}

extension RecordLine {
    /// The event of an accept record.
    init(accept record: Record, id: QueueID) {
        self.init(.accept, id)
        for key in [Key.from, .to, .size, .peer, .helo, .body, .tls, .auth, .messageID, .hops, .policy] + Key.options {
            for value in record.all(key) { add(key, value) }
        }
    }
}

/// What the newest event segments say was accepted.
///
/// A crash takes the events of one life at most, because a life begins by saying again what the one before it lost. So an
/// accept of a mail segment that is older than that life has its event, in however old a segment of events.
struct EventHistory {
    private var accepted: Set<QueueID> = []
    /// The mail segment with which the last life began.
    private var begun: UInt32?
    private static let segments = 3

    init(_ log: LogWriter) throws {
        for number in try log.segments().suffix(EventHistory.segments) {
            guard let file = try? log.open(number) else { continue }
            _ = try file.scan(sealed: nil) { hear($0.record) }
        }
        for record in log.recovered { hear(record.placed.record) }
        // A long life, or one of an earlier version: older events than these are not looked for.
        if begun == nil { begun = accepted.map(\.segment).min() }
    }

    private mutating func hear(_ record: Record) {
        if record.verb == .accept, let id = record.id { accepted.insert(id) }
        if record.verb == .start, let position = record[.upto].flatMap({ LogPosition(parsing: $0) }) { begun = position.segment }
    }

    func lacks(_ id: QueueID) -> Bool { !accepted.contains(id) && id.segment >= begun ?? 0 }
}
