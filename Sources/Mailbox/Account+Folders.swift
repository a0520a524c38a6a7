// Creating, deleting and renaming mailboxes: each is one rename, so a crash leaves the old or the new.

package import Kernel

extension Account {
    /// All mailboxes, INBOX first. Folders whose names are no modified UTF-7 are not mailboxes; see `foreignFolders`.
    package func mailboxes() throws(StoreError) -> [MailboxName] {
        let names = try folderEntries().compactMap { MailboxName(folder: $0) }
        return [.inbox] + names.sorted()
    }

    /// Folders of other software that no client can name; for `mailctl doctor`.
    package func foreignFolders() throws(StoreError) -> [[UInt8]] {
        try folderEntries().filter { MailboxName(folder: $0) == nil }
    }

    private func folderEntries() throws(StoreError) -> [[UInt8]] {
        let entries = try kernel { () throws(KernelError) in try directory.list() }
        var found: [[UInt8]] = []
        for entry in entries where entry.name.first == MailboxName.separator {
            if entry.kind == .file || entry.kind == .symbolicLink { continue }
            let status = try statusOfCur(entry.name)
            if status?.kind == .directory { found.append(entry.name) }
        }
        return found
    }

    private func statusOfCur(_ folder: [UInt8]) throws(StoreError) -> FileStatus? {
        do throws(KernelError) { return try directory.status(of: Path(folder) / StoreNames.cur) } catch {
            // ENOTDIR is 20 on Linux: an entry of unknown kind that is no folder.
            if error.isMissing || error.code == 20 { return nil }
            throw .kernel(error)
        }
    }

    package func exists(_ name: MailboxName) throws(StoreError) -> Bool {
        if name.isInbox { return true }
        return try statusOfCur(name.folder)?.kind == .directory
    }

    /// Creates a mailbox with its UIDVALIDITY; durable when it returns (RFC 9051 §6.3.4).
    package func create(_ name: MailboxName) throws(StoreError) {
        guard !name.isInbox else { throw .folderExists }
        if try exists(name) { try clear(name) }
        let validity = try takeValidity()
        let temporary = Path(Array("creating-".utf8) + decimal(validity.rawValue))
        let folder = try makeFolder(temporary, in: state)
        try prepare(folder, validity)
        do throws(KernelError) {
            try state.renameNoReplace(temporary, to: directory, as: Path(name.folder))
            try directory.sync()
        } catch {
            throw error.exists ? .folderExists : .kernel(error)
        }
    }

    private func makeFolder(_ name: Path, in parent: borrowing DirectoryDescriptor) throws(StoreError) -> DirectoryDescriptor {
        try kernel { () throws(KernelError) in
            try parent.makeDirectory(name, mode: context.folderMode)
            return try parent.openDirectory(name)
        }
    }

    private func prepare(_ folder: borrowing DirectoryDescriptor, _ validity: UIDValidity) throws(StoreError) {
        for name in [StoreNames.cur, StoreNames.new, StoreNames.tmp] { _ = try makeFolder(name, in: folder) }
        let state = try makeFolder(StoreNames.stateFolder, in: folder)
        let changes = ChangeLog.header(boot: context.bootID, validity: validity)
            + ChangeRecord.numbers(nextUID: 1, modSequence: 1).line
        try kernel { () throws(KernelError) in
            _ = try folder.create(StoreNames.marker, mode: context.stateMode)
            try state.create(StoreNames.changes, mode: context.stateMode).write(changes)
            try state.replace(StoreNames.state, with: FolderState(validity: validity, numbering: numbering).text, mode: context.stateMode)
            try folder.sync()
        }
    }

    /// Deletes a mailbox, not those below it (RFC 9051 §6.3.5). It stays hidden for the retention time; durable when it returns.
    package func delete(_ name: MailboxName, at now: WallTime) throws(StoreError) {
        guard !name.isInbox else { throw .nameRefused }
        if let halfDeleted = try markedDeleted(name) { return try hide(name, halfDeleted, at: now) }
        try hide(name, try Folder(account: self, name: name).markDeleted(), at: now)
    }

    /// The UIDVALIDITY of a mailbox whose deletion a crash cut short; nil for every other.
    private func markedDeleted(_ name: MailboxName) throws(StoreError) -> UIDValidity? {
        let path = Path(name.folder) / StoreNames.stateFolder
        guard let folder = try ifPresent({ () throws(KernelError) in try directory.openDirectory(path) }),
            let text = try ifPresent({ () throws(KernelError) in
                try folder.contents(of: StoreNames.state, limit: StoreNames.stateLimit)
            }), let state = FolderState(parsing: text), state.isDeleted
        else { return nil }
        return state.validity
    }

    /// Makes room for a new mailbox where an old one was all but deleted.
    private func clear(_ name: MailboxName) throws(StoreError) {
        guard let halfDeleted = try markedDeleted(name) else { throw .folderExists }
        try hide(name, halfDeleted, at: WallTime.now())
    }

    private func hide(_ name: MailboxName, _ validity: UIDValidity, at now: WallTime) throws(StoreError) {
        let deleted = try state.existingDirectory(StoreNames.deleted, mode: context.folderMode)
        let hidden = decimal(max(0, now.seconds)) + [0x2E] + decimal(validity.rawValue) + name.folder
        try kernel { () throws(KernelError) in
            try directory.rename(Path(name.folder), to: deleted, as: Path(hidden))
            try deleted.sync()
            try directory.sync()
        }
    }

    /// Renames a mailbox and those below it (RFC 9051 §6.3.6). INBOX stays, and gives its messages to the new one.
    ///
    /// Each folder is renamed at once and whole; a crash between two leaves some below the old name. The UIDVALIDITY goes
    /// with the folder: unique in the account, and so a change to whoever knew another mailbox of the new name.
    package func rename(_ old: MailboxName, to new: MailboxName) throws(StoreError) {
        guard !new.isInbox, !new.isInferior(to: old) || old.isInbox else { throw .nameRefused }
        if old.isInbox { return try moveInbox(to: new) }
        guard try exists(old) else { throw .folderMissing }
        let pairs = try mailboxes().filter { $0 == old || $0.isInferior(to: old) }
            .map { (from: $0, to: $0.moved(from: old, to: new)) }
        for pair in pairs {
            guard let target = pair.to else { throw .nameRefused }
            if try exists(target) { throw .folderExists }
        }
        do throws(KernelError) {
            for case (let from, let to?) in pairs {
                try directory.renameNoReplace(Path(from.folder), to: directory, as: Path(to.folder))
            }
            try directory.sync()
        } catch {
            throw error.exists ? .folderExists : .kernel(error)
        }
    }

    private func moveInbox(to new: MailboxName) throws(StoreError) {
        try create(new)
        let inbox = try open(.inbox)
        _ = try inbox.move(inbox.uids, to: try open(new))
    }
}

extension Folder {
    /// Says durably that the folder is deleted, so that whoever has it open adds no message to it.
    func markDeleted() throws(StoreError) -> UIDValidity {
        try withContents { c throws(StoreError) in
            try self.locked(&c) { c, handles throws(StoreError) -> UIDValidity in
                c.state.isDeleted = true
                try self.writeState(&c, handles)
                return c.state.validity
            }
        }
    }
}
