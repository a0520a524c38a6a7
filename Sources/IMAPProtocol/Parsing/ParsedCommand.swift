// A complete command's text becomes a value, or a failure that still knows which tag to answer.

internal import MailModel

/// A tag and what stood behind it. Without a tag that can be answered, the reply is untagged.
package struct ParsedCommand<Verb: Sendable>: Sendable {
    package let tag: Tag?
    package let result: Result<Verb, CommandFailure>

    /// Reads tag, verb and arguments; `read` gets the upper-cased verb and the place behind it.
    init(
        _ text: [UInt8], read: (_ verb: [UInt8], inout CommandCursor) throws(CommandFailure) -> Verb
    ) {
        var cursor = CommandCursor(text)
        let word = cursor.run(while: { $0.isAStringCharacter && $0 != UInt8(ascii: "+") })
        guard let tag = Tag(word), cursor.take(" ") else {
            self.tag = nil
            result = .failure(.syntax(.tag))
            return
        }
        self.tag = tag
        do throws(CommandFailure) {
            // NUL is no character of IMAP; Dovecot's CVE-2019-11500 was one inside a quoted string.
            guard !text.contains(0) else { throw .syntax(.nul) }
            let verb = try cursor.atom().map { $0.isASCIILetter ? $0 & 0xDF : $0 }
            let value = try read(verb, &cursor)
            try cursor.end()
            result = .success(value)
        } catch {
            result = .failure(error)
        }
    }
}
