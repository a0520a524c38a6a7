// Where a session's questions are answered: on worker threads, one at a time, in the order in which they were asked.

import Connection
import IMAPProtocol
import Mailbox
import Synchronization

/// What comes to a session from other threads.
enum StoreNews: Sendable {
    case answer(Session.Answer)
    /// Something in the selected mailbox is not as it was.
    case changed
    /// It may be looked at again.
    case calmed
    /// Time passes.
    case tick
    /// Others had their turn.
    case resumed
}

/// One session's hold on the store. The lock is never waited for in the course of a session, which has one question open
/// at a time; it makes the end of a session, which may come at any time, wait for the last answer.
final class StoreDesk: Sendable {
    private let access: Mutex<AccountAccess?>

    init(_ access: AccountAccess) { self.access = Mutex(access) }

    /// Blocks. `isIdling`: the session waits in IDLE, and is woken by `listener` from here on.
    func answer(_ question: Session.Question, isIdling: Bool, _ listener: ReplyAddress<StoreNews>) -> Session.Answer {
        access.withLock { access in
            // Asked by a session that ended meanwhile: nobody would close what this opens.
            guard access != nil else { return .refused(.unavailable) }
            if isIdling { access?.watch(for: listener) }
            let answer = access?.answer(question)
            if isIdling { access?.rest() }
            return answer ?? .refused(.unavailable)
        }
    }

    /// Closes what an open session can do without until its next command.
    func rest() { access.withLock { $0?.rest() } }

    /// The session is over.
    func close() {
        let last = access.withLock { access in
            defer { access = nil }
            return access
        }
        last?.noteFlags()
    }
}
