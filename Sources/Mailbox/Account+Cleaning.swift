// What retention and crashes leave behind, and when it goes.

package import Kernel

extension Account {
    /// Files in `tmp/`, and folders of an unfinished CREATE, are nobody's after this time, as Maildir has it: 36 hours.
    private static let abandoned: Int64 = 36 * 3600

    /// Removes for good what was expunged or deleted before `limit`. Answers how many messages went.
    package func purge(before limit: WallTime) throws(StoreError) -> Int {
        var count = 0
        for name in try mailboxes() {
            do throws(StoreError) { count += try purge(name, before: limit) } catch {
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

    /// One mailbox. Mail in `new/` stays there, and a mailbox that IMAP never opened gets no numbers: its owner's first
    /// login must find an unused account.
    private func purge(_ name: MailboxName, before limit: WallTime) throws(StoreError) -> Int {
        let path: Path = name.isInbox ? StoreNames.stateFolder : Path(name.folder) / StoreNames.stateFolder
        let hidden = path / StoreNames.expunged
        guard try ifPresent({ () throws(KernelError) in try directory.status(of: hidden) }) != nil else { return 0 }
        let handles = try FolderHandles(account: directory, name: name, context: context)
        let old = try handles.hiddenMessages().filter { ($0.expunged?.seconds ?? .max) < limit.seconds }
        guard !old.isEmpty else { return 0 }
        // What pop3d took goes with a MODSEQ, which a look at the mailbox gives it, before nothing tells of it any more.
        if let state = try handles.readState(), old.contains(where: { state.lacksModSequence(of: $0) }) {
            _ = try Folder(account: self, name: name)
        }
        return try handles.exclusively { () throws(StoreError) -> Int in
            try handles.recordExpunged(old, context)
            let hidden = try handles.hidden(context)
            var count = 0
            for name in old where try ifPresent({ () throws(KernelError) in try hidden.unlink(Path(name.bytes)) }) != nil {
                count += 1
            }
            return count
        }
    }

    /// Removes what crashes left: appends that were never committed, mailboxes that were never created, halves of state files.
    package func removeAbandoned(at now: WallTime) throws(StoreError) {
        let limit = (now.seconds - Account.abandoned) &* 1_000_000_000
        for name in try mailboxes() {
            let path: Path = name.isInbox ? "." : Path(name.folder)
            try removeAbandoned(in: path / StoreNames.tmp, before: limit) { _ in true }
            try removeAbandoned(in: path / StoreNames.stateFolder, before: limit) { $0.starts(with: ".tmp-".utf8) }
        }
        for folder in try state.entries(before: limit) where folder.name.starts(with: "creating-".utf8) {
            _ = try state.removeMaildir(Path(folder.name))
        }
    }

    private func removeAbandoned(in path: Path, before limit: Int64, _ isOurs: ([UInt8]) -> Bool) throws(StoreError) {
        guard let folder = try ifPresent({ () throws(KernelError) in try directory.openDirectory(path) }) else { return }
        for file in try folder.entries(before: limit) where file.kind != .directory && isOurs(file.name) {
            _ = try ifPresent { () throws(KernelError) in try folder.unlink(Path(file.name)) }
        }
    }
}

extension FolderState {
    /// Whether this is a message of the folder that went without a word in it, as pop3d's do.
    fileprivate func lacksModSequence(of name: MessageName) -> Bool {
        guard name.expunged?.modSequence.rawValue == 0, let uid = name.uid(in: validity) else { return false }
        return !isExpunged(uid)
    }
}

extension FolderHandles {
    /// The durable facts of the folder; nil where IMAP never was.
    fileprivate func readState() throws(StoreError) -> FolderState? {
        guard let text = try ifPresent({ () throws(KernelError) in
            try state.contents(of: StoreNames.state, limit: StoreNames.stateLimit)
        }) else { return nil }
        guard let known = FolderState(parsing: text) else { throw .damaged(path: state.path.bytes) }
        return known
    }

    /// Remembers durably that these went, before the last trace of them goes.
    fileprivate func recordExpunged(_ names: [MessageName], _ context: StoreContext) throws(StoreError) {
        guard let before = try readState() else { return }
        if before.isDeleted { throw .folderMissing }
        var known = before
        let byAge = Dictionary(grouping: names) { $0.expunged?.modSequence.rawValue ?? 0 }
        for (modSequence, names) in byAge.sorted(by: { $0.key < $1.key }) {
            let uids = names.compactMap { $0.uid(in: before.validity) }.filter { !before.isExpunged($0) }
            known.record(expunged: UIDRanges(uids), at: modSequence)
        }
        guard known != before else { return }
        let text = known.text
        try kernel { () throws(KernelError) in try state.replace(StoreNames.state, with: text, mode: context.stateMode) }
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

    /// Removes a deleted folder with all that other software put into it. Answers how many messages it held.
    func removeMaildir(_ name: Path) throws(StoreError) -> Int {
        var messages = 0
        for sub in [StoreNames.cur, StoreNames.new] {
            let found = try ifPresent { () throws(KernelError) in try openDirectory(name / sub) }
            messages += try found?.messageNames().count ?? 0
        }
        try kernel { () throws(KernelError) in try removeTree(name, depth: 32) }
        return messages
    }
}
