// Bytes until proven text: what protocols call letters and digits, on bytes and nothing else.

extension UInt8 {
    package var isASCIIUppercase: Bool { self >= 0x41 && self <= 0x5A }
    package var isASCIIDigit: Bool { self >= 0x30 && self <= 0x39 }
    package var isASCIILetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A }

    /// The byte with A-Z folded to a-z; every other byte is itself.
    package var asciiLowercased: UInt8 { isASCIIUppercase ? self | 0x20 : self }

    /// The value of a hexadecimal digit, or nil.
    package var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }
}

extension Sequence<UInt8> {
    package var asciiLowercased: [UInt8] { map(\.asciiLowercased) }

    /// Text for people: bytes that are not UTF-8 show as U+FFFD. Never parse what this returns.
    package var display: String { String(decoding: Array(self), as: UTF8.self) }
}

extension Collection<UInt8> {
    /// Compares with A-Z equal to a-z (RFC 5321 §2.4), and no other folding.
    package func equalsIgnoringASCIICase(_ other: some Collection<UInt8>) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
    }

    package func equalsIgnoringASCIICase(_ other: StaticString) -> Bool {
        other.withUTF8Buffer { equalsIgnoringASCIICase($0) }
    }

    /// A decimal number of 1 to 18 digits and nothing else, or nil; cannot overflow.
    package var decimalValue: Int? {
        guard !isEmpty, count <= 18 else { return nil }
        var value = 0
        for byte in self {
            guard byte.isASCIIDigit else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}
