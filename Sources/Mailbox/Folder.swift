// One mailbox as imapd sees it. The files in `cur/` and `new/` are the truth; this object is what was last seen of them.
// All that it shows has a UID that is in the file's name and below the durable reservation.

package import Kernel
import Synchronization

/// An open mailbox; safe to share between threads and sessions. Other programs may change the same folder at any time.
package final class Folder: Sendable {
    package let name: MailboxName
    let account: Account
    let contents: Mutex<FolderContents>

    var context: StoreContext { account.context }

    init(account: Account, name: MailboxName) throws(StoreError) {
        self.account = account
        self.name = name
        contents = Mutex(FolderContents())
        try withContents { c throws(StoreError) in try self.refresh(&c, lookAgain: false) }
    }

    /// Runs `body` alone among the threads that share this object.
    func withContents<R: Sendable>(_ body: (inout FolderContents) throws(StoreError) -> R) throws(StoreError) -> R {
        try contents.withLock { (c: inout FolderContents) throws(StoreError) -> R in try body(&c) }
    }

    // MARK: What is known, without a look at the disk

    package var validity: UIDValidity { contents.withLock { $0.state.validity } }
    package var uidNext: MessageUID { contents.withLock { MessageUID(UInt32(clamping: $0.nextUID)) } }
    package var highestModSequence: ModSequence { contents.withLock { ModSequence($0.modSequence) } }
    package var keywords: KeywordTable { contents.withLock { $0.state.keywords } }
    package var generation: Generation { contents.withLock { Generation(rawValue: $0.history.generation) } }
    package var count: Int { contents.withLock { $0.messages.count } }

    /// All messages by ascending UID.
    package var messages: [StoredMessage] { contents.withLock { $0.messages } }
    package var uids: [MessageUID] { contents.withLock { $0.messages.map(\.uid) } }

    package func message(_ uid: MessageUID) -> StoredMessage? {
        contents.withLock { c in c.index(of: uid).map { c.messages[$0] } }
    }

    /// Those of the UIDs, which ascend, that are there.
    package func messages(_ uids: some Sequence<MessageUID>) -> [StoredMessage] {
        contents.withLock { c in uids.compactMap { uid in c.index(of: uid).map { c.messages[$0] } } }
    }

    /// What changed since a generation, as far as the last look at the disk goes.
    package func changes(since old: Generation) -> FolderChanges { contents.withLock { $0.changes(since: old) } }

    // MARK: A look at the disk

    /// Looks at the folder, takes up what is new, and says what changed since a generation.
    ///
    /// Costs two system calls where nothing changed. `lookAgain` is for a caller whom inotify told of a change: time
    /// stamps alone may be too coarse to show it.
    package func refresh(since old: Generation = .beginning, lookAgain: Bool = false) throws(StoreError) -> FolderChanges {
        try withContents { c throws(StoreError) in
            try self.refresh(&c, lookAgain: lookAgain)
            return c.changes(since: old)
        }
    }

    /// The folders to watch for changes, for the descriptor that the program watches with.
    package var watchPaths: [Path] {
        let base = account.directory.path
        let folder = name.isInbox ? base : base / Path(name.folder)
        return [folder / StoreNames.new, folder / StoreNames.cur]
    }

    /// Whether a change of flags waits for `syncFlags`.
    package var pendingSync: Bool { contents.withLock { $0.pendingSync } }

    /// Makes changed flags durable; to be called within a second of the change.
    package func syncFlags() throws(StoreError) {
        let handles = try withContents { c throws(StoreError) -> FolderHandles? in
            guard c.pendingSync else { return nil }
            c.pendingSync = false
            return try self.handles(&c)
        }
        guard let handles else { return }
        do throws(KernelError) { try handles.cur.sync() } catch {
            contents.withLock { $0.pendingSync = true }
            throw .kernel(error)
        }
    }

    /// Closes the descriptors until the next use; what is known of the messages stays.
    package func rest() {
        contents.withLock { c in
            c.handles = nil
            c.log = nil
        }
    }

    func handles(_ c: inout FolderContents) throws(StoreError) -> FolderHandles {
        if let open = c.handles { return open }
        let opened = try FolderHandles(account: account.directory, name: name, context: context)
        c.handles = opened
        return opened
    }
}

