// FETCH's list of items (RFC 3501 §6.4.5). An item asked for twice is answered once, so a list costs no more than its kinds.

internal import MailModel

extension FetchItem {
    static let maximumItems = 64

    /// A macro, one item, or a list of items.
    static func list(parsing cursor: inout CommandCursor) throws(CommandFailure) -> [FetchItem] {
        if cursor.takeWord("ALL") { return [.flags, .internalDate, .size, .envelope] }
        if cursor.takeWord("FAST") { return [.flags, .internalDate, .size] }
        if cursor.takeWord("FULL") { return [.flags, .internalDate, .size, .envelope, .body] }
        guard cursor.take("(") else { return [try FetchItem(parsing: &cursor)] }
        var items: [FetchItem] = []
        repeat {
            let item = try FetchItem(parsing: &cursor)
            guard !items.contains(item) else { continue }
            guard items.count < maximumItems else { throw .tooComplex }
            items.append(item)
        } while cursor.take(" ")
        try cursor.expect(")", .fetchItem)
        return items
    }

    private static let words: [(word: StaticString, item: FetchItem)] = [
        ("FLAGS", .flags), ("UID", .uid), ("INTERNALDATE", .internalDate), ("RFC822.SIZE", .size),
        ("ENVELOPE", .envelope), ("BODYSTRUCTURE", .bodyStructure), ("RFC822", .rfc822),
        ("RFC822.HEADER", .rfc822Header), ("RFC822.TEXT", .rfc822Text),
    ]

    private init(parsing cursor: inout CommandCursor) throws(CommandFailure) {
        let isPeek = cursor.takeWord("BODY.PEEK")
        if isPeek || cursor.takeWord("BODY") {
            guard cursor.next == UInt8(ascii: "[") else {
                guard !isPeek else { throw .syntax(.section) }
                self = .body
                return
            }
            let specifier = try SectionSpecifier(parsing: &cursor)
            self = .section(Section(specifier, isPeek: isPeek, partial: try PartialRange(parsingIfPresent: &cursor)))
            return
        }
        for (word, item) in FetchItem.words where cursor.takeWord(word) {
            self = item
            return
        }
        throw .syntax(.fetchItem)
    }
}

extension PartialRange {
    /// `<origin.length>` after a section, or nil.
    fileprivate init?(parsingIfPresent cursor: inout CommandCursor) throws(CommandFailure) {
        guard cursor.take("<") else { return nil }
        let origin = try cursor.number()
        try cursor.expect(".", .section)
        let length = try cursor.nonZeroNumber()
        try cursor.expect(">", .section)
        self.init(origin: Int(origin), length: Int(length))
    }
}
