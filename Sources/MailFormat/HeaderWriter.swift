// Writing header fields of our own. Invariant: no byte of a value becomes a line end; only folds hold CRLF,
// and each is followed by a blank, so foreign bytes cannot begin a field or a body.

package import MailModel

/// Collects header fields in wire form.
package struct HeaderWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    /// RFC 5322 §2.1.1: lines should be no longer; folding happens at blanks.
    static let preferredLength = 78
    /// RFC 5322 §2.1.1: 998 at most; a word beyond this is cut.
    static let maximumWord = 900

    package init() {}

    /// Adds `name: value`, folded at its blanks. Control bytes become `?`, bytes that are not UTF-8 U+FFFD.
    package mutating func field(_ name: StaticString, _ value: [UInt8]) {
        let start = bytes.count
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: ":"))
        var column = bytes.count - start
        for word in oneLine(value).split(separator: 0x20) { append(word, &column) }
        bytes += [0x0D, 0x0A]
    }

    package mutating func field(_ name: StaticString, _ value: String) { field(name, Array(value.utf8)) }

    /// Adds a text field, with encoded words where it is not ASCII (RFC 2047).
    package mutating func text(_ name: StaticString, _ value: [UInt8]) { field(name, EncodedWord.encode(oneLine(value))) }

    /// `Return-Path:` as the final delivery writes it (RFC 5321 §4.4).
    package mutating func returnPath(_ path: ReversePath) {
        field("Return-Path", [UInt8(ascii: "<")] + path.wire + [UInt8(ascii: ">")])
    }

    /// `Delivered-To:`, the mark by which a delivery loop is noticed.
    package mutating func deliveredTo(_ address: EmailAddress) { field("Delivered-To", address.wire) }

    package mutating func date(_ date: MailDate) { field("Date", date.text) }

    private mutating func append(_ word: ArraySlice<UInt8>, _ column: inout Int) {
        var word = word
        while !word.isEmpty {
            let part = word.prefix(HeaderWriter.maximumWord)
            word = word.dropFirst(part.count)
            if column + 1 + part.count > HeaderWriter.preferredLength, column > 20 {
                bytes += [0x0D, 0x0A]
                column = 0
            }
            bytes.append(0x20)
            bytes += part
            column += 1 + part.count
        }
    }
}

/// `text` as one line that is UTF-8: blanks for tabs and line ends, `?` for other control bytes.
package func oneLine(_ text: some Collection<UInt8>) -> [UInt8] {
    Charset.utf8.utf8(text).map { byte in
        if byte == 0x09 || byte == 0x0A || byte == 0x0D { return 0x20 }
        return byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte
    }
}
