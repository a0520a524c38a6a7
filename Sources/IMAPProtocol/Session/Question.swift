// What a session wants of the mail store, as plain values. One question is open at a time; each gets one answer.

extension Session {
    /// A request to the store. Questions about messages mean the mailbox that was selected last.
    package enum Question: Hashable, Sendable {
        /// All mailboxes and subscriptions → `.mailboxes`.
        case list
        /// Ends an earlier selection → `.selected`.
        case select(MailboxName, readOnly: Bool)
        /// → `.done`
        case unselect
        /// What has changed since the last `.selected` or `.changes` → `.changes`; `.nonexistent` when the mailbox is gone.
        case refresh
        /// → `.done`
        case create(MailboxName)
        case delete(MailboxName)
        case rename(MailboxName, to: MailboxName)
        case subscribe(MailboxName)
        case unsubscribe(MailboxName)
        /// → `.status`
        case status(MailboxName, [StatusItem])
        /// May this message come? → `.done`
        case beginAppend(AppendCommand, size: Int)
        /// The next piece of it, at most 64 KiB → `.done`
        case appendContent([UInt8])
        /// Durable before the answer → `.appended`
        case finishAppend
        /// It will not come → `.done`
        case abandonAppend
        /// → `.described`
        case describe(UID, MessageNeeds)
        /// These bytes of a message → `.content`; fewer only if the file has shrunk.
        case read(UID, Range<Int>)
        /// → `.stored` for the messages that exist.
        case store([UID], StoreOperation)
        /// All or none, durable before the answer → `.copied`
        case copy([UID], to: MailboxName)
        case move([UID], to: MailboxName)
        /// Removes what is `\Deleted` now: all, or those of these UIDs → `.expunged`
        case expunge(among: NumberSet?)
        /// Which conditions hold for which message → `.matches`
        case match([UID], [ContentKey])
    }
}

/// What a FETCH needs to know of a message beyond UID and flags.
package struct MessageNeeds: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let size = MessageNeeds(rawValue: 1)
    package static let internalDate = MessageNeeds(rawValue: 2)
    /// The bytes of the message's header.
    package static let header = MessageNeeds(rawValue: 4)
    /// Envelope and part tree.
    package static let structure = MessageNeeds(rawValue: 8)
    /// The whole message, if it is at most `MessageDescription.inlineLimit` octets.
    package static let content = MessageNeeds(rawValue: 16)
}
