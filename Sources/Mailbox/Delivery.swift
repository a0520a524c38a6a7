// From the stage into mailboxes: one rename a copy, one sync a mailbox and batch.

import Kernel
import Synchronization

/// The right to put staged copies into `new/` folders, for locald alone. Safe to use from several threads.
package final class Delivery: Sendable {
    package let stage: Stage
    private let root: DirectoryDescriptor
    private let cache: Mutex<NewFolders>

    /// `openFolders` bounds the descriptors that are kept.
    package init(stage: Stage, openFolders: Int = 512) throws(StoreError) {
        self.stage = stage
        root = try kernel { () throws(KernelError) in try DirectoryDescriptor(opening: stage.store) }
        cache = Mutex(NewFolders(limit: max(1, openFolders)))
    }

    package enum Release: Hashable, Sendable {
        /// It is in `new/`; durable after `syncNew`.
        case released
        /// It was in `new/` already, from an attempt before a crash.
        case alreadyThere
        /// No such file on the stage: see `find`.
        case notStaged
    }

    /// Moves a staged copy into a mailbox. `accountMissing` or `folderMissing` if there is none.
    package func release(
        _ name: MessageName, to account: AccountFolder, mailbox: MailboxName = .inbox
    ) throws(StoreError) -> Release {
        let place = MailboxPlace(account: account, mailbox: mailbox)
        for attempt in 0..<2 {
            let folder = try newFolder(place)
            do throws(KernelError) {
                try stage.directory.renameNoReplace(Path(name.bytes), to: folder.directory, as: Path(name.bytes))
                cache.withLock { $0.unsynced[place] = folder }
                return .released
            } catch {
                if error.exists {
                    cache.withLock { $0.unsynced[place] = folder }
                    try stage.discard(name)
                    return .alreadyThere
                }
                guard error.isMissing else { throw .kernel(error) }
            }
            guard try stage.holds(name) else { return .notStaged }
            // The file is there, so it is the folder that went: another may have its name by now.
            cache.withLock { $0.forget(place) }
            if attempt > 0 { throw .accountMissing }
        }
        return .notStaged
    }

    /// The folders with renames that no sync has covered, handed out once.
    func takeUnsyncedFolders() -> [MailboxPlace: DirectoryBox] {
        cache.withLock { cache in
            defer { cache.unsynced = [:] }
            return cache.unsynced
        }
    }

    /// Makes all releases since the last call durable. Answers the mailboxes for which that failed: what was released
    /// to them must be looked for again.
    package func syncNew() -> [(place: MailboxPlace, error: StoreError)] {
        takeUnsynced().compactMap { unsynced in
            do throws(StoreError) { try unsynced.sync() } catch {
                cache.withLock { $0.forget(unsynced.place) }
                return (unsynced.place, error)
            }
            return nil
        }
    }

    /// How many folders are kept open, for those that watch over descriptors.
    package var openFolderCount: Int { cache.withLock { $0.count } }

    private func newFolder(_ place: MailboxPlace) throws(StoreError) -> DirectoryBox {
        if let known = cache.withLock({ $0.find(place) }) { return known }
        guard let opened = try ifPresent({ () throws(KernelError) in try root.openDirectory(place.path / StoreNames.new) })
        else {
            let account = try ifPresent { () throws(KernelError) in try root.status(of: place.account.path) }
            throw account == nil || place.mailbox.isInbox ? .accountMissing : .folderMissing
        }
        let box = DirectoryBox(opened)
        cache.withLock { $0.keep(place, box) }
        return box
    }
}

/// A mailbox of some account.
package struct MailboxPlace: Hashable, Sendable {
    package let account: AccountFolder
    package let mailbox: MailboxName

    package init(account: AccountFolder, mailbox: MailboxName = .inbox) {
        self.account = account
        self.mailbox = mailbox
    }

    var path: Path { mailbox.isInbox ? account.path : account.path / Path(mailbox.folder) }
}

/// The `new/` folders that are open: the least recently used half goes when there are too many.
struct NewFolders: Sendable {
    private let limit: Int
    private var open: [MailboxPlace: (folder: DirectoryBox, used: UInt64)] = [:]
    private var clock: UInt64 = 0
    /// Folders with renames that no sync has covered; they stay open whatever the limit says.
    var unsynced: [MailboxPlace: DirectoryBox] = [:]

    init(limit: Int) { self.limit = limit }

    mutating func find(_ place: MailboxPlace) -> DirectoryBox? {
        guard let index = open.index(forKey: place) else { return nil }
        clock += 1
        open.values[index].used = clock
        return open.values[index].folder
    }

    mutating func keep(_ place: MailboxPlace, _ folder: DirectoryBox) {
        if open.count >= limit {
            let middle = open.values.map(\.used).sorted()[open.count / 2]
            open = open.filter { $0.value.used > middle }
        }
        clock += 1
        open[place] = (folder, clock)
    }

    mutating func forget(_ place: MailboxPlace) { open[place] = nil }

    var count: Int { open.count }
}
