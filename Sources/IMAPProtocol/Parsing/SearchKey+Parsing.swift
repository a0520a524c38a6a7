// `search-key` without its operators (RFC 3501 §6.4.4): each leaf as steps, the UN… forms as a leaf and a `not`.

internal import MailModel

extension SearchKey {
    private static let plain: [(word: StaticString, steps: [SearchProgram.Step])] = [
        ("ALL", [.leaf(.all)]),
        ("ANSWERED", [.leaf(.flags(.answered))]), ("UNANSWERED", [.leaf(.flags(.answered)), .not]),
        ("DELETED", [.leaf(.flags(.deleted))]), ("UNDELETED", [.leaf(.flags(.deleted)), .not]),
        ("DRAFT", [.leaf(.flags(.draft))]), ("UNDRAFT", [.leaf(.flags(.draft)), .not]),
        ("FLAGGED", [.leaf(.flags(.flagged))]), ("UNFLAGGED", [.leaf(.flags(.flagged)), .not]),
        ("SEEN", [.leaf(.flags(.seen))]), ("UNSEEN", [.leaf(.flags(.seen)), .not]),
        ("RECENT", [.leaf(.flags(.recent))]), ("OLD", [.leaf(.flags(.recent)), .not]),
        ("NEW", [.leaf(.flags(.recent)), .leaf(.flags(.seen)), .not, .and(count: 2)]),
    ]

    static func steps(parsing cursor: inout CommandCursor) throws(CommandFailure) -> [SearchProgram.Step] {
        if let first = cursor.next, first.isASCIIDigit || first == UInt8(ascii: "*") {
            return [.leaf(.sequence(try SequenceSet(parsing: &cursor)))]
        }
        for (word, steps) in plain where cursor.takeWord(word) { return steps }
        if cursor.takeWord("UNKEYWORD") { return [.leaf(try keyword(&cursor)), .not] }
        if cursor.takeWord("KEYWORD") { return [.leaf(try keyword(&cursor))] }
        if cursor.takeWord("UID") {
            try cursor.space()
            return [.leaf(.uids(try SequenceSet(parsing: &cursor)))]
        }
        return [.leaf(.content(try ContentKey(parsing: &cursor)))]
    }

    private static func keyword(_ cursor: inout CommandCursor) throws(CommandFailure) -> SearchKey {
        try cursor.space()
        guard let keyword = Keyword(try cursor.atom()) else { throw .syntax(.flag) }
        return .keyword(keyword)
    }
}

extension ContentKey {
    fileprivate init(parsing cursor: inout CommandCursor) throws(CommandFailure) {
        for field in ["BCC", "CC", "FROM", "SUBJECT", "TO"] as [StaticString] where cursor.takeWord(field) {
            self = .header(name: field.withUTF8Buffer(Array.init), text: try ContentKey.argument(&cursor))
            return
        }
        if cursor.takeWord("HEADER") {
            let name = try ContentKey.argument(&cursor)
            self = .header(name: name, text: try ContentKey.argument(&cursor))
        } else if cursor.takeWord("BODY") {
            self = .body(try ContentKey.argument(&cursor))
        } else if cursor.takeWord("TEXT") {
            self = .text(try ContentKey.argument(&cursor))
        } else if cursor.takeWord("LARGER") {
            try cursor.space()
            self = .larger(Int(try cursor.number()))
        } else if cursor.takeWord("SMALLER") {
            try cursor.space()
            self = .smaller(Int(try cursor.number()))
        } else {
            self = try ContentKey.dateKey(&cursor)
        }
    }

    private static func dateKey(_ cursor: inout CommandCursor) throws(CommandFailure) -> ContentKey {
        if cursor.takeWord("BEFORE") { return .received(.before, try day(&cursor)) }
        if cursor.takeWord("ON") { return .received(.on, try day(&cursor)) }
        if cursor.takeWord("SINCE") { return .received(.since, try day(&cursor)) }
        if cursor.takeWord("SENTBEFORE") { return .sent(.before, try day(&cursor)) }
        if cursor.takeWord("SENTON") { return .sent(.on, try day(&cursor)) }
        if cursor.takeWord("SENTSINCE") { return .sent(.since, try day(&cursor)) }
        throw .syntax(.searchKey)
    }

    private static func argument(_ cursor: inout CommandCursor) throws(CommandFailure) -> [UInt8] {
        try cursor.space()
        return try cursor.astring()
    }

    /// `date`, with or without quotes.
    private static func day(_ cursor: inout CommandCursor) throws(CommandFailure) -> CalendarDay {
        guard let day = CalendarDay(parsing: try argument(&cursor)) else { throw .syntax(.date) }
        return day
    }
}
