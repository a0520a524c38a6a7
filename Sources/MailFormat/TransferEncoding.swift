// Content-Transfer-Encoding (RFC 2045 §6), decoded for search and display: tolerant, never for signatures.

internal import MailModel

/// How a body part is encoded.
package enum TransferEncoding: Sendable, Hashable {
    /// 7bit, 8bit and binary: as it stands.
    case identity
    case base64
    case quotedPrintable
    case unknown

    package init(name: some Collection<UInt8>) {
        if name.equalsIgnoringASCIICase("base64") { self = .base64 }
        else if name.equalsIgnoringASCIICase("quoted-printable") { self = .quotedPrintable }
        else if name.equalsIgnoringASCIICase("7bit") || name.equalsIgnoringASCIICase("8bit")
            || name.equalsIgnoringASCIICase("binary") || name.isEmpty { self = .identity }
        else { self = .unknown }
    }

    /// The content, at most `limit` bytes of it.
    package func decode(_ body: ArraySlice<UInt8>, limit: Int = .max) -> [UInt8] {
        switch self {
        case .identity, .unknown: Array(body.prefix(limit))
        case .base64: base64Decoded(body, limit: limit)
        case .quotedPrintable: quotedPrintableDecoded(body, limit: limit, underscoreIsSpace: false)
        }
    }
}

/// RFC 2045 §6.8: bytes outside the alphabet are passed over; a `=` ends a group, more groups may follow.
func base64Decoded(_ text: ArraySlice<UInt8>, limit: Int) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(Swift.min(limit, text.count / 4 * 3 + 3))
    var bits: UInt32 = 0
    var count = 0
    for byte in text {
        if byte == UInt8(ascii: "=") { bits = 0; count = 0; continue }
        guard let value = base64Value(byte) else { continue }
        bits = bits << 6 | UInt32(value)
        count += 6
        guard count >= 8 else { continue }
        count -= 8
        if out.count >= limit { return out }
        out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
    }
    return out
}

private func base64Value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x41...0x5A: byte - 0x41
    case 0x61...0x7A: byte - 0x61 + 26
    case 0x30...0x39: byte - 0x30 + 52
    case 0x2B: 62
    case 0x2F: 63
    default: nil
    }
}

private let base64Alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

/// RFC 4648 §4, padded, on one line.
func base64Encoded(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for byte in bytes {
        bits = bits << 8 | UInt32(byte)
        count += 8
        while count >= 6 {
            count -= 6
            out.append(base64Alphabet[Int(bits >> count & 63)])
        }
    }
    if count > 0 { out.append(base64Alphabet[Int(bits << (6 - count) & 63)]) }
    while out.count % 4 != 0 { out.append(UInt8(ascii: "=")) }
    return out
}

/// RFC 2045 §6.7: a `=` that begins no octet and ends no line stands for itself.
func quotedPrintableDecoded(_ text: ArraySlice<UInt8>, limit: Int, underscoreIsSpace: Bool) -> [UInt8] {
    var out: [UInt8] = []
    var index = text.startIndex
    while index < text.endIndex, out.count < limit {
        let byte = text[index]
        index += 1
        if byte == UInt8(ascii: "_"), underscoreIsSpace {
            out.append(0x20)
        } else if byte == UInt8(ascii: "=") {
            if let octet = hexPair(text, at: index) {
                out.append(octet)
                index += 2
            } else if let next = softBreakEnd(text, from: index) {
                index = next
            } else {
                out.append(byte)
            }
        } else {
            out.append(byte)
        }
    }
    return out
}

/// The octet of two hexadecimal digits at `index`, or nil.
func hexPair(_ text: ArraySlice<UInt8>, at index: Int) -> UInt8? {
    guard text.endIndex - index >= 2, let high = text[index].hexValue, let low = text[index + 1].hexValue else { return nil }
    return high << 4 | low
}

/// After `=`: blanks and a line end, or the end of the text. At most a line's worth of blanks is looked at.
private func softBreakEnd(_ text: ArraySlice<UInt8>, from start: Int) -> Int? {
    var index = start
    while index < text.endIndex, index - start < 78, text[index].isBlank { index += 1 }
    if index == text.endIndex { return index }
    if text[index] == 0x0A { return index + 1 }
    guard text[index] == 0x0D, index + 1 < text.endIndex, text[index + 1] == 0x0A else { return nil }
    return index + 2
}
