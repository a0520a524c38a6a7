// APPEND and COPY: a file in `tmp/`, synced, renamed into `cur/` under its UID, and the folder synced: then OK.

import Kernel
import Synchronization

/// A message on its way into a folder: a file in `tmp/`, which goes away with this object unless it was committed.
package final class IncomingMessage: Sendable {
    let unique: UniquePart
    let seconds: Int64
    private let tmp: DirectoryDescriptor
    private let file: Descriptor
    private let progress = Mutex(Progress())

    private struct Progress {
        var size = 0
        var isCommitted = false
    }

    init(tmp: consuming DirectoryDescriptor, seconds: Int64, context: StoreContext) throws(StoreError) {
        let random = try kernel { () throws(KernelError) in try Randomness.bytes(12) }
        let unique = UniquePart(seconds: seconds, random: random, host: context.host)
        file = try kernel { () throws(KernelError) in
            try tmp.create(Path(unique.bytes), mode: context.fileMode, .readWrite)
        }
        self.unique = unique
        self.seconds = seconds
        self.tmp = tmp
    }

    deinit {
        if progress.withLock({ $0.isCommitted }) { return }
        do throws(KernelError) { try tmp.unlink(Path(unique.bytes)) } catch {
            // What stays in tmp/ is removed after 36 hours, as in every Maildir.
            return
        }
    }

    package var size: Int { progress.withLock { $0.size } }

    /// Adds content in wire form.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        try progress.withLock { (progress: inout Progress) throws(StoreError) in
            do throws(KernelError) { try file.write(bytes) } catch { throw .kernel(error) }
            progress.size += bytes.count
        }
    }

    package func write(_ bytes: [UInt8]) throws(StoreError) {
        try progress.withLock { (progress: inout Progress) throws(StoreError) in
            do throws(KernelError) { try file.write(bytes) } catch { throw .kernel(error) }
            progress.size += bytes.count
        }
    }

    func sync() throws(StoreError) { try kernel { () throws(KernelError) in try file.sync() } }

    func rename(to folder: borrowing DirectoryDescriptor, as name: MessageName) throws(StoreError) {
        try kernel { () throws(KernelError) in
            try tmp.renameNoReplace(Path(unique.bytes), to: folder, as: Path(name.bytes))
        }
        progress.withLock { $0.isCommitted = true }
    }
}

extension Folder {
    /// Begins an append; `seconds` is the internal date, since 1970.
    package func beginAppend(seconds: Int64) throws(StoreError) -> IncomingMessage {
        let handles = try withContents { c throws(StoreError) in try self.handles(&c) }
        let tmp = try handles.folder.existingDirectory(StoreNames.tmp, mode: context.folderMode)
        return try IncomingMessage(tmp: tmp, seconds: seconds, context: context)
    }

    /// Makes messages part of the folder, with ascending UIDs; durable when it returns (RFC 9051 §6.3.12).
    package func commit(_ incoming: [(message: IncomingMessage, flags: MessageFlags)]) throws(StoreError) -> [MessageUID] {
        for (message, _) in incoming { try message.sync() }
        let (uids, handles) = try withContents { c throws(StoreError) in
            try self.locked(&c) { c, handles throws(StoreError) -> ([MessageUID], FolderHandles) in
                try self.refreshLocked(&c, handles)
                return (try self.commit(incoming, &c, handles), handles)
            }
        }
        // Outside the lock, so that appends of many sessions share a journal commit.
        try kernel { () throws(KernelError) in try handles.cur.sync() }
        return uids
    }

    /// One message that is in memory; durable when it returns.
    package func append(_ content: [UInt8], flags: MessageFlags, seconds: Int64) throws(StoreError) -> MessageUID {
        let incoming = try beginAppend(seconds: seconds)
        try incoming.write(content)
        return try commit([(incoming, flags)])[0]
    }

    private func commit(
        _ incoming: [(message: IncomingMessage, flags: MessageFlags)], _ c: inout FolderContents, _ handles: FolderHandles
    ) throws(StoreError) -> [MessageUID] {
        var new: [StoredMessage] = []
        try reserve(uids: incoming.count, &c, handles)
        c.modSequence += 1
        for (message, flags) in incoming {
            let uid = MessageUID(UInt32(truncatingIfNeeded: c.nextUID))
            c.nextUID += 1
            guard
                let name = message.unique.name(size: message.size)?
                    .with(tag: .init(uid: uid, validity: c.state.validity))?.with(flags: flags)
            else { throw .damaged(path: message.unique.bytes) }
            new.append(StoredMessage(uid: uid, flags: flags, modSequence: ModSequence(c.modSequence), name: name, isRecent: true))
        }
        try append(new.map { .message($0.uid, modSequence: c.modSequence, $0.flags) }, &c, handles)
        c.history.advance()
        for (index, (message, _)) in incoming.enumerated() {
            try message.rename(to: handles.cur, as: new[index].name)
            c.messages.append(new[index])
            c.history.note(.added, new[index].uid)
        }
        c.history.trim()
        c.curStamp.adopt(try kernel { () throws(KernelError) in try handles.cur.status() })
        return new.map(\.uid)
    }
}
