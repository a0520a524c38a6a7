// What senders are told: that copies failed, and, where they asked for it or it takes long, what else became of them.

import Kernel
import MailModel
import SpoolFormat

extension Queue {
    // MARK: Bounces

    /// Copies that one notice tells of: its record must stay below a line's limit.
    static let noticeLimit = 500
    /// Messages whose notices are composed together: each may return a message of 1 MiB, and waits in memory for its commit.
    static let noticesAtOnce = 32

    /// The messages whose failures are to be told, and which copies they are; what is too much for one notice comes next time.
    mutating func takeBounces() -> [(message: OpenMessage, failed: [Int])] {
        let due = Array(bounceDue.sorted().prefix(Queue.noticesAtOnce))
        bounceDue.subtract(due)
        return due.compactMap { id in
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
            guard let index = message.find(key.original, key.final), !message.copies[index].isFinished, message.copies[index].state != .delivered
            else { continue }
            if case .assigned = message.copies[index].state { ready.noteAnswered(message.copies[index]) }
            message.set(index, .bounced)
            message.owe(index, nil)
        }
        finishIfComplete(message)
    }

    /// What an accepted notice says of its parent's copies: the telling is done, whatever else a crash took.
    struct Telling {
        let parent: QueueID
        /// Nil for a failure.
        let notice: Notice?
        let copies: [(original: [UInt8], final: [UInt8])]
    }

    mutating func heard(_ telling: Telling) {
        // At a start the copies are not known before the replay.
        guard isRebuilt else { return tellings.append(telling) }
        if let notice = telling.notice { told(telling.parent, notice, of: telling.copies) } else { bounced(telling.parent, covering: telling.copies) }
    }

    /// The same at a start: nothing is said of it yet.
    mutating func applyTellings() {
        for telling in tellings {
            guard let message = messages[telling.parent] else { continue }
            for key in telling.copies {
                guard let index = message.find(key.original, key.final) else { continue }
                if telling.notice != nil { message.told(index, telling.notice) } else if message.copies[index].state != .delivered {
                    message.set(index, .bounced)
                    message.owe(index, nil)
                }
            }
        }
        tellings.removeAll()
        isRebuilt = true
    }

    // MARK: Other notices

    mutating func owe(_ notice: Notice, _ message: OpenMessage, _ index: Int) {
        message.owe(index, notice)
        noticeDue.insert(message.id)
    }

    /// Once a copy has waited for long, or beyond what its sender allowed; `isEarly`: waiting alone will not help it.
    mutating func oweDelay(_ message: OpenMessage, _ index: Int, now: WallTime, isEarly: Bool = false) {
        let copy = message.copies[index]
        guard !copy.isDelayTold, copy.owes == nil, !message.isArchive(copy) else { return }
        let isLate = schedule.tellsDelay(attempts: Int(copy.attempts), began: message.began, now: now)
        let isBeyond = message.deadline.map { $0.mode == .notify && now >= $0.time } ?? false
        guard isLate || isBeyond || isEarly && schedule.delayNotice > 0, message.wants(.delay, about: copy, fallback: true) else { return }
        owe(.delayed, message, index)
    }

    /// The notices that are due, each about copies of one message; what is too much for one comes next time.
    mutating func takeNotices() -> [(message: OpenMessage, notice: Notice, copies: [Int])] {
        let due = Array(noticeDue.sorted().prefix(Queue.noticesAtOnce))
        noticeDue.subtract(due)
        return due.flatMap { id in
            Notice.allCases.compactMap { notice -> (OpenMessage, Notice, [Int])? in
                guard let message = messages[id] else { return nil }
                let owing = message.owing(notice)
                if owing.count > Queue.noticeLimit { noticeDue.insert(id) }
                return owing.isEmpty ? nil : (message, notice, Array(owing.prefix(Queue.noticeLimit)))
            }
        }
    }

    /// The notice about these copies was accepted.
    mutating func told(_ id: QueueID, _ notice: Notice, of keys: [(original: [UInt8], final: [UInt8])]) {
        guard let message = messages[id] else { return }
        for key in keys {
            if let index = message.find(key.original, key.final) { message.told(index, notice) }
        }
        finishIfComplete(message)
    }
}

extension OpenMessage {
    /// Who was told that a copy is delivered is told so once, also if its agent says it again after a start.
    func told(_ index: Int, _ notice: Notice?) {
        switch notice {
        case .delivered, .relayed: set(index, .delivered)
        case .delayed: change(index) { $0.isDelayTold = true }
        case nil: return
        }
        // That it is late is no news for who knows the end.
        if copies[index].owes == notice || notice != .delayed { owe(index, nil) }
    }
}

extension WallTime {
    /// Later than any that is waited for.
    static let distant = WallTime(nanoseconds: .max)

    /// Itself, if it is still to come.
    func later(than now: WallTime) -> WallTime? { self > now ? self : nil }
}
