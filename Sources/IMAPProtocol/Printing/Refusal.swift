// Why the store did not do what a command wanted, and the answer that says so: the one table from errors to replies.

/// A reason for `NO`, with its response code (RFC 5530 §3, RFC 3501 §7.1).
package enum Refusal: Hashable, Sendable, CaseIterable {
    /// The mailbox does not exist.
    case nonexistent
    case alreadyExists
    /// It can never work, such as deleting INBOX.
    case cannot
    case overQuota
    case noPermission
    /// Another process holds what is needed; it is worth to try again.
    case inUse
    /// The mailbox has levels below it that must go first.
    case hasChildren
    /// Larger than the message size limit.
    case tooBig
    /// Some other limit, such as the number of mailboxes.
    case limit
    /// A message that the command names was expunged by another session.
    case expungeIssued
    /// Something that we need is out of order for now.
    case unavailable
    /// Our own fault: an answer that does not fit the question.
    case serverBug

    /// Code and text, as they stand behind `NO `.
    var text: StaticString {
        switch self {
        case .nonexistent: "[NONEXISTENT] No such mailbox"
        case .alreadyExists: "[ALREADYEXISTS] The mailbox exists already"
        case .cannot: "[CANNOT] This cannot be done"
        case .overQuota: "[OVERQUOTA] Not enough quota"
        case .noPermission: "[NOPERM] Permission denied"
        case .inUse: "[INUSE] The mailbox is in use, try again"
        case .hasChildren: "[HASCHILDREN] The mailbox has levels below it"
        case .tooBig: "[TOOBIG] The message is larger than the limit"
        case .limit: "[LIMIT] A limit was reached"
        case .expungeIssued: "[EXPUNGEISSUED] Some of the messages no longer exist"
        case .unavailable: "[UNAVAILABLE] Temporary failure, try again later"
        case .serverBug: "[SERVERBUG] Internal error"
        }
    }

    /// For a target of APPEND, COPY or MOVE (RFC 3501 §6.3.11): the client may offer to create it.
    var textForTarget: StaticString {
        self == .nonexistent ? "[TRYCREATE] No such mailbox" : text
    }
}

extension CommandFailure {
    /// The tagged reply, without its tag: BAD for grammar, NO for names and charsets.
    var reply: [UInt8] {
        var printer = ResponsePrinter()
        switch self {
        case .syntax(let reason):
            printer.raw("BAD ")
            printer.raw(reason.text)
        case .unknownCommand: printer.raw("BAD Unknown command")
        case .mailboxName: printer.raw("NO [CANNOT] No mailbox can have this name")
        case .charset: printer.raw("NO [BADCHARSET (US-ASCII UTF-8)] Unknown charset")
        case .tooComplex: printer.raw("NO [LIMIT] The command is too complex")
        case .incomplete: printer.raw("BAD Malformed literal")
        }
        return printer.bytes
    }
}
