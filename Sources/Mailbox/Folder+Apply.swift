// From a listing to the folder's contents: the second half of the look at the disk.

import Kernel

extension Folder {
    /// Compares the listing with what is known and carries out what follows from it.
    func apply(
        _ listing: FolderListing, vanished: [MessageUID], _ c: inout FolderContents, _ handles: FolderHandles
    ) throws(StoreError) {
        if let last = listing.tagged.last, UInt64(last.uid.rawValue) >= c.nextUID {
            // The state is older than the messages: it was restored. No UID that is in use is given again.
            c.nextUID = UInt64(last.uid.rawValue) + 1
            c.told.nextUID = c.nextUID
        }
        let arrivals = listing.arrivals
        try reserve(uids: arrivals.count, &c, handles)
        c.history.advance()
        var update = FolderUpdate(modSequence: c.modSequence + 1)
        merge(listing, gone: Set(vanished), c, &update)
        for file in arrivals {
            let uid = MessageUID(UInt32(truncatingIfNeeded: c.nextUID))
            c.nextUID += 1
            update.records.append(.message(uid, modSequence: update.modSequence, file.name.flags))
            update.arrivals.append((uid, file))
        }
        let went = UIDRanges(vanished)
        if !went.isEmpty { update.records.append(.expunged(went, modSequence: update.modSequence)) }
        if !update.records.isEmpty {
            c.modSequence = update.modSequence
            try recordVanished(went, at: update.modSequence, &c, handles)
            try append(update.records, &c, handles)
        }
        for uid in vanished { c.history.note(.vanished, uid) }
        try rename(update, &c, handles)
        if c.isLoaded { c.history.trim() } else { c.history.reset() }
    }

    /// Those that went without a word from us are remembered durably; those that our programs expunged already are.
    private func recordVanished(
        _ went: UIDRanges, at modSequence: UInt64, _ c: inout FolderContents, _ handles: FolderHandles
    ) throws(StoreError) {
        let foreign = went.uids.filter { !c.loggedExpunged.contains($0) }
        guard !foreign.isEmpty else { return }
        let before = c.state
        c.state.record(expunged: UIDRanges(foreign), at: modSequence)
        do throws(StoreError) { try writeState(&c, handles) } catch {
            c.state = before
            throw error
        }
    }

    /// Goes through both lists once, by UID.
    private func merge(
        _ listing: FolderListing, gone: Set<MessageUID>, _ c: FolderContents, _ update: inout FolderUpdate
    ) {
        update.messages.reserveCapacity(listing.tagged.count + listing.untagged.count)
        var old = c.messages[...]
        for (uid, file) in listing.tagged {
            while let first = old.first, first.uid < uid {
                // Renamed while we looked: it is there, under a name that the next look finds.
                if !gone.contains(first.uid) { update.messages.append(first) }
                old.removeFirst()
            }
            if file.isNew { update.misplaced.append(uid) }
            if let first = old.first, first.uid == uid {
                old.removeFirst()
                update.compare(first, with: file, logged: c.logged[uid])
            } else {
                update.take(uid, file, logged: c.logged[uid])
            }
        }
        update.messages += old.filter { !gone.contains($0.uid) }
    }

