// The queue as a value: records in, records out, no I/O. Rows and rules are those of docs/spool.md.

import Kernel
import MailModel
import Spool
import SpoolFormat

/// The open messages and what is to be said about them.
struct Queue {
    /// Copies handed to one agent and unanswered, at most.
    static let window = 2000

    private(set) var messages: [QueueID: OpenMessage] = [:]
    /// Where each followed log is read from after a restart, as the next state block will say.
    private(set) var cursors: [[UInt8]: LogPosition] = [:]
    /// Messages that are done and whose accept may be read again, because it lies above its log's cursor.
    private(set) var forgettable: [QueueID: LogPosition] = [:]
    /// What queued said of messages whose accept cannot be seen now: its commit line was cut away, and it will show again.
    var unseen: [QueueID: [PlacedRecord]] = [:]
    let schedule: RetrySchedule

    /// Lines to append to queued's events, in this order.
    var lines: [QueueLine] = []
    /// Failed copies whose sender must be told.
    private(set) var bounceDue: Set<QueueID> = []
    /// Messages whose `done` was appended and not yet released.
    var finished: [QueueID] = []

    private var lanes: [Agent: Lanes] = [:]
    private var outstanding: [Agent: Int] = [:]
    private var timers = TimerHeap()
    private var unrouted: [QueueID] = []

    init(schedule: RetrySchedule) { self.schedule = schedule }

    var isEmpty: Bool { messages.isEmpty }
    var nextDeadline: WallTime? { timers.first }
    var awaitsRouting: Bool { !unrouted.isEmpty }

    // MARK: A message comes in

    /// An accept record of a mail log, at this position; one that is known is ignored.
    mutating func accepted(_ given: OpenMessage, at position: LogPosition) {
        if forgettable[given.id] != nil { forgettable[given.id] = position }
        guard messages[given.id] == nil, forgettable[given.id] == nil else { return }
        var message = given
        message.position = position
        for placed in unseen.removeValue(forKey: message.id) ?? [] where !message.replay(placed) {
            forgettable[message.id] = position
            finished.append(message.id)
            return
        }
        messages[message.id] = message
        if !message.unrouted.isEmpty { unrouted.append(message.id) }
        for index in message.copies.indices { enqueue(message.id, index, message.copies[index]) }
    }

    private mutating func enqueue(_ id: QueueID, _ index: Int, _ copy: Copy) {
        switch copy.state {
        case .waiting(let until):
            guard let destination = copy.destination else { return }
            if until.nanoseconds <= 0 {
                lanes[destination.agent, default: Lanes()].append(CopyIndex(id: id, index: index), lane: destination.lane)
            } else {
                timers.insert(until, CopyIndex(id: id, index: index))
            }
        case .assigned:
            if let destination = copy.destination { outstanding[destination.agent, default: 0] += 1 }
        case .failed: bounceDue.insert(id)
        case .delivered, .bounced: break
        }
    }

    // MARK: Routing

    /// Routes what waits for it. Recipients that cannot be looked up now stay for the next call.
    mutating func route(now: WallTime, by lookUp: (_ recipient: [UInt8]) -> Routed) {
        let waiting = unrouted
        unrouted.removeAll(keepingCapacity: true)
        for id in waiting {
            guard var message = messages[id] else { continue }
            let recipients = message.unrouted
            message.unrouted.removeAll()
            let first = message.copies.count
            var known = Set(message.copies.compactMap(\.destination))
            for recipient in recipients { route(recipient, of: &message, &known, lookUp(recipient)) }
            messages[id] = message
            for index in first..<message.copies.count { enqueue(id, index, message.copies[index]) }
            if !message.unrouted.isEmpty { unrouted.append(id) }
            finishIfComplete(id)
        }
    }

    /// One mailbox gets one copy, however many of the message's recipients lead to it; `known` holds those that have one.
    private mutating func route(
        _ recipient: [UInt8], of message: inout OpenMessage, _ known: inout Set<Destination>, _ routed: Routed
    ) {
        guard case .routed(let destinations, let refusal) = routed else {
            message.unrouted.append(recipient)
            return
        }
        if let refusal {
            lines.append(.route(message.id, recipient, refused: refusal.status, refusal.reason))
            let failed = CopyState.failed(status: refusal.status, reason: refusal.reason)
            message.copies.append(Copy(original: recipient, destination: nil, state: failed, attempts: 0))
        }
        var isNew = refusal != nil
        for (destination, path) in destinations where known.insert(destination).inserted {
            isNew = true
            lines.append(.route(message.id, recipient, destination, path: path))
            let ready = CopyState.waiting(until: WallTime(nanoseconds: 0))
            message.copies.append(Copy(original: recipient, destination: destination, state: ready, attempts: 0))
        }
        if !isNew { lines.append(.routeAgain(message.id, recipient)) }
    }

