// `utf-8-addr-xtext` and `utf-8-addr-unitext`: UTF-8 in a parameter, with `\x{FC}` for what may not stand there itself.

private import MailModel

/// RFC 6533 §3.
package enum UnicodeText {
    /// nil for bytes that must be encoded, UTF-8 where it is not allowed, and numbers that are no character.
    package static func decode(_ text: some Collection<UInt8>, allowsUTF8: Bool) -> [UInt8]? {
        var out: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\") {
                guard let scalar = embedded(&rest) else { return nil }
                out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            } else {
                guard isPlain(byte) || byte >= 0x80 && allowsUTF8 else { return nil }
                out.append(byte)
            }
        }
        return isUTF8(out) ? out : nil
    }

    /// `x{1F600}` behind a backslash: 2 to 6 upper-case digits of a scalar value.
    private static func embedded(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard rest.popFirst() == UInt8(ascii: "x"), rest.popFirst() == UInt8(ascii: "{") else { return nil }
        let digits = rest.prefix(7).prefix { $0 != UInt8(ascii: "}") }
        rest = rest.dropFirst(digits.count)
        guard rest.popFirst() == UInt8(ascii: "}"), (2...6).contains(digits.count) else { return nil }
        var value: UInt32 = 0
        for digit in digits {
            guard digit < 0x61, let number = digit.hexValue else { return nil }
            value = value << 4 | UInt32(number)
        }
        return Unicode.Scalar(value)
    }

    /// In ASCII; what is no UTF-8 gives U+FFFD, and no `OriginalRecipient` holds such.
    package static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        bytes.display.unicodeScalars.flatMap { scalar -> [UInt8] in
            if scalar.isASCII, isPlain(UInt8(truncatingIfNeeded: scalar.value)) { return [UInt8(truncatingIfNeeded: scalar.value)] }
            let digits = String(scalar.value, radix: 16, uppercase: true)
            return Array("\\x{\(digits.count < 2 ? "0" : "")\(digits)}".utf8)
        }
    }

    /// QCHAR: printable ASCII but for `+`, `=` and the backslash.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "+") && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "\\")
    }
}
