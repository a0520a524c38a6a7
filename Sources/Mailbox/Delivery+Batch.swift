// The syncs of a batch, one a mailbox, so that several threads can do them side by side.

import Kernel

/// A `new/` folder with renames that no sync has covered.
package struct UnsyncedFolder: Sendable {
    package let place: MailboxPlace
    let folder: DirectoryBox

    /// Makes the renames durable. After an error what was released there must be looked for again.
    package func sync() throws(StoreError) { try kernel { () throws(KernelError) in try folder.directory.sync() } }
}

extension Delivery {
    /// Makes durable what was found in a mailbox: the rename that brought it there may be one that no sync has covered.
    package func syncMailbox(_ mailbox: MailboxName, of account: AccountFolder) throws(StoreError) {
        let path = MailboxPlace(account: account, mailbox: mailbox).path
        try kernel { () throws(KernelError) in
            let store = try DirectoryDescriptor(opening: stage.store)
            for sub in [StoreNames.new, StoreNames.cur] { try store.openDirectory(path / sub).sync() }
        }
    }

    /// The folders with releases since the last call; the caller syncs each once.
    package func takeUnsynced() -> [UnsyncedFolder] { takeUnsyncedFolders().map { UnsyncedFolder(place: $0.key, folder: $0.value) } }
}
