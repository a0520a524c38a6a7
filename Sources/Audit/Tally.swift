// What the logs say of one message: who took it, which copies were made of it, and what became of each.

package import MailModel
package import SpoolFormat

/// A log that an audit reads, by what its owner may say.
package enum AuditedLog: Hashable, Sendable {
    /// Messages with their content: one that is there was accepted, and can still be delivered.
    case mail(QueueOrigin)
    /// The `accept` events of smtpd or submission.
    case accepts(QueueOrigin)
    case queue
    case local
    case remote

    package static let events: [AuditedLog] = [.accepts(.smtpd), .accepts(.submission), .queue, .local, .remote]

    package var name: String {
        switch self {
        case .mail(.smtpd): "smtpd/mail"
        case .mail(.submission): "submission/mail"
        case .mail(.queued): "queued/mail"
        case .accepts(.submission): "submission/events"
        case .accepts: "smtpd/events"
        case .queue: "queued/events"
        case .local: "locald/events"
        case .remote: "remoted/events"
        }
    }
}

/// Where a record stands.
package struct AuditedPlace: Hashable, Sendable {
    package let log: AuditedLog
    package let position: LogPosition
    package init(_ log: AuditedLog, _ position: LogPosition) {
        self.log = log
        self.position = position
    }
}

/// How a copy ended.
enum CopyResult: Hashable, Sendable {
    /// In a mailbox, under a name that begins so.
    case delivered(file: [UInt8])
    case sent
    /// Told to the sender by this message.
    case bounced(target: QueueID?)
    /// Nobody is to be told.
    case discarded

    var isTaken: Bool {
        switch self {
        case .delivered, .sent: true
        case .bounced, .discarded: false
        }
    }

    var text: String {
        switch self {
        case .delivered(let file): "delivered as \(file.display)"
        case .sent: "sent"
        case .bounced(let target): "returned" + (target.map { " in \($0)" } ?? "")
        case .discarded: "discarded"
        }
    }
}

/// A copy: its key is (message, original recipient, final address).
struct CopyTally: Sendable {
    let recipient: [UInt8]
    let final: [UInt8]
    var isRouted = false
    var isAssigned = false
    /// It only keeps the message: no recipient's copy.
    var isArchive = false
    /// Routing refused it, or its agent gave it up.
    var hasFailed = false
    var results: [CopyResult] = []
    /// How many of the results that reached their goal were said first in a segment that is gone.
    var old = 0
    var place: AuditedPlace
}

/// One message.
struct Tally: Sendable {
    /// Milliseconds since 1970.
    var acceptedTime: Int?
    /// smtpd or submission said so; `isCounted`: in a segment whose checkpoint counts it.
    var isAccepted = false
    var isCounted = false
    var mail: LogPosition?
    var recipients: [[UInt8]] = []
    /// Recipients whose routing was said in part, and how many records it lacks.
    var routesToCome: [[UInt8]: Int] = [:]
    /// A bounce names it as its notice.
    var isNotice = false
    /// queued has spoken of it outside its oldest state block.
    var isKnown = false
    /// How it stands in the oldest state block of a log that was cut.
    var wasOpen = false
    var wasDone = false
    var copies: [CopyTally] = []
    /// Recipients whose every destination has its copy already.
    var merged = 0
    var done: LogPosition?
    var doneResult: DoneResult?
    var wasClosed = false
    var place: AuditedPlace

    init(at place: AuditedPlace) { self.place = place }

    var taken: Int { copies.count { $0.results.contains(where: \.isTaken) } }
    var newlyTaken: Int { copies.reduce(0) { $0 + ($1.results.contains(where: \.isTaken) && $1.old == 0 ? 1 : 0) } }
    var hasOldResults: Bool { copies.contains { $0.old > 0 } }

    /// Whether nothing more is to be heard, and everything fits.
    var isComplete: Bool {
        guard let told = doneResult, isAccepted && !isCounted || isQueuedsOwn, !wasOpen, !wasDone, !hasOldResults else { return false }
        return told.delivered + told.bounced == copies.count && told.delivered == taken
            && copies.allSatisfy { $0.isRouted && $0.results.count == 1 } && everyoneHasACopy
    }

    var isQueuedsOwn: Bool { origin == .queued && isKnown }
    var origin: QueueOrigin = .smtpd

    var everyoneHasACopy: Bool { recipients.count <= merged + Set(copies.filter { !$0.isArchive }.map(\.recipient)).count }

    /// The copy of this key, made if it is new.
    mutating func withCopy(_ recipient: [UInt8], _ final: [UInt8], at place: AuditedPlace, _ change: (inout CopyTally) -> Void) {
        if let index = copies.firstIndex(where: { $0.final == final && $0.recipient == recipient }) {
            change(&copies[index])
        } else {
            var copy = CopyTally(recipient: recipient, final: final, place: place)
            change(&copy)
            copies.append(copy)
        }
    }
}
