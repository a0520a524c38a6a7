// COPY and MOVE between folders of an account.
// MOVE is one rename a message: at every moment the file is in the one folder or in the other, never in none.

import Kernel

/// Which message became which (COPYUID, RFC 4315 §3).
package struct TransferResult: Sendable {
    package var validity: UIDValidity
    package var source: [MessageUID] = []
    package var destination: [MessageUID] = []
}

extension Folder {
    /// The flags of our messages in the letters of another folder, which gets the keywords that it lacks.
    ///
    /// Where its table is full the copy goes without those keywords: a message matters more than its labels.
    private func flags(of messages: [StoredMessage], in other: Folder) throws(StoreError) -> [MessageFlags] {
        let table = keywords
        let all: MessageFlags = messages.reduce(into: []) { $0.formUnion($1.flags) }
        do throws(StoreError) {
            _ = try other.flags(forKeywords: table.keywords(of: all), creating: true)
        } catch {
            guard error == .keywordsFull else { throw error }
        }
        let theirs = other.keywords
        return messages.map { theirs.translate($0.flags, from: table).flags }
    }

    /// Copies messages; all or none, durable when it returns. Missing ones are left out.
    package func copy(_ uids: [MessageUID], to other: Folder) throws(StoreError) -> TransferResult {
        let messages = self.messages(uids)
        let flags = try flags(of: messages, in: other)
        var result = TransferResult(validity: other.validity)
        var incoming: [(message: IncomingMessage, flags: MessageFlags)] = []
        let tmp = try other.openTmp()
        for (message, flags) in zip(messages, flags) {
            let file: MessageFile
            do throws(StoreError) { file = try open(message.uid) } catch {
                if error == .messageMissing { continue }
                throw error
            }
            let copy = try IncomingMessage(tmp: tmp, seconds: try file.arrivalSeconds(), context: context)
            try file.forEachChunk { chunk throws(StoreError) in try copy.write(chunk) }
            try copy.sync()
            incoming.append((copy, flags))
            result.source.append(message.uid)
        }
        guard !incoming.isEmpty else { return result }
        result.destination = try other.commit(incoming)
        return result
    }

    /// Moves messages to another folder of the account; durable when it returns.
    ///
    /// A crash leaves some moved and some not; each keeps its unique part. Within one folder it is a new UID.
    package func move(_ uids: [MessageUID], to other: Folder) throws(StoreError) -> TransferResult {
        let messages = self.messages(uids)
        var result = TransferResult(validity: other.validity)
        guard !messages.isEmpty else { return result }
        let flags = try flags(of: messages, in: other)
        // One lock at a time: two folders that move to each other cannot wait for each other.
        let source = try withContents { c throws(StoreError) in try self.handles(&c) }
        let destination = try other.withContents { c throws(StoreError) in
            try other.locked(&c) { c, handles throws(StoreError) -> FolderHandles in
                try other.refreshLocked(&c, handles)
                try other.receive(messages, flags, from: source, &c, handles, &result)
                return handles
            }
        }
        try kernel { () throws(KernelError) in try destination.cur.sync() }
        try forget(result.source)
        return result
    }

    /// The destination's part: numbers, log, renames.
    private func receive(
        _ messages: [StoredMessage], _ flags: [MessageFlags], from source: FolderHandles,
        _ c: inout FolderContents, _ handles: FolderHandles, _ result: inout TransferResult
    ) throws(StoreError) {
        try reserve(uids: messages.count, &c, handles)
        c.modSequence += 1
        var new: [StoredMessage] = []
        for (message, flags) in zip(messages, flags) {
            let uid = MessageUID(UInt32(truncatingIfNeeded: c.nextUID))
            c.nextUID += 1
            guard let name = message.name.with(tag: .init(uid: uid, validity: c.state.validity))?.with(flags: flags),
                let checked = MessageName(parsing: name.bytes)
            else { throw .damaged(path: message.name.bytes) }
            new.append(
                StoredMessage(uid: uid, flags: flags, modSequence: ModSequence(c.modSequence), name: checked))
        }
        try append(new.map { .message($0.uid, modSequence: c.modSequence, $0.flags) }, &c, handles)
        c.history.advance()
        for (old, new) in zip(messages, new) {
            guard try transfer(old, as: new.name, from: source, to: handles) else { continue }
            c.messages.append(new)
            c.history.note(.added, new.uid)
            noteRecent(new.uid, c)
            result.source.append(old.uid)
            result.destination.append(new.uid)
        }
        c.history.trim()
        c.stampCur(handles)
    }

    /// One rename; where the file has another name now, because its flags changed, it is looked for once.
    private func transfer(
        _ message: StoredMessage, as name: MessageName, from source: FolderHandles, to handles: FolderHandles
    ) throws(StoreError) -> Bool {
        func rename(_ old: MessageName) throws(StoreError) -> Bool {
            try ifPresent { () throws(KernelError) in
                try source.cur.renameNoReplace(Path(old.bytes), to: handles.cur, as: Path(name.bytes))
            } != nil
        }
        if try rename(message.name) { return true }
        guard let now = try source.cur.messageNames().first(where: { $0.base == message.name.base }) else { return false }
        return try rename(now)
    }

    /// The source's part: the UIDs are gone, and stay gone.
    private func forget(_ uids: [MessageUID]) throws(StoreError) {
        guard !uids.isEmpty else { return }
        try withContents { c throws(StoreError) in
            try self.locked(&c) { c, handles throws(StoreError) in
                try self.reserve(uids: 0, &c, handles)
                c.modSequence += 1
                let went = UIDRanges(uids)
                let before = c.state
                c.state.record(expunged: went, at: c.modSequence)
                do throws(StoreError) { try self.writeState(&c, handles) } catch {
                    c.state = before
                    throw error
                }
                try self.append([.expunged(went, modSequence: c.modSequence)], &c, handles)
                self.drop(Set(uids), &c)
                c.stampCur(handles)
            }
        }
    }

    /// Takes messages out of the list that were taken out of the folder.
    func drop(_ uids: Set<MessageUID>, _ c: inout FolderContents) {
        c.history.advance()
        for uid in uids.sorted() where c.index(of: uid) != nil { c.history.note(.vanished, uid) }
        c.messages.removeAll { uids.contains($0.uid) }
        c.history.trim()
    }
}
