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
        now: WallTime, window: Int = Queue.window, nextHop: (OpenMessage, Copy) -> NextHopAnswer, append: (RecordLine) -> LogPosition
    ) {
        while let due = ready.timers.pop(until: now) {
            // An older timer of a copy that was deferred anew says nothing.
            guard let copy = messages[due.id]?.copies[safe: due.index], case .waiting(let until) = copy.state, until <= now, until > .whenever
            else { continue }
            if let rank = messages[due.id]?.rank { ready.admit(copy, due, rank) }
        }
        tidyTimers()
        wakeProbes(now: now)
        hasMoreToPutOff = false
        var putOff = 0
        for agent in Agent.allCases {
            while let next = ready.next(for: agent, window: window) {
                guard let message = messages[next.id], let copy = message.copies[safe: next.index], case .waiting(let until) = copy.state,
                    until <= now, copy.agent != nil
                else { continue }
                guard message.order == nil else {
                    destinations.release(next, at: destinationName(of: copy))
                    continue
                }
                if message.isOverdue(at: now) {
                    destinations.release(next, at: destinationName(of: copy))
                    fail(message, next.index, by: agent, Queue.overdue)
                    continue
                }
                let way: LastHop
                switch nextHop(message, copy) {
                case .go(let found): way = found
                case .unavailable:
                    let later = now.adding(seconds: 30)
                    message.set(next.index, .waiting(until: later))
                    ready.timers.insert(later, next)
                    continue
                }
                let before = destinationName(of: copy)
                message.change(next.index) {
                    $0.nextHop = texts(way.route)
                    $0.sender = texts(way.sender)
                    $0.attempts += 1
                }
                if destinationName(of: message.copies[next.index]) != before {
                    destinations.release(next, at: before)
                    message.change(next.index) { $0.isParked = false }
                }
                if agent == .remoted, let last = destinations.refusal(of: next, to: destinationName(of: message.copies[next.index]), now: now) {
                    rest(message, next, last, now: now)
                    putOff += 1
                    hasMoreToPutOff = putOff >= Queue.window
                    if hasMoreToPutOff { break }
                    continue
                }
                message.change(next.index) { $0.isParked = false }
                let position = append(.assign(message, message.copies[next.index]))
                message.set(next.index, .assigned(position))
                ready.noteAssigned(message.copies[next.index])
            }
        }
    }

    // MARK: Answers

    /// A final result is final whichever attempt brought it. `isRelayed`: the next host tells the sender nothing of what follows.
    mutating func delivered(_ id: QueueID, _ original: [UInt8], _ final: [UInt8], by agent: Agent, isRelayed: Bool = false) {
        guard let message = messages[id], let index = message.find(original, final) else { return }
        note(.reached, message, index, Answer(), now: .whenever)
        guard settle(message, index, by: agent, .delivered) else { return }
        message.owe(index, nil)
        let notice: Notice? = agent == .locald ? .delivered : isRelayed ? .relayed : nil
        if let notice, message.wants(.success, about: message.copies[index], fallback: false) { owe(notice, message, index) }
        finishIfComplete(message)
    }

    mutating func failed(_ id: QueueID, _ original: [UInt8], _ final: [UInt8], by agent: Agent, _ answer: Answer, reach: Reach = .unknown) {
        guard let message = messages[id], let index = message.find(original, final) else { return }
        note(reach, message, index, answer, now: .whenever)
        fail(message, index, by: agent, answer)
    }

    private mutating func fail(_ message: OpenMessage, _ index: Int, by agent: Agent, _ answer: Answer) {
        guard settle(message, index, by: agent, .failed) else { return }
        message.change(index) { $0.answer = texts(answer) }
        // That it is late is no news any more.
        message.owe(index, nil)
        bounceDue.insert(message.id)
    }

    /// RFC 2852 §4.1.4.
    private static let overdue = Answer(
        status: Array("5.4.7".utf8), reason: Array("it was not delivered within the time that its sender allowed".utf8))

    /// A temporary answer counts for the assignment that it names and no other.
    mutating func deferred(
        _ id: QueueID, _ original: [UInt8], _ final: [UInt8], by agent: Agent, answers: LogPosition, _ answer: Answer, reach: Reach = .unknown, now: WallTime
    ) {
        guard let message = messages[id], let index = message.find(original, final), message.copies[index].state == .assigned(answers),
            message.copies[index].agent == agent
        else { return }
        note(reach, message, index, answer, now: now)
        putOff(message, index, by: agent, answer, now: now)
    }

    /// Lets a copy wait for its next attempt, or ends it.
    mutating func putOff(_ message: OpenMessage, _ index: Int, by agent: Agent, _ answer: Answer, now: WallTime) {
        let id = message.id
        let attempts = Int(message.copies[index].attempts)
        if let ordered = message.order?.answer { return fail(message, index, by: agent, ordered) }
        if message.isOverdue(at: now) {
            return fail(message, index, by: agent, Queue.overdue)
        }
        if schedule.isExhausted(attempts: attempts, accepted: message.began, now: now) {
            return fail(message, index, by: agent, .givenUp(after: attempts, last: answer))
        }
        let until = min(schedule.next(after: attempts, now: now, id: id), message.deadline?.time.later(than: now) ?? .distant)
        guard settle(message, index, by: agent, .waiting(until: until)) else { return }
        message.change(index) { $0.answer = texts(answer) }
        lines.append(.deferred(id, message.copies[index], until: until))
        oweDelay(message, index, now: now, isEarly: answer.isByPolicy && attempts > 1)
        ready.timers.insert(until, CopyIndex(id: id, index: index))
    }

    /// Moves a copy out of `assigned`; false if the answer is not its agent's to give or comes too late.
    private mutating func settle(_ message: OpenMessage, _ index: Int, by agent: Agent, _ state: CopyState) -> Bool {
        let copy = message.copies[index]
        guard copy.agent == agent else { return false }
        switch copy.state {
        case .delivered, .bounced, .failed: return false
        case .assigned: ready.noteAnswered(copy)
        case .waiting: break
        }
        message.set(index, state)
        return true
    }
}
