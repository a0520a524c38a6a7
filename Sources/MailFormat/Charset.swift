// Character sets that turn to UTF-8 by a table small enough to read. Others are left as they are.

internal import MailModel

/// The character sets that we read.
package enum Charset: Sendable, Hashable {
    case utf8, ascii, latin1, latin9, windows1252

    /// By its IANA name or a usual alias, in any case; nil for one that we do not read.
    package init?(name: some Collection<UInt8>) {
        switch name.display.utf8.map(\.asciiLowercased).display {
        case "utf-8", "utf8": self = .utf8
        case "us-ascii", "ascii", "ansi_x3.4-1968": self = .ascii
        case "iso-8859-1", "latin1", "iso8859-1": self = .latin1
        case "iso-8859-15", "latin-9", "iso8859-15": self = .latin9
        case "windows-1252", "cp1252": self = .windows1252
        default: return nil
        }
    }

    /// `text` as UTF-8; what is not of the set becomes U+FFFD.
    package func utf8(_ text: some Collection<UInt8>) -> [UInt8] {
        switch self {
        case .utf8: return Array(String(decoding: Array(text), as: UTF8.self).utf8)
        case .ascii, .latin1, .latin9, .windows1252:
            var out: [UInt8] = []
            out.reserveCapacity(text.count)
            for byte in text {
                if byte < 0x80 { out.append(byte) } else { appendUTF8(scalar(byte), to: &out) }
            }
            return out
        }
    }

    private func scalar(_ byte: UInt8) -> UInt32 {
        switch self {
        case .utf8, .ascii: 0xFFFD
        case .latin1: UInt32(byte)
        case .latin9: Charset.latin9Differences[byte] ?? UInt32(byte)
        case .windows1252: byte < 0xA0 ? Charset.windows1252High[Int(byte & 0x1F)] : UInt32(byte)
        }
    }

    /// Two- and three-byte forms of UTF-8 (RFC 3629 §3); the tables hold no scalar beyond U+FFFF.
    private func appendUTF8(_ scalar: UInt32, to out: inout [UInt8]) {
        if scalar < 0x800 {
            out.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
        } else {
            out.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            out.append(UInt8(truncatingIfNeeded: 0x80 | (scalar >> 6 & 0x3F)))
        }
        out.append(UInt8(truncatingIfNeeded: 0x80 | (scalar & 0x3F)))
    }

    private static let latin9Differences: [UInt8: UInt32] = [
        0xA4: 0x20AC, 0xA6: 0x160, 0xA8: 0x161, 0xB4: 0x17D, 0xB8: 0x17E, 0xBC: 0x152, 0xBD: 0x153, 0xBE: 0x178,
    ]

    /// 0x80 … 0x9F of windows-1252.
    private static let windows1252High: [UInt32] = [
        0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD,
        0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
        0x0153, 0xFFFD, 0x017E, 0x0178,
    ]
}
