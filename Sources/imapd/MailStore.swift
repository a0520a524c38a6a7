// Where the accounts are, and how one comes to be: its Maildir at its first use, its usual mailboxes at its first login.

import IMAPProtocol
import Kernel
import Mailbox

/// The store as sessions reach it.
struct MailStore: Sendable {
    let path: Path
    let context: StoreContext

    /// Opens an account, made if it has none: whoever logs in may send before the first mail comes.
    func open(_ folder: AccountFolder) throws(StoreError) -> Account {
        let account: Account
        do throws(StoreError) { account = try Account(store: path, folder: folder, context: context) } catch {
            guard case .accountMissing = error else { throw error }
            // The stage is what tells an empty store from one that is not there.
            let delivery = try Delivery(stage: Stage(store: path, expecting: nil, context: context), openFolders: 1)
            _ = try delivery.createAccount(folder)
            account = try Account(store: path, folder: folder, context: context)
        }
        try furnish(account)
        return account
    }

    /// Makes and subscribes the mailboxes that clients expect. An account that ever had a UIDVALIDITY was used before:
    /// what is missing there was deleted by its owner.
    private func furnish(_ account: Account) throws(StoreError) {
        guard try account.readState().lastValidity == 0 else { return }
        try account.setSubscribed(true, .inbox)
        for (name, _) in MailStore.usual {
            guard let name = Mailbox.MailboxName(name.withUTF8Buffer { Array($0) }) else { continue }
            do throws(StoreError) { try account.create(name) } catch {
                guard case .folderExists = error else { throw error }
            }
            try account.setSubscribed(true, name)
        }
    }

    /// RFC 6154 §2: what a mailbox is for, by its name.
    private static let usual: [(name: StaticString, use: SpecialUse)] = [
        ("Archive", .archive), ("Drafts", .drafts), ("Junk", .junk), ("Sent", .sent), ("Trash", .trash),
    ]

    static func specialUse(of name: Mailbox.MailboxName) -> SpecialUse? {
        usual.first { entry in entry.name.withUTF8Buffer { $0.elementsEqual(name.bytes) } }?.use
    }
}
