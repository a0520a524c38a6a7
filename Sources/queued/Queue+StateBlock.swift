// The state block: all that a start needs, in one place, so that no history has to be read.

import Kernel
import MailModel
import Spool
import SpoolFormat

extension Queue {
    /// The block for the head of a new segment: cursors, open messages, their copies. A line is made when it is asked for.
    func stateBlock() -> any Sequence<RecordLine> {
        var head = [RecordLine(.state)]
        for (log, position) in cursors.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            head.append(RecordLine(.cursor).adding(.log, log).adding(.upto, position.text))
        }
        let open = messages.keys.sorted().lazy.flatMap { [messages] id in messages[id].map(RecordLine.lines) ?? [] }
        return [AnySequence(head), AnySequence(open), AnySequence(linesOfClosed)].joined()
    }

    private var linesOfClosed: [RecordLine] {
        var lines: [RecordLine] = []
        var said: [RecordLine] = []
        for (id, knowledge) in closed.known.sorted(by: { $0.key < $1.key }) {
            switch knowledge {
            case .done(let position): lines.append(RecordLine(.done, id).adding(.upto, position.text))
            case .unseen(let records, _): said += records.map { RecordLine(repeating: $0, id) }
            }
        }
        // What waits for its accept is said again after the block, where the next start looks for it.
        return lines + [RecordLine(.stateEnd)] + said
    }

    /// Reads a line of the block at the head of queued's last segment; true at its end.
    ///
    /// What was said after the block is replayed later: the messages that came meanwhile are told by the mail logs.
    mutating func loadBlock(_ record: Record) -> Bool {
        switch record.verb {
        case .cursor:
            if let log = record[.log].flatMap({ LogName(parsing: $0) }), let position = record[.upto].flatMap({ LogPosition(parsing: $0) }) {
                note(cursor: position, of: log)
            }
        case .open:
            if let message = OpenMessage(opened: record, &texts) { restore(message) }
        case .pending:
            if let message = record.id.flatMap({ messages[$0] }), let copy = record.copy(&texts) { message.restore(copy, record) }
        case .done:
            if let id = record.id, let position = record[.upto].flatMap({ LogPosition(parsing: $0) }) { closed.done(id, at: position) }
        default: break
        }
        return record.verb == .stateEnd
    }
}

extension OpenMessage {
    /// An `open` line of a state block.
    convenience init?(opened record: Record, _ texts: inout SharedTexts) {
        guard let id = record.id, let sender = record[.from], let location = record[.location].flatMap({ ContentLocation(parsing: $0) })
        else { return nil }
        self.init(
            id: id, sender: texts(sender), location: location, accepted: record[.at].flatMap(Timestamp.time) ?? .whenever,
            recipients: record.all(.to), parent: record[.parent].flatMap { QueueID(parsing: $0) })
        position = record[.upto].flatMap { LogPosition(parsing: $0) } ?? .start
        order = Order(record)
        kind = record.text(.kind).flatMap { MessageKind(rawValue: $0) }
        if case .asked(let options) = AskedOptions.read(record, of: record.all(.to)) { asked = options }
    }

    /// A `pending` line of a state block, which has the options of its recipient.
    func restore(_ copy: Copy, _ record: Record) {
        add(copy)
        if record.text(.kind) == "archive" { archives.insert(copy.original) }
        if let notice = record.text(.owes).flatMap({ Notice(rawValue: $0) }) { owe(copies.count - 1, notice) }
        guard let original = EmailAddress(parsing: copy.original), let options = RecipientOptions.all(in: record, of: [original]), !options.isEmpty
        else { return }
        let asked = asked ?? AskedOptions(MessageOptions())
        asked.note(options)
        self.asked = asked
    }

    /// Applies a record of queued's log; false once the message is done.
    func replay(_ placed: PlacedRecord, _ texts: inout SharedTexts) -> Bool {
        let record = placed.record
        switch record.verb {
        case .route: replayRoute(record, &texts)
        case .assign:
            withCopy(of: record) { index in
                // What an accepted notice has ended begins no more.
                guard copies[index].state != .bounced, copies[index].state != .delivered else { return }
                set(index, .assigned(record[.answers].flatMap { LogPosition(parsing: $0) } ?? placed.position))
                change(index) { copy in
                    copy.attempts = record.number(.attempt).flatMap { UInt32(exactly: $0) } ?? copy.attempts + 1
                    copy.nextHop = texts(record[.host])
                    copy.sender = texts(record[.from].flatMap { $0 == sender ? nil : $0 })
                }
            }
        case .deferred where record[.final] != nil:
            withCopy(of: record) { index in
                let wasAssigned = if case .assigned = copies[index].state { true } else { false }
                set(index, .waiting(until: record[.until].flatMap(Timestamp.time) ?? .whenever))
                change(index) { copy in
                    copy.answer = texts(record.answer)
                    // Without an assignment where its destination rests.
                    copy.attempts = record.number(.attempt).flatMap { UInt32(exactly: $0) } ?? copy.attempts
                    if wasAssigned, let time = record[.at].flatMap(Timestamp.time) { copy.tried.note(time) }
                }
            }
        case .bounced:
            withCopy(of: record) { index in
                set(index, .bounced)
                owe(index, nil)
            }
        case .notified: withCopy(of: record) { told($0, record.text(.told).flatMap { Notice(rawValue: $0) }) }
        case .ordered: order = Order(record)
        case .done: return false
        default: break
        }
        return true
    }

    private func replayRoute(_ record: Record, _ texts: inout SharedTexts) {
        guard let original = record[.recipient] else { return }
        if record.text(.kind) == "archive" { archives.insert(original) }
        if let count = record.number(.count) { beginRouting(of: original, count) }
        for serving in record.all(.covers) { asked?.share(original, with: serving) }
        if find(original, record[.final] ?? []) != nil {
            // Assigned already, or said twice.
        } else if record[.final] != nil {
            add(Copy(original: original, final: record[.final] ?? [], folder: texts(record[.account]), state: beginning))
        } else if record[.status] != nil {
            add(Copy(refused: original, record.answer, &texts))
        }
        let left = (routesToCome[original] ?? 1) - 1
        routesToCome[original] = left > 0 ? left : nil
        if left <= 0 { unrouted.removeAll { $0 == original } }
    }

    private func withCopy(of record: Record, _ change: (Int) -> Void) {
        guard let original = record[.recipient], let index = find(original, record[.final] ?? []) else { return }
        change(index)
    }
}

extension Record {
    /// Whether it means nothing outside a state block.
    var isOfBlock: Bool { [.state, .cursor, .open, .pending, .stateEnd].contains(verb) }
}

extension RecordLine {
    /// A message and its copies.
    fileprivate static func lines(of message: OpenMessage) -> [RecordLine] {
        [.open(message)] + message.copies.map { .pending($0, of: message) }
    }

    /// A record said again in a new segment; an assignment keeps the position that its answer will name.
    init(repeating placed: PlacedRecord, _ id: QueueID) {
        self.init(placed.record.verb ?? .problem, id)
        for key in Key.allCases where key != .at && key != .answers {
            for value in placed.record.all(key) { add(key, value) }
        }
        if placed.record.verb == .assign { add(.answers, placed.record[.answers] ?? placed.position.text) }
    }
}
