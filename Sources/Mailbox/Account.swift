// One account's Maildir: its mailboxes and what is true of all of them together.

package import Kernel

/// An account's folder and its state folder, held open.
package final class Account: Sendable {
    package let context: StoreContext
    let directory: DirectoryDescriptor
    let state: DirectoryDescriptor
    /// Of the store, when the account was opened: a mailbox of an older one gives its UIDs anew.
    let numbering: UInt32

    /// Opens an account's Maildir beneath the store's root, following no link; `accountMissing` if there is none.
    package init(store: Path, folder: AccountFolder, context: StoreContext) throws(StoreError) {
        guard let directory = try ifPresent({ () throws(KernelError) in
            try DirectoryDescriptor(opening: store).openDirectory(folder.path)
        }) else { throw .accountMissing }
        state = try directory.existingDirectory(StoreNames.stateFolder, mode: context.folderMode)
        numbering = try StoreIdentity.numbering(of: store)
        self.directory = directory
        self.context = context
    }

    /// Opens a mailbox and looks at it.
    package func open(_ name: MailboxName) throws(StoreError) -> Folder { try Folder(account: self, name: name) }

    // MARK: State

    package func readState() throws(StoreError) -> AccountState {
        guard let text = try ifPresent({ () throws(KernelError) in
            try state.contents(of: StoreNames.account, limit: StoreNames.stateLimit)
        }) else { return AccountState() }
        guard let parsed = AccountState(parsing: text) else { throw .damaged(path: (state.path / StoreNames.account).bytes) }
        return parsed
    }

    /// Changes the state, alone among all programs; durable when it returns.
    func changeState<R>(_ body: (inout AccountState) throws(StoreError) -> R) throws(StoreError) -> R {
        let lock = try kernel { () throws(KernelError) in
            try state.openOrCreate("account.lock", mode: context.stateMode)
        }
        try kernel { () throws(KernelError) in try lock.lock() }
        var current = try readState()
        let before = current
        let result = try body(&current)
        if current != before {
            let text = current.text
            try kernel { () throws(KernelError) in
                try state.replace(StoreNames.account, with: text, mode: context.stateMode)
            }
        }
        return result
    }

    /// A UIDVALIDITY that no folder of this account ever had; durably taken.
    func takeValidity() throws(StoreError) -> UIDValidity {
        try changeState { (state: inout AccountState) throws(StoreError) -> UIDValidity in
            guard let validity = state.takeValidity(at: WallTime.now().seconds) else { throw .numbersExhausted }
            return validity
        }
    }

    package func subscriptions() throws(StoreError) -> Set<MailboxName> { try readState().subscriptions }

    /// Subscribes or unsubscribes; the mailbox need not exist (RFC 9051 §6.3.7). Durable when it returns.
    package func setSubscribed(_ subscribed: Bool, _ name: MailboxName) throws(StoreError) {
        try changeState { (state: inout AccountState) throws(StoreError) in
            if subscribed { state.subscriptions.insert(name) } else { state.subscriptions.remove(name) }
        }
    }
}
