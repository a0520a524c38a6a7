// After a crash: where a copy is of which `staged` was said; and how an account's Maildir comes to be.

import Kernel

/// Where the file of a copy was found.
package enum Whereabouts: Hashable, Sendable {
    case stage
    /// In a mailbox: it was delivered, and its owner may have moved it since.
    case mailbox(MailboxName)
    /// Expunged by its owner: it was delivered.
    case expunged(MailboxName)
}

extension Delivery {
    /// Looks for copies by their unique parts, the store being the right one. What is nowhere is not in the answer.
    ///
    /// One pass over the account for all of them: its cost is a listing of the folders until all are found.
    package func find(_ uniques: Set<[UInt8]>, of account: AccountFolder) throws(StoreError) -> [[UInt8]: Whereabouts] {
        try stage.verify()
        var found: [[UInt8]: Whereabouts] = [:]
        func look(in folder: borrowing DirectoryDescriptor, _ place: Whereabouts) throws(StoreError) {
            for name in try folder.messageNames() {
                let unique = Array(name.unique)
                if uniques.contains(unique), found[unique] == nil { found[unique] = place }
            }
        }
        try look(in: stage.directory, .stage)
        for mailbox in try mailboxes(of: account) where found.count < uniques.count {
            let path = MailboxPlace(account: account, mailbox: mailbox).path
            for sub in [StoreNames.new, StoreNames.cur] {
                if let folder = try opened(path / sub) { try look(in: folder, .mailbox(mailbox)) }
            }
            if let hidden = try opened(path / StoreNames.stateFolder / StoreNames.expunged) {
                try look(in: hidden, .expunged(mailbox))
            }
        }
        return found
    }

    private func opened(_ path: Path) throws(StoreError) -> DirectoryDescriptor? {
        try ifPresent { () throws(KernelError) in try store().openDirectory(path) }
    }

    private func mailboxes(of account: AccountFolder) throws(StoreError) -> [MailboxName] {
        guard let folder = try opened(account.path) else { return [] }
        let entries = try kernel { () throws(KernelError) in try folder.list() }
        return [.inbox] + entries.compactMap { MailboxName(folder: $0.name) }.sorted()
    }

    private func store() throws(KernelError) -> DirectoryDescriptor { try DirectoryDescriptor(opening: stage.store) }

    /// Makes an account's Maildir, whole or not at all; durable when it returns. False if it was there.
    ///
    /// It is built on the stage and renamed, so that no other program sees a half of it.
    package func createAccount(_ account: AccountFolder) throws(StoreError) -> Bool {
        let mode = stage.context.folderMode
        // Where the store was unmounted meanwhile, the folder beneath must not become another.
        try stage.verify()
        let root = try kernel { () throws(KernelError) in try store() }
        let domain = try root.existingDirectory(Path(account.domain), mode: mode)
        let user = Path(account.user)
        if try ifPresent({ () throws(KernelError) in try domain.status(of: user) }) != nil { return false }
        let random = try kernel { () throws(KernelError) in try Randomness.uint64() }
        let temporary = Path(Array(".account-".utf8) + decimal(random))
        do throws(KernelError) {
            try stage.directory.makeDirectory(temporary, mode: mode)
            let made = try stage.directory.openDirectory(temporary)
            for name in Delivery.accountFolders { try made.makeDirectory(name, mode: mode) }
            try made.sync()
            try stage.directory.renameNoReplace(temporary, to: domain, as: user)
            try domain.sync()
            return true
        } catch {
            try removeUnused(temporary)
            if error.exists { return false }
            throw .kernel(error)
        }
    }

    private static let accountFolders = [StoreNames.cur, StoreNames.new, StoreNames.tmp, StoreNames.stateFolder]

    private func removeUnused(_ name: Path) throws(StoreError) {
        for sub in Delivery.accountFolders {
            _ = try ifPresent { () throws(KernelError) in try stage.directory.removeDirectory(name / sub) }
        }
        _ = try ifPresent { () throws(KernelError) in try stage.directory.removeDirectory(name) }
    }

    /// Removes what crashes during `createAccount` left on the stage; for the start of locald.
    package func removeUnfinishedAccounts() throws(StoreError) {
        let entries = try kernel { () throws(KernelError) in try stage.directory.list() }
        for entry in entries where entry.kind == .directory && entry.name.starts(with: ".account-".utf8) {
            try removeUnused(Path(entry.name))
        }
    }
}
