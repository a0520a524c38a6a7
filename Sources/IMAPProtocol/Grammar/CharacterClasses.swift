// The character classes of RFC 3501 §9, each a question to one byte.

extension UInt8 {
    /// `ATOM-CHAR`: any 7-bit character except atom-specials.
    var isAtomCharacter: Bool {
        guard self > 0x20, self < 0x7F else { return false }
        switch self {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "*"),
            UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]"):
            return false
        default: return true
        }
    }

    /// `ASTRING-CHAR`: an atom character or `]`.
    var isAStringCharacter: Bool { isAtomCharacter || self == UInt8(ascii: "]") }

    /// `list-char`: an astring character or a wildcard.
    var isListCharacter: Bool { isAStringCharacter || self == UInt8(ascii: "%") || self == UInt8(ascii: "*") }

    /// What a quoted string may hold; 8-bit is taken, as RFC 9051 §4.3 has it and clients send it.
    var isQuotable: Bool { self != 0 && self != 0x0D && self != 0x0A }
}
