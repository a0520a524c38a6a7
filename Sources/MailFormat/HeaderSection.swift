// The header of a message or body part, as ranges into its bytes: nothing is copied until somebody asks.
// Invariant: one pass, at most `maximumFields` ranges kept, however long or broken the header is.

internal import MailModel

/// One field of a header: `name: value`, folded as it stands in the message (RFC 5322 §2.2).
package struct HeaderField: Hashable, Sendable {
    /// The name, without the colon and blanks before it.
    package let name: Range<Int>
    /// What follows the colon, folds included, without the last line end.
    package let value: Range<Int>
    /// The whole field with its last line end.
    package let whole: Range<Int>
}

/// The fields of a header and where it ends.
///
/// Lines that are no field (an mbox `From ` line, garbage) are passed over; the header ends at the first blank
/// line, or where the bytes end. Both CRLF and LF end a line.
package struct HeaderSection: Hashable, Sendable {
    /// Fields beyond this number are not kept.
    package static let maximumFields = 10_000
    /// Fields that begin beyond this many bytes are not kept.
    package static let maximumSize = 8 << 20

    package private(set) var fields: [HeaderField] = []
    /// From the first byte to the end of the blank line that ends the header.
    package let range: Range<Int>
    /// Whether fields were left out because the header is too large.
    package private(set) var isTruncated = false

    /// Where the body begins: just after the blank line.
    package var bodyStart: Int { range.upperBound }

    package init(of bytes: [UInt8]) { self.init(of: bytes, in: 0..<bytes.count) }

    /// Scans the header that begins at `range`; the range must lie within `bytes`.
    package init(of bytes: [UInt8], in range: Range<Int>) {
        let range = range.clamped(to: 0..<bytes.count)
        var found = FieldCollector(start: range.lowerBound)
        let end = bytes.withUnsafeBytes { raw in
            var lines = LineReader(raw, in: range)
            while let line = lines.next() {
                if line.isBlank { found.finish(at: line.content.lowerBound); return line.next }
                found.take(line, raw)
            }
            found.finish(at: range.upperBound)
            return range.upperBound
        }
        fields = found.fields
        isTruncated = found.isTruncated
        self.range = range.lowerBound..<end
    }

    /// The first field with this name, in any case.
    package func first(_ name: StaticString, in bytes: [UInt8]) -> HeaderField? {
        fields.first { bytes[$0.name].equalsIgnoringASCIICase(name) }
    }

    /// All fields with this name, in any case, in their order.
    package func all(_ name: some Collection<UInt8>, in bytes: [UInt8]) -> [HeaderField] {
        fields.filter { bytes[$0.name].equalsIgnoringASCIICase(name) }
    }

    /// The unfolded, trimmed value of the first field with this name.
    package func value(_ name: StaticString, in bytes: [UInt8]) -> [UInt8]? {
        first(name, in: bytes).map { unfolded(bytes[$0.value]) }
    }
}

/// A folded value on one line: line ends go, the blanks after them stay (RFC 5322 §2.2.3); both ends are trimmed.
package func unfolded(_ value: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(value.count)
    for byte in trimmed(value) where byte != 0x0D && byte != 0x0A { out.append(byte) }
    return out
}

/// `text` without blanks and line ends at both ends.
package func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text
    while let byte = text.first, byte.isBlankOrLineEnd { text = text.dropFirst() }
    while let byte = text.last, byte.isBlankOrLineEnd { text = text.dropLast() }
    return text
}

extension UInt8 {
    var isBlank: Bool { self == 0x20 || self == 0x09 }
    var isBlankOrLineEnd: Bool { isBlank || self == 0x0D || self == 0x0A }
}

/// Joins lines to fields: a line that begins with a blank continues the one before it.
private struct FieldCollector {
    let start: Int
    var fields: [HeaderField] = []
    var isTruncated = false
    private var open: (name: Range<Int>, valueStart: Int, start: Int)?
    private var contentEnd = 0

    init(start: Int) { self.start = start }

    mutating func take(_ line: Line, _ bytes: UnsafeRawBufferPointer) {
        if bytes[line.content.lowerBound].isBlank {
            if open != nil { contentEnd = line.content.upperBound }
            return
        }
        finish(at: line.content.lowerBound)
        guard let name = FieldCollector.name(of: line.content, bytes) else { return }
        if fields.count >= HeaderSection.maximumFields || line.content.lowerBound - start > HeaderSection.maximumSize {
            isTruncated = true
            return
        }
        open = (name.range, name.colon + 1, line.content.lowerBound)
        contentEnd = line.content.upperBound
    }

    mutating func finish(at end: Int) {
        guard let field = open else { return }
        fields.append(HeaderField(name: field.name, value: field.valueStart..<contentEnd, whole: field.start..<end))
        open = nil
    }

    /// RFC 5322 §3.6.8 `field-name`; blanks before the colon are obsolete and allowed (§4.5).
    private static func name(of line: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> (range: Range<Int>, colon: Int)? {
        var index = line.lowerBound
        while index < line.upperBound, bytes[index] > 0x20, bytes[index] < 0x7F, bytes[index] != 0x3A { index += 1 }
        let nameEnd = index
        while index < line.upperBound, bytes[index].isBlank { index += 1 }
        guard nameEnd > line.lowerBound, index < line.upperBound, bytes[index] == 0x3A else { return nil }
        return (line.lowerBound..<nameEnd, index)
    }
}