    // MARK: Handing out

    /// Assigns ready copies up to each agent's window; `position` tells where the next record will lie.
    ///
    /// `nextHop` is asked at each attempt: only the last hop of a frozen route may change.
    mutating func assign(now: WallTime, nextHop: (Destination) -> NextHopAnswer, append: (RecordLine) -> LogPosition) {
        while let due = timers.pop(until: now) {
            // An older timer of a copy that was deferred anew says nothing.
            guard let copy = messages[due.id]?.copies[safe: due.index], case .waiting(let until) = copy.state, until <= now,
                let destination = copy.destination
            else { continue }
            lanes[destination.agent, default: Lanes()].append(due, lane: destination.lane)
        }
        for agent in Agent.allCases {
            while outstanding[agent, default: 0] < Queue.window, let next = lanes[agent]?.next() {
                guard let message = messages[next.id], let copy = message.copies[safe: next.index], case .waiting = copy.state,
                    let destination = copy.destination
                else { continue }
                var hop: [UInt8]?
                switch nextHop(destination) {
                case .route(let route): hop = route
                case .own: break
                case .unavailable:
                    timers.insert(now.adding(seconds: 30), next)
                    continue
                }
                let position = append(.assign(message, copy, attempt: copy.attempts + 1, nextHop: hop))
                messages[next.id]?.copies[next.index].nextHop = hop
                messages[next.id]?.copies[next.index].attempts += 1
                messages[next.id]?.copies[next.index].state = .assigned(position)
                outstanding[agent, default: 0] += 1
            }
        }
    }

    // MARK: Answers

    private func find(_ id: QueueID, _ original: [UInt8], _ final: [UInt8]) -> Int? {
        messages[id]?.copies.firstIndex { $0.original == original && $0.final == final }
    }

    /// A final result is final whichever attempt brought it.
    mutating func delivered(_ id: QueueID, _ original: [UInt8], _ final: [UInt8], by agent: Agent) {
        guard let index = find(id, original, final), settle(id, index, by: agent, .delivered) else { return }
        finishIfComplete(id)
    }

    mutating func failed(_ id: QueueID, _ original: [UInt8], _ final: [UInt8], by agent: Agent, _ status: EnhancedStatus, _ reason: [UInt8]) {
        guard let index = find(id, original, final), settle(id, index, by: agent, .failed(status: status, reason: reason)) else { return }
        bounceDue.insert(id)
    }

    /// A temporary answer counts for the assignment that it names and no other.
    mutating func deferred(
        _ id: QueueID, _ original: [UInt8], _ final: [UInt8], by agent: Agent, answers: LogPosition, _ status: [UInt8], _ reason: [UInt8], now: WallTime
    ) {
        guard let index = find(id, original, final), let message = messages[id], case .assigned(answers) = message.copies[index].state,
            message.copies[index].destination?.agent == agent
        else { return }
        let attempts = message.copies[index].attempts
        messages[id]?.copies[index].lastStatus = status
        messages[id]?.copies[index].lastReason = reason
        if schedule.isExhausted(attempts: attempts, accepted: message.accepted, now: now) {
            let why = Array("gave up after \(attempts) attempts; last: ".utf8) + reason
            if settle(id, index, by: agent, .failed(status: EnhancedStatus(.permanent, 4, 7), reason: why)) { bounceDue.insert(id) }
            return
        }
        let until = schedule.next(after: attempts, now: now, id: id)
        if settle(id, index, by: agent, .waiting(until: until)) {
            lines.append(.deferred(id, message.copies[index], until: until, status: status, reason: reason))
            timers.insert(until, CopyIndex(id: id, index: index))
        }
    }

