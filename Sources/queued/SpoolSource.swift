// What queued hears from the others: each log that it follows, and what it makes of a record found there.
// Trust comes from the folder: a result counts only from the agent to which the copy was assigned.

import Kernel
import MailModel
import Spool
import SpoolFormat

/// A followed log.
struct Source {
    let follower: LogFollower
    let name: LogName
    var watch: Inotify.Watch?

    init(_ name: LogName, spool: borrowing DirectoryDescriptor, from position: LogPosition) throws(KernelError) {
        self.name = name
        follower = try LogFollower(spool: spool, name, from: position)
    }

    /// Every log that queued follows.
    static let names: [LogName] = [
        LogName(.smtpd, .mail), LogName(.submission, .mail), LogName(.queued, .mail),
        LogName(.locald, .events), LogName(.remoted, .events), LogName(.mailctl, .events),
    ]
}

extension Queue {
    /// Takes in one record; false if this folder's owner may not say it.
    @discardableResult
    mutating func hear(_ placed: PlacedRecord, from log: LogName, now: WallTime) -> Bool {
        switch (log.owner, log.kind) {
        case (_, .mail): hearMail(placed, from: log)
        case (.locald, .events): hearAgent(placed.record, .locald, now: now)
        case (.remoted, .events): hearAgent(placed.record, .remoted, now: now)
        case (.mailctl, .events): hearAdministrator(placed.record)
        case (_, .events), (_, .released): false
        }
    }

    private mutating func hearMail(_ placed: PlacedRecord, from log: LogName) -> Bool {
        guard let message = placed.acceptedMessage(in: log) else { return placed.record.verb != .accept }
        accepted(message, at: placed.position)
        if let parent = message.parent { heard(Telling(parent: parent, notice: placed.record.text(.told).flatMap { Notice(rawValue: $0) }, copies: placed.record.covered)) }
        return true
    }

    private mutating func hearAgent(_ record: Record, _ agent: Agent, now: WallTime) -> Bool {
        guard let id = record.id, let original = record[.recipient], let final = record[.final] else { return false }
        noteTried(record, agent)
        switch (agent, record.verb) {
        case (.locald, .delivered), (.remoted, .sent):
            delivered(id, original, final, by: agent, isRelayed: record.text(.result) == Notice.relayed.rawValue)
        case (.locald, .withdrawn), (.remoted, .failed):
            failed(id, original, final, by: agent, record.remoteAnswer, reach: record.reach)
        case (_, .temporary):
            guard let answers = record[.answers].flatMap({ LogPosition(parsing: $0) }) else { return false }
            deferred(id, original, final, by: agent, answers: answers, record.remoteAnswer, reach: record.reach, now: now)
        default:
            return false
        }
        return true
    }

    /// Its agent has answered an attempt.
    private func noteTried(_ record: Record, _ agent: Agent) {
        guard record.verb == .failed || record.verb == .temporary, let time = record[.at].flatMap(Timestamp.time),
            let message = record.id.flatMap({ messages[$0] }), let index = message.find(record[.recipient] ?? [], record[.final] ?? []),
            message.copies[index].agent == agent, case .assigned = message.copies[index].state
        else { return }
        message.change(index) { $0.tried.note(time) }
    }

    private mutating func hearAdministrator(_ record: Record) -> Bool {
        record.verb == .request && obey(record)
    }
}

extension PlacedRecord {
    /// The message that an accept record of this mail log stands for; nil where its owner may not say so.
    func acceptedMessage(in log: LogName) -> OpenMessage? {
        guard let origin = log.owner.origin, record.isAccept(from: origin) else { return nil }
        return record.openMessage(origin: origin, placed: self)
    }
}

extension Record {
    /// What an agent says of a copy that was not delivered, and the name of the host whose words these are.
    ///
    /// Words of our own begin with the server that they are about; where none was reached the host is the domain alone.
    fileprivate var remoteAnswer: Answer {
        var answer = Answer(status: self[.status] ?? [], reason: self[.reason] ?? [])
        answer.isByPolicy = self[.tlspolicy] != nil
        if let server = self[.host], server.contains(UInt8(ascii: "[")), !answer.reason.starts(with: server) {
            answer.host = Array(server.prefix { $0 != 0x20 })
        }
        return answer
    }

    /// What remoted says of the destination: a host that has an address was spoken to.
    fileprivate var reach: Reach {
        if text(.result) == "unreached" { return .unreached }
        return self[.host]?.contains(UInt8(ascii: "[")) ?? false ? .reached : .unknown
    }

    /// The copies that a bounce covers: each `covers=` is a recipient, and the `final=` in the same place its final address.
    var covered: [(original: [UInt8], final: [UInt8])] {
        let originals = all(.covers)
        let finals = all(.final)
        return zip(originals, finals).map { ($0, $1) }
    }
}
