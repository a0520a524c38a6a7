// Handing out copies, and what comes back: answers of agents, bounces that cover what failed.

import Kernel
import MailModel
import SpoolFormat

extension Queue {
    // MARK: Handing out

    /// Assigns ready copies up to each agent's window; `position` tells where the next record will lie.
    ///
    /// `nextHop` is asked at each attempt: only the last hop of a frozen route may change.
    mutating func assign(
        now: WallTime, window: Int = Queue.window, nextHop: (Destination) -> NextHopAnswer, append: (RecordLine) -> LogPosition
    ) {
        while let due = ready.timers.pop(until: now) {
            // An older timer of a copy that was deferred anew says nothing.
            guard let copy = messages[due.id]?.copies[safe: due.index], case .waiting(let until) = copy.state, until <= now, until > .whenever
            else { continue }
            ready.admit(copy, due)
        }
        tidyTimers()
        for agent in Agent.allCases {
            while let next = ready.next(for: agent, window: window) {
                guard let message = messages[next.id], let copy = message.copies[safe: next.index], case .waiting(let until) = copy.state,
                    until <= now, let destination = copy.destination
                else { continue }
                let hop: [UInt8]?
                switch nextHop(destination) {
                case .route(let route): hop = texts(route)
                case .own: hop = nil
                case .unavailable:
                    let later = now.adding(seconds: 30)
                    message.set(next.index, .waiting(until: later))
                    ready.timers.insert(later, next)
                    continue
                }
                message.change(next.index) {
                    $0.nextHop = hop
                    $0.attempts += 1
                }
                let position = append(.assign(message, message.copies[next.index]))
                message.set(next.index, .assigned(position))
                ready.noteAssigned(to: agent)
            }
        }
    }

    // MARK: Answers

    /// A final result is final whichever attempt brought it.
    mutating func delivered(_ id: QueueID, _ original: [UInt8], _ final: [UInt8], by agent: Agent) {
        guard let message = messages[id], let index = message.find(original, final), settle(message, index, by: agent, .delivered) else { return }
        finishIfComplete(message)
    }

    mutating func failed(_ id: QueueID, _ original: [UInt8], _ final: [UInt8], by agent: Agent, _ answer: Answer) {
        guard let message = messages[id], let index = message.find(original, final), settle(message, index, by: agent, .failed) else { return }
        message.change(index) { $0.answer = texts(answer) }
        bounceDue.insert(id)
    }

    /// A temporary answer counts for the assignment that it names and no other.
    mutating func deferred(
        _ id: QueueID, _ original: [UInt8], _ final: [UInt8], by agent: Agent, answers: LogPosition, _ answer: Answer, now: WallTime
    ) {
        guard let message = messages[id], let index = message.find(original, final), message.copies[index].state == .assigned(answers),
            message.copies[index].agent == agent
        else { return }
        let attempts = Int(message.copies[index].attempts)
        if schedule.isExhausted(attempts: attempts, accepted: message.accepted, now: now) {
            let why = Array("gave up after \(attempts) attempts; last: ".utf8) + answer.reason
            failed(id, original, final, by: agent, Answer(status: Array("5.4.7".utf8), reason: why, host: answer.host))
            return
        }
        let until = schedule.next(after: attempts, now: now, id: id)
        guard settle(message, index, by: agent, .waiting(until: until)) else { return }
        message.change(index) { $0.answer = texts(answer) }
        lines.append(.deferred(id, message.copies[index], until: until))
        ready.timers.insert(until, CopyIndex(id: id, index: index))
    }

    /// Moves a copy out of `assigned`; false if the answer is not its agent's to give or comes too late.
    private mutating func settle(_ message: OpenMessage, _ index: Int, by agent: Agent, _ state: CopyState) -> Bool {
        let copy = message.copies[index]
        guard copy.agent == agent else { return false }
        switch copy.state {
        case .delivered, .bounced, .failed: return false
        case .assigned: ready.noteAnswered(by: agent)
        case .waiting: break
        }
        message.set(index, state)
        return true
    }

    // MARK: Bounces

    /// Copies that one notice tells of: its record must stay below a line's limit.
    static let noticeLimit = 500

    /// The messages whose failures are to be told, and which copies they are; what is too much for one notice comes next time.
    mutating func takeBounces() -> [(message: OpenMessage, failed: [Int])] {
        let due = bounceDue
        bounceDue.removeAll()
        return due.sorted().compactMap { id in
            guard let message = messages[id] else { return nil }
            let failed = message.failed
            if failed.count > Queue.noticeLimit { bounceDue.insert(id) }
            return failed.isEmpty ? nil : (message, Array(failed.prefix(Queue.noticeLimit)))
        }
    }

    /// An accepted bounce *is* the final failure of what it covers, from its append on.
    mutating func bounced(_ id: QueueID, covering keys: [(original: [UInt8], final: [UInt8])]) {
        guard let message = messages[id] else { return }
        for key in keys {
            guard let index = message.find(key.original, key.final), !message.copies[index].isFinished else { continue }
            if case .assigned = message.copies[index].state, let agent = message.copies[index].agent { ready.noteAnswered(by: agent) }
            message.set(index, .bounced)
        }
        finishIfComplete(message)
    }
}
