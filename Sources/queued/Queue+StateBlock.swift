// The state block: all that a start needs, in one place, so that no history has to be read.

import Kernel
import MailModel
import Spool
import SpoolFormat

extension Queue {
    /// The block for the head of a new segment: cursors, open messages, their copies.
    func stateBlock() -> [RecordLine] {
        var lines = [RecordLine(.state)]
        for (log, position) in cursors.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            lines.append(RecordLine(.cursor).adding(.log, log).adding(.upto, position.text))
        }
        for id in messages.keys.sorted() {
            guard let message = messages[id] else { continue }
            lines.append(.open(message))
            for copy in message.copies { lines.append(.pending(id, copy, message: message)) }
        }
        for (id, position) in forgettable.sorted(by: { $0.key < $1.key }) {
            lines.append(RecordLine(.done, id).adding(.upto, position.text))
        }
        lines.append(RecordLine(.stateEnd))
        // What waits for its accept is said again, so that the next start finds it after its block.
        for (id, records) in unseen.sorted(by: { $0.key < $1.key }) {
            for placed in records { lines.append(RecordLine(repeating: placed, id)) }
        }
        return lines
    }

    /// Reads queued's own last segment: the block, then what was said after it. Two passes, because the messages that
    /// came after the block are told by the mail logs, which the caller reads in between.
    mutating func loadBlock(_ records: [PlacedRecord]) -> ArraySlice<PlacedRecord> {
        guard let start = records.lastIndex(where: { $0.record.verb == .state }),
            let end = records[start...].firstIndex(where: { $0.record.verb == .stateEnd })
        else { return records[...] }
        for placed in records[start...end] { loadBlockLine(placed.record) }
        return records[(end + 1)...]
    }

    private mutating func loadBlockLine(_ record: Record) {
        switch record.verb {
        case .cursor:
            if let log = record[.log].flatMap({ LogName(parsing: $0) }), let position = record[.upto].flatMap({ LogPosition(parsing: $0) }) {
                note(cursor: position, of: log)
            }
        case .open:
            if let message = OpenMessage(opened: record) { restore(message) }
        case .pending:
            if let id = record.id, let copy = record.copy { restore(copy, of: id) }
        case .done:
            if let id = record.id, let position = record[.upto].flatMap({ LogPosition(parsing: $0) }) { restoreDone(id, at: position) }
        default: break
        }
    }

    /// What queued said after its last state block.
    mutating func replay(_ tail: ArraySlice<PlacedRecord>) {
        for placed in tail {
            if let id = placed.record.id { replay(id, placed) }
        }
        rebuild()
        lines.removeAll()
    }
}

extension OpenMessage {
    /// An `open` line of a state block.
    init?(opened record: Record) {
        guard let id = record.id, let sender = record[.from], let location = record[.location].flatMap({ ContentLocation(parsing: $0) })
        else { return nil }
        self.init(
            id: id, sender: sender, location: location, accepted: record[.at].flatMap(Timestamp.time) ?? WallTime(nanoseconds: 0),
            unrouted: record.all(.to), copies: [], parent: record[.parent].flatMap { QueueID(parsing: $0) })
        position = record[.upto].flatMap { LogPosition(parsing: $0) } ?? .start
    }

    /// Applies a record of queued's log; false once the message is done.
    mutating func replay(_ placed: PlacedRecord) -> Bool {
        let record = placed.record
        switch record.verb {
        case .route: replayRoute(record)
        case .assign:
            withCopy(of: record) { copy in
                copy.state = .assigned(record[.answers].flatMap { LogPosition(parsing: $0) } ?? placed.position)
                copy.attempts = record.number(.attempt) ?? copy.attempts + 1
                copy.nextHop = record[.host]
            }
        case .deferred:
            withCopy(of: record) { copy in
                copy.state = .waiting(until: record[.until].flatMap(Timestamp.time) ?? WallTime(nanoseconds: 0))
                copy.lastStatus = record[.status] ?? []
                copy.lastReason = record[.reason] ?? []
            }
        case .bounced: withCopy(of: record) { $0.state = .bounced }
        case .done: return false
        default: break
        }
        return true
    }

    private mutating func replayRoute(_ record: Record) {
        guard let original = record[.recipient] else { return }
        unrouted.removeAll { $0 == original }
        if let destination = record.destination {
            guard !copies.contains(where: { $0.destination == destination }) else { return }
            copies.append(Copy(original: original, destination: destination, state: .waiting(until: WallTime(nanoseconds: 0)), attempts: 0))
        } else if let status = record[.status].flatMap({ EnhancedStatus(parsing: $0) }) {
            copies.append(Copy(original: original, destination: nil, state: .failed(status: status, reason: record[.reason] ?? []), attempts: 0))
        }
    }

    private mutating func withCopy(of record: Record, _ change: (inout Copy) -> Void) {
        guard let original = record[.recipient], let index = copies.firstIndex(where: { $0.original == original && $0.final == record[.final] ?? [] })
        else { return }
        change(&copies[index])
    }
}

extension RecordLine {
    /// A record said again in a new segment; an assignment keeps the position that its answer will name.
    init(repeating placed: PlacedRecord, _ id: QueueID) {
        self.init(placed.record.verb ?? .problem, id)
        for key in Key.allCases where key != .at && key != .answers {
            for value in placed.record.all(key) { add(key, value) }
        }
        if placed.record.verb == .assign { add(.answers, placed.record[.answers] ?? placed.position.text) }
    }
}
