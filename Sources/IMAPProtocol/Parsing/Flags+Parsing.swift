// `flag` and `flag-list` (RFC 3501 §9). `\Recent` cannot be set, and no other flag may begin with a backslash.

internal import MailModel

extension Flags {
    static let maximumKeywords = 64

    /// `flag-list`: parentheses, possibly empty.
    init(parsingList cursor: inout CommandCursor) throws(CommandFailure) {
        self.init()
        try cursor.expect("(", .flag)
        if cursor.take(")") { return }
        repeat { try insert(parsing: &cursor) } while cursor.take(" ")
        try cursor.expect(")", .flag)
    }

    /// `store-att-flags`: a list, or flags without parentheses.
    init(parsingStoreArgument cursor: inout CommandCursor) throws(CommandFailure) {
        if cursor.next == UInt8(ascii: "(") {
            try self.init(parsingList: &cursor)
        } else {
            self.init()
            repeat { try insert(parsing: &cursor) } while cursor.take(" ")
        }
    }

    private mutating func insert(parsing cursor: inout CommandCursor) throws(CommandFailure) {
        if cursor.take("\\") {
            let name = [UInt8(ascii: "\\")] + (try cursor.atom())
            guard let known = SystemFlags.names.first(where: { name.equalsIgnoringASCIICase($0.name) }),
                known.flag != .recent
            else { throw .syntax(.flag) }
            system.insert(known.flag)
        } else {
            guard let keyword = Keyword(try cursor.atom()), keywords.count < Flags.maximumKeywords
            else { throw .syntax(.flag) }
            insert(keyword)
        }
    }
}
