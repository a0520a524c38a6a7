// A mailbox that comes from another server keeps its UIDs, so that clients need not fetch it again.

import Kernel

/// What another server said of a mailbox, as `dovecot-uidlist` or an IMAP session tells it.
package struct MailboxNumbers: Sendable {
    package var validity: UIDValidity
    /// The UID after all that were given.
    package var uidNext: UInt32
    /// UIDs by the unique parts of the files.
    package var uids: [[UInt8]: MessageUID]

    package init(validity: UIDValidity, uidNext: UInt32, uids: [[UInt8]: MessageUID]) {
        self.validity = validity
        self.uidNext = uidNext
        self.uids = uids
    }
}

extension Account {
    /// Gives a mailbox that was never opened here the numbers that it had; durable when it returns.
    ///
    /// `folderExists` if it has numbers of its own. The files get their tags first: until the state says so they count
    /// as none, so a crash leaves a mailbox that can be adopted again.
    package func adopt(_ numbers: MailboxNumbers, for name: MailboxName) throws(StoreError) {
        let handles = try FolderHandles(account: directory, name: name, context: context)
        try handles.exclusively { () throws(StoreError) in
            let present = try ifPresent { () throws(KernelError) in try handles.state.status(of: StoreNames.state) }
            if present != nil { throw .folderExists }
            for isNew in [true, false] {
                let files = try isNew ? handles.new.messageNames() : handles.cur.messageNames()
                for file in files { try tag(FoundFile(name: file, isNew: isNew), numbers, handles) }
            }
            try kernel { () throws(KernelError) in
                try handles.cur.sync()
                try handles.new.sync()
            }
            try changeState { (state: inout AccountState) throws(StoreError) in
                state.lastValidity = max(state.lastValidity, numbers.validity.rawValue)
            }
            var state = FolderState(validity: numbers.validity, numbering: numbering)
            state.reservedUID = UInt64(max(1, numbers.uidNext))
            if let text = try ifPresent({ () throws(KernelError) in
                try handles.folder.contents(of: StoreNames.dovecotKeywords, limit: StoreNames.stateLimit)
            }) {
                state.keywords.adopt(dovecot: text)
            }
            try kernel { () throws(KernelError) in
                try handles.state.replace(StoreNames.state, with: state.text, mode: context.stateMode)
            }
        }
    }

    private func tag(_ file: FoundFile, _ numbers: MailboxNumbers, _ handles: FolderHandles) throws(StoreError) {
        guard let uid = numbers.uids[Array(file.name.unique)], uid.rawValue > 0, uid.rawValue < numbers.uidNext,
            let tagged = file.name.with(tag: .init(uid: uid, validity: numbers.validity))
        else { return }
        let folder = Path(file.isNew ? "new" : "cur")
        _ = try ifPresent { () throws(KernelError) in
            try handles.folder.rename(folder / Path(file.name.bytes), to: folder / Path(tagged.bytes))
        }
    }
}

/// How much an account holds, by the sizes that the names say.
package struct MailboxUsage: Hashable, Sendable {
    package var messages = 0
    package var bytes: Int64 = 0
}

extension Account {
    /// What all mailboxes hold. Files whose names say no size are asked for it; expunged messages do not count.
    package func usage() throws(StoreError) -> MailboxUsage {
        var usage = MailboxUsage()
        for name in try mailboxes() {
            let handles = try FolderHandles(account: directory, name: name, context: context)
            for isNew in [true, false] {
                let files = try isNew ? handles.new.messageNames() : handles.cur.messageNames()
                for file in files {
                    guard let size = try size(of: FoundFile(name: file, isNew: isNew), handles) else { continue }
                    usage.messages += 1
                    usage.bytes &+= size
                }
            }
        }
        return usage
    }

    /// Nil if the file is there no more.
    private func size(of file: FoundFile, _ handles: FolderHandles) throws(StoreError) -> Int64? {
        if let said = file.name.fileSize { return Int64(said) }
        let path = Path(file.isNew ? "new" : "cur") / Path(file.name.bytes)
        return try ifPresent { () throws(KernelError) in try handles.folder.status(of: path) }?.size
    }
}
