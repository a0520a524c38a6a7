// Base64 as protocols need it: one text for one byte string, everything else refused.

/// RFC 4648 §4, with padding; no line breaks, no other alphabet.
package enum Base64 {
    private static let alphabet: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var have = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            have += 1
            if have == 3 {
                append(group, digits: 4, to: &out)
                (group, have) = (0, 0)
            }
        }
        if have > 0 {
            append(group << (have == 1 ? 16 : 8), digits: have + 1, to: &out)
            out.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - have))
        }
        return out
    }

    private static func append(_ group: UInt32, digits: Int, to out: inout [UInt8]) {
        for index in 0..<digits { out.append(alphabet[Int(group >> (18 - 6 * UInt32(index)) & 63)]) }
    }

    /// The bytes; nil unless `text` is exactly what `encode` makes of some bytes.
    ///
    /// Padding is required and its unused bits must be zero (RFC 4648 §3.5), so no two texts mean the same.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).reduce(0) { $1 == UInt8(ascii: "=") ? $0 + 1 : 0 }
        var out: [UInt8] = []
        out.reserveCapacity(text.count / 4 * 3)
        var group: UInt32 = 0
        var have: UInt32 = 0
        for digit in text.dropLast(padding) {
            guard let value = value(of: digit) else { return nil }
            group = group << 6 | UInt32(value)
            have += 6
            if have >= 8 {
                have -= 8
                out.append(UInt8(truncatingIfNeeded: group >> have))
                group &= (1 << have) - 1
            }
        }
        return group == 0 ? out : nil
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 0x41...0x5A: digit - 0x41
        case 0x61...0x7A: digit - 0x61 + 26
        case 0x30...0x39: digit - 0x30 + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
