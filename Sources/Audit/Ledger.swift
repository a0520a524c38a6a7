// The double-entry book of the mail system: records of all logs in, each message's account out.
// Invariant: an account that is closed fits; what is heard of it later opens it again, and a second reading judges it whole.

package import MailModel
package import SpoolFormat

/// Hears the records of all logs, each log's in its order. Memory: the open messages, and 16 bytes for each closed one.
package struct Ledger: Sendable {
    /// How far a log is cut at its beginning.
    package typealias Cuts = [AuditedLog: Checkpoint]

    /// Where a log is being read.
    private struct Reading {
        var segment: UInt32 = 0
        var isInBlock = false
        /// In the first block of a log that was cut.
        var isInOldestBlock = false
        var blocks = 0
        /// Accepted since the segment's beginning: said again, if the writer's `start` follows.
        var early: [QueueID] = []
    }

    let cuts: Cuts
    /// Those that are listened for; nil for all.
    private let only: Set<QueueID>?
    let since: Int?
    private var readings: [AuditedLog: Reading] = [:]
    var tallies: [QueueID: Tally] = [:]
    private var closed: Set<UInt64> = []
    package private(set) var sums = Sums()
    /// How far queued had heard the mail logs when its oldest segment that is there began, and the agents queued.
    var heard: [AuditedLog: LogPosition] = [:]

    /// `since`: messages accepted earlier are not counted, milliseconds since 1970.
    package init(cuts: Cuts = [:], only: Set<QueueID>? = nil, since: Int? = nil) {
        self.cuts = cuts
        self.since = since
        self.only = only
    }

    /// The messages that are still open, or opened again.
    package var openCount: Int { tallies.count }

    package mutating func hear(_ record: Record, at position: LogPosition, from log: AuditedLog) {
        var reading = readings[log] ?? Reading()
        if reading.segment != position.segment {
            reading.segment = position.segment
            reading.isInBlock = false
            reading.early.removeAll(keepingCapacity: true)
        }
        switch record.verb {
        case .state:
            reading.blocks += 1
            reading.isInBlock = true
            reading.isInOldestBlock = reading.blocks == 1 && cuts[log] != nil
        case .stateEnd: (reading.isInBlock, reading.isInOldestBlock) = (false, false)
        case .start:
            for id in reading.early { noteRepetition(id, cuts[log]) }
            reading.early.removeAll()
        case .cursor: if reading.isInOldestBlock { noteCursor(record, of: log) }
        default:
            if log != .queue, record.verb == .accept, let id = record.id { reading.early.append(id) }
            if log == .queue, record.verb == .bounced, let notice = record[.target].flatMap({ QueueID(parsing: $0) }) {
                noteNotice(notice, AuditedPlace(log, position))
            }
            if let id = record.id, only?.contains(id) ?? true {
                // The end of a message whose accept is not seen is said again after the block, without its time.
                let isSaidAgain = log == .queue && record.verb == .done && record[.at] == nil
                hear(record, id, at: AuditedPlace(log, position), inBlock: reading.isInBlock || isSaidAgain,
                     oldest: reading.isInOldestBlock || isSaidAgain && reading.blocks == 1 && cuts[log] != nil)
            }
        }
        readings[log] = reading
    }

    /// An accept that the checkpoint counts already.
    private mutating func noteRepetition(_ id: QueueID, _ cut: Checkpoint?) {
        if let cut, let time = tallies[id]?.acceptedTime, cut.includes(accept: id, at: time) { tallies[id]?.isCounted = true }
    }

    private mutating func noteCursor(_ record: Record, of log: AuditedLog) {
        guard let name = record[.log], let position = record[.upto].flatMap({ LogPosition(parsing: $0) }) else { return }
        for origin in QueueOrigin.allCases where log == .queue && name.elementsEqual(AuditedLog.mail(origin).name.utf8) {
            heard[.mail(origin)] = position
        }
        if log != .queue, name.elementsEqual(AuditedLog.queue.name.utf8) { heard[log] = position }
    }

    // MARK: One message

    private mutating func hear(_ record: Record, _ id: QueueID, at place: AuditedPlace, inBlock: Bool, oldest: Bool) {
        let isNew = tallies[id] == nil
        let wasClosed = isNew && closed.contains(Ledger.mark(id))
        // A state block repeats, and says nothing of its own about what it did not open; nor does an accept that is said again.
        if isNew, only == nil, inBlock && !oldest || wasClosed && record.verb == .accept { return }
        guard Ledger.matters(record, id, from: place.log) else { return }
        var tally = tallies[id] ?? Tally(at: place)
        tally.origin = id.origin
        tally.wasClosed = tally.wasClosed || wasClosed
        tally.take(record, at: place, inBlock: inBlock, oldest: oldest)
        if only == nil, tally.isComplete, !tally.wasClosed, !mayBeCounted(id, tally) {
            if concerns(tally) { sums.add(tally) }
            closed.insert(Ledger.mark(id))
            tallies[id] = nil
        } else {
            tallies[id] = tally
        }
    }

    private mutating func noteNotice(_ id: QueueID, _ place: AuditedPlace) {
        guard only?.contains(id) ?? true, !closed.contains(Ledger.mark(id)) else { return }
        tallies[id, default: Tally(at: place)].isNotice = true
        tallies[id]?.origin = id.origin
    }

    /// Whether it was accepted in the time that is asked for.
    func concerns(_ tally: Tally) -> Bool { since.map { $0 <= tally.acceptedTime ?? 0 } ?? true }

    private func mayBeCounted(_ id: QueueID, _ tally: Tally) -> Bool {
        guard let cut = cuts[.accepts(id.origin)], let time = tally.acceptedTime else { return false }
        return cut.includes(accept: id, at: time)
    }

    /// Whether the log's owner may say this, and it is of interest.
    private static func matters(_ record: Record, _ id: QueueID, from log: AuditedLog) -> Bool {
        switch (log, record.verb) {
        case (.mail(let origin), .accept), (.accepts(let origin), .accept): record.isAccept(from: origin)
        case (.local, .delivered), (.remote, .sent), (.remote, .failed): true
        case (.queue, .open), (.queue, .pending), (.queue, .route), (.queue, .assign), (.queue, .bounced), (.queue, .done): true
        default: false
        }
    }

    private static func mark(_ id: QueueID) -> UInt64 {
        (id.epoch ^ UInt64(id.sequence) &* 0x9E37_79B9_7F4A_7C15) &+ UInt64(id.origin.rawValue)
    }
}

