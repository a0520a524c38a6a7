// EXPUNGE: a message moves to the hidden folder, its facts in its name, and stays there for the retention time.
//
//     martlet/expunged/<base>,M=<uid>.<uidvalidity>,X=<seconds>.<modseq>:2,FST

package import Kernel

extension Folder {
    /// Takes messages away; durable when it returns. Answers those that it took, by ascending UID.
    package func expunge(_ uids: [MessageUID], at now: WallTime) throws(StoreError) -> [MessageUID] {
        guard !uids.isEmpty else { return [] }
        let (gone, hidden) = try withContents { c throws(StoreError) in
            try self.locked(&c) { c, handles throws(StoreError) -> ([MessageUID], DirectoryBox) in
                try self.refreshLocked(&c, handles)
                let hidden = DirectoryBox(try handles.hidden(self.context))
                return (try self.expunge(uids, at: now, into: hidden, &c, handles), hidden)
            }
        }
        // A rename between two folders is one transaction of the file system: either folder's sync covers it.
        try kernel { () throws(KernelError) in try hidden.directory.sync() }
        return gone
    }

    private func expunge(
        _ uids: [MessageUID], at now: WallTime, into hidden: DirectoryBox,
        _ c: inout FolderContents, _ handles: FolderHandles
    ) throws(StoreError) -> [MessageUID] {
        let messages = Set(uids).sorted().compactMap { uid in c.index(of: uid).map { c.messages[$0] } }
        guard !messages.isEmpty else { return [] }
        try reserve(uids: 0, &c, handles)
        c.modSequence += 1
        let went = UIDRanges(messages.map(\.uid))
        try append([.expunged(went, modSequence: c.modSequence)], &c, handles)
        var gone: Set<MessageUID> = []
        // What could not be moved has lost its UID all the same: the log says so. The next look gives it a new one.
        defer {
            c.loggedExpunged.formUnion(went)
            drop(Set(messages.map(\.uid)), &c)
            if gone.count < messages.count { c.mustList = true }
        }
        for message in messages {
            let mark = MessageName.Expunged(seconds: now.seconds, modSequence: ModSequence(c.modSequence))
            if try hide(message.name, mark, in: hidden, handles) { gone.insert(message.uid) }
        }
        c.stampCur(handles)
        return gone.sorted()
    }

    /// One rename; where the file has another name now, because its flags changed, it is looked for once.
    private func hide(
        _ name: MessageName, _ mark: MessageName.Expunged, in hidden: DirectoryBox, _ handles: FolderHandles
    ) throws(StoreError) -> Bool {
        func rename(_ old: MessageName) throws(StoreError) -> Bool {
            let new = old.with(expunged: mark) ?? old
            let done: Void? = try ifPresent { () throws(KernelError) in
                try handles.cur.rename(Path(old.bytes), to: hidden.directory, as: Path(new.bytes))
            }
            return done != nil
        }
        if try rename(name) { return true }
        guard let now = try handles.cur.messageNames().first(where: { $0.base == name.base }) else { return false }
        return try rename(now)
    }

    /// The UIDs that went after a MODSEQ, for QRESYNC (RFC 7162 §3.2.5); may name more than went, never fewer.
    package func vanished(since modSequence: ModSequence) throws(StoreError) -> UIDRanges {
        try withContents { c throws(StoreError) in
            try self.locked(&c) { c, handles throws(StoreError) -> UIDRanges in
                try self.refreshLocked(&c, handles)
                if modSequence.rawValue < c.state.forgotten {
                    return .complement(of: c.messages.map(\.uid), below: MessageUID(UInt32(clamping: c.nextUID)))
                }
                var all = c.loggedExpunged
                for entry in c.state.expunged where entry.modSequence > modSequence.rawValue { all.formUnion(entry.uids) }
                // Those that pop3d took have no MODSEQ; they count as gone at any time.
                let hidden = try handles.hiddenMessages().filter { name in
                    guard let mark = name.expunged?.modSequence, mark.rawValue > 0 else { return true }
                    return mark > modSequence
                }
                all.formUnion(UIDRanges(hidden.compactMap { $0.uid(in: c.state.validity) }))
                return all
            }
        }
    }

    /// Messages in the hidden folder, for restoring and for `mailctl`.
    package func expungedMessages() throws(StoreError) -> [MessageName] {
        let handles = try withContents { c throws(StoreError) in try self.handles(&c) }
        return try handles.hiddenMessages()
    }

    /// Brings an expunged message back, as a new one with its old flags but \Deleted; durable when it returns.
    package func restore(_ name: MessageName) throws(StoreError) -> MessageUID {
        let (uid, handles) = try withContents { c throws(StoreError) in
            try self.locked(&c) { c, handles throws(StoreError) -> (MessageUID, FolderHandles) in
                try self.refreshLocked(&c, handles)
                let hidden = try handles.hidden(self.context)
                try self.reserve(uids: 1, &c, handles)
                c.modSequence += 1
                let uid = MessageUID(UInt32(truncatingIfNeeded: c.nextUID))
                c.nextUID += 1
                let flags = name.flags.subtracting(.deleted)
                guard let new = name.with(tag: .init(uid: uid, validity: c.state.validity))?.with(flags: flags) else {
                    throw .damaged(path: name.bytes)
                }
                try self.append([.message(uid, modSequence: c.modSequence, flags)], &c, handles)
                guard try ifPresent({ () throws(KernelError) in
                    try hidden.renameNoReplace(Path(name.bytes), to: handles.cur, as: Path(new.bytes))
                }) != nil else { throw .messageMissing }
                c.history.advance()
                c.history.note(.added, uid)
                c.messages.append(
                    StoredMessage(uid: uid, flags: flags, modSequence: ModSequence(c.modSequence), name: new))
                c.stampCur(handles)
                return (uid, handles)
            }
        }
        try kernel { () throws(KernelError) in try handles.cur.sync() }
        return uid
    }
}

/// A folder's descriptor that can be handed around.
final class DirectoryBox: Sendable {
    let directory: DirectoryDescriptor
    init(_ directory: consuming DirectoryDescriptor) { self.directory = directory }
}
