// Mailboxes by name: listing, making, removing, subscriptions, STATUS.

import IMAPProtocol
import Kernel
import Mailbox

extension AccountAccess {
    mutating func list() throws(StoreError) -> Session.Answer {
        let account = try account()
        let existing = try account.mailboxes()
        let subscribed = try account.subscriptions()
        let lost = subscribed.subtracting(existing)
        return .mailboxes(
            (existing + lost.sorted()).compactMap { name in
                IMAPProtocol.MailboxName(utf8: name.bytes).map {
                    MailboxEntry(
                        $0, exists: !lost.contains(name), isSubscribed: subscribed.contains(name),
                        specialUse: MailStore.specialUse(of: name))
                }
            })
    }

    mutating func create(_ name: IMAPProtocol.MailboxName) throws(StoreError) -> Session.Answer {
        guard let name = Mailbox.MailboxName(name.utf8) else { throw .nameRefused }
        try account().create(name)
        return .done
    }

    mutating func delete(_ name: IMAPProtocol.MailboxName) throws(StoreError) -> Session.Answer {
        guard let name = Mailbox.MailboxName(name.utf8) else { throw .folderMissing }
        forgetOther()
        try account().delete(name, at: .now())
        return .done
    }

    mutating func rename(_ old: IMAPProtocol.MailboxName, to new: IMAPProtocol.MailboxName) throws(StoreError) -> Session.Answer {
        guard let old = Mailbox.MailboxName(old.utf8) else { throw .folderMissing }
        guard let new = Mailbox.MailboxName(new.utf8) else { throw .nameRefused }
        forgetOther()
        try account().rename(old, to: new)
        return .done
    }

    /// RFC 3501 §6.3.6: only what exists can be subscribed to; a subscription outlives its mailbox.
    mutating func setSubscribed(_ subscribed: Bool, _ name: IMAPProtocol.MailboxName) throws(StoreError) -> Session.Answer {
        guard let name = Mailbox.MailboxName(name.utf8) else { throw .folderMissing }
        let account = try account()
        if subscribed, try !account.exists(name) { throw .folderMissing }
        try account.setSubscribed(subscribed, name)
        return .done
    }

    mutating func status(of name: IMAPProtocol.MailboxName) throws(StoreError) -> Session.Answer {
        let folder = try folder(name)
        _ = try folder.refresh(since: folder.generation)
        let messages = folder.messages
        return .status(
            MailboxStatus(
                messages: messages.count, recent: messages.count { $0.isRecent }, uidNext: UID(folder.uidNext.rawValue),
                uidValidity: IMAPProtocol.UIDValidity(folder.validity.rawValue),
                unseen: messages.count { !$0.flags.contains(.seen) }))
    }
}