extension Tally {
    mutating func take(_ record: Record, at place: AuditedPlace, inBlock: Bool, oldest: Bool) {
        switch (place.log, record.verb) {
        case (.mail, _):
            mail = place.position
            takeAccept(record)
        case (.accepts, _):
            isAccepted = true
            takeAccept(record)
        case (.queue, .open): if oldest { wasOpen = true }
        case (.queue, .done): takeDone(record, at: place, inBlock: inBlock, oldest: oldest)
        case (.queue, _): takeCopy(record, at: place, inBlock: inBlock, oldest: oldest)
        case (.local, _), (.remote, _): takeResult(record, at: place, old: oldest)
        }
    }

    private mutating func takeAccept(_ record: Record) {
        acceptedTime = record[.at].flatMap(Checkpoint.milliseconds) ?? acceptedTime
        var known: Set<[UInt8]> = []
        if recipients.isEmpty { recipients = record.all(.to).filter { known.insert($0).inserted } }
    }

    private mutating func takeDone(_ record: Record, at place: AuditedPlace, inBlock: Bool, oldest: Bool) {
        if inBlock, oldest {
            wasDone = true
        } else if !(inBlock && wasDone) {
            // Else a later block says again what the oldest one said.
            isKnown = true
            if done == nil || !inBlock { done = place.position }
            doneResult = DoneResult(record) ?? doneResult
        }
    }

    private mutating func takeCopy(_ record: Record, at place: AuditedPlace, inBlock: Bool, oldest: Bool) {
        guard let recipient = record[.recipient] else { return }
        if !inBlock { isKnown = true }
        if record.verb == .route { countRoute(of: recipient, record.number(.count)) }
        if record.verb == .route, record.text(.result) == "duplicate" {
            // An archive that has its copy already is no recipient.
            if record.text(.kind) != "archive" { merged += 1 }
            return
        }
        withCopy(recipient, record[.final] ?? [], at: place) { copy in
            copy.isRouted = true
            if record.text(.kind) == "archive" { copy.isArchive = true }
            if record.verb == .assign { copy.isAssigned = true }
            if record.verb == .bounced {
                let target = record[.target].flatMap { QueueID(parsing: $0) }
                copy.note(target == nil ? .discarded : .bounced(target: target), old: false)
            } else if record.verb == .pending {
                if record.text(.result) == "bounced", oldest { copy.note(.bounced(target: nil), old: false) }
            } else if record[.final] == nil {
                copy.hasFailed = true
            }
        }
    }

    /// `count`: at the first record of a routing. A half that was said of the recipient before was an earlier one, and is void (O4a).
    private mutating func countRoute(of recipient: [UInt8], _ count: Int?) {
        let missing = routesToCome.removeValue(forKey: recipient)
        if count != nil, missing != nil { copies.removeAll { $0.recipient == recipient && $0.isRouted && !$0.isAssigned && $0.results.isEmpty } }
        if let left = (count ?? missing).map({ $0 - 1 }), left > 0 { routesToCome[recipient] = left }
    }

    private mutating func takeResult(_ record: Record, at place: AuditedPlace, old: Bool) {
        guard let recipient = record[.recipient], let final = record[.final] else { return }
        withCopy(recipient, final, at: place) { copy in
            switch record.verb {
            case .delivered:
                let file = record[.file].map { Array($0.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: ":") }) } ?? []
                copy.note(.delivered(file: file), old: old)
            case .sent: copy.note(.sent, old: old)
            default: copy.hasFailed = true
            }
        }
    }
}

extension CopyTally {
    /// The same result said again says nothing new; a notice that the oldest block did not name may be named later.
    fileprivate mutating func note(_ result: CopyResult, old: Bool) {
        if case .bounced = result, let index = results.firstIndex(of: .bounced(target: nil)) {
            results[index] = result
        } else if !results.contains(result) {
            if case .bounced(target: nil) = result, results.contains(where: { if case .bounced = $0 { true } else { $0 == .discarded } }) { return }
            results.append(result)
            if old, result.isTaken { self.old += 1 }
        }
    }
}
