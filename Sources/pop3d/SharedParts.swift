// What all sessions share, and who has which maildrop.

import Configuration
import Connection
import Daemon
import Kernel
import Login
import Mailbox
import Synchronization

/// Made once, before the first session.
struct SharedParts: Sendable {
    let journal: EventJournal
    /// For the store, which blocks; apart from the threads that check passwords.
    let workers: WorkerPool
    let store: MailStore
    let cleaning: Cleaning
    let locks = MaildropLocks()
    private(set) var offer: Offer
    private(set) var idleTimeout: Duration

    /// As a session has them that begins now.
    func renewed(_ configuration: Configuration) -> SharedParts {
        var parts = self
        parts.offer = Offer(configuration, hasCertificate: false, bindsLogins: false)
        parts.idleTimeout = configuration.limits.pop3IdleTimeout
        return parts
    }
}

/// The exclusive-access locks (RFC 1939 §3). One process serves all sessions, so a set in memory is enough.
final class MaildropLocks: Sendable {
    private let held = Mutex<Set<AccountFolder>>([])

    /// The lock of a maildrop; nil while another session has it.
    func lock(_ folder: AccountFolder) -> MaildropLock? {
        held.withLock { $0.insert(folder).inserted } ? MaildropLock(folder, of: self) : nil
    }

    fileprivate func unlock(_ folder: AccountFolder) { held.withLock { _ = $0.remove(folder) } }
}

/// Ends by `release`, or with its last holder: an update that is under way keeps it though the connection is gone.
final class MaildropLock: Sendable {
    private let folder: AccountFolder
    private let locks: MaildropLocks
    private let isReleased = Atomic<Bool>(false)

    fileprivate init(_ folder: AccountFolder, of locks: MaildropLocks) {
        self.folder = folder
        self.locks = locks
    }

    /// Lets the next session in; again, it does nothing.
    func release() {
        if !isReleased.exchange(true, ordering: .acquiringAndReleasing) { locks.unlock(folder) }
    }

    deinit { release() }
}
