// APPEND and COPY: a file in `tmp/`, synced, renamed into `cur/` under its UID, and the folder synced: then OK.

import Kernel
import Synchronization

/// A message on its way into a folder: a file in `tmp/`, which goes away with this object unless it was committed.
package final class IncomingMessage: Sendable {
    let unique: UniquePart
    let seconds: Int64
    private let tmp: DirectoryBox
    private let progress: Mutex<Progress>

    private struct Progress: ~Copyable {
        /// nil once it is durable.
        var file: Descriptor?
        var size = 0
        /// Whether nothing has to be added where every line needs an end.
        var endsInLine = true
        var isCommitted = false
    }

    init(tmp: DirectoryBox, seconds: Int64, context: StoreContext) throws(StoreError) {
        let random = try kernel { () throws(KernelError) in try Randomness.bytes(12) }
        let unique = UniquePart(seconds: seconds, random: random, host: context.host)
        progress = Mutex(
            Progress(
                file: try kernel { () throws(KernelError) in
                    try tmp.directory.create(Path(unique.bytes), mode: context.fileMode, .readWrite)
                }))
        self.unique = unique
        self.seconds = seconds
        self.tmp = tmp
    }

    deinit {
        if progress.withLock({ $0.isCommitted }) { return }
        do throws(KernelError) { try tmp.directory.unlink(Path(unique.bytes)) } catch {
            // What stays in tmp/ is removed after 36 hours, as in every Maildir.
            return
        }
    }

    package var size: Int { progress.withLock { $0.size } }

    /// Adds content in wire form.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        guard let last = bytes.last else { return }
        try progress.withLock { (progress: inout Progress) throws(StoreError) in
            // What comes after the sync would be lost without a word.
            guard progress.file != nil else { throw .damaged(path: unique.bytes) }
            do throws(KernelError) { try progress.file?.write(bytes) } catch { throw .kernel(error) }
            progress.size += bytes.count
            progress.endsInLine = last == 0x0A
        }
    }

    package func write(_ bytes: [UInt8]) throws(StoreError) {
        var failure: StoreError?
        bytes.withUnsafeBytes { raw in
            do throws(StoreError) { try write(raw) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Makes the content durable and closes the file: a thousand messages that come together need no thousand descriptors.
    func sync() throws(StoreError) {
        try progress.withLock { (progress: inout Progress) throws(StoreError) in
            do throws(KernelError) { try progress.file?.sync() } catch { throw .kernel(error) }
            progress.file = nil
        }
    }

    /// Says `W=` only of what POP3 sends as it lies there too, which ends every last line (RFC 1939 §3).
    func name() -> MessageName? { progress.withLock { unique.name(size: $0.size, isWireForm: $0.endsInLine) } }

    func rename(to folder: borrowing DirectoryDescriptor, as name: MessageName) throws(StoreError) {
        try kernel { () throws(KernelError) in
            try tmp.directory.renameNoReplace(Path(unique.bytes), to: folder, as: Path(name.bytes))
        }
        progress.withLock { $0.isCommitted = true }
    }
}

extension Folder {
    /// Begins an append; `seconds` is the internal date, since 1970.
    package func beginAppend(seconds: Int64) throws(StoreError) -> IncomingMessage {
        try IncomingMessage(tmp: try openTmp(), seconds: seconds, context: context)
    }

    func openTmp() throws(StoreError) -> DirectoryBox {
        let handles = try withContents { c throws(StoreError) in try self.handles(&c) }
        return DirectoryBox(try handles.folder.existingDirectory(StoreNames.tmp, mode: context.folderMode))
    }

    /// Makes messages part of the folder, with ascending UIDs; durable when it returns (RFC 9051 §6.3.12).
    ///
    /// After an error the folder is as it was (RFC 3501 §6.3.11, §6.4.7): what had come into it is expunged again.
    package func commit(_ incoming: [(message: IncomingMessage, flags: MessageFlags)]) throws(StoreError) -> [MessageUID] {
        for (message, _) in incoming { try message.sync() }
        let (came, handles) = try withContents { c throws(StoreError) in
            try self.locked(&c) { c, handles throws(StoreError) -> (Arrived, FolderHandles) in
                try self.refreshLocked(&c, handles)
                return (try self.commit(incoming, &c, handles), handles)
            }
        }
        // Outside the lock, so that appends of many sessions share a journal commit.
        guard let failure = came.failure ?? handles.syncCur() else { return came.uids }
        // What cannot be taken back either is a message too many, and never one too few.
        do throws(StoreError) { _ = try expunge(came.uids, at: .now()) } catch { throw failure }
        throw failure
    }

    /// The messages that are in the folder, and why the others are not.
    private struct Arrived: Sendable {
        var uids: [MessageUID] = []
        var failure: StoreError?
    }

    /// One message that is in memory; durable when it returns.
    package func append(_ content: [UInt8], flags: MessageFlags, seconds: Int64) throws(StoreError) -> MessageUID {
        let incoming = try beginAppend(seconds: seconds)
        try incoming.write(content)
        return try commit([(incoming, flags)])[0]
    }

    private func commit(
        _ incoming: [(message: IncomingMessage, flags: MessageFlags)], _ c: inout FolderContents, _ handles: FolderHandles
    ) throws(StoreError) -> Arrived {
        var new: [StoredMessage] = []
        try reserve(uids: incoming.count, &c, handles)
        c.modSequence += 1
        for (message, flags) in incoming {
            let uid = MessageUID(UInt32(truncatingIfNeeded: c.nextUID))
            c.nextUID += 1
            guard let name = message.name()?.with(tag: .init(uid: uid, validity: c.state.validity))?.with(flags: flags) else {
                throw .damaged(path: message.unique.bytes)
            }
            new.append(StoredMessage(uid: uid, flags: flags, modSequence: ModSequence(c.modSequence), name: name))
        }
        try append(new.map { .message($0.uid, modSequence: c.modSequence, $0.flags) }, &c, handles)
        c.history.advance()
        var came = Arrived()
        do throws(StoreError) {
            for (index, (message, _)) in incoming.enumerated() {
                try message.rename(to: handles.cur, as: new[index].name)
                c.messages.append(new[index])
                c.history.note(.added, new[index].uid)
                noteRecent(new[index].uid, c)
                came.uids.append(new[index].uid)
            }
            c.stampCur(handles)
        } catch {
            c.mustList = true
            came.failure = error
        }
        c.history.trim()
        return came
    }
}
