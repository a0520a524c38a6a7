// A message that somebody still waits for, and where each of its copies stands: the rows of docs/spool.md in memory.

import Kernel
import MailModel
import SpoolFormat

/// Which agent brings a copy on, and where to.
enum Destination: Hashable, Sendable {
    /// An account's folder below the mail store, such as `example.org/alice`.
    case account(folder: [UInt8], address: EmailAddress)
    case remote(EmailAddress)

    var agent: Agent {
        switch self {
        case .account: .locald
        case .remote: .remoted
        }
    }

    /// The final address as records name it.
    var final: [UInt8] {
        switch self {
        case .account(_, let address), .remote(let address): address.wire
        }
    }

    /// What shares a fate and a fair share: one queue each.
    var lane: [UInt8] {
        switch self {
        case .account: []
        case .remote(let address): address.domain.bytes
        }
    }
}

enum Agent: String, CaseIterable, Sendable { case locald, remoted }

/// The state of one copy. `assigned` names the record that an answer must name.
enum CopyState: Hashable, Sendable {
    /// May be assigned at this time.
    case waiting(until: WallTime)
    case assigned(LogPosition)
    /// Final: the agent has said durably that the store or the next host has it.
    case delivered
    /// It failed for good; a bounce is due.
    case failed(status: EnhancedStatus, reason: [UInt8])
    /// An accepted bounce covers it, or its failure was told to nobody for a stated reason.
    case bounced
}

/// One copy of a message: its key is (message, original recipient, final address).
struct Copy: Sendable {
    let original: [UInt8]
    /// Nil for a recipient that routing refused.
    let destination: Destination?
    var state: CopyState
    /// Attempts that were assigned so far.
    var attempts: Int
    /// The last temporary answer.
    var lastStatus: [UInt8] = []
    var lastReason: [UInt8] = []
    /// The configured next hop of the assignment, if there is one.
    var nextHop: [UInt8]?

    var final: [UInt8] { destination?.final ?? [] }

    var isFinished: Bool {
        switch state {
        case .delivered, .bounced: true
        case .waiting, .assigned, .failed: false
        }
    }
}

/// An accepted message that is not done.
struct OpenMessage: Sendable {
    let id: QueueID
    let sender: [UInt8]
    let location: ContentLocation
    let accepted: WallTime
    /// Recipients that are not routed yet; routing is tried again when the directory can be read.
    var unrouted: [[UInt8]]
    var copies: [Copy]
    /// The message of which this is a bounce.
    let parent: QueueID?
    /// Where its accept record lies in its mail log.
    var position = LogPosition.start

    var isFinished: Bool { unrouted.isEmpty && copies.allSatisfy(\.isFinished) }
}

/// What became of the routing of one recipient.
enum Routed: Sendable {
    /// Where copies go, and why others do not; at least one of the two.
    case routed([(destination: Destination, path: [UInt8])], refusal: (status: EnhancedStatus, reason: [UInt8])?)
    /// The directory cannot be read, or is not in order: nothing may be concluded.
    case unavailable(reason: String)
}
