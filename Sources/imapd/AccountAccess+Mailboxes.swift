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
        let account = try account()
        if try account.exists(old) { try account.rename(old, to: new) } else { try renameInferiors(of: old, to: new, account) }
        return .done
    }

    /// A level that is no mailbox itself, but is listed for those below it, goes by renaming them (RFC 3501 §6.3.5).
    private func renameInferiors(
        of old: Mailbox.MailboxName, to new: Mailbox.MailboxName, _ account: Account
    ) throws(StoreError) {
        guard !new.isInbox, !new.isInferior(to: old) else { throw .nameRefused }
        let all = try account.mailboxes()
        let below = all.filter { $0.isInferior(to: old) }
        guard !below.isEmpty else { throw .folderMissing }
        let pairs = below.map { (from: $0, to: $0.moved(from: old, to: new)) }
        for (_, target) in pairs {
            guard let target else { throw .nameRefused }
            if all.contains(target) { throw .folderExists }
        }
        // The upper ones come first and take their own inferiors along.
        for case (let from, let target?) in pairs where try account.exists(from) { try account.rename(from, to: target) }
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
        let recent = folder.recent
        return .status(
            MailboxStatus(
                messages: messages.count, recent: messages.count { recent?.contains($0.uid) ?? false },
                uidNext: UID(folder.uidNext.rawValue),
                uidValidity: IMAPProtocol.UIDValidity(folder.validity.rawValue),
                unseen: messages.count { !$0.flags.contains(.seen) }))
    }
}
