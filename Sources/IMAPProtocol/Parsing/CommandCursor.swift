// A place in a complete command. Every production reads from here; none looks back or further than one byte.
// A literal stands in the text as it came: `{5}` CRLF and five bytes.

internal import MailModel

/// Reads the tokens of RFC 3501 §9 off a command, left to right.
package struct CommandCursor {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var next: UInt8? { position < bytes.count ? bytes[position] : nil }
    var isAtEnd: Bool { position == bytes.count }

    /// Steps over `byte` if it is next.
    mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ byte: Unicode.Scalar, _ reason: CommandFailure.Reason = .argument) throws(CommandFailure) {
        guard take(byte) else { throw .syntax(reason) }
    }

    mutating func space() throws(CommandFailure) { try expect(" ") }

    func end() throws(CommandFailure) {
        guard isAtEnd else { throw .syntax(.trailing) }
    }

    /// The longest run of bytes of a class; may be empty.
    mutating func run(while belongs: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count, belongs(bytes[position]) { position += 1 }
        return bytes[start..<position]
    }

    mutating func atom() throws(CommandFailure) -> ArraySlice<UInt8> {
        let atom = run(while: \.isAtomCharacter)
        guard !atom.isEmpty else { throw .syntax(.argument) }
        return atom
    }

    /// Steps over a word of letters, digits and dots, in any case, if it is next and ends there.
    mutating func takeWord(_ word: StaticString) -> Bool {
        let start = position
        if run(while: { $0.isAtomCharacter && $0 != UInt8(ascii: "[") }).equalsIgnoringASCIICase(word) { return true }
        position = start
        return false
    }

    /// `number`: 32 bits (RFC 3501 §9).
    mutating func number() throws(CommandFailure) -> UInt32 {
        let digits = run(while: \.isASCIIDigit)
        guard let value = digits.decimalValue, let number = UInt32(exactly: value) else { throw .syntax(.number) }
        return number
    }

    mutating func nonZeroNumber() throws(CommandFailure) -> UInt32 {
        let value = try number()
        guard value > 0 else { throw .syntax(.number) }
        return value
    }

    /// `astring`: an atom, a quoted string or a literal.
    mutating func astring() throws(CommandFailure) -> [UInt8] {
        if let string = try optionalString() { return string }
        let atom = run(while: \.isAStringCharacter)
        guard !atom.isEmpty else { throw .syntax(.argument) }
        return Array(atom)
    }

    /// `list-mailbox`: like `astring`, wildcards allowed.
    mutating func listMailbox() throws(CommandFailure) -> [UInt8] {
        if let string = try optionalString() { return string }
        let atom = run(while: \.isListCharacter)
        guard !atom.isEmpty else { throw .syntax(.argument) }
        return Array(atom)
    }

    /// `string`: quoted or literal.
    mutating func string() throws(CommandFailure) -> [UInt8] {
        guard let string = try optionalString() else { throw .syntax(.string) }
        return string
    }

    private mutating func optionalString() throws(CommandFailure) -> [UInt8]? {
        switch next {
        case UInt8(ascii: "\""): try quoted()
        case UInt8(ascii: "{"): try literal()
        default: nil
        }
    }

    private mutating func quoted() throws(CommandFailure) -> [UInt8] {
        position += 1
        var out: [UInt8] = []
        while let byte = next, byte.isQuotable {
            position += 1
            if byte == UInt8(ascii: "\"") { return out }
            guard byte == UInt8(ascii: "\\") else { out.append(byte); continue }
            guard let escaped = next, escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\") else { break }
            out.append(escaped)
            position += 1
        }
        throw .syntax(.string)
    }

    private mutating func literal() throws(CommandFailure) -> [UInt8] {
        let size = try literalHeader()
        guard size <= bytes.count - position else { throw .incomplete }
        defer { position += size }
        return Array(bytes[position..<(position + size)])
    }

    /// `{n}` or `{n+}` and its line end.
    mutating func literalHeader() throws(CommandFailure) -> Int {
        try expect("{", .string)
        let digits = run(while: \.isASCIIDigit)
        _ = take("+")
        guard let size = digits.decimalValue, take("}"), take("\r"), take("\n") else { throw .syntax(.string) }
        return size
    }
}
