// The look at the disk: what came, what changed, what went; and the UID that each newcomer gets for life.
// Order under the lock: reserve durably, tell the log, rename. A kill in between skips numbers and repeats none.

import Kernel

extension Folder {
    func refresh(_ c: inout FolderContents, lookAgain: Bool) throws(StoreError) {
        let handles = try handles(&c)
        if c.isLoaded, !c.mustList, try isCurrent(c, handles, lookAgain: lookAgain) { return }
        try locked(&c) { c, handles throws(StoreError) in try takeUp(&c, handles) }
    }

    /// For operations that already hold the lock.
    func refreshLocked(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        if c.isLoaded, !c.mustList, try isCurrent(c, handles, lookAgain: false) { return }
        try takeUp(&c, handles)
    }

    /// Within a tick of a change of our own the time stamps cannot show another's. So the log is asked, which all our
    /// programs write, and a caller who was told of a change gets no benefit of a doubt.
    private func isCurrent(_ c: FolderContents, _ handles: FolderHandles, lookAgain: Bool) throws(StoreError) -> Bool {
        if let log = c.log {
            let status = try kernel { () throws(KernelError) in try log.descriptor.status() }
            if status.links == 0 || status.size != c.logRead { return false }
        } else if !c.curStamp.isSettled {
            return false
        }
        let cur = try kernel { () throws(KernelError) in try handles.cur.status() }
        let new = try kernel { () throws(KernelError) in try handles.new.status() }
        let now = MonotonicTime.now()
        if lookAgain, !(c.newStamp.isSettled && c.curStamp.isSettled && c.newStamp.matches(new)) { return false }
        return c.newStamp.isCurrent(new, now: now) && c.curStamp.isCurrent(cur, now: now)
    }

    func takeUp(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) {
        let (expunged, recorded) = try expungedUIDs(c, handles)
        let known = c.isLoaded ? c.messages.map(\.uid) : c.logged.keys.sorted()
        var gone: [MessageUID]?
        var isCertain = false
        var calm = 0
        var listing = FolderListing([], validity: c.state.validity, expunged: expunged)
        // What is renamed under our eyes may be missing from a listing. Gone is what was missing from each of several, the
        // last three of which, or one that is quiet beyond doubt, saw no change.
        for _ in 0..<8 where !isCertain {
            let (files, stillness) = try list(&c, handles)
            listing = FolderListing(files, validity: c.state.validity, expunged: expunged)
            try settle(&listing, handles)
            let lacking = listing.lacks(known)
            gone = gone.map { Set($0).intersection(lacking).sorted() } ?? lacking
            calm = stillness == .restless ? 0 : calm + 1
            isCertain = stillness == .quiet || calm == 3 || gone?.isEmpty == true
        }
        let vanished = isCertain ? (gone ?? []).filter { c.isLoaded || !recorded.contains($0) } : []
        try apply(listing, vanished: vanished, &c, handles)
        c.mustList = !isCertain
        c.isLoaded = true
        c.logged = [:]
        try shortenLog(&c, handles)
    }

    /// UIDs whose tag does not count: a file that came back from a backup must not have a UID that clients saw go.
    ///
    /// `recorded` are those whose going has a MODSEQ already; pop3d gives none.
    private func expungedUIDs(
        _ c: FolderContents, _ handles: FolderHandles
    ) throws(StoreError) -> (all: UIDRanges, recorded: UIDRanges) {
        var recorded = c.loggedExpunged
        for entry in c.state.expunged { recorded.formUnion(entry.uids) }
        guard !c.isLoaded else { return (recorded, recorded) }
        let hidden = try handles.hiddenMessages()
        var all = recorded
        all.formUnion(UIDRanges(hidden.compactMap { $0.uid(in: c.state.validity) }))
        let marked = hidden.filter { ($0.expunged?.modSequence.rawValue ?? 0) > 0 }
        recorded.formUnion(UIDRanges(marked.compactMap { $0.uid(in: c.state.validity) }))
        return (all, recorded)
    }

    /// What the time stamps before and after a listing say of the time between.
    private enum Stillness {
        /// Nothing can have changed.
        case quiet
        /// Nothing is seen to have changed; within a tick of the clock it may have.
        case calm
        case restless
    }

    /// Lists both folders. Keeps the time stamps of before the listing.
    private func list(_ c: inout FolderContents, _ handles: FolderHandles) throws(StoreError) -> ([FoundFile], Stillness) {
        let start = MonotonicTime.now()
        let wall = WallTime.now().nanoseconds
        let new = try kernel { () throws(KernelError) in try handles.new.status() }
        let cur = try kernel { () throws(KernelError) in try handles.cur.status() }
        // new/ first: what moves on to cur/ meanwhile is then seen there.
        let files =
            try handles.new.messageNames().map { FoundFile(name: $0, isNew: true) }
            + handles.cur.messageNames().map { FoundFile(name: $0, isNew: false) }
        let newAfter = try kernel { () throws(KernelError) in try handles.new.status() }
        let curAfter = try kernel { () throws(KernelError) in try handles.cur.status() }
        let now = MonotonicTime.now()
        let cost = now.nanoseconds - start.nanoseconds
        func stamp(_ before: FileStatus, _ after: FileStatus, patience: Int64) -> FolderStamp {
            let settled = before.modified == after.modified && before.modified + FolderStamp.tick < wall
            return FolderStamp(
                modified: before.modified, inode: before.inode, isSettled: settled, listedAt: now, patience: patience)
        }
        c.newStamp = stamp(new, newAfter, patience: 0)
        c.curStamp = stamp(cur, curAfter, patience: max(FolderStamp.tick, cost * 20))
        if c.newStamp.isSettled, c.curStamp.isSettled { return (files, .quiet) }
        return (files, new.modified == newAfter.modified && cur.modified == curAfter.modified ? .calm : .restless)
    }

    private func settle(_ listing: inout FolderListing, _ handles: FolderHandles) throws(StoreError) {
        var failure: StoreError?
        listing.settle { file in
            do throws(StoreError) {
                let folder = file.isNew ? "new" : "cur"
                let path = Path(folder) / Path(file.name.bytes)
                return try ifPresent { () throws(KernelError) in try handles.folder.status(of: path) }?.inode
            } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
    }
}
