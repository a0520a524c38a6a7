// APPEND up to the announcement of its message, which is then streamed and never part of a command's text.

internal import MailModel

extension AppendCommand {
    /// What the text of a command, cut behind a literal's announcement, says about APPEND.
    package enum Prefix: Sendable {
        /// Not APPEND, or the literal is one of its earlier arguments: frame on.
        case other
        /// All before the message literal.
        case message(Tag, AppendCommand)
        case failure(Tag, CommandFailure)
    }

    /// `text` ends with `{n}` CRLF or `{n+}` CRLF.
    package static func prefix(_ text: [UInt8]) -> Prefix {
        var cursor = CommandCursor(text)
        guard let tag = Tag(cursor.run(while: { $0.isAStringCharacter && $0 != UInt8(ascii: "+") })),
            cursor.take(" "), cursor.takeWord("APPEND")
        else { return .other }
        do throws(CommandFailure) {
            guard !text.contains(0) else { throw .syntax(.nul) }
            return .message(tag, try AppendCommand(parsing: &cursor))
        } catch {
            return error == .incomplete ? .other : .failure(tag, error)
        }
    }

    private init(parsing cursor: inout CommandCursor) throws(CommandFailure) {
        try cursor.space()
        let name = try cursor.astring()
        try cursor.space()
        var flags = Flags()
        if cursor.next == UInt8(ascii: "(") {
            flags = try Flags(parsingList: &cursor)
            try cursor.space()
        }
        var date: InternalDate?
        if cursor.next == UInt8(ascii: "\"") {
            date = InternalDate(parsing: try cursor.string())
            guard date != nil else { throw .syntax(.date) }
            try cursor.space()
        }
        _ = try cursor.literalHeader()
        try cursor.end()
        guard let mailbox = MailboxName(wire: name) else { throw .mailboxName }
        self.init(mailbox: mailbox, flags: flags, date: date)
    }
}
