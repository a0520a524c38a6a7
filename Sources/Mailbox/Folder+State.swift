// How a folder reads and writes its durable state and its change log. All of it happens under the folder's lock.

import Kernel

/// The log's descriptor for appending, and how far it was read.
final class ChangeLogFile: Sendable {
    let descriptor: Descriptor
    let inode: UInt64
    init(_ descriptor: consuming Descriptor, inode: UInt64) {
        self.descriptor = descriptor
        self.inode = inode
    }
}

extension Folder {
    /// Locks the folder, brings state and numbers up to what other programs wrote, and runs `body`.
    func locked<R>(
        _ c: inout FolderContents, _ body: (inout FolderContents, FolderHandles) throws(StoreError) -> R
    ) throws(StoreError) -> R {
        let handles = try handles(&c)
        return try handles.exclusively { () throws(StoreError) -> R in
            try readState(&c, handles)
            try readLog(&c, handles)
            do throws(StoreError) { return try body(&c, handles) } catch {
                // Numbers that no other program heard of are theirs to give: UIDNEXT must not promise more.
                (c.nextUID, c.modSequence) = c.told
                throw error
            }
        }
    }

    /// Reads the state file if it is another than the one that was read; makes one for a folder that has none.
    private func readState(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        let status = try ifPresent { () throws(KernelError) in try handles.state.status(of: StoreNames.state) }
        guard let status else { return try makeState(&c, handles) }
        if c.stateStamp == FileStamp(status) { return }
        let text = try kernel { () throws(KernelError) in
            try handles.state.contents(of: StoreNames.state, limit: StoreNames.stateLimit)
        }
        guard let state = FolderState(parsing: text) else { throw .damaged(path: handles.state.path.bytes) }
        if state.isDeleted || (c.isLoaded && state.validity != c.state.validity) {
            // The folder is gone, or another one has its name. Whoever has this object open must open anew.
            c.handles = nil
            throw .folderMissing
        }
        c.state = state
        c.stateStamp = FileStamp(status)
        if !c.isLoaded, state.numbering < account.numbering { try renumber(&c, handles) }
    }

    /// Gives the folder a UIDVALIDITY of this numbering of the store, at its first opening in a copy; every tag is then another's.
    private func renumber(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        let ceiling = c.state.reservedModSequence
        c.state.renumber(try account.takeValidity(), numbering: account.numbering)
        try writeState(&c, handles)
        c.nextUID = 1
        c.modSequence = ceiling + 1
        try replaceLog(&c, handles)
    }

    private func makeState(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        if c.isLoaded { throw .folderMissing }
        c.state = FolderState(validity: try account.takeValidity(), numbering: account.numbering)
        if let text = try ifPresent({ () throws(KernelError) in
            try handles.folder.contents(of: StoreNames.dovecotKeywords, limit: StoreNames.stateLimit)
        }) {
            c.state.keywords.adopt(dovecot: text)
        }
        try writeState(&c, handles)
        c.nextUID = 1
        c.modSequence = 1
        try replaceLog(&c, handles)
    }

    /// Makes the state durable; nothing that it says may be shown before.
    func writeState(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        let text = c.state.text
        c.stateStamp = nil
        try kernel { () throws(KernelError) in
            try handles.state.replace(StoreNames.state, with: text, mode: context.stateMode)
        }
        c.stateStamp = FileStamp(try kernel { () throws(KernelError) in try handles.state.status(of: StoreNames.state) })
    }

    /// Sees to it that so many UIDs and one MODSEQ can be given; reserves durably where they cannot.
    func reserve(uids: Int, _ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        let endUID = c.nextUID + UInt64(uids)
        guard endUID <= 1 << 32 else { throw .numbersExhausted }
        let needsUID = endUID > c.state.reservedUID
        let needsModSequence = c.modSequence + 1 > c.state.reservedModSequence
        guard needsUID || needsModSequence else { return }
        let before = c.state
        if needsUID { c.state.reservedUID = min(endUID + FolderState.uidBlock, 1 << 32) }
        if needsModSequence { c.state.reservedModSequence = c.modSequence + FolderState.modSequenceBlock }
        do throws(StoreError) { try writeState(&c, handles) } catch {
            c.state = before
            throw error
        }
    }

    // MARK: The log

    /// Reads what other programs appended; starts a new log where the old one cannot be believed.
    private func readLog(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        if let log = c.log {
            let status = try kernel { () throws(KernelError) in try log.descriptor.status() }
            if status.links > 0, status.size == c.logRead { return }
            if status.links > 0, status.size > c.logRead, try readTail(&c, handles, size: status.size) { return }
        }
        try openLog(&c, handles)
    }

