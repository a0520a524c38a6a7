// The queue as a value: records in, records out, no I/O. Rows and rules are those of docs/spool.md.
// What grows here grows with the open messages, never with the history.

import Kernel
import MailModel
import Spool
import SpoolFormat

/// The open messages and what is to be said about them. Not copied: it may hold a million messages.
struct Queue: ~Copyable {
    /// Copies handed to one agent and unanswered, at most.
    static let window = 2000

    private(set) var messages: [QueueID: OpenMessage] = [:]
    /// Where each followed log is read from after a restart, as the next state block will say.
    private(set) var cursors: [[UInt8]: LogPosition] = [:]
    /// What must be known of messages that are not open.
    var closed = ClosedMessages()
    var schedule: RetrySchedule
    var archiveRules = ArchiveRules()
    /// The oldest open message when metrics were published last.
    var oldest: QueueID?
    var texts = SharedTexts()

    /// Lines to append to queued's events, in this order.
    var lines: [QueueLine] = []
    /// Failed copies whose sender must be told.
    var bounceDue: Set<QueueID> = []
    /// Messages whose sender is to have another notice.
    var noticeDue: Set<QueueID> = []
    /// What accepted notices say, until a start has read what they are about.
    var tellings: [Telling] = []
    var isRebuilt = false
    /// Messages whose `done` was appended and not yet released.
    var finished: [QueueID] = []

    var unrouted = Unrouted()
    var ready = ReadyCopies()
    var destinations = Destinations()
    /// The host through which all mail goes that has no route; nil where each domain has its own.
    var smarthost: [UInt8]?
    /// Copies that were put off in one turn without an attempt are so many that the rest waits for the next turn.
    var hasMoreToPutOff = false

    init(schedule: RetrySchedule) { self.schedule = schedule }

    var nextDeadline: WallTime? {
        if hasMoreToPutOff { return .whenever }
        return [unrouted.deadline, ready.deadline, destinations.deadline].compactMap { $0 }.min()
    }

    // MARK: A message comes in

    /// An accept record of a mail log, at this position; one that is known is ignored.
    mutating func accepted(_ message: OpenMessage, at position: LogPosition) {
        if let open = messages[message.id] { return open.showsAgain(at: position, message.location) }
        guard !closed.shows(message.id, at: position) else { return }
        message.position = position
        message.sender = texts(message.sender)
        for placed in closed.takeSaid(of: message.id) where !message.replay(placed, &texts) {
            closed.done(message.id, at: position)
            finished.append(message.id)
            return
        }
        message.dropHalfRouted()
        messages[message.id] = message
        takeUp(message)
        askAgain(message)
        // A start looks at all when it has heard all.
        if isRebuilt { finishIfComplete(message) }
    }

    /// Its agents may have answered while its accept could not be seen, and nobody heard: each says it again, or begins now.
    private mutating func askAgain(_ message: OpenMessage) {
        for copy in message.copies {
            if case .assigned(let position) = copy.state { lines.append(.assign(message, copy).adding(.answers, position.text)) }
        }
    }

    /// Derives what is to be done for a message.
    private mutating func takeUp(_ message: OpenMessage) {
        carryOut(message)
        if !message.unrouted.isEmpty { unrouted.add(message.id) }
        takeUpCopies(of: message, from: 0)
    }

    mutating func takeUpCopies(of message: OpenMessage, from first: Int) {
        for index in first..<message.copies.count {
            ready.takeUp(message.copies[index], CopyIndex(id: message.id, index: index), message.rank)
            if message.copies[index].state == .failed { bounceDue.insert(message.id) }
            if message.copies[index].owes != nil { noticeDue.insert(message.id) }
        }
    }

    // MARK: The end

    mutating func finishIfComplete(_ message: OpenMessage) {
        guard message.isFinished, messages.removeValue(forKey: message.id) != nil else { return }
        closed.done(message.id, at: message.position)
        lines.append(.done(message))
        finished.append(message.id)
    }

    /// Moves a log's cursor on and forgets what lies durably below it.
    mutating func note(cursor: LogPosition, of log: LogName) {
        guard cursors.updateValue(cursor, forKey: log.text) != cursor else { return }
        if log.kind == .mail, let origin = log.owner.origin { closed.pass(cursor, of: origin) }
    }

    /// Makes waiting copies ready now: `mailctl queue retry`. What its sender has held goes before its time only if it is named.
    mutating func retry(_ ids: [QueueID]?) -> Int {
        var count = 0
        forgetDestinations(of: ids)
        for message in ids.map({ $0.compactMap { messages[$0] } }) ?? Array(messages.values) {
            for index in message.copies.indices {
                guard case .waiting(let until) = message.copies[index].state, until > .whenever else { continue }
                if ids == nil, message.copies[index].attempts == 0, until == message.heldUntil { continue }
                message.set(index, .ready)
                ready.takeUp(message.copies[index], CopyIndex(id: message.id, index: index), message.rank)
                count += 1
            }
        }
        unrouted.tryNow()
        return count
    }

    // MARK: A start

    /// A message of a state block: nothing is derived before `rebuild`.
    mutating func restore(_ message: OpenMessage) {
        if messages[message.id] == nil { messages[message.id] = message }
    }

    /// A record of queued's own log about a message: applied to it, or kept until its accept shows.
    mutating func replay(_ placed: PlacedRecord) {
        guard let id = placed.record.id else { return }
        guard let message = messages[id] else { return closed.said(placed, of: id) }
        if message.replay(placed, &texts) { return }
        messages[id] = nil
        closed.done(id, at: message.position)
    }

    /// After a replay: derives lanes, timers and windows from the messages.
    mutating func rebuild(now: WallTime) {
        lines.removeAll()
        ready = ReadyCopies()
        unrouted = Unrouted()
        for message in messages.values { message.dropHalfRouted() }
        applyTellings()
        for id in messages.keys.sorted() {
            guard let message = messages[id] else { continue }
            message.waitNoLonger(than: now.adding(seconds: schedule.longest))
            takeUp(message)
            finishIfComplete(message)
        }
    }

    /// Whether a record routes a recipient whose routing was not said to its end: it is routed anew, and this must not be heard again.
    func isHalfRouting(_ record: Record) -> Bool {
        guard record.verb == .route, let message = record.id.flatMap({ messages[$0] }), let recipient = record[.recipient] else { return false }
        return message.routesToCome[recipient] != nil
    }

    /// A copy that is tried before its time leaves its timer behind.
    mutating func tidyTimers() {
        ready.timers.tidy { [messages] time, copy in messages[copy.id]?.copies[safe: copy.index]?.state == .waiting(until: time) }
    }
}

extension Array {
    subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

extension WallTime {
    /// A copy that may be assigned at once waits until this.
    static let whenever = WallTime(nanoseconds: 0)
}
