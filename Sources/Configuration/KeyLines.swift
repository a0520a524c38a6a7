// Which line a key stands on: the TOML parser tells it for syntax errors only. One pass over a text that has already
// parsed, so it needs to know where values end, and nothing about what they mean.

/// The line of each key and table of a well-formed TOML text.
struct KeyLines {
    private var lines: [String: Int] = [:]

    /// Counted from 1. A key inside an inline table has the line of that table.
    subscript(_ key: String) -> Int? {
        var name = key
        while true {
            if let line = lines[name] { return line }
            guard let dot = name.lastIndex(of: ".") else { return nil }
            name = String(name[..<dot])
        }
    }

    init(_ text: String) {
        var scanner = Scanner(bytes: Array(text.utf8))
        var table = ""
        while scanner.skipToStatement() {
            let line = scanner.line
            if scanner.peek == UInt8(ascii: "[") {
                table = scanner.key(until: UInt8(ascii: "]"))
                if lines[table] == nil { lines[table] = line }
                scanner.skipLine()
            } else {
                let key = scanner.key(until: UInt8(ascii: "="))
                lines[table.isEmpty ? key : table + "." + key] = line
                scanner.skipValue()
            }
        }
    }

    private struct Scanner {
        let bytes: [UInt8]
        var index = 0
        var line = 1

        init(bytes: [UInt8]) { self.bytes = bytes }

        var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

        private mutating func next() -> UInt8? {
            guard let byte = peek else { return nil }
            index += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            return byte
        }

        mutating func skipLine() { while let byte = next(), byte != UInt8(ascii: "\n") {} }

        /// To the next byte that is neither blank nor in a comment; false at the end.
        mutating func skipToStatement() -> Bool {
            while let byte = peek {
                switch byte {
                case 0x20, 0x09, 0x0D, 0x0A: _ = next()
                case UInt8(ascii: "#"): skipLine()
                default: return true
                }
            }
            return false
        }

        /// The dotted key before `end`, blanks, quotes and brackets taken out.
        mutating func key(until end: UInt8) -> String {
            var out: [UInt8] = []
            while let byte = next(), byte != end {
                if ![0x20, 0x09, 0x22, 0x27, 0x5B].contains(byte) { out.append(byte) }
            }
            return String(decoding: out, as: UTF8.self)
        }

        /// To the end of the line on which the value ends: brackets, strings and comments may hold line ends.
        mutating func skipValue() {
            var depth = 0
            while let byte = next() {
                switch byte {
                case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString(byte)
                case UInt8(ascii: "#"):
                    skipLine()
                    if depth <= 0 { return }
                case UInt8(ascii: "\n"): if depth <= 0 { return }
                default: continue
                }
            }
        }

        private func isTripled(_ quote: UInt8) -> Bool {
            index + 1 < bytes.count && bytes[index] == quote && bytes[index + 1] == quote
        }

        /// The rest of a string whose first quote was read.
        private mutating func skipString(_ quote: UInt8) {
            let tripled = isTripled(quote)
            if tripled { index += 2 }
            while let byte = next() {
                if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                    _ = next()
                } else if byte == quote, !tripled {
                    return
                } else if byte == quote, isTripled(quote) {
                    index += 2
                    return
                }
            }
        }
    }
}
