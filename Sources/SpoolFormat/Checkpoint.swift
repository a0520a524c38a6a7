// What the segments that an event log no longer has said, in numbers that still add up.
// Invariant: durable in the log before the first of them is unlinked, and complete: the newest one stands for all before it.

package import MailModel

/// The sums of all segments up to one: `checkpoint - segment=12 counts=accept:1200,… target=<id> accepted=<seconds>`.
package struct Checkpoint: Hashable, Sendable {
    /// A fact that is counted where it was said first, however often a state block repeats it.
    package enum Fact: String, CaseIterable, Sendable {
        /// Messages that smtpd or submission said to have accepted.
        case accept
        /// Messages that queued ended, by the letter of who accepted them.
        case doneSmtpd = "done-s"
        case doneSubmission = "done-u"
        case doneQueued = "done-q"
        /// Copies of those that reached their goal, and that did not, as the `done` of their message says.
        case taken = "done-delivered"
        case returned = "done-bounced"
        /// Of those the messages whose `done` does not say how many copies there were: it stands in a state block only.
        case untold = "done-untold"
        /// Copies that an agent brought to their goal.
        case delivered
        case sent
        /// Segments that could not be counted.
        case unreadable

        package static func done(_ origin: QueueOrigin) -> Fact {
            switch origin {
            case .smtpd: .doneSmtpd
            case .submission: .doneSubmission
            case .queued: .doneQueued
            }
        }
    }

    /// The last segment that is counted.
    package var segment: UInt32 = 0
    private var counts: [Fact: Int] = [:]
    /// The greatest id whose `accept` is among what is gone.
    package var newest: QueueID?
    /// When the last of those was accepted. Milliseconds since 1970.
    package var newestAccepted = 0

    package init() {}

    package subscript(_ fact: Fact) -> Int {
        get { counts[fact] ?? 0 }
        set { counts[fact] = newValue == 0 ? nil : newValue }
    }

    package mutating func add(_ fact: Fact, _ number: Int = 1) { self[fact] = self[fact].addingReportingOverflow(number).partialValue }

    /// Whether an accept that is said again is among what is counted: it was said in the order of its time, in milliseconds.
    package func includes(accept id: QueueID, at time: Int) -> Bool {
        guard let newest else { return false }
        return time < newestAccepted || time == newestAccepted && id <= newest
    }

    /// Nil for any other record.
    package init?(_ record: Record) {
        guard record.verb == .checkpoint, let segment = record.number(.segment), segment <= SegmentName.maximum else { return nil }
        self.segment = UInt32(segment)
        for entry in record[.counts]?.split(separator: UInt8(ascii: ",")) ?? [] {
            let parts = entry.split(separator: UInt8(ascii: ":"))
            guard parts.count == 2, let number = parts[1].decimalValue else { return nil }
            // A count of a later version is none of ours.
            if let fact = Fact(rawValue: String(decoding: parts[0], as: UTF8.self)) { counts[fact] = number }
        }
        newest = record[.target].flatMap { QueueID(parsing: $0) }
        newestAccepted = Checkpoint.milliseconds(record[.accepted] ?? []) ?? 0
    }

    package var line: RecordLine {
        var line = RecordLine(.checkpoint)
        line.add(.segment, segment)
        line.add(.counts, Fact.allCases.filter { self[$0] != 0 }.map { "\($0.rawValue):\(self[$0])" }.joined(separator: ","))
        if let newest { line.add(.target, newest) }
        if newestAccepted > 0 { line.add(.accepted, "\(newestAccepted / 1000).\(String(newestAccepted % 1000 + 1000).dropFirst())") }
        return line
    }

    /// `1795225858.276`, as `at` has it.
    package static func milliseconds(_ text: [UInt8]) -> Int? {
        let parts = text.split(separator: UInt8(ascii: "."))
        guard parts.count == 2, let seconds = parts[0].decimalValue, parts[1].count == 3, let rest = parts[1].decimalValue,
            seconds <= 9_000_000_000
        else { return nil }
        return seconds * 1000 + rest
    }
}
