// Mailbox names on the wire (RFC 3501 §5.1.3): ASCII as itself, `&` as `&-`, all else as base 64 of UTF-16.
// Only the one canonical encoding of a name is taken, so that no name can be spelled in two ways.

/// Modified UTF-7 to and from UTF-8.
package enum ModifiedUTF7 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".utf8)

    /// The UTF-8 form; nil if `wire` is not the canonical encoding of any text.
    package static func decode(_ wire: some Collection<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var shifted: [UInt8]?
        for byte in wire {
            guard byte >= 0x20, byte < 0x7F else { return nil }
            if let run = shifted {
                if byte == UInt8(ascii: "-") {
                    guard let text = run.isEmpty ? [UInt8(ascii: "&")] : utf8(ofBase64: run) else { return nil }
                    out += text
                    shifted = nil
                } else {
                    shifted = run + [byte]
                }
            } else if byte == UInt8(ascii: "&") {
                shifted = []
            } else {
                out.append(byte)
            }
        }
        guard shifted == nil, encode(out).elementsEqual(wire) else { return nil }
        return out
    }

    /// The wire form of UTF-8 text; ill-formed bytes become U+FFFD.
    package static func encode(_ utf8: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var run: [UInt16] = []
        for scalar in String(decoding: utf8, as: UTF8.self).unicodeScalars {
            if scalar.value >= 0x20, scalar.value < 0x7F {
                flush(&run, into: &out)
                out.append(UInt8(truncatingIfNeeded: scalar.value))
                if scalar == "&" { out.append(UInt8(ascii: "-")) }
            } else {
                run += UTF16.encode(scalar).map(Array.init) ?? []
            }
        }
        flush(&run, into: &out)
        return out
    }

    private static func flush(_ run: inout [UInt16], into out: inout [UInt8]) {
        guard !run.isEmpty else { return }
        out.append(UInt8(ascii: "&"))
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for unit in run {
            bits = (bits << 16 | UInt32(unit)) & 0x3F_FFFF
            count += 16
            while count >= 6 {
                count -= 6
                out.append(alphabet[Int(bits >> count & 0x3F)])
            }
        }
        if count > 0 { out.append(alphabet[Int(bits << (6 - count) & 0x3F)]) }
        out.append(UInt8(ascii: "-"))
        run = []
    }

    private static func utf8(ofBase64 run: [UInt8]) -> [UInt8]? {
        var units: [UInt16] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in run {
            guard let digit = alphabet.firstIndex(of: byte) else { return nil }
            bits = (bits << 6 | UInt32(digit)) & 0x3F_FFFF
            count += 6
            if count >= 16 {
                count -= 16
                units.append(UInt16(truncatingIfNeeded: bits >> count))
            }
        }
        guard let text = String(validating: units, as: UTF16.self) else { return nil }
        return Array(text.utf8)
    }
}
