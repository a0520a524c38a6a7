// The grammar of macros (RFC 7208 §7.1).

internal import MailModel

extension SPFMacro {
    /// A `domain-spec`: ends in a top-level label or in a macro.
    init(domain text: ArraySlice<UInt8>) throws(SPFSyntaxError) {
        var scan = Scan(text, allowsSpace: false, isExplanation: false)
        pieces = try scan.pieces()
        guard scan.tail.isEmpty ? !text.isEmpty : SPFMacro.isDomainEnd(scan.tail) else { throw .domain }
    }

    /// The `macro-string` of an unknown modifier; may be empty.
    init(value text: ArraySlice<UInt8>) throws(SPFSyntaxError) {
        var scan = Scan(text, allowsSpace: false, isExplanation: true)
        pieces = try scan.pieces()
    }

    /// An `explain-string` (RFC 7208 §6.2): ASCII, spaces, and three letters more.
    init(explanation text: ArraySlice<UInt8>) throws(SPFSyntaxError) {
        var scan = Scan(text, allowsSpace: true, isExplanation: true)
        pieces = try scan.pieces()
    }

    /// `"." toplabel [ "." ]` at the end of the literal that nothing follows.
    private static func isDomainEnd(_ tail: ArraySlice<UInt8>) -> Bool {
        let name = tail.last == UInt8(ascii: ".") ? tail.dropLast() : tail
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let label = name[(dot + 1)...]
        return !label.isEmpty && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            && label.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "-") }
            && !label.allSatisfy(\.isASCIIDigit)
    }

    /// One pass over the text.
    private struct Scan {
        private let text: ArraySlice<UInt8>
        private let allowsSpace: Bool
        private let isExplanation: Bool
        private var index: Int
        private var literal: [UInt8] = []
        private var out: [Piece] = []
        /// The text behind the last macro.
        private(set) var tail: ArraySlice<UInt8>

        init(_ text: ArraySlice<UInt8>, allowsSpace: Bool, isExplanation: Bool) {
            self.text = text
            self.allowsSpace = allowsSpace
            self.isExplanation = isExplanation
            index = text.startIndex
            tail = text
        }

        mutating func pieces() throws(SPFSyntaxError) -> [Piece] {
            while index < text.endIndex {
                let byte = text[index]
                index += 1
                if byte == UInt8(ascii: "%") {
                    try macro()
                    tail = text[index...]
                } else if byte > 0x20 && byte < 0x7F || byte == 0x20 && allowsSpace {
                    literal.append(byte)
                } else {
                    throw .macro
                }
            }
            flush()
            return out
        }

        private mutating func flush() {
            if !literal.isEmpty { out.append(.literal(literal)) }
            literal = []
        }

        /// What follows `%`.
        private mutating func macro() throws(SPFSyntaxError) {
            switch next() {
            case UInt8(ascii: "%"): literal.append(UInt8(ascii: "%"))
            case UInt8(ascii: "_"): literal.append(0x20)
            case UInt8(ascii: "-"): literal += "%20".utf8
            case UInt8(ascii: "{"):
                flush()
                out.append(.expansion(try expansion()))
            default: throw .macro
            }
        }

        private mutating func next() -> UInt8? {
            guard index < text.endIndex else { return nil }
            defer { index += 1 }
            return text[index]
        }

        /// `macro-letter transformers *delimiter "}"`.
        private mutating func expansion() throws(SPFSyntaxError) -> Expansion {
            guard let first = next(), let letter = Letter(rawValue: first.asciiLowercased), isExplanation || !letter.isForExplanations
            else { throw .macro }
            let digits = text[index...].prefix(while: \.isASCIIDigit)
            index = digits.endIndex
            // Zero parts would be no name; more parts than any name has are all of them.
            guard digits.isEmpty || digits.contains(where: { $0 != UInt8(ascii: "0") }) else { throw .macro }
            let kept = digits.isEmpty ? nil : digits.drop { $0 == UInt8(ascii: "0") }.decimalValue ?? Int.max
            var isReversed = false
            if index < text.endIndex, text[index].asciiLowercased == UInt8(ascii: "r") {
                isReversed = true
                index += 1
            }
            let delimiters = text[index...].prefix { "+,-./=_".utf8.contains($0) }
            index = delimiters.endIndex
            guard next() == UInt8(ascii: "}") else { throw .macro }
            return Expansion(
                letter: letter, kept: kept, isReversed: isReversed, delimiters: Array(delimiters), isEscaped: first.isASCIIUppercase)
        }
    }
}
