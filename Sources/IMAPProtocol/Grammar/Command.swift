// The commands of IMAP as values: what a client may ask before login, and what after it.

/// A command before login (RFC 3501 §6.1, §6.2; RFC 2971).
package enum LoginCommand: Hashable, Sendable {
    case capability, noop, logout, startTLS
    case id
    case login(user: [UInt8], password: [UInt8])
    /// The initial response as sent, in base 64 (RFC 4959).
    case authenticate(mechanism: [UInt8], initial: [UInt8]?)
}

/// A command after login (RFC 3501 §6.1, §6.3, §6.4 and extensions). APPEND has `AppendCommand`: it is streamed.
package enum Command: Hashable, Sendable {
    case capability, noop, logout, namespace, id
    case enable
    case select(MailboxName, readOnly: Bool)
    case create(MailboxName)
    case delete(MailboxName)
    case rename(MailboxName, to: MailboxName)
    case subscribe(MailboxName)
    case unsubscribe(MailboxName)
    case list(ListRequest)
    case lsub(ListRequest)
    case status(MailboxName, [StatusItem])
    case idle
    case check, close, unselect
    /// nil: all; else those of these UIDs (RFC 4315 §2.1).
    case expunge(SequenceSet?)
    case search(SearchProgram, Numbering)
    case fetch(SequenceSet, [FetchItem], Numbering)
    case store(SequenceSet, StoreOperation, Numbering)
    case copy(SequenceSet, to: MailboxName, Numbering)
    case move(SequenceSet, to: MailboxName, Numbering)

    /// What the numbers in a command mean, and those in its answer.
    package enum Numbering: Hashable, Sendable { case sequence, uid }

    /// Whether the command is legal only with a mailbox selected (RFC 3501 §3.3).
    package var needsMailbox: Bool {
        switch self {
        case .check, .close, .unselect, .expunge, .search, .fetch, .store, .copy, .move: true
        case .capability, .noop, .logout, .namespace, .id, .enable, .select, .create, .delete, .rename, .subscribe,
            .unsubscribe, .list, .lsub, .status, .idle:
            false
        }
    }
}

/// APPEND up to its literal (RFC 3501 §6.3.11).
package struct AppendCommand: Hashable, Sendable {
    package let mailbox: MailboxName
    package let flags: Flags
    package let date: InternalDate?

    package init(mailbox: MailboxName, flags: Flags, date: InternalDate?) {
        self.mailbox = mailbox
        self.flags = flags
        self.date = date
    }
}
