// The open folders of one mailbox. Everything is reached through them: a path is resolved once, when they are opened.

import Kernel

/// The descriptors of a mailbox in use; dropped when it rests.
final class FolderHandles: Sendable {
    let folder: DirectoryDescriptor
    let cur: DirectoryDescriptor
    let new: DirectoryDescriptor
    let state: DirectoryDescriptor
    let lock: Descriptor

    /// Opens what is there; `state` is created where other software made the folder.
    init(account: borrowing DirectoryDescriptor, name: MailboxName, context: StoreContext) throws(StoreError) {
        let path: Path = name.isInbox ? "." : Path(name.folder)
        guard let folder = try ifPresent({ () throws(KernelError) in try account.openDirectory(path) }) else {
            throw .folderMissing
        }
        guard let cur = try ifPresent({ () throws(KernelError) in try folder.openDirectory(StoreNames.cur) }) else {
            throw .folderMissing
        }
        self.cur = cur
        new = try folder.existingDirectory(StoreNames.new, mode: context.folderMode)
        let state = try folder.existingDirectory(StoreNames.stateFolder, mode: context.folderMode)
        lock = try kernel { () throws(KernelError) in try state.openOrCreate(StoreNames.lock, mode: context.stateMode) }
        self.state = state
        self.folder = folder
    }

    /// Alone in the mailbox among all programs of ours, until `body` ends.
    func exclusively<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
        try kernel { () throws(KernelError) in try lock.lock() }
        defer { lock.unlock() }
        return try body()
    }

    /// Makes the names in `cur/` durable; what stands against it.
    func syncCur() -> StoreError? {
        do throws(KernelError) { try cur.sync() } catch { return .kernel(error) }
        return nil
    }

    /// Names in the hidden folder; none where there is no such folder.
    func hiddenMessages() throws(StoreError) -> [MessageName] {
        guard let hidden = try ifPresent({ () throws(KernelError) in try state.openDirectory(StoreNames.expunged) })
        else { return [] }
        return try hidden.messageNames()
    }

    /// The hidden folder of expunged messages, made when the first one goes there.
    func hidden(_ context: StoreContext) throws(StoreError) -> DirectoryDescriptor {
        try state.existingDirectory(StoreNames.expunged, mode: context.folderMode)
    }
}

extension DirectoryDescriptor {
    /// Opens a folder in this one, creating it durably if it is missing.
    func existingDirectory(_ name: Path, mode: UInt32) throws(StoreError) -> DirectoryDescriptor {
        if let found = try ifPresent({ () throws(KernelError) in try openDirectory(name) }) { return found }
        do throws(KernelError) {
            try makeDirectory(name, mode: mode)
            try sync()
        } catch {
            if !error.exists { throw .kernel(error) }
        }
        return try kernel { () throws(KernelError) in try openDirectory(name) }
    }

    /// The names in this folder that can be messages.
    func messageNames() throws(StoreError) -> [MessageName] {
        var names: [MessageName] = []
        var doubtful: [MessageName] = []
        try kernel { () throws(KernelError) in
            try forEachEntry { entry in
                guard let name = MessageName(parsing: entry.name) else { return }
                switch entry.kind {
                case .file: names.append(name)
                case .other: doubtful.append(name)
                case .directory, .symbolicLink: break
                }
            }
        }
        // A pipe or a device is no message, and must not spoil the mailbox for those that are.
        for name in doubtful {
            let status = try ifPresent { () throws(KernelError) in try self.status(of: Path(name.bytes)) }
            if status?.kind == .file { names.append(name) }
        }
        return names
    }
}
