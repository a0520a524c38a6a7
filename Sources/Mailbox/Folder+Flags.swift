// Flags and keywords: a change is a rename in `cur/`, told to the log first, durable within a second.

import Kernel

package enum FlagChange: Sendable { case add, remove, replace }

/// How a change of flags ended.
package struct FlagResult: Sendable {
    /// The messages as they are now, those included that had the flags already.
    package var messages: [StoredMessage] = []
    /// Left alone because they changed since the client looked (RFC 7162 §3.1.3).
    package var modified: [MessageUID] = []
    package var missing: [MessageUID] = []
}

extension Folder {
    /// The flags for keywords of a client; those without a letter get one where `creating`, else they are left out.
    package func flags(forKeywords keywords: [[UInt8]], creating: Bool) throws(StoreError) -> MessageFlags {
        var flags: MessageFlags = []
        var unknown: [[UInt8]] = []
        let table = self.keywords
        for keyword in keywords {
            if let index = table.index(of: keyword) { flags.insert(.keyword(index)) } else { unknown.append(keyword) }
        }
        guard creating, !unknown.isEmpty else { return flags }
        return flags.union(try createKeywords(unknown))
    }

    private func createKeywords(_ keywords: [[UInt8]]) throws(StoreError) -> MessageFlags {
        try withContents { c throws(StoreError) in
            try self.locked(&c) { c, handles throws(StoreError) -> MessageFlags in
                try self.refreshLocked(&c, handles)
                var inUse: MessageFlags = c.messages.reduce(into: []) { $0.formUnion($1.flags) }
                let before = c.state
                for keyword in keywords {
                    guard let index = c.state.keywords.add(keyword, inUse: inUse) else {
                        c.state = before
                        throw .keywordsFull
                    }
                    inUse.insert(.keyword(index))
                }
                do throws(StoreError) { try self.writeState(&c, handles) } catch {
                    c.state = before
                    throw error
                }
                return c.state.keywords.flags(of: keywords)
            }
        }
    }

    /// Changes the flags of messages; those that changed after `unchangedSince` are left alone.
    package func store(
        _ change: FlagChange, _ flags: MessageFlags, on uids: [MessageUID], unchangedSince: ModSequence? = nil
    ) throws(StoreError) -> FlagResult {
        try withContents { c throws(StoreError) in
            try self.locked(&c) { c, handles throws(StoreError) -> FlagResult in
                try self.refreshLocked(&c, handles)
                return try self.store(change, flags, on: uids, unchangedSince: unchangedSince, &c, handles)
            }
        }
    }

    private func store(
        _ change: FlagChange, _ flags: MessageFlags, on uids: [MessageUID], unchangedSince: ModSequence?,
        _ c: inout FolderContents, _ handles: FolderHandles
    ) throws(StoreError) -> FlagResult {
        var result = FlagResult()
        let lost = try rename(plan(change, flags, on: uids, unchangedSince: unchangedSince, c, &result), &c, handles)
        if !lost.isEmpty {
            // Other software renamed them since the last look, and may have changed their flags: they are judged anew.
            try takeUp(&c, handles)
            let again = plan(change, flags, on: lost.sorted(), unchangedSince: unchangedSince, c, &result)
            result.missing += try rename(again, &c, handles).sorted()
        }
        let left = Set(result.missing + result.modified)
        result.messages = uids.compactMap { uid in
            left.contains(uid) ? nil : c.index(of: uid).map { c.messages[$0] }
        }
        return result
    }

    /// What is to be done, by the places of the messages; what cannot be done goes into the result.
    private func plan(
        _ change: FlagChange, _ flags: MessageFlags, on uids: [MessageUID], unchangedSince: ModSequence?,
        _ c: FolderContents, _ result: inout FlagResult
    ) -> [(index: Int, flags: MessageFlags)] {
        var work: [(index: Int, flags: MessageFlags)] = []
        for uid in uids {
            guard let index = c.index(of: uid) else {
                result.missing.append(uid)
                continue
            }
            if let unchangedSince, c.messages[index].modSequence > unchangedSince {
                result.modified.append(uid)
                continue
            }
            work.append((index, change.applied(flags, to: c.messages[index].flags)))
        }
        return work
    }

    /// Carries the changes out; the UIDs of messages that were not where they were seen, for the next look.
    private func rename(
        _ all: [(index: Int, flags: MessageFlags)], _ c: inout FolderContents, _ handles: FolderHandles
    ) throws(StoreError) -> Set<MessageUID> {
        let work = all.filter { c.messages[$0.index].flags != $0.flags }
        guard !work.isEmpty else { return [] }
        try reserve(uids: 0, &c, handles)
        c.modSequence += 1
        let modSequence = c.modSequence
        try append(
            work.map { .message(c.messages[$0.index].uid, modSequence: modSequence, $0.flags) }, &c, handles)
        c.history.advance()
        c.pendingSync = true
        var lost: Set<MessageUID> = []
        for (index, flags) in work {
            let old = c.messages[index]
            let name = old.name.with(flags: flags)
            guard try ifPresent({ () throws(KernelError) in
                try handles.cur.rename(Path(old.name.bytes), to: Path(name.bytes))
            }) != nil else {
                lost.insert(old.uid)
                continue
            }
            c.messages[index].name = name
            c.messages[index].flags = flags
            c.messages[index].modSequence = ModSequence(modSequence)
            c.history.note(.changed, old.uid)
        }
        c.history.trim()
        c.stampCur(handles)
        if !lost.isEmpty { c.mustList = true }
        return lost
    }
}

extension FlagChange {
    func applied(_ flags: MessageFlags, to old: MessageFlags) -> MessageFlags {
        switch self {
        case .add: old.union(flags)
        case .remove: old.subtracting(flags)
        case .replace: flags
        }
    }
}

extension KeywordTable {
    /// The flags of keywords that have letters.
    package func flags(of keywords: [[UInt8]]) -> MessageFlags {
        keywords.reduce(into: []) { flags, keyword in
            if let index = index(of: keyword) { flags.insert(.keyword(index)) }
        }
    }

    /// Flags of another folder's table in this one's letters; keywords that this table lacks are returned by name.
    func translate(_ flags: MessageFlags, from other: KeywordTable) -> (flags: MessageFlags, missing: [[UInt8]]) {
        var result = flags.intersection(.system)
        var missing: [[UInt8]] = []
        for keyword in other.keywords(of: flags) {
            if let index = index(of: keyword) { result.insert(.keyword(index)) } else { missing.append(keyword) }
        }
        return (result, missing)
    }
}
