// Encoded words in header fields (RFC 2047). Invariant: no search looks further than one word may be long.

internal import MailModel

package enum EncodedWord {
    /// Longer words than RFC 2047 §2 allows (75) are read, within this.
    static let maximumLength = 2048

    /// A field's value as UTF-8 for search and display; words in unknown character sets stay as they are.
    ///
    /// Blanks between two encoded words vanish (RFC 2047 §6.2). A character cut in two by adjacent words is joined.
    package static func decode(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        var index = value.startIndex
        var afterWord = false
        while index < value.endIndex {
            if afterWord, let next = wordAfterBlanks(value, from: index) { index = next }
            afterWord = false
            if let word = word(value, at: index) {
                out += word.text
                index = word.end
                afterWord = true
                continue
            }
            let byte = value[index]
            if byte != 0x0D, byte != 0x0A { out.append(byte) }
            index += 1
        }
        return Charset.utf8.utf8(out)
    }

    private static func wordAfterBlanks(_ value: ArraySlice<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < value.endIndex, value[index].isBlankOrLineEnd { index += 1 }
        return index > start && word(value, at: index) != nil ? index : nil
    }

    /// `=?charset?encoding?text?=` at `start`.
    private static func word(_ value: ArraySlice<UInt8>, at start: Int) -> (text: [UInt8], end: Int)? {
        guard value.endIndex - start >= 8, value[start] == UInt8(ascii: "="), value[start + 1] == UInt8(ascii: "?"),
            let charsetEnd = mark(value, from: start + 2, limit: 64), charsetEnd + 2 < value.endIndex,
            value[charsetEnd + 2] == UInt8(ascii: "?"),
            let textEnd = mark(value, from: charsetEnd + 3, limit: maximumLength), textEnd + 1 < value.endIndex,
            value[textEnd + 1] == UInt8(ascii: "=")
        else { return nil }
        // RFC 2231 §5: a language may follow the character set.
        let name = value[(start + 2)..<charsetEnd].prefix { $0 != UInt8(ascii: "*") }
        guard let charset = Charset(name: name) else { return nil }
        let text = value[(charsetEnd + 3)..<textEnd]
        let octets: [UInt8]
        switch value[charsetEnd + 1].asciiLowercased {
        case UInt8(ascii: "b"): octets = base64Decoded(text, limit: maximumLength)
        case UInt8(ascii: "q"): octets = quotedPrintableDecoded(text, limit: maximumLength, underscoreIsSpace: true)
        default: return nil
        }
        return (charset == .utf8 ? octets : charset.utf8(octets), textEnd + 2)
    }

    /// The next `?` before a blank, within `limit` bytes.
    private static func mark(_ value: ArraySlice<UInt8>, from start: Int, limit: Int) -> Int? {
        var index = start
        while index < value.endIndex, index - start <= limit, value[index] > 0x20, value[index] < 0x7F {
            if value[index] == UInt8(ascii: "?") { return index }
            index += 1
        }
        return nil
    }

    /// Text for an unstructured field or a phrase: itself if it is printable ASCII, else encoded words in UTF-8.
    ///
    /// Each word holds whole characters and is at most 75 bytes long (RFC 2047 §2 and §5).
    package static func encode(_ text: [UInt8]) -> [UInt8] {
        if text.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), !startsWord(text) { return text }
        var out: [UInt8] = []
        var chunk: [UInt8] = []
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            let bytes = Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            if chunk.count + bytes.count > 45 { append(chunk, to: &out); chunk = [] }
            chunk += bytes
        }
        append(chunk, to: &out)
        return out
    }

    /// Whether plain text would be read as an encoded word.
    private static func startsWord(_ text: [UInt8]) -> Bool {
        zip(text, text.dropFirst()).contains { $0 == UInt8(ascii: "=") && $1 == UInt8(ascii: "?") }
    }

    private static func append(_ chunk: [UInt8], to out: inout [UInt8]) {
        if chunk.isEmpty { return }
        if !out.isEmpty { out.append(0x20) }
        out += Array("=?UTF-8?B?".utf8) + base64Encoded(chunk) + Array("?=".utf8)
    }
}