    /// Gives newcomers their names in `cur/`. Whoever is not there any more was moved by another program.
    private func rename(_ update: FolderUpdate, _ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        c.messages = update.messages
        for uid in update.changed { c.history.note(.changed, uid) }
        for uid in update.appeared { c.history.note(.added, uid) }
        for uid in update.misplaced {
            guard let index = c.index(of: uid) else { continue }
            let name = c.messages[index].name.with(flags: c.messages[index].flags)
            guard try move(FoundFile(name: c.messages[index].name, isNew: true), as: name, handles) else { continue }
            c.messages[index].name = name
        }
        for (uid, file) in update.arrivals {
            let flags = file.name.flags
            let tagged = file.name.with(tag: .init(uid: uid, validity: c.state.validity))?.with(flags: flags)
            var fitting = tagged.flatMap { MessageName(parsing: $0.bytes) }
            if fitting == nil { fitting = try freshName(uid, flags, c.state.validity) }
            guard let name = fitting else { continue }
            guard try move(file, as: name, handles) else { continue }
            c.messages.append(
                StoredMessage(uid: uid, flags: flags, modSequence: ModSequence(update.modSequence), name: name))
            if file.isNew { noteRecent(uid, c) }
            c.history.note(.added, uid)
            c.pendingSync = true
        }
        guard !(update.arrivals.isEmpty && update.misplaced.isEmpty) else { return }
        c.stampCur(handles)
        c.newStamp.adopt(try kernel { () throws(KernelError) in try handles.new.status() })
    }

    /// A name for a file whose own leaves no room for a tag.
    private func freshName(_ uid: MessageUID, _ flags: MessageFlags, _ validity: UIDValidity) throws(StoreError) -> MessageName {
        let random = try kernel { () throws(KernelError) in try Randomness.bytes(12) }
        let unique = UniquePart(seconds: WallTime.now().seconds, random: random, host: context.host)
        guard let name = MessageName(parsing: unique.bytes)?.with(tag: .init(uid: uid, validity: validity)) else {
            throw .damaged(path: unique.bytes)
        }
        return name.with(flags: flags)
    }

    /// False if the file is not there any more, or another has the name.
    private func move(_ file: FoundFile, as name: MessageName, _ handles: FolderHandles) throws(StoreError) -> Bool {
        do throws(KernelError) {
            if file.isNew {
                try handles.new.renameNoReplace(Path(file.name.bytes), to: handles.cur, as: Path(name.bytes))
            } else {
                try handles.cur.renameNoReplace(Path(file.name.bytes), to: handles.cur, as: Path(name.bytes))
            }
            return true
        } catch {
            if error.isMissing || error.exists { return false }
            throw .kernel(error)
        }
    }
}

/// What follows from a listing, before any of it is done.
struct FolderUpdate {
    let modSequence: UInt64
    var messages: [StoredMessage] = []
    var records: [ChangeRecord] = []
    var changed: [MessageUID] = []
    /// Messages with a UID that another program gave.
    var appeared: [MessageUID] = []
    var arrivals: [(uid: MessageUID, file: FoundFile)] = []
    /// Messages with a UID that lie in `new/`: other software called them unread.
    var misplaced: [MessageUID] = []

    init(modSequence: UInt64) { self.modSequence = modSequence }

    /// Flags that the log does not explain were changed by other software.
    private mutating func sequence(
        of uid: MessageUID, _ flags: MessageFlags, logged: (modSequence: UInt64, flags: MessageFlags)?
    ) -> ModSequence {
        if let logged, logged.flags == flags { return ModSequence(logged.modSequence) }
        records.append(.message(uid, modSequence: modSequence, flags))
        return ModSequence(modSequence)
    }

    mutating func compare(_ old: StoredMessage, with file: FoundFile, logged: (modSequence: UInt64, flags: MessageFlags)?) {
        var message = old
        let flags = file.name.flags
        if flags != old.flags {
            message.modSequence = sequence(of: old.uid, flags, logged: logged)
            message.flags = flags
            changed.append(old.uid)
        } else if let logged, logged.flags == flags, logged.modSequence > old.modSequence.rawValue {
            message.modSequence = ModSequence(logged.modSequence)
            changed.append(old.uid)
        }
        if file.name != old.name { message.name = file.name }
        messages.append(message)
    }

    mutating func take(_ uid: MessageUID, _ file: FoundFile, logged: (modSequence: UInt64, flags: MessageFlags)?) {
        let flags = file.name.flags
        let sequence = sequence(of: uid, flags, logged: logged)
        messages.append(StoredMessage(uid: uid, flags: flags, modSequence: sequence, name: file.name))
        appeared.append(uid)
    }
}
