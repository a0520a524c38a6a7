// A queue without a disk: accepts and answers in, the lines that it says out, and a start from what it has said.

import Kernel
import MailModel
import SpoolFormat
import Testing

@testable import Spool
@testable import queued

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Message `number` of smtpd.
func messageID(_ number: Int) -> QueueID { QueueID(origin: .smtpd, epoch: 1 << 40, sequence: UInt32(number)) }

/// The text of an event as it would stand in a log, read back.
func record(_ line: RecordLine) throws -> Record { try #require(RecordParser.fields(line.bytes[...])) }

func placed(_ line: RecordLine, at offset: Int64 = 0) throws -> PlacedRecord {
    PlacedRecord(
        record: try record(line), position: LogPosition(segment: 1, offset: offset), lineLength: line.bytes.count, contentLength: 0)
}

/// The queue and what it said.
final class QueueWorld {
    var queue: Queue
    var now = WallTime(seconds: 1_800_000_000)
    private(set) var said: [RecordLine] = []
    static let schedule = RetrySchedule(initial: 60, maximum: 3600, giveUp: 86_400, jitter: 0)

    /// `isStarting`: what it hears first is what a start hears.
    init(isStarting: Bool = false) {
        queue = Queue(schedule: QueueWorld.schedule)
        queue.isRebuilt = !isStarting
    }

    /// smtpd's record of a message.
    func accept(_ number: Int, to recipients: [String], from sender: String = "alice@example.org", asking options: [(Key, String)] = []) throws {
        var line = RecordLine(.accept, messageID(number)).adding(.at, Timestamp.text(now)).adding(.from, sender)
        for recipient in recipients { line.add(.to, recipient) }
        for (key, value) in options { line.add(key, value) }
        line.add(.content, "10:00000000")
        #expect(queue.hear(try placed(line, at: Int64(number) * 100), from: LogName(.smtpd, .mail), now: now))
    }

    /// Every address is its own remote destination, unless said otherwise.
    func route(_ lookUp: ([UInt8]) -> Routed = QueueWorld.itself) {
        queue.route(now: now) { recipient, _ in lookUp(recipient) }
        takeLines()
    }

    static func itself(_ recipient: [UInt8]) -> Routed {
        guard let address = EmailAddress(parsing: recipient) else { return .routed([], refusal: (EnhancedStatus(.permanent, 1, 3), [])) }
        return .routed([(.remote(address), [])], refusal: nil)
    }

    /// What is assigned now: the positions that answers name, by recipient.
    @discardableResult
    func assign(window: Int = Queue.window) -> [(recipient: String, position: LogPosition)] {
        var assigned: [(recipient: String, position: LogPosition)] = []
        queue.assign(now: now, window: window, nextHop: { _, _ in .own }) { line in
            said.append(line)
            let position = LogPosition(segment: 1, offset: Int64(said.count) * 100)
            let recipient = RecordParser.fields(line.bytes[...])?.text(.recipient) ?? ""
            assigned.append((recipient, position))
            return position
        }
        return assigned
    }

    /// What remoted says of a copy to its own address.
    func answer(_ verb: Verb, _ number: Int, _ recipient: String, _ position: LogPosition? = nil, host: String = "mx.example.net [192.0.2.9]:25", reason: String = "no such user", relayed: Bool = false, unreached: Bool = false, policy: String? = nil) throws {
        var line = RecordLine(verb, messageID(number)).adding(.recipient, recipient).adding(.final, recipient)
        if let position { line.add(.answers, position.text) }
        line.add(.host, host)
        line.add(.status, verb == .temporary ? "4.2.0" : "5.1.1")
        line.add(.reason, reason)
        if relayed { line.add(.result, "relayed") }
        if unreached { line.add(.result, "unreached") }
        if let policy { line.add(.tlspolicy, policy) }
        queue.hear(try placed(line), from: LogName(.remoted, .events), now: now)
        takeLines()
    }

    /// Accepted, routed, assigned and put off.
    func putOff(_ numbers: Range<Int>) throws {
        for number in numbers { try accept(number, to: ["user@host\(number % 7).example"]) }
        route()
        while case let assigned = assign(), !assigned.isEmpty {
            for (number, place) in zip(numbers.filter { queue.messages[messageID($0)]?.copies.first.map { $0.attempts == 1 && $0.answer.status.isEmpty } ?? false }, assigned) {
                try answer(.temporary, number, "user@host\(number % 7).example", place.position)
            }
        }
    }

    func takeLines() {
        said += queue.lines
        queue.lines.removeAll()
    }

    func message(_ number: Int) -> OpenMessage? { queue.messages[messageID(number)] }
    func bounce() -> (message: OpenMessage, failed: [Int])? { queue.takeBounces().first }

    /// The lines of one verb.
    func said(_ verb: Verb) throws -> [Record] { try said.filter { $0.verb == verb }.map(record) }

    /// A start from the state block alone.
    func started() throws -> QueueWorld {
        let next = QueueWorld(isStarting: true)
        next.now = now
        var isOver = false
        for line in queue.stateBlock() where !isOver { isOver = next.queue.loadBlock(try record(line)) }
        #expect(isOver)
        next.queue.rebuild(now: now)
        return next
    }

    var block: [String] { queue.stateBlock().map(\.bytes.display) }
}
