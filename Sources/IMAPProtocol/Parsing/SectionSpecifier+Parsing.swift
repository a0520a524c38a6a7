// `section` (RFC 3501 §9): `[]`, `[HEADER]`, `[2.1.MIME]`, `[HEADER.FIELDS (From To)]`.

internal import MailModel

extension SectionSpecifier {
    static let maximumFields = 128

    init(parsing cursor: inout CommandCursor) throws(CommandFailure) {
        try cursor.expect("[", .section)
        var part: [Int] = []
        var endsInDot = false
        while let digit = cursor.next, digit.isASCIIDigit {
            guard part.count < SectionSpecifier.maximumDepth else { throw .syntax(.nesting) }
            part.append(Int(try cursor.nonZeroNumber()))
            endsInDot = cursor.take(".")
            guard endsInDot else { break }
        }
        let wantsText = part.isEmpty ? cursor.next != UInt8(ascii: "]") : endsInDot
        let text = wantsText ? try SectionSpecifier.text(&cursor, ofPart: !part.isEmpty) : .all
        try cursor.expect("]", .section)
        self.init(part: part, text)
    }

    /// `section-text`.
    private static func text(_ cursor: inout CommandCursor, ofPart: Bool) throws(CommandFailure) -> Text {
        if cursor.takeWord("HEADER") { return .header }
        if cursor.takeWord("TEXT") { return .text }
        if ofPart, cursor.takeWord("MIME") { return .mime }
        if cursor.takeWord("HEADER.FIELDS") { return .headerFields(try fields(&cursor)) }
        if cursor.takeWord("HEADER.FIELDS.NOT") { return .headerFieldsNot(try fields(&cursor)) }
        throw .syntax(.section)
    }

    /// `header-list`.
    private static func fields(_ cursor: inout CommandCursor) throws(CommandFailure) -> [[UInt8]] {
        try cursor.space()
        try cursor.expect("(", .section)
        var names: [[UInt8]] = []
        repeat {
            guard names.count < maximumFields else { throw .tooComplex }
            names.append(try cursor.astring())
        } while cursor.take(" ")
        try cursor.expect(")", .section)
        return names
    }
}