/// What a `Folder` knows. Messages ascend by UID; `nextUID` and `modSequence` are within the durable reservation.
struct FolderContents: Sendable {
    var handles: FolderHandles?
    var log: ChangeLogFile?
    var logInode: UInt64 = 0
    var logRead: Int64 = 0
    /// Set when the log was lost: the folder must be listed whatever its time stamps say.
    var mustList = true
    var state = FolderState(validity: UIDValidity(0))
    var stateStamp: FileStamp?
    var messages: [StoredMessage] = []
    var nextUID: UInt64 = 1
    var modSequence: UInt64 = 1
    /// What of both the log says; what is above was given to nobody.
    var told: (nextUID: UInt64, modSequence: UInt64) = (1, 1)
    var isLoaded = false
    /// What other programs wrote about messages and we have not compared with the folder yet.
    var logged: [MessageUID: (modSequence: UInt64, flags: MessageFlags)] = [:]
    var loggedExpunged = UIDRanges()
    var curStamp = FolderStamp()
    var newStamp = FolderStamp()
    var history = ChangeHistory()
    var pendingSync = false

    /// Takes up what our own renames did to `cur/`; where that cannot be asked it is listed again, and nothing has failed.
    mutating func stampCur(_ handles: FolderHandles) {
        guard let status = try? handles.cur.status() else { return mustList = true }
        curStamp.adopt(status)
    }

    func index(of uid: MessageUID) -> Int? {
        var low = 0
        var high = messages.count
        while low < high {
            let middle = (low + high) / 2
            if messages[middle].uid < uid { low = middle + 1 } else { high = middle }
        }
        return low < messages.count && messages[low].uid == uid ? low : nil
    }

    func changes(since old: Generation) -> FolderChanges {
        var result = FolderChanges(generation: Generation(rawValue: history.generation))
        guard let entries = history.since(old) else {
            result.added = messages
            result.isComplete = true
            return result
        }
        for (uid, kind) in entries {
            switch kind {
            case .vanished: result.vanished.append(uid)
            case .added: if let index = index(of: uid) { result.added.append(messages[index]) }
            case .changed: if let index = index(of: uid) { result.changed.append(messages[index]) }
            }
        }
        return result
    }
}

/// Which content of a state file was read.
struct FileStamp: Hashable, Sendable {
    let inode: UInt64
    let modified: Int64
    init(_ status: FileStatus) {
        inode = status.inode
        modified = status.modified
    }
}

/// When a folder was last listed, and whether its time stamp can vouch that nothing came since.
struct FolderStamp: Sendable {
    var modified: Int64 = -1
    var inode: UInt64 = 0
    /// A time stamp moves in ticks of the kernel's clock; one that is older than a tick when the list is made is settled.
    var isSettled = false
    var listedAt = MonotonicTime(nanoseconds: 0)
    /// How long to believe an unsettled stamp. Grows with the cost of a listing, so that looking costs a twentieth at most.
    var patience: Int64 = 0

    static let tick: Int64 = 20_000_000

    func matches(_ status: FileStatus) -> Bool { status.modified == modified && status.inode == inode }

    func isCurrent(_ status: FileStatus, now: MonotonicTime) -> Bool {
        matches(status) && (isSettled || now.nanoseconds - listedAt.nanoseconds < patience)
    }

    /// After a change of our own to a folder that was as we knew it: the new stamp is believed for a second, then verified.
    mutating func adopt(_ status: FileStatus) {
        modified = status.modified
        isSettled = false
        patience = max(patience, 1_000_000_000)
    }
}
