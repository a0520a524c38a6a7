// The selected mailbox: what is in it, and what became different since the session was last told.

import IMAPProtocol
import Kernel
import Mailbox

extension AccountAccess {
    mutating func select(_ name: IMAPProtocol.MailboxName, readOnly: Bool) throws(StoreError) -> Session.Answer {
        _ = unselect()
        guard let name = Mailbox.MailboxName(name.utf8) else { throw .folderMissing }
        let folder = try account().open(name)
        let generation = folder.generation
        let messages = folder.messages
        selected = Selected(
            name: name, validity: folder.validity, isReadOnly: readOnly, folder: folder, generation: generation,
            known: KnownMessages(messages))
        let flags = FlagTranslation(folder)
        let recent = readOnly ? folder.recent : folder.takeRecent()
        return .selected(
            Selection(
                uidValidity: IMAPProtocol.UIDValidity(folder.validity.rawValue), uidNext: UID(folder.uidNext.rawValue),
                messages: messages.map { MessageState($0, flags, recent: recent) }, keywords: flags.keywords,
                takesNewKeywords: flags.takesNewKeywords(beside: messages.reduce(into: []) { $0.formUnion($1.flags) })))
    }

    mutating func unselect() -> Session.Answer {
        if let folder = selected?.folder { shared.flagSync.note(folder) }
        selected = nil
        message = nil
        return .done
    }

    mutating func refresh() throws(StoreError) -> Session.Answer {
        let folder = try selectedFolder()
        // One that was deleted or renamed lies unchanged where it was moved to.
        guard var selected, try account().exists(selected.name) else { throw .folderMissing }
        let found = try folder.refresh(since: selected.generation, lookAgain: selected.watch != nil)
        guard folder.validity == selected.validity else { throw .folderMissing }
        let news = selected.known.learn(found)
        selected.generation = found.generation
        self.selected = selected
        let flags = FlagTranslation(folder)
        // EXAMINE must not take \Recent away from who may change the mailbox (RFC 3501 §6.3.2).
        let recent = selected.isReadOnly ? folder.recent : folder.takeRecent()
        return .changes(
            MailboxChanges(
                arrived: news.arrived.map { MessageState($0, flags, recent: recent) }, flags: news.changed.map { FlagUpdate($0, flags) },
                vanished: news.vanished.map { UID($0.rawValue) }))
    }
}

extension MessageState {
    init(_ message: StoredMessage, _ flags: FlagTranslation, recent: ClosedRange<MessageUID>?) {
        self.init(
            uid: UID(message.uid.rawValue),
            flags: flags.flags(message.flags, isRecent: recent?.contains(message.uid) ?? false),
            size: message.wireSize.flatMap { UInt32(exactly: $0) })
    }
}

extension FlagUpdate {
    init(_ message: StoredMessage, _ flags: FlagTranslation) {
        self.init(UID(message.uid.rawValue), flags.flags(message.flags))
    }
}
