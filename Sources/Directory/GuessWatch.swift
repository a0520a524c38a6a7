// The failures of this process and of its neighbours, for every thread that checks a password.

package import MailModel
package import SASLProtocol
import Synchronization

/// One attempt to log in, as counts know it.
package struct LoginAttempt: Hashable, Sendable {
    /// The client's address as text.
    package let peer: [UInt8]
    /// What stands for the name that was said: a keyed hash, because a name that nobody has may be a password in the wrong field.
    package internal(set) var mark: [UInt8]?
    /// The account of that name, if there is one.
    package internal(set) var known: EmailAddress?
    /// Not looked at, because too many failed before.
    package internal(set) var isBlocked = false
}

/// A table of failures that threads share.
package final class GuessWatch: Sendable {
    private let table: Mutex<GuessTable>

    package init(_ limits: GuessLimits) { table = Mutex(GuessTable(limits)) }

    /// Other limits begin with no failures.
    package func limit(to limits: GuessLimits) {
        table.withLock { if $0.limits != limits { $0 = GuessTable(limits) } }
    }

    /// A failure, here or in another service. What was blocked is not counted: else a device that tries every minute would be
    /// kept out for ever.
    package func failed(from peer: [UInt8], as mark: [UInt8]?, at now: Int64) {
        table.withLock { $0.failed(from: guesserKey(peer), as: mark, at: now) }
    }

    package func succeeded(from peer: [UInt8], as mark: [UInt8], at now: Int64) {
        table.withLock { $0.succeeded(from: guesserKey(peer), as: mark, at: now) }
    }

    func isBlocked(from peer: [UInt8], as mark: [UInt8], at now: Int64) -> Bool {
        table.withLock { $0.isBlocked(from: guesserKey(peer), as: mark, at: now) }
    }

    /// By how much the answer to this failure is to take longer than usual.
    package func patience(with attempt: LoginAttempt, at now: Int64) -> Int {
        table.withLock { $0.patience(with: guesserKey(attempt.peer), as: attempt.mark, at: now) }
    }
}
