// The numbers that IMAP gives to messages and changes, each a type of its own so that none is taken for another.

/// A message's unique identifier in its folder: never 0, never given twice under one UIDVALIDITY (RFC 9051 §2.3.1.1).
package struct MessageUID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package init(_ value: UInt32) { rawValue = value }
    package static func < (a: MessageUID, b: MessageUID) -> Bool { a.rawValue < b.rawValue }
    package var description: String { String(rawValue) }
}

/// What makes UIDs of a folder comparable at all; grows whenever they are not (RFC 9051 §2.3.1.1).
package struct UIDValidity: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package init(_ value: UInt32) { rawValue = value }
    package static func < (a: UIDValidity, b: UIDValidity) -> Bool { a.rawValue < b.rawValue }
    package var description: String { String(rawValue) }
}

/// The age of a change in its folder: 63 bits, never 0, only growing (RFC 7162 §3.1).
package struct ModSequence: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package init(_ value: UInt64) { rawValue = value }
    package static func < (a: ModSequence, b: ModSequence) -> Bool { a.rawValue < b.rawValue }
    package var description: String { String(rawValue) }
}

/// Decimal digits of a number, as every file of the store writes them.
func decimal(_ value: some BinaryInteger) -> [UInt8] { Array(String(value).utf8) }

/// A decimal number in its one form: no sign, no leading zero, at most `limit`; nil for anything else.
func canonicalDecimal(_ digits: some Collection<UInt8>, limit: UInt64) -> UInt64? {
    guard let first = digits.first, digits.count <= 19, first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
    var value: UInt64 = 0
    for byte in digits {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + UInt64(byte - 0x30)
    }
    return value <= limit ? value : nil
}
