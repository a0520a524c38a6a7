// What no session was told of yet: `\Recent` of IMAP4rev1. Kept in memory, as sessions are.

import Kernel
import Synchronization

/// Messages that came while this program runs, until a session that may change their mailbox is told of them.
///
/// RFC 3501 §2.3.2: recent to the first session that is notified, and to no other. STATUS, EXAMINE, APPEND and COPY notify
/// nobody. After a restart what was taken up before counts as told.
package final class RecentMessages: Sendable {
    /// Which mailbox: UIDVALIDITYs are unique in an account, and go along when a mailbox is renamed.
    struct Place: Hashable, Sendable {
        let account: [UInt8]
        let validity: UIDValidity
    }

    /// The first and the last; UIDs ascend, so all between came since too.
    private let untold = Mutex<[Place: ClosedRange<MessageUID>]>([:])

    package init() {}

    func note(_ uid: MessageUID, in place: Place) {
        untold.withLock { untold in
            guard let known = untold[place] else { return untold[place] = uid...uid }
            untold[place] = min(known.lowerBound, uid)...max(known.upperBound, uid)
        }
    }

    func all(in place: Place) -> ClosedRange<MessageUID>? { untold.withLock { $0[place] } }

    /// Those up to `last`, which a session is told of now; later ones stay.
    func take(upTo last: MessageUID, in place: Place) -> ClosedRange<MessageUID>? {
        untold.withLock { untold in
            guard let known = untold[place], known.lowerBound <= last else { return nil }
            guard known.upperBound > last, last.rawValue < UInt32.max else {
                untold[place] = nil
                return known
            }
            untold[place] = MessageUID(last.rawValue + 1)...known.upperBound
            return known.lowerBound...last
        }
    }
}

extension Folder {
    private func place(_ c: FolderContents) -> RecentMessages.Place {
        .init(account: account.directory.path.bytes, validity: c.state.validity)
    }

    func noteRecent(_ uid: MessageUID, _ c: FolderContents) { context.recent.note(uid, in: place(c)) }

    /// The UIDs of messages that no session was told of; nobody counts as told by asking.
    package var recent: ClosedRange<MessageUID>? { contents.withLock { context.recent.all(in: place($0)) } }

    /// The same, of those that this object knows; they are recent to the caller's session and to no other.
    package func takeRecent() -> ClosedRange<MessageUID>? {
        contents.withLock { c in c.messages.last.flatMap { context.recent.take(upTo: $0.uid, in: place(c)) } }
    }
}
