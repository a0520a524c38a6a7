// The records of queued, written and read in one place each (docs/spool.md, "Records of queued").

import Kernel
import MailModel
import Spool
import SpoolFormat

/// A line for queued's event log.
typealias QueueLine = RecordLine

extension RecordLine {
    private init(_ verb: Verb, _ id: QueueID, _ original: [UInt8], _ destination: Destination?) {
        self.init(verb, id)
        add(.recipient, original)
        if let destination {
            add(.final, destination.final)
            add(.agent, destination.agent.rawValue)
            if case .account(let folder, _) = destination { add(.account, folder) }
        }
    }

    static func route(_ id: QueueID, _ original: [UInt8], _ destination: Destination, path: [UInt8]) -> RecordLine {
        let line = RecordLine(.route, id, original, destination)
        return path.isEmpty ? line : line.adding(.path, path)
    }

    static func route(_ id: QueueID, _ original: [UInt8], refused status: EnhancedStatus, _ reason: [UInt8]) -> RecordLine {
        RecordLine(.route, id, original, nil).adding(.status, status.description).adding(.reason, reason)
    }

    /// A recipient whose every destination has its copy already.
    static func routeAgain(_ id: QueueID, _ original: [UInt8]) -> RecordLine {
        RecordLine(.route, id, original, nil).adding(.result, "duplicate")
    }

    static func assign(_ message: OpenMessage, _ copy: Copy, attempt: Int, nextHop: [UInt8]?) -> RecordLine {
        var line = RecordLine(.assign, message.id, copy.original, copy.destination)
        line.add(.attempt, attempt)
        line.add(.host, nextHop)
        line.addContent(of: message)
        return line
    }

    /// What an agent needs to know of the message.
    private mutating func addContent(of message: OpenMessage) {
        add(.from, message.sender)
        add(.accepted, message.accepted.seconds)
        add(.location, message.location.text)
    }

    static func deferred(_ id: QueueID, _ copy: Copy, until: WallTime, status: [UInt8], reason: [UInt8]) -> RecordLine {
        RecordLine(.deferred, id, copy.original, copy.destination)
            .adding(.until, Timestamp.text(until)).adding(.attempt, copy.attempts).adding(.status, status).adding(.reason, reason)
    }

    static func bounced(_ id: QueueID, _ copy: Copy, child: QueueID?) -> RecordLine {
        var line = RecordLine(.bounced, id, copy.original, copy.destination)
        if copy.destination == nil { line.add(.final, copy.final) }
        if case .failed(let status, let reason) = copy.state {
            line.add(.status, status.description)
            line.add(.reason, reason)
        }
        if let child { line.add(.target, child) } else { line.add(.result, "discarded: the null sender is told nothing") }
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
        if let parent = message.parent { line.add(.parent, parent) }
        for recipient in message.unrouted { line.add(.to, recipient) }
        return line
    }

    /// A copy in a state block.
    static func pending(_ id: QueueID, _ copy: Copy, message: OpenMessage) -> RecordLine {
        var line = RecordLine(.pending, id, copy.original, copy.destination)
        line.add(.attempt, copy.attempts)
        switch copy.state {
        case .waiting(let until): line.add(.until, Timestamp.text(until))
        case .assigned(let position):
            line.add(.answers, position.text)
            line.add(.host, copy.nextHop)
            line.addContent(of: message)
        case .delivered: line.add(.result, "delivered")
        case .bounced: line.add(.result, "bounced")
        case .failed(let status, let reason):
            line.add(.status, status.description)
            line.add(.reason, reason)
        }
        if case .failed = copy.state {} else if !copy.lastReason.isEmpty {
            line.add(.status, copy.lastStatus)
            line.add(.reason, copy.lastReason)
        }
        return line
    }
}

extension Record {
    /// The destination of a `route`, `assign` or `pending`.
    var destination: Destination? {
        guard let final = self[.final].flatMap({ EmailAddress(parsing: $0) }) else { return nil }
        if let folder = self[.account] { return .account(folder: folder, address: final) }
        return .remote(final)
    }

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
        return OpenMessage(
            id: id, sender: sender, location: location, accepted: self[.at].flatMap(Timestamp.time) ?? WallTime(nanoseconds: 0),
            unrouted: all(.to), copies: [], parent: self[.parent].flatMap { QueueID(parsing: $0) })
    }

    /// The copy of a `pending` line.
    var copy: Copy? {
        guard let original = self[.recipient] else { return nil }
        let state: CopyState
        if let answers = self[.answers].flatMap({ LogPosition(parsing: $0) }) {
            state = .assigned(answers)
        } else if let result = self[.result] {
            state = result.elementsEqual("delivered".utf8) ? .delivered : .bounced
        } else if let until = self[.until].flatMap(Timestamp.time) {
            state = .waiting(until: until)
        } else if let status = self[.status].flatMap({ EnhancedStatus(parsing: $0) }) {
            state = .failed(status: status, reason: self[.reason] ?? [])
        } else {
            return nil
        }
        return Copy(
            original: original, destination: destination, state: state, attempts: number(.attempt) ?? 0,
            lastStatus: self[.status] ?? [], lastReason: self[.reason] ?? [], nextHop: self[.host])
    }
}
