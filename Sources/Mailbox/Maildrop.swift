// INBOX as POP3 sees it: a list that is taken once, without UIDs, and deletions at the end (RFC 1939).

package import Kernel

/// A mailbox of pop3d's kind. Nothing is renamed until `delete`, so that imapd alone gives UIDs.
package final class Maildrop: Sendable {
    private let folder: FolderHandles
    private let context: StoreContext
    private let isNew: [Bool]
    package let messages: [MessageName]
    /// The unique-ids of the messages: old ones of a mailbox that moved in first, else by the unique part; no two alike.
    package let uidls: [[UInt8]]

    package init(_ account: Account) throws(StoreError) {
        let handles = try FolderHandles(account: account.directory, name: .inbox, context: account.context)
        folder = handles
        context = account.context
        let new = try handles.new.messageNames().map { FoundFile(name: $0, isNew: true) }
        let cur = try handles.cur.messageNames().map { FoundFile(name: $0, isNew: false) }
        let files = Maildrop.inOrder(try Maildrop.withoutMoved(new, beside: cur, handles) + cur)
        messages = files.map(\.name)
        isNew = files.map(\.isNew)
        uidls = Maildrop.distinct(messages, old: try account.oldUIDLs())
    }

    /// What imapd took from `new/` to `cur/` between the two listings is in both, there with a UID: it counts once.
    static func withoutMoved(
        _ new: [FoundFile], beside cur: [FoundFile], _ handles: FolderHandles
    ) throws(StoreError) -> [FoundFile] {
        let there = Set(cur.map { $0.name.unique })
        var left: [FoundFile] = []
        for file in new {
            if there.contains(file.name.unique) {
                let status = try ifPresent { () throws(KernelError) in try handles.new.status(of: Path(file.name.bytes)) }
                if status == nil { continue }
            }
            left.append(file)
        }
        return left
    }

    /// As they came. One that was listed twice, because its flags changed meanwhile, counts once.
    private static func inOrder(_ files: [FoundFile]) -> [FoundFile] {
        var seen: Set<ArraySlice<UInt8>> = []
        var listing = FolderListing([], validity: UIDValidity(1), expunged: UIDRanges())
        for file in files.reversed() where seen.insert(file.name.base).inserted { listing.untagged.append(file) }
        return listing.arrivals
    }

    private static func distinct(_ names: [MessageName], old: [[UInt8]: [UInt8]]) -> [[UInt8]] {
        var given: Set<[UInt8]> = []
        return names.map { name in
            let first = old[Array(name.unique)] ?? name.uidl
            if given.insert(first).inserted { return first }
            // Two files of one unique part: foreign, and told apart by the rest of their names, which a UID does not change.
            let second = [UInt8(ascii: "%")] + Fingerprint.hexadecimal((name.with(tag: nil) ?? name).base)
            given.insert(second)
            return second
        }
    }

    package func open(_ index: Int) throws(StoreError) -> MessageFile {
        guard messages.indices.contains(index) else { throw .messageMissing }
        let name = messages[index]
        let first = Path(isNew[index] ? "new" : "cur") / Path(name.bytes)
        if let file = try ifPresent({ () throws(KernelError) in try folder.folder.open(first) }) {
            return try MessageFile(name: name, file: file)
        }
        guard let now = try current(name),
            let file = try ifPresent({ () throws(KernelError) in try folder.cur.open(Path(now.bytes)) })
        else { throw .messageMissing }
        return try MessageFile(name: now, file: file)
    }

    /// Moves messages to the hidden folder, as EXPUNGE does; durable when it returns. Answers how many were there.
    ///
    /// No UID, MODSEQ or lock is needed: imapd sees them go as it sees what other software removes.
    package func delete(_ indexes: [Int], at now: WallTime) throws(StoreError) -> Int {
        guard !indexes.isEmpty else { return 0 }
        let hidden = try folder.hidden(context)
        var count = 0
        for index in indexes where messages.indices.contains(index) {
            if try hide(messages[index], isNew: isNew[index], in: hidden, at: now) { count += 1 }
        }
        try kernel { () throws(KernelError) in try hidden.sync() }
        return count
    }

    private func hide(
        _ name: MessageName, isNew: Bool, in hidden: borrowing DirectoryDescriptor, at now: WallTime
    ) throws(StoreError) -> Bool {
        let mark = MessageName.Expunged(seconds: now.seconds, modSequence: ModSequence(0))
        let target = Path((name.with(expunged: mark) ?? name).bytes)
        let first: Void? = try ifPresent { () throws(KernelError) in
            try folder.folder.rename(Path(isNew ? "new" : "cur") / Path(name.bytes), to: hidden, as: target)
        }
        if first != nil { return true }
        guard let now = try current(name) else { return false }
        // The name may have got its UID meanwhile, which the hidden one must say.
        let later = Path((now.with(expunged: mark) ?? now).bytes)
        let second: Void? = try ifPresent { () throws(KernelError) in
            try folder.cur.rename(Path(now.bytes), to: hidden, as: later)
        }
        return second != nil
    }

    /// The name that a message has now, being no longer where it was listed: its unique part tells. Another message that
    /// shares it is under the name that was listed.
    private func current(_ name: MessageName) throws(StoreError) -> MessageName? {
        try folder.cur.messageNames().first { $0.unique == name.unique && ($0 == name || !messages.contains($0)) }
    }
}

extension Account {
    /// POP3 unique-ids that messages had before the mailbox moved here, by unique part: lines `unique uidl`.
    func oldUIDLs() throws(StoreError) -> [[UInt8]: [UInt8]] {
        guard let text = try ifPresent({ () throws(KernelError) in
            try state.contents(of: StoreNames.uidl, limit: StoreNames.stateLimit)
        }) else { return [:] }
        var map: [[UInt8]: [UInt8]] = [:]
        for line in text.split(separator: 0x0A) {
            guard let space = line.lastIndex(of: 0x20) else { continue }
            map[Array(line[..<space])] = Array(line[(space + 1)...])
        }
        return map
    }

    /// Keeps the unique-ids that another server gave; durable when it returns. For `mailctl import`.
    package func adopt(uidls: [(unique: [UInt8], uidl: [UInt8])]) throws(StoreError) {
        var text: [UInt8] = []
        for (unique, uidl) in uidls { text += unique + [0x20] + uidl + [0x0A] }
        try kernel { () throws(KernelError) in
            try state.replace(StoreNames.uidl, with: text, mode: context.stateMode)
        }
    }
}
