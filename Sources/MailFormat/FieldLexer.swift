// The tokens of structured header fields (RFC 5322 §3.2), read without recursion: comments nest by a counter.
// Invariant: every call moves forward or is at the end, so any loop over it ends after as many steps as bytes.

internal import MailModel

/// What structured fields are made of.
enum FieldToken: Equatable {
    /// Letters, digits and what else an atom holds; bytes above 127 count as atom text.
    case atom([UInt8])
    /// A quoted string, unquoted.
    case quoted([UInt8])
    /// A domain literal with its brackets.
    case literal([UInt8])
    /// Any other single byte: `,` `:` `;` `<` `>` `@` `.` …
    case special(UInt8)
}

struct FieldLexer {
    private let bytes: ArraySlice<UInt8>
    private var index: Int
    /// Bytes that end an atom, beside blanks, quotes and comments.
    private let isSpecial: @Sendable (UInt8) -> Bool
    /// The comment last passed over, unquoted; a mailbox without a name takes it as its name.
    private(set) var comment: [UInt8]?
    /// Whether blanks or comments stood before the token last read.
    private(set) var hadSpace = false

    init(_ bytes: ArraySlice<UInt8>, isSpecial: @escaping @Sendable (UInt8) -> Bool = FieldLexer.addressSpecials) {
        self.bytes = bytes
        index = bytes.startIndex
        self.isSpecial = isSpecial
    }

    /// RFC 5322 §3.2.3 `specials`.
    static let addressSpecials: @Sendable (UInt8) -> Bool = { byte in
        switch byte {
        case 0x28, 0x29, 0x3C, 0x3E, 0x5B, 0x5D, 0x3A, 0x3B, 0x40, 0x5C, 0x2C, 0x2E, 0x22: true
        default: byte < 0x21 || byte == 0x7F
        }
    }

    /// RFC 2045 §5.1 `tspecials`.
    static let mimeSpecials: @Sendable (UInt8) -> Bool = { byte in
        switch byte {
        case 0x28, 0x29, 0x3C, 0x3E, 0x40, 0x2C, 0x3B, 0x3A, 0x5C, 0x22, 0x2F, 0x5B, 0x5D, 0x3F, 0x3D: true
        default: byte < 0x21 || byte == 0x7F
        }
    }

    mutating func forgetComment() { comment = nil }

    mutating func next() -> FieldToken? {
        hadSpace = skipSpace()
        guard index < bytes.endIndex else { return nil }
        let byte = bytes[index]
        if byte == UInt8(ascii: "\"") { return .quoted(quoted(until: byte)) }
        if byte == UInt8(ascii: "["), isSpecial(byte) { return .literal([byte] + quoted(until: 0x5D) + [0x5D]) }
        if isSpecial(byte) { index += 1; return .special(byte) }
        let start = index
        while index < bytes.endIndex, !isSpecial(bytes[index]) { index += 1 }
        return .atom(Array(bytes[start..<index]))
    }

    /// What is left up to the next `stop` byte, raw, for values that break the grammar; blanks at its end go.
    mutating func raw(until stop: UInt8) -> [UInt8] {
        let start = index
        while index < bytes.endIndex, bytes[index] != stop { index += 1 }
        var text = bytes[start..<index]
        while let last = text.last, last.isBlankOrLineEnd { text = text.dropLast() }
        return text.filter { $0 != 0x0D && $0 != 0x0A }
    }

    /// CFWS (RFC 5322 §3.2.2); true if there was any.
    private mutating func skipSpace() -> Bool {
        let start = index
        while index < bytes.endIndex {
            if bytes[index].isBlankOrLineEnd { index += 1 }
            else if bytes[index] == UInt8(ascii: "(") { skipComment() }
            else { break }
        }
        return index > start
    }

    private mutating func skipComment() {
        var depth = 0
        var text: [UInt8] = []
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "("):
                depth += 1
                if depth > 1 { text.append(byte) }
            case UInt8(ascii: ")"):
                depth -= 1
                if depth == 0 { comment = unfolded(text[...]); return }
                text.append(byte)
            case UInt8(ascii: "\\"):
                if index < bytes.endIndex { text.append(bytes[index]); index += 1 }
            default: text.append(byte)
            }
        }
    }

    /// The inside of a quoted string or literal; one that never ends goes to the end of the field.
    private mutating func quoted(until close: UInt8) -> [UInt8] {
        var out: [UInt8] = []
        index += 1
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            if byte == close { break }
            if byte == UInt8(ascii: "\\"), index < bytes.endIndex {
                out.append(bytes[index])
                index += 1
            } else if byte != 0x0D, byte != 0x0A {
                out.append(byte)
            }
        }
        return out
    }
}
