// Every message that a store holds, wherever its owner put it: for the comparison of a store with what the logs say of it.

package import Kernel

/// One pass over a store, a folder at a time; what is renamed meanwhile may be missed.
package enum StoreListing {
    /// Calls `body` with each message of each mailbox, expunged ones and those of deleted mailboxes included, and of the stage.
    package static func forEachMessage(store: Path, _ body: (MessageName) -> Void) throws(StoreError) {
        let root = try kernel { () throws(KernelError) in try DirectoryDescriptor(opening: store) }
        try list(StoreNames.stage, in: root, body)
        for domain in try folders(".", in: root) where domain.first != MailboxName.separator {
            for user in try folders(Path(domain), in: root) where user.first != MailboxName.separator {
                try listAccount(Path(domain) / Path(user), in: root, body)
            }
        }
    }

    private static func listAccount(_ account: Path, in root: borrowing DirectoryDescriptor, _ body: (MessageName) -> Void) throws(StoreError) {
        try listMailbox(account, in: root, body)
        for name in try folders(account, in: root) where name.first == MailboxName.separator {
            try listMailbox(account / Path(name), in: root, body)
        }
        let deleted = account / StoreNames.stateFolder / StoreNames.deleted
        for name in try folders(deleted, in: root) { try listMailbox(deleted / Path(name), in: root, body) }
    }

    private static func listMailbox(_ mailbox: Path, in root: borrowing DirectoryDescriptor, _ body: (MessageName) -> Void) throws(StoreError) {
        // new/ first: what moves on meanwhile is then seen in cur/, and what is expunged in the hidden folder.
        for part in [StoreNames.new, StoreNames.cur, StoreNames.stateFolder / StoreNames.expunged] {
            try list(mailbox / part, in: root, body)
        }
    }

    private static func list(_ path: Path, in root: borrowing DirectoryDescriptor, _ body: (MessageName) -> Void) throws(StoreError) {
        guard let folder = try ifPresent({ () throws(KernelError) in try root.openDirectory(path) }) else { return }
        for name in try folder.messageNames() where name.bytes != StoreNames.storeID.bytes { body(name) }
    }

    private static func folders(_ path: Path, in root: borrowing DirectoryDescriptor) throws(StoreError) -> [[UInt8]] {
        guard let folder = try ifPresent({ () throws(KernelError) in try root.openDirectory(path) }) else { return [] }
        let entries = try kernel { () throws(KernelError) in try folder.list() }
        // Some file systems do not say what an entry is: what is no folder is then found to be none.
        return entries.filter { $0.kind == .directory }.map(\.name)
    }
}