    /// Moves a copy out of `assigned`; false if the answer is not its agent's to give or comes too late.
    private mutating func settle(_ id: QueueID, _ index: Int, by agent: Agent, _ state: CopyState) -> Bool {
        guard let copy = messages[id]?.copies[index], copy.destination?.agent == agent, !copy.isFinished else { return false }
        if case .assigned = copy.state { outstanding[agent, default: 1] -= 1 } else if case .failed = copy.state { return false }
        messages[id]?.copies[index].state = state
        return true
    }

    // MARK: Bounces

    /// The messages whose failures are to be told, and which copies they are.
    mutating func takeBounces() -> [(OpenMessage, failed: [Int])] {
        let due = bounceDue
        bounceDue.removeAll()
        return due.sorted().compactMap { id in
            guard let message = messages[id] else { return nil }
            let failed = message.copies.indices.filter { if case .failed = message.copies[$0].state { true } else { false } }
            return failed.isEmpty ? nil : (message, failed)
        }
    }

    /// An accepted bounce *is* the final failure of what it covers, from its append on.
    mutating func bounced(_ id: QueueID, covering keys: [(original: [UInt8], final: [UInt8])]) {
        for key in keys {
            guard let index = find(id, key.original, key.final), let copy = messages[id]?.copies[index], !copy.isFinished else { continue }
            if case .assigned = copy.state, let agent = copy.destination?.agent { outstanding[agent, default: 1] -= 1 }
            messages[id]?.copies[index].state = .bounced
        }
        finishIfComplete(id)
    }

    // MARK: The end

    private mutating func finishIfComplete(_ id: QueueID) {
        guard let message = messages[id], message.isFinished else { return }
        messages[id] = nil
        forgettable[id] = message.position
        lines.append(.done(message))
        finished.append(id)
    }

    /// A message of a state block or a replayed accept: nothing is derived before `rebuild`.
    mutating func restore(_ message: OpenMessage) {
        if messages[message.id] == nil { messages[message.id] = message }
    }

    /// A record of queued's own log about a message: applied to it, or kept until its accept shows.
    mutating func replay(_ id: QueueID, _ placed: PlacedRecord) {
        guard var message = messages[id] else {
            if forgettable[id] == nil { unseen[id, default: []].append(placed) }
            return
        }
        if message.replay(placed) {
            messages[id] = message
        } else {
            messages[id] = nil
            forgettable[id] = message.position
        }
    }

    /// A message that a state block says is done; its accept lies at or above this position.
    mutating func restoreDone(_ id: QueueID, at position: LogPosition) { forgettable[id] = position }

    /// A copy of a state block.
    mutating func restore(_ copy: Copy, of id: QueueID) { messages[id]?.copies.append(copy) }

    /// Moves a log's cursor on and forgets what lies durably below it.
    mutating func note(cursor: LogPosition, of log: LogName) {
        guard cursors[log.text] != cursor else { return }
        cursors[log.text] = cursor
        guard log.kind == .mail, let origin = log.owner.origin else { return }
        for (id, position) in forgettable where id.origin == origin && position < cursor { forgettable[id] = nil }
        // Its accept shows in the segment that follows the cut, or never.
        for id in unseen.keys where id.origin == origin {
            let since = unseenSince[id] ?? cursor.segment
            unseenSince[id] = since < cursor.segment ? nil : since
            if since < cursor.segment { unseen[id] = nil }
        }
    }
    private var unseenSince: [QueueID: UInt32] = [:]

    /// Makes waiting copies ready now: `mailctl queue retry`.
    mutating func retry(_ ids: [QueueID]?) -> Int {
        var count = 0
        for id in ids ?? Array(messages.keys) {
            guard let message = messages[id] else { continue }
            for index in message.copies.indices {
                if case .waiting(let until) = message.copies[index].state, until.nanoseconds > 0 {
                    messages[id]?.copies[index].state = .waiting(until: WallTime(nanoseconds: 1))
                    timers.insert(WallTime(nanoseconds: 1), CopyIndex(id: id, index: index))
                    count += 1
                }
            }
        }
        return count
    }

    /// After a replay: derives lanes, timers and windows from the messages.
    mutating func rebuild() {
        lanes.removeAll()
        outstanding.removeAll()
        timers = TimerHeap()
        unrouted.removeAll()
        for id in messages.keys.sorted() {
            guard let message = messages[id] else { continue }
            if !message.unrouted.isEmpty { unrouted.append(id) }
            for index in message.copies.indices { enqueue(id, index, message.copies[index]) }
            finishIfComplete(id)
        }
    }
}

extension Array {
    subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
