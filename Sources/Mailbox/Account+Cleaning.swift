// What retention and crashes leave behind, and when it goes.

package import Kernel

extension Account {
    /// Files in `tmp/`, and folders of an unfinished CREATE, are nobody's after this time, as Maildir has it: 36 hours.
    private static let abandoned: Int64 = 36 * 3600

    /// Removes for good what was expunged or deleted before `limit`. Answers how many messages went.
    package func purge(before limit: WallTime) throws(StoreError) -> Int {
        var count = 0
        for name in try mailboxes() {
            do throws(StoreError) { count += try Folder(account: self, name: name).purge(expungedBefore: limit) } catch {
                if error != .folderMissing { throw error }
            }
        }
        guard let deleted = try ifPresent({ () throws(KernelError) in try state.openDirectory(StoreNames.deleted) }) else {
            return count
        }
        for entry in try kernel({ () throws(KernelError) in try deleted.list() }) {
            let digits = entry.name.prefix { $0 != MailboxName.separator }
            guard let seconds = canonicalDecimal(digits, limit: UInt64(Int64.max)), seconds < UInt64(max(0, limit.seconds))
            else { continue }
            count += try deleted.removeMaildir(Path(entry.name))
        }
        return count
    }

    /// Removes what crashes left: appends that were never committed, mailboxes that were never created.
    package func removeAbandoned(at now: WallTime) throws(StoreError) {
        let limit = (now.seconds - Account.abandoned) &* 1_000_000_000
        for name in try mailboxes() {
            let path: Path = name.isInbox ? StoreNames.tmp : Path(name.folder) / StoreNames.tmp
            guard let tmp = try ifPresent({ () throws(KernelError) in try directory.openDirectory(path) }) else { continue }
            for file in try tmp.entries(before: limit) where file.kind != .directory {
                _ = try ifPresent { () throws(KernelError) in try tmp.unlink(Path(file.name)) }
            }
        }
        for folder in try state.entries(before: limit) where folder.name.starts(with: "creating-".utf8) {
            _ = try state.removeMaildir(Path(folder.name))
        }
    }
}

extension DirectoryDescriptor {
    /// Entries that were last modified before a time in nanoseconds.
    fileprivate func entries(before limit: Int64) throws(StoreError) -> [Entry] {
        var old: [Entry] = []
        for entry in try kernel({ () throws(KernelError) in try list() }) {
            let status = try ifPresent { () throws(KernelError) in try self.status(of: Path(entry.name)) }
            if let status, status.modified < limit { old.append(entry) }
        }
        return old
    }

    /// Removes a deleted folder: its own sub-folders and their files, nothing deeper. Answers how many messages it held.
    func removeMaildir(_ name: Path) throws(StoreError) -> Int {
        try kernel { () throws(KernelError) in
            let folder = try openDirectory(name)
            var messages = 0
            let state = StoreNames.stateFolder
            for sub in [StoreNames.cur, StoreNames.new, StoreNames.tmp, state / StoreNames.expunged, state] {
                let found: DirectoryDescriptor
                do throws(KernelError) { found = try folder.openDirectory(sub) } catch {
                    if error.isMissing { continue }
                    throw error
                }
                for entry in try found.list() {
                    try found.unlink(Path(entry.name))
                    if sub == StoreNames.cur || sub == StoreNames.new { messages += 1 }
                }
                try folder.removeDirectory(sub)
            }
            for entry in try folder.list() { try folder.unlink(Path(entry.name)) }
            try removeDirectory(name)
            return messages
        }
    }
}
