// What all sessions share.

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
    let idleTimeout: Duration
    /// In octets.
    let maximumMessageSize: Int
}
