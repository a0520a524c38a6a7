// What retention and crashes left in an account goes after a session, once a day, on a thread that no session waits for.

import Configuration
import Connection
package import Daemon
package import Directory
import Kernel
package import Mailbox
import MailModel
import SpoolFormat
import Synchronization

/// Cleans the accounts that are in use; an account that nobody uses has nothing new to lose.
package final class Cleaning: Sendable {
    private static let interval = Duration.seconds(86400)

    private let store: Path
    private let context: StoreContext
    private let live: LiveConfiguration
    private let protocolName: StaticString
    private let journal: EventJournal
    private let workers = WorkerPool(threads: 1)
    private let cleaned = Mutex<[Mailbox.AccountFolder: MonotonicTime]>([:])

    /// Makes a thread.
    package init(_ live: LiveConfiguration, _ context: StoreContext, protocolName: StaticString, _ journal: EventJournal) {
        store = live.current.paths.store
        self.live = live
        self.context = context
        self.protocolName = protocolName
        self.journal = journal
    }

    /// Call when a session is over: what it had open is not disturbed then.
    package func sessionEnded(_ account: AuthenticatedAccount) {
        guard let folder = Mailbox.AccountFolder(parsing: account.folder.bytes), isDue(folder) else { return }
        workers.submit { self.clean(folder, account.address.wire) }
    }

    private func isDue(_ folder: Mailbox.AccountFolder) -> Bool {
        let now = MonotonicTime.now()
        return cleaned.withLock { cleaned in
            if let last = cleaned[folder], now - last < Cleaning.interval { return false }
            cleaned[folder] = now
            return true
        }
    }

    private func clean(_ folder: Mailbox.AccountFolder, _ address: [UInt8]) {
        do throws(StoreError) {
            let account = try Account(store: store, folder: folder, context: context)
            let now = WallTime.now()
            try account.removeAbandoned(at: now)
            let count = try account.purge(before: now.adding(seconds: -live.current.retention.expunged.components.seconds))
            guard count > 0 else { return }
            journal.note(
                RecordLine(.delete).adding(.account, address).adding(.protocolName, protocolName.withUTF8Buffer { Array($0) })
                    .adding(.count, count).adding(.reason, "retention"))
        } catch {
            // An account without a Maildir has nothing to clean.
            if case .accountMissing = error { return }
            journal.note(RecordLine(.problem).adding(.account, address).adding(.reason, "not cleaned: \(error)"))
        }
    }
}
