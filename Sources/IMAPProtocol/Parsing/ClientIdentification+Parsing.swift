// ID's argument (RFC 2971 §3.3): read to its end and bounded; nothing is done with what a client says of itself.

internal import MailModel

enum ClientIdentification {
    static let maximumPairs = 30

    /// `NIL`, or a parenthesized list of names and values.
    static func skip(_ cursor: inout CommandCursor) throws(CommandFailure) {
        if cursor.takeWord("NIL") { return }
        try cursor.expect("(")
        if cursor.take(")") { return }
        var pairs = 0
        repeat {
            pairs += 1
            guard pairs <= maximumPairs else { throw .tooComplex }
            _ = try cursor.string()
            try cursor.space()
            if !cursor.takeWord("NIL") { _ = try cursor.string() }
        } while cursor.take(" ")
        try cursor.expect(")")
    }
}
