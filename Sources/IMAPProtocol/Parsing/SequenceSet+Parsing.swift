// `sequence-set` (RFC 3501 §9): `1`, `2:4`, `*`, joined by commas.

internal import MailModel

extension SequenceSet {
    init(parsing cursor: inout CommandCursor) throws(CommandFailure) {
        var elements: [Element] = []
        repeat {
            let first = try SequenceSet.number(&cursor)
            let last = cursor.take(":") ? try SequenceSet.number(&cursor) : first
            elements.append(Element(first, last))
        } while cursor.take(",")
        self.init(elements)
    }

    /// `seq-number`: nil for `*`.
    private static func number(_ cursor: inout CommandCursor) throws(CommandFailure) -> UInt32? {
        if cursor.take("*") { return nil }
        guard let digit = cursor.next, digit.isASCIIDigit else { throw .syntax(.sequenceSet) }
        return try cursor.nonZeroNumber()
    }
}
