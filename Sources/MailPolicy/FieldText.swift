// Header fields with strangers' words in them: nothing that was quoted can end its quotes, its line or the header.

internal import MailModel

/// A field being written: words are set apart by a space, or by a line break and a tab before a line grows long.
struct FieldText: Sendable {
    private(set) var bytes: [UInt8]
    private var column: Int

    /// RFC 5322 §2.1.1: the length that lines should keep.
    private static let width = 78
    /// Bytes of one quoted value that are shown.
    private static let longest = 256

    init(_ name: String) {
        bytes = Array(name.utf8) + [UInt8(ascii: ":")]
        column = bytes.count
    }

    /// Appends a word that holds no line break; a quoted string is one word.
    mutating func add(_ word: [UInt8]) {
        if column + 1 + word.count > FieldText.width {
            bytes += [13, 10, 9]
            column = 8
        } else {
            bytes.append(0x20)
            column += 1
        }
        bytes += word
        column += word.count
    }

    mutating func add(_ word: String) { add(Array(word.utf8)) }

    /// Appends a comment, which may be folded at its spaces.
    mutating func add(comment text: [UInt8]) {
        for word in FieldText.comment(text).split(separator: 0x20) { add(Array(word)) }
    }

    /// The field with its last line break.
    var line: [UInt8] { bytes + [13, 10] }

    /// A `dot-atom`, or a `quoted-string` (RFC 5322 §3.2.3, §3.2.4).
    static func dotAtomOrQuoted(_ value: [UInt8]) -> [UInt8] {
        let isAtom = value.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
        }
        return isAtom && value.count <= longest ? value : quoted(value)
    }

    /// A `token` of RFC 2045 §5.1, or a `quoted-string`.
    static func tokenOrQuoted(_ value: [UInt8]) -> [UInt8] {
        let isToken = !value.isEmpty && value.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?=".utf8.contains($0) }
        return isToken && value.count <= longest ? value : quoted(value)
    }

    /// Controls and what is not ASCII become `?`.
    static func quoted(_ value: [UInt8]) -> [UInt8] {
        escaped(value, specials: [UInt8(ascii: "\""), UInt8(ascii: "\\")], between: (UInt8(ascii: "\""), UInt8(ascii: "\"")))
    }

    private static func comment(_ value: [UInt8]) -> [UInt8] {
        escaped(value, specials: [UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\")], between: (UInt8(ascii: "("), UInt8(ascii: ")")))
    }

    private static func escaped(_ value: [UInt8], specials: [UInt8], between marks: (UInt8, UInt8)) -> [UInt8] {
        var out = [marks.0]
        for byte in value.prefix(longest) {
            if specials.contains(byte) { out.append(UInt8(ascii: "\\")) }
            out.append(byte >= 0x20 && byte < 0x7F ? byte : UInt8(ascii: "?"))
        }
        return out + [marks.1]
    }
}

/// Text of a stranger for a reply or a page: printable ASCII, at most `limit` bytes.
func printable(_ text: some Collection<UInt8>, limit: Int) -> [UInt8] {
    text.prefix(limit).map { $0 >= 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: "?") }
}
