// A message that somebody still waits for, and where each of its copies stands: the rows of docs/spool.md in memory.
// A queue may hold a million of them, so texts that many share (senders, hosts, reasons) are held once: `SharedTexts`.

import Kernel
import MailModel
import Spool
import SpoolFormat

/// Which agent brings a copy on, and where to.
enum Destination: Hashable, Sendable {
    /// An account's folder below the mail store, such as `example.org/alice`.
    case account(folder: [UInt8], address: EmailAddress)
    case remote(EmailAddress)

    /// The final address as records name it.
    var final: [UInt8] {
        switch self {
        case .account(_, let address), .remote(let address): address.wire
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
    /// It failed for good, as its `answer` says; a bounce is due.
    case failed
    /// An accepted bounce covers it, or its failure was told to nobody for a stated reason.
    case bounced

    static let ready = CopyState.waiting(until: .whenever)
}

/// What an agent, or routing, last said of a copy that was not delivered.
struct Answer: Hashable, Sendable {
    /// An enhanced status code as text; empty where none was given.
    var status: [UInt8] = []
    var reason: [UInt8] = []
    /// The host whose words the reason is; empty where the words are our own.
    var host: [UInt8] = []
    /// A policy about TLS keeps it: people will have to mend something, and its sender should hear of that early.
    var isByPolicy = false
}

/// One copy of a message: its key is (message, original recipient, final address).
struct Copy: Sendable {
    let original: [UInt8]
    /// The final address; empty for a recipient that routing refused.
    let final: [UInt8]
    /// The account's folder; nil for a copy that goes to another host, or nowhere.
    let folder: [UInt8]?
    fileprivate(set) var state: CopyState
    /// Attempts that were assigned so far.
    var attempts: UInt32 = 0
    var answer = Answer()
    /// The configured next hop of the assignment, if there is one.
    var nextHop: [UInt8]?
    /// The sender of the assignment, where it is not that of the message.
    var sender: [UInt8]?
    /// The notice that its sender is still to have.
    fileprivate(set) var owes: Notice?
    /// Its sender was told that it is delayed.
    var isDelayTold = false
    /// It waits in the memory of its destination for that to answer.
    var isParked = false
    /// When it was tried, as far as answers tell.
    var tried = TriedTimes()

    init(original: [UInt8], final: [UInt8], folder: [UInt8]?, state: CopyState) {
        self.original = original
        self.final = final == original ? original : final
        self.folder = folder
        self.state = state
    }

    /// Nil for a recipient that routing refused.
    var agent: Agent? { folder != nil ? .locald : final.isEmpty ? nil : .remoted }

    /// What shares a fate and a fair share: one queue each.
    var lane: [UInt8] {
        guard folder == nil, let at = final.lastIndex(of: UInt8(ascii: "@")) else { return [] }
        return Array(final[(at + 1)...])
    }

    /// Nil for a recipient that routing refused.
    var destination: Destination? {
        guard let address = EmailAddress(parsing: final) else { return nil }
        return folder.map { .account(folder: $0, address: address) } ?? .remote(address)
    }

    var isFinished: Bool {
        switch state {
        case .delivered, .bounced: owes == nil
        case .waiting, .assigned, .failed: false
        }
    }
}

/// An accepted message that is not done. An object, so that one copy of a thousand changes in its place.
final class OpenMessage {
    let id: QueueID
    var sender: [UInt8]
    private(set) var location: ContentLocation
    let accepted: WallTime
    /// The message of which this is a bounce.
    let parent: QueueID?
    /// Recipients that are not routed yet; routing is tried again when the directory can be read.
    var unrouted: [[UInt8]]
    /// Recipients of whose routing a replay has found some records, and how many it lacks.
    var routesToCome: [[UInt8]: Int] = [:]
    /// Of the recipients of its copies those that only keep one (`routing.archive`): nobody has named them.
    var archives: Set<[UInt8]> = []
    private(set) var copies: [Copy] = []
    /// Copies that are not finished.
    private(set) var unfinished = 0
    /// Where the copy that was asked for last stands: answers come mostly in the order of the copies.
    private var lastFound = 0
    /// Since when in this life the directory has had no answer for some of its recipients, which was said then.
    var heldSince: WallTime?
    /// Where its accept record lies in its mail log.
    var position = LogPosition.start
    /// What the client asked for; nil if nothing.
    var asked: AskedOptions?
    /// What the administrator wants of it; nil if nothing.
    var order: Order?
    /// Nil for mail that smtpd or submission took.
    var kind: MessageKind?

    init(id: QueueID, sender: [UInt8], location: ContentLocation, accepted: WallTime, recipients: [[UInt8]], parent: QueueID?) {
        self.id = id
        self.sender = sender
        self.location = location
        self.accepted = accepted
        self.parent = parent
        // Who is named twice is routed once.
        var known: Set<[UInt8]> = []
        unrouted = recipients.count < 2 ? recipients : recipients.filter { known.insert($0).inserted }
    }

    var isFinished: Bool { unrouted.isEmpty && unfinished == 0 }

    func add(_ copy: Copy) {
        copies.append(copy)
        if !copy.isFinished { unfinished += 1 }
    }

    func set(_ index: Int, _ state: CopyState) { settle(index) { $0.state = state } }
    func owe(_ index: Int, _ notice: Notice?) { settle(index) { $0.owes = notice } }

    private func settle(_ index: Int, _ change: (inout Copy) -> Void) {
        if !copies[index].isFinished { unfinished -= 1 }
        change(&copies[index])
        if !copies[index].isFinished { unfinished += 1 }
    }

    /// Of a recipient whose routing was not said to its end nothing counts: it is routed anew.
    func dropHalfRouted() {
        guard !routesToCome.isEmpty else { return }
        dropRouted { routesToCome[$0] != nil }
        // An archive is routed with the first recipient, which cannot be routed yet.
        for recipient in routesToCome.keys where !unrouted.contains(recipient) && !archives.contains(recipient) { unrouted.append(recipient) }
    }

    /// A replay has found the first record of a routing: a half that was said of the recipient before was an earlier one.
    func beginRouting(of recipient: [UInt8], _ count: Int) {
        if routesToCome.removeValue(forKey: recipient) != nil { dropRouted { $0 == recipient } }
        if count > 1 { routesToCome[recipient] = count }
    }

    /// A copy that was assigned or is over stays all the same: it is one of a whole routing, of which the log repeats an earlier half.
    private func dropRouted(_ isDropped: ([UInt8]) -> Bool) {
        let before = copies.count
        copies.removeAll { $0.attempts == 0 && !$0.isFinished && isDropped($0.original) }
        guard copies.count < before else { return }
        unfinished = copies.reduce(0) { $0 + ($1.isFinished ? 0 : 1) }
        lastFound = 0
    }

    /// Its accept was cut away and stands in a later segment now: the older one may be erased.
    func showsAgain(at position: LogPosition, _ location: ContentLocation) {
        self.position = position
        self.location = location
    }

    /// A time to wait for that was written under a wrong clock is no longer than any other; a hold is as long as was asked.
    func waitNoLonger(than latest: WallTime) {
        for index in copies.indices {
            let longest = copies[index].attempts == 0 ? max(latest, heldUntil) : latest
            if case .waiting(let until) = copies[index].state, until > longest { set(index, .waiting(until: longest)) }
        }
    }

    func change(_ index: Int, _ body: (inout Copy) -> Void) { body(&copies[index]) }

    /// The copy with this key, looked for from the one that was found last.
    func find(_ original: [UInt8], _ final: [UInt8]) -> Int? {
        for step in copies.indices {
            let index = (lastFound + step) % copies.count
            if copies[index].original == original, copies[index].final == final {
                lastFound = index
                return index
            }
        }
        return nil
    }

    /// The recipient whose copy goes there; an archive's copy serves nobody else.
    func original(of destination: Destination) -> [UInt8]? { copies.first { $0.destination == destination && !isArchive($0) }?.original }

    /// The copies whose failure is to be told.
    var failed: [Int] { copies.indices.filter { copies[$0].state == .failed } }

    /// The copies of which its sender is still to have this notice.
    func owing(_ notice: Notice) -> [Int] { copies.indices.filter { copies[$0].owes == notice } }
}

/// What became of the routing of one recipient.
enum Routed: Sendable {
    /// Where copies go, and why others do not; at least one of the two.
    case routed([(destination: Destination, path: [UInt8])], refusal: (status: EnhancedStatus, reason: [UInt8])?)
    /// What the directory says of this address is not in order.
    case held(reason: String)
    /// The directory cannot be read: nothing may be concluded of any address.
    case unavailable(reason: String)
}
