// One session after login: the machine's actions done, its questions answered by workers. Never blocks the loop.

import Connection
import Daemon
import Directory
import Kernel
import Login
import Mailbox
import MailModel
import POP3Protocol
import SpoolFormat

/// What comes back to a session from a worker.
enum MaildropAnswer: Sendable {
    case opened(OpenMaildrop)
    case content(OpenMaildrop.Message, [UInt8])
    case updated([Int])
    case missing
    case failed(StoreError)
}

/// Drives a `Session` on its connection's loop.
final class MaildropDriver: SessionDriver {
    typealias Answer = MaildropAnswer

    private let shared: SharedParts
    private let account: AuthenticatedAccount
    private let peer: [UInt8]
    private let role: [UInt8]
    private let tls: [UInt8]?
    private var session: Session
    private var maildrop: OpenMaildrop?
    /// The message that is being sent.
    private var message: OpenMaildrop.Message?
    private var deleted = 0

    init(_ shared: SharedParts, _ guest: HandedOver<AuthenticatedAccount>) {
        self.shared = shared
        account = guest.account
        peer = guest.arrival.peer.address
        role = guest.arrival.role.name
        tls = guest.tls?.summary
        session = Session(shared.offer.capabilities(for: guest.arrival.peer, isTLS: guest.tls != nil))
    }

    var wantsInput: Bool { session.wantsInput }

    func opened(_ wire: Wire<MaildropAnswer>) { wire.limitSilence(to: shared.idleTimeout) }
    func received(_ bytes: ArraySlice<UInt8>) { session.received(bytes) }
    func deadlinePassed() { session.deadlinePassed() }
    func shutdownRequested() { session.shutdownRequested() }

    func ended(_ ending: Ending) {
        var line = event(.disconnect)
        if !ending.complaint.isEmpty { line.add(.reason, ending.complaint) }
        shared.journal.note(line)
        shared.cleaning.sessionEnded(account)
    }

    func step(_ wire: Wire<MaildropAnswer>) -> Bool {
        guard let action = session.next() else { return false }
        switch action {
        case .send(let bytes): wire.send(bytes)
        case .ask(let question): ask(question, wire)
        case .close:
            // Before the client reads the goodbye, so that it can come back at once (RFC 1939 §6).
            if let maildrop {
                maildrop.close()
                shared.journal.note(event(.logout).adding(.count, deleted))
            }
            wire.close()
        }
        return true
    }
}

// MARK: questions

extension MaildropDriver {
    private func ask(_ question: Session.Question, _ wire: Wire<MaildropAnswer>) {
        switch question {
        case .open: open(wire)
        case .content(let index, let offset): read(index, from: offset, wire)
        case .update(let indexes): delete(indexes, wire)
        }
    }

    private func open(_ wire: Wire<MaildropAnswer>) {
        // The name of a folder that the directory should never have given is trouble, not an empty maildrop.
        guard let folder = Mailbox.AccountFolder(parsing: account.folder.bytes) else {
            problem("no folder name: \(account.folder)")
            return session.answered(.unavailable)
        }
        guard let lock = shared.locks.lock(folder) else { return session.answered(.inUse) }
        let store = shared.store
        wire.ask(shared.workers) {
            MaildropDriver.attempt { () throws(StoreError) in .opened(try store.open(folder, lock: lock)) }
        }
    }

    private func read(_ index: Int, from offset: Int, _ wire: Wire<MaildropAnswer>) {
        if let message, message.index == index, offset >= message.size, offset > 0 { return readToTheEnd(message) }
        guard let maildrop else { return session.answered(.unavailable) }
        let message = offset > 0 ? message : nil
        wire.ask(shared.workers) {
            MaildropDriver.attempt { () throws(StoreError) in
                let (message, bytes) = try maildrop.read(index, from: offset, message)
                return .content(message, bytes)
            }
        }
    }

    /// Known without another look at the disk: the whole message went to the client.
    private func readToTheEnd(_ message: OpenMaildrop.Message) {
        shared.journal.note(fileEvent(.fetch, message.index).adding(.size, message.size))
        self.message = nil
        session.answered(.content([]))
    }

    private func delete(_ indexes: [Int], _ wire: Wire<MaildropAnswer>) {
        guard let maildrop else { return session.answered(.unavailable) }
        wire.ask(shared.workers) {
            MaildropDriver.attempt { () throws(StoreError) in
                try maildrop.delete(indexes)
                return .updated(indexes)
            }
        }
    }

    private static func attempt(_ body: () throws(StoreError) -> MaildropAnswer) -> MaildropAnswer {
        do throws(StoreError) { return try body() } catch {
            if case .messageMissing = error { return .missing }
            return .failed(error)
        }
    }

    func answered(_ answer: MaildropAnswer) {
        switch answer {
        case .opened(let maildrop):
            self.maildrop = maildrop
            noteLogin(maildrop)
            if maildrop.unreadable > 0 { problem("\(maildrop.unreadable) messages cannot be read") }
            session.answered(.opened(maildrop.messages))
        case .content(let message, let bytes):
            self.message = message
            session.answered(.content(bytes))
        case .updated(let indexes):
            deleted = indexes.count
            for index in indexes { shared.journal.note(fileEvent(.delete, index).adding(.size, maildrop?.messages[index].size ?? 0)) }
            session.answered(.updated(removed: indexes.count))
        case .missing: session.answered(.missing)
        case .failed(let error):
            problem("\(error)")
            session.answered(.unavailable)
        }
    }
}

// MARK: events

extension MaildropDriver {
    private func event(_ verb: Verb) -> RecordLine { RecordLine(verb).adding(.account, account.address.wire).adding(.peer, peer) }

    private func noteLogin(_ maildrop: OpenMaildrop) {
        var line = event(.login).adding(.protocolName, role).adding(.count, maildrop.messages.count)
        line.add(.tls, tls)
        shared.journal.note(line)
    }

    private func fileEvent(_ verb: Verb, _ index: Int) -> RecordLine {
        RecordLine(verb).adding(.account, account.address.wire).adding(.protocolName, "pop3")
            .adding(.file, maildrop?.uniquePart(of: index) ?? [])
    }

    private func problem(_ reason: String) { shared.journal.note(event(.problem).adding(.reason, reason)) }
}
