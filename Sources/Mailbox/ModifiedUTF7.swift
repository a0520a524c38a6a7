// Mailbox names as ASCII: the form that Maildir++ folders have on disk (RFC 3501 §5.1.3).

/// Modified UTF-7, in its one canonical form: what decodes also encodes to the same bytes.
package enum ModifiedUTF7 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".utf8)

    /// Encodes UTF-8; nil if it is none.
    package static func encode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard let string = String(validating: text, as: UTF8.self) else { return nil }
        var out: [UInt8] = []
        var pending: [UInt16] = []
        for scalar in string.unicodeScalars {
            guard scalar.value >= 0x20, scalar.value < 0x7F else {
                pending += Array(UTF16.encode(scalar).map(Array.init) ?? [])
                continue
            }
            flush(&pending, into: &out)
            out.append(UInt8(truncatingIfNeeded: scalar.value))
            if scalar == "&" { out.append(UInt8(ascii: "-")) }
        }
        flush(&pending, into: &out)
        return out
    }

    /// Decodes to UTF-8; nil for anything that `encode` would not have written.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        let text = Array(text)
        var out: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] != UInt8(ascii: "&") {
                out.append(text[index])
                index += 1
                continue
            }
            guard let end = text[index...].firstIndex(of: UInt8(ascii: "-")) else { return nil }
            let run = text[(index + 1)..<end]
            if run.isEmpty {
                out.append(UInt8(ascii: "&"))
            } else {
                guard let bytes = decoded(run) else { return nil }
                out += bytes
            }
            index = end + 1
        }
        return encode(out) == text ? out : nil
    }

    private static func flush(_ units: inout [UInt16], into out: inout [UInt8]) {
        guard !units.isEmpty else { return }
        out.append(UInt8(ascii: "&"))
        var bits: UInt32 = 0
        var count = 0
        for unit in units {
            bits = bits << 16 | UInt32(unit)
            count += 16
            while count >= 6 {
                count -= 6
                out.append(alphabet[Int(bits >> UInt32(count)) & 63])
            }
            bits &= (1 << UInt32(count)) - 1
        }
        if count > 0 { out.append(alphabet[Int(bits << UInt32(6 - count)) & 63]) }
        out.append(UInt8(ascii: "-"))
        units = []
    }

    private static func decoded(_ run: ArraySlice<UInt8>) -> [UInt8]? {
        var units: [UInt16] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in run {
            guard let value = alphabet.firstIndex(of: byte) else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0x3F_FFFF
            count += 6
            if count >= 16 {
                count -= 16
                units.append(UInt16(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        guard let string = String(validating: units, as: UTF16.self) else { return nil }
        return Array(string.utf8)
    }
}
