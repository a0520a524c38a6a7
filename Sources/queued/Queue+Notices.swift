// What senders are told: that copies failed, and, where they asked for it or it takes long, what else became of them.

import Kernel
import MailModel
import SpoolFormat

extension Queue {
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
            guard let index = message.find(key.original, key.final), !message.copies[index].isFinished, message.copies[index].state != .delivered
            else { continue }
            if case .assigned = message.copies[index].state, let agent = message.copies[index].agent { ready.noteAnswered(by: agent) }
            message.set(index, .bounced)
            message.owe(index, nil)
        }
        finishIfComplete(message)
    }

    // MARK: Other notices

    mutating func owe(_ notice: Notice, _ message: OpenMessage, _ index: Int) {
        message.owe(index, notice)
        noticeDue.insert(message.id)
    }

    /// Once a copy has waited for long, or beyond what its sender allowed.
    mutating func oweDelay(_ message: OpenMessage, _ index: Int, now: WallTime) {
        let copy = message.copies[index]
        guard !copy.isDelayTold, copy.owes == nil else { return }
        let isLate = schedule.tellsDelay(began: message.began, now: now)
        let isBeyond = message.deadline.map { $0.mode == .notify && now >= $0.time } ?? false
        guard isLate || isBeyond, message.wants(.delay, about: copy, fallback: true) else { return }
        owe(.delayed, message, index)
    }

    /// The notices that are due, each about copies of one message; what is too much for one comes next time.
    mutating func takeNotices() -> [(message: OpenMessage, notice: Notice, copies: [Int])] {
        let due = noticeDue
        noticeDue.removeAll()
        return due.sorted().flatMap { id in
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
        if copies[index].owes == notice { owe(index, nil) }
    }
}

extension WallTime {
    /// Later than any that is waited for.
    static let distant = WallTime(nanoseconds: .max)

    /// Itself, if it is still to come.
    func later(than now: WallTime) -> WallTime? { self > now ? self : nil }
}
