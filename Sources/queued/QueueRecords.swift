// The records of queued, written and read in one place each (docs/spool.md, "Records of queued").

import Kernel
import MailModel
import Spool
import SpoolFormat

/// A line for queued's event log.
typealias QueueLine = RecordLine

extension RecordLine {
    private init(_ verb: Verb, _ id: QueueID, recipient: [UInt8]) {
        self.init(verb, id)
        add(.recipient, recipient)
    }

    private init(_ verb: Verb, _ id: QueueID, _ copy: Copy) {
        self.init(verb, id, recipient: copy.original)
        addDestination(final: copy.final, copy.agent, folder: copy.folder)
    }

    private mutating func addDestination(final: [UInt8], _ agent: Agent?, folder: [UInt8]?) {
        guard let agent else { return }
        add(.final, final)
        add(.agent, agent.rawValue)
        add(.account, folder)
    }

    /// Status, reason, and the host whose words they are.
    private mutating func add(_ answer: Answer, host: Bool = true) {
        add(.status, answer.status)
        add(.reason, answer.reason)
        if host, !answer.host.isEmpty { add(.host, answer.host) }
    }

    static func route(_ id: QueueID, _ original: [UInt8], _ destination: Destination, path: [UInt8]) -> RecordLine {
        var line = RecordLine(.route, id, recipient: original)
        switch destination {
        case .account(let folder, _): line.addDestination(final: destination.final, .locald, folder: folder)
        case .remote: line.addDestination(final: destination.final, .remoted, folder: nil)
        }
        return path.isEmpty ? line : line.adding(.path, path)
    }

    static func route(_ id: QueueID, _ original: [UInt8], refused status: EnhancedStatus, _ reason: [UInt8]) -> RecordLine {
        RecordLine(.route, id, recipient: original).adding(.status, status.description).adding(.reason, reason)
    }

    /// A recipient whose every destination has its copy already.
    static func routeAgain(_ id: QueueID, _ original: [UInt8]) -> RecordLine {
        RecordLine(.route, id, recipient: original).adding(.result, "duplicate")
    }

    /// A recipient that cannot be routed now.
    static func held(_ id: QueueID, _ original: [UInt8], reason: String) -> RecordLine {
        RecordLine(.deferred, id, recipient: original).adding(.status, "4.4.7").adding(.reason, reason)
    }

    static func assign(_ message: OpenMessage, _ copy: Copy) -> RecordLine {
        var line = RecordLine(.assign, message.id, copy)
        line.add(.attempt, copy.attempts)
        if message.isArchive(copy) { line.add(.kind, "archive") }
        line.add(.host, copy.nextHop)
        line.addContent(of: message, from: copy.sender)
        line.addAsked(of: message, for: copy)
        return line
    }

    /// What was asked for the message and for this copy's recipient, the only one that the record names.
    private mutating func addAsked(of message: OpenMessage, for copy: Copy) {
        guard let asked = message.asked else { return }
        add(asked.message)
        add(message.options(for: copy.original), number: 1)
    }

    /// What an agent needs to know of the message.
    private mutating func addContent(of message: OpenMessage, from sender: [UInt8]?) {
        add(.from, sender ?? message.sender)
        add(.accepted, message.accepted.seconds)
        add(.location, message.location.text)
    }

    static func deferred(_ id: QueueID, _ copy: Copy, until: WallTime) -> RecordLine {
        var line = RecordLine(.deferred, id, copy).adding(.until, Timestamp.text(until)).adding(.attempt, copy.attempts)
        line.add(copy.answer)
        return line
    }

    /// `child`: the notice that says so; nil where nobody is told.
    static func bounced(_ message: OpenMessage, _ copy: Copy, child: QueueID?) -> RecordLine {
        var line = RecordLine(.bounced, message.id, copy)
        if copy.final.isEmpty { line.add(.final, copy.final) }
        line.add(copy.answer)
        if let child { line.add(.target, child) } else { line.add(.result, "discarded: \(message.silence(about: copy))") }
        return line
    }

    /// A notice about what is no failure was accepted, or nobody is told.
    static func notified(_ id: QueueID, _ copy: Copy, _ notice: Notice, child: QueueID?) -> RecordLine {
        var line = RecordLine(.notified, id, copy).adding(.told, notice.rawValue)
        if let child { line.add(.target, child) }
        return line
    }

    static func done(_ message: OpenMessage) -> RecordLine {
        let delivered = message.copies.filter { $0.state == .delivered }.count
        return RecordLine(.done, message.id).adding(.result, "delivered:\(delivered),bounced:\(message.copies.count - delivered)")
    }

