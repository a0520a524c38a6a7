// What a delivery agent knows of the copies that it was assigned: columns L and M of docs/spool.md, rebuilt from its own log.

package import MailModel
package import SpoolFormat

/// The key of a result: message, original recipient, final address; never an ordinal.
package struct CopyKey: Hashable, Sendable {
    package let id: QueueID
    package let original: [UInt8]
    package let final: [UInt8]

    /// By the message alone: it has few copies, and hashing addresses costs more than comparing them.
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }

    package init?(_ record: Record) {
        guard let id = record.id, let original = record[.recipient], let final = record[.final] else { return nil }
        self.id = id
        self.original = original
        self.final = final
    }
}

/// What an agent must remember between beginning a copy and its final answer; `Never` for one that holds nothing.
package protocol HeldCopy: Sendable {
    /// Reads a `staged` record.
    init?(staged record: Record)
    /// Adds what `init` reads.
    func describe(in line: inout RecordLine)
}

extension Never: HeldCopy {
    package init?(staged record: Record) { nil }
    package func describe(in line: inout RecordLine) {}
}

/// Where a copy stands with its agent.
package enum CopyProgress<Held: HeldCopy>: Sendable {
    case staged(Held)
    /// The final answer; said again whenever it is asked for again.
    case final(RecordLine)
    /// A temporary answer to the `assign` at this position.
    case answered(LogPosition, RecordLine)
}

/// What an assignment calls for.
package enum AgentDuty: Sendable {
    case begin
    /// It was answered before.
    case say(RecordLine)
    /// It is under way, or queued has assigned the copy anew since.
    case nothing
}

/// The copies of messages that queued has not ended.
package struct AgentLedger<Held: HeldCopy>: Sendable {
    package private(set) var progress: [CopyKey: CopyProgress<Held>] = [:]
    private var keys: [QueueID: [CopyKey]] = [:]
    /// How far into queued's events the agent had read when its last segment began.
    package private(set) var cursor: LogPosition?

    package init() {}

    /// Where to read queued's events from after a restart: from the block of the segment that was read last, because it
    /// names what was assigned and not yet answered, and what was ended since follows it.
    package var resumption: LogPosition? { cursor.map { LogPosition(segment: $0.segment, offset: 0) } }

    package subscript(_ key: CopyKey) -> CopyProgress<Held>? { progress[key] }

    package mutating func set(_ key: CopyKey, _ value: CopyProgress<Held>) {
        if progress.updateValue(value, forKey: key) == nil { keys[key.id, default: []].append(key) }
    }

    /// queued has said `done`: nobody will ask again.
    package mutating func forget(_ id: QueueID) {
        for key in keys.removeValue(forKey: id) ?? [] { progress[key] = nil }
    }

    /// What the assignment at this position calls for. A start reads all of a copy's assignments again: the older ones were
    /// answered, and a temporary answer that named one of them would count for nothing.
    package func duty(_ key: CopyKey, assigned: LogPosition) -> AgentDuty {
        switch progress[key] {
        case .staged?: .nothing
        case .final(let line)?: .say(line)
        case .answered(let position, let line)?: position == assigned ? .say(line) : assigned < position ? .nothing : .begin
        case nil: .begin
        }
    }

    package var staged: [(key: CopyKey, held: Held)] {
        progress.compactMap { key, value in
            if case .staged(let held) = value { (key, held) } else { nil }
        }
    }

    /// Reads a record of the agent's own log.
    package mutating func replay(_ record: Record) {
        if record.verb == .cursor { cursor = record[.upto].flatMap { LogPosition(parsing: $0) } }
        guard let key = CopyKey(record) else { return }
        switch record.verb {
        case .staged:
            if case .final? = progress[key] { return }
            if let held = Held(staged: record) { set(key, .staged(held)) }
        case .delivered, .sent, .failed, .withdrawn: set(key, .final(RecordLine(repeating: record, key)))
        case .temporary:
            // A final answer is final whichever attempt brought it.
            if case .final? = progress[key] { return }
            if let answers = record[.answers].flatMap({ LogPosition(parsing: $0) }) {
                set(key, .answered(answers, RecordLine(repeating: record, key)))
            }
        default: break
        }
    }

    /// The block at the head of a new segment: what of the older ones still matters. `cursor` is into queued's events.
    package func stateBlock(cursor: LogPosition) -> [RecordLine] {
        var lines = [RecordLine(.state), RecordLine(.cursor).adding(.log, LogName(.queued, .events).text).adding(.upto, cursor.text)]
        for (key, value) in progress.sorted(by: { $0.key.id < $1.key.id }) {
            switch value {
            case .staged(let held):
                var line = RecordLine(.staged, key)
                held.describe(in: &line)
                lines.append(line)
            case .final(let line), .answered(_, let line): lines.append(line)
            }
        }
        return lines + [RecordLine(.stateEnd)]
    }
}

extension RecordLine {
    /// A record about one copy.
    package init(_ verb: Verb, _ key: CopyKey) {
        self.init(verb, key.id)
        add(.recipient, key.original)
        add(.final, key.final)
    }

    init(repeating record: Record, _ key: CopyKey) {
        self.init(record.verb ?? .problem, key)
        for key in [Key.account, .file, .result, .host, .tls, .answers, .status, .reason] { add(key, record[key]) }
    }
}
