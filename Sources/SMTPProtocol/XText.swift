// xtext: how addresses and ids travel in ESMTP parameters without a space or a line break.

private import MailModel

/// RFC 3461 §4: printable ASCII, with `+` and `=` and everything else as `+HH`.
package enum XText {
    /// nil for a byte that must be encoded, or a `+` without two upper-case digits.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "=") else { return nil }
            guard byte == UInt8(ascii: "+") else {
                out.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else {
                return nil
            }
            out.append(high << 4 | low)
        }
        return out
    }

    package static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return bytes.flatMap { byte -> [UInt8] in
            let isPlain = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "+") && byte != UInt8(ascii: "=")
            return isPlain ? [byte] : [UInt8(ascii: "+"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? { byte >= 0x61 ? nil : byte.hexValue }
}