    /// The message itself in a state block.
    static func open(_ message: OpenMessage) -> RecordLine {
        var line = RecordLine(.open, message.id)
        line.add(.from, message.sender)
        line.add(.location, message.location.text)
        line.add(.at, Timestamp.text(message.accepted))
        line.add(.upto, message.position.text)
        if let kind = message.kind { line.add(.kind, kind.rawValue) }
        if let parent = message.parent { line.add(.parent, parent) }
        for recipient in message.unrouted { line.add(.to, recipient) }
        line.add(message.order)
        guard let asked = message.asked else { return line }
        line.add(asked.message)
        for (index, recipient) in message.unrouted.enumerated() { line.add(message.options(for: recipient), number: index + 1) }
        return line
    }

    /// A copy in a state block. An assignment says `host` of its next hop, any other state of who gave the answer.
    static func pending(_ copy: Copy, of message: OpenMessage) -> RecordLine {
        var line = RecordLine(.pending, message.id, copy)
        line.add(.attempt, copy.attempts)
        if message.isArchive(copy) { line.add(.kind, "archive") }
        var isAssigned = false
        switch copy.state {
        case .waiting(let until): line.add(.until, Timestamp.text(until))
        case .assigned(let position):
            isAssigned = true
            line.add(.answers, position.text)
            line.add(.host, copy.nextHop)
            line.addContent(of: message, from: copy.sender)
        case .delivered: line.add(.result, "delivered")
        case .bounced: line.add(.result, "bounced")
        case .failed: break
        }
        if !copy.answer.status.isEmpty || copy.state == .failed { line.add(copy.answer, host: !isAssigned) }
        if let owed = copy.owes { line.add(.owes, owed.rawValue) }
        if copy.isDelayTold { line.add(.told, Notice.delayed.rawValue) }
        line.add(.tried, copy.tried.text)
        line.addAsked(of: message, for: copy)
        return line
    }
}

extension Record {
    /// An accept record as an open message; nil if it lacks what it must have.
    func openMessage(origin: QueueOrigin, placed: PlacedRecord) -> OpenMessage? {
        guard let id, let sender = self[.from] else { return nil }
        let location: ContentLocation
        if let extent = extent(.content) {
            location = ContentLocation(
                origin: origin, position: LogPosition(segment: placed.position.segment, offset: placed.contentOffset), extent: extent)
        } else if let extent = extent(.big) {
            location = ContentLocation(origin: origin, position: nil, extent: extent)
        } else {
            return nil
        }
        let message = OpenMessage(
            id: id, sender: sender, location: location, accepted: self[.at].flatMap(Timestamp.time) ?? WallTime(nanoseconds: 0),
            recipients: all(.to), parent: self[.parent].flatMap { QueueID(parsing: $0) })
        message.kind = origin == .queued ? text(.kind).flatMap { MessageKind(rawValue: $0) } : nil
        switch AskedOptions.read(self, of: all(.to)) {
        case .none: return message
        case .asked(let asked):
            message.asked = asked
            return message
        case .damaged: return nil
        }
    }

    /// The copy of a `route` or `pending`; nil for a recipient that got none.
    func copy(_ texts: inout SharedTexts) -> Copy? {
        guard let original = self[.recipient], let state = copyState else { return nil }
        var copy = Copy(original: original, final: self[.final] ?? [], folder: texts(self[.account]), state: state)
        copy.attempts = number(.attempt).flatMap { UInt32(exactly: $0) } ?? 0
        if case .assigned = state {
            copy.nextHop = texts(self[.host])
            copy.sender = texts(self[.from])
        }
        copy.answer = texts(answer)
        copy.isDelayTold = text(.told) == Notice.delayed.rawValue
        copy.tried = self[.tried].flatMap { TriedTimes(parsing: $0) } ?? TriedTimes()
        return copy
    }

    /// What it says of why a copy was not delivered.
    var answer: Answer {
        // The host of an assignment is its next hop.
        Answer(status: self[.status] ?? [], reason: self[.reason] ?? [], host: self[.answers] == nil ? self[.host] ?? [] : [])
    }

    private var copyState: CopyState? {
        if let answers = self[.answers].flatMap({ LogPosition(parsing: $0) }) { return .assigned(answers) }
        if let result = self[.result] { return result.elementsEqual("delivered".utf8) ? .delivered : .bounced }
        if let until = self[.until].flatMap(Timestamp.time) { return .waiting(until: until) }
        return self[.status] == nil ? nil : .failed
    }
}
