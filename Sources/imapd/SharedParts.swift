// What all sessions share.

import Configuration
import Connection
import Daemon
import Kernel
import Login
import Mailbox

/// Made once, before the first session.
struct SharedParts: Sendable {
    let journal: EventJournal
    /// For the store, which blocks; apart from the threads that check passwords.
    let workers: WorkerPool
    let store: MailStore
    let watch: MailboxWatch
    let flagSync: FlagSync
    let cleaning: Cleaning
    private(set) var idleTimeout: Duration
    /// In octets.
    private(set) var maximumMessageSize: Int

    /// As a session has them that begins now.
    func renewed(_ configuration: Configuration) -> SharedParts {
        var parts = self
        parts.idleTimeout = configuration.limits.imapIdleTimeout
        parts.maximumMessageSize = Int(clamping: configuration.limits.messageSize.bytes)
        return parts
    }
}