    private func openLog(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        c.log = nil
        guard let opened = try ifPresent({ () throws(KernelError) in try handles.state.open(StoreNames.changes, .append) })
        else { return try distrustLog(&c, handles) }
        let status = try kernel { () throws(KernelError) in try opened.status() }
        let header = ChangeLog.header(boot: context.bootID, validity: c.state.validity)
        let head = try kernel { () throws(KernelError) in
            try handles.state.open(StoreNames.changes).read(header.count, at: 0)
        }
        guard !context.bootID.isEmpty, head == header else { return try distrustLog(&c, handles) }
        let isSameFile = c.logInode == status.inode && c.logRead >= Int64(header.count) && c.logRead <= status.size
        c.log = ChangeLogFile(opened, inode: status.inode)
        c.logInode = status.inode
        if !isSameFile { c.logRead = Int64(header.count) }
        if try !readTail(&c, handles, size: status.size) { try distrustLog(&c, handles) }
    }

    /// False if the tail is damaged. The lines of other programs wait in `logged` until the folder is listed.
    private func readTail(_ c: inout FolderContents, _ handles: FolderHandles, size: Int64) throws(StoreError) -> Bool {
        guard size > c.logRead else { return true }
        let text = try kernel { () throws(KernelError) in
            try handles.state.open(StoreNames.changes).read(Int(size - c.logRead), at: c.logRead)
        }
        guard let (records, consumed) = ChangeLog.records(text[...]), consumed == text.count else { return false }
        for record in records { c.take(record) }
        c.told = (c.nextUID, c.modSequence)
        // They tell of changes, which a time stamp of the same tick as a change of ours hides.
        if !records.isEmpty { c.mustList = true }
        c.logRead = size
        return c.nextUID <= c.state.reservedUID && c.modSequence <= c.state.reservedModSequence
    }

    /// After a power cut or a lost log: everything up to the reservation counts as given, every message as changed.
    private func distrustLog(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        let ceiling = max(c.modSequence, c.state.reservedModSequence)
        let next = max(c.nextUID, c.state.reservedUID)
        c.log = nil
        c.logged = [:]
        let before = c.state
        c.state.forgotten = max(c.state.forgotten, ceiling)
        c.state.reservedUID = min(next + FolderState.uidBlock, 1 << 32)
        c.state.reservedModSequence = ceiling + FolderState.modSequenceBlock
        do throws(StoreError) { try writeState(&c, handles) } catch {
            c.state = before
            throw error
        }
        c.nextUID = next
        c.modSequence = ceiling + 1
        for index in c.messages.indices { c.messages[index].modSequence = ModSequence(c.modSequence) }
        if !c.messages.isEmpty { c.history.reset() }
        c.mustList = true
        try replaceLog(&c, handles)
    }

    /// Writes the log anew with what is known of every message: also how it is kept short.
    func replaceLog(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        var text = ChangeLog.header(boot: context.bootID, validity: c.state.validity)
        for message in c.messages {
            text += ChangeRecord.message(message.uid, modSequence: message.modSequence.rawValue, message.flags).line
        }
        text += ChangeRecord.numbers(nextUID: c.nextUID, modSequence: c.modSequence).line
        c.log = nil
        let temporary: Path = "changes.new"
        let opened = try kernel { () throws(KernelError) -> Descriptor in
            do throws(KernelError) { try handles.state.unlink(temporary) } catch { if !error.isMissing { throw error } }
            let file = try handles.state.create(temporary, mode: context.stateMode, .append)
            try file.write(text)
            try handles.state.rename(temporary, to: StoreNames.changes)
            return file
        }
        let status = try kernel { () throws(KernelError) in try opened.status() }
        c.log = ChangeLogFile(opened, inode: status.inode)
        c.logInode = status.inode
        c.logRead = status.size
        c.told = (c.nextUID, c.modSequence)
    }

    /// Tells the other programs, before the files are renamed: a rename that does not follow is seen in the listing.
    func append(_ records: [ChangeRecord], _ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        guard let log = c.log else { return try replaceLog(&c, handles) }
        var text: [UInt8] = []
        for record in records { text += record.line }
        text += ChangeRecord.numbers(nextUID: c.nextUID, modSequence: c.modSequence).line
        do throws(KernelError) { try log.descriptor.write(text) } catch {
            // Half a line must not stay: the next program would distrust the log.
            do throws(KernelError) { try log.descriptor.truncate(to: c.logRead) } catch { c.log = nil }
            throw .kernel(error)
        }
        c.logRead += Int64(text.count)
        c.told = (c.nextUID, c.modSequence)
    }

    /// Shortens the log when most of it is history; to be called when all messages are known.
    func shortenLog(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        guard c.logRead > Int64(128 * c.messages.count + 262_144) else { return }
        try replaceLog(&c, handles)
    }
}

extension FolderContents {
    mutating func take(_ record: ChangeRecord) {
        switch record {
        case .numbers(let next, let last):
            nextUID = max(nextUID, next)
            modSequence = max(modSequence, last)
        case .message(let uid, let modSequence, let flags):
            logged[uid] = (modSequence, flags)
        case .expunged(let uids, _):
            loggedExpunged.formUnion(uids)
        }
    }
}
