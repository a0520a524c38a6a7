// Sizes as people write them, "50 MiB": a number, a unit, and never an overflow.

/// A number of bytes.
package struct ByteCount: Hashable, Comparable, Sendable {
    package let bytes: Int

    package init(bytes: Int) { self.bytes = bytes }
    package static func kibibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 10) }
    package static func mebibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 20) }
    package static func gibibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 30) }

    package static let zero = ByteCount(bytes: 0)

    package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
}

extension ByteCount: ConfigurationValue {
    package static let kind = "a size such as \"50 MiB\""

    /// Binary multiples under all their usual names: `64K`, `64 KB` and `64 KiB` are one size.
    private static let units: [String: Int] = [
        "": 0, "b": 0, "byte": 0, "bytes": 0, "k": 10, "kb": 10, "kib": 10, "m": 20, "mb": 20, "mib": 20, "g": 30, "gb": 30,
        "gib": 30,
    ]

    package init?(_ literal: ConfigurationLiteral) {
        switch literal {
        case .integer(let value):
            self.init(bytes: value)
        case .text(let text):
            guard let (number, unit) = numberAndUnit(text), let shift = ByteCount.units[unit.lowercased()] else { return nil }
            let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
            guard !overflow else { return nil }
            self.init(bytes: bytes)
        case .boolean, .list, .unusable:
            return nil
        }
    }

    package var literal: ConfigurationLiteral {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] where bytes != 0 && bytes % (1 << shift) == 0 {
            return .text("\(bytes >> shift) \(unit)")
        }
        return .text("\(bytes) B")
    }
}

/// `50` and `MiB` of `50 MiB`; nil without a number of 1 to 12 digits in front.
func numberAndUnit(_ text: String) -> (number: Int, unit: String)? {
    let digits = text.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }
    guard (1...12).contains(digits.count), let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
    let unit = text.utf8.dropFirst(digits.count).drop { $0 == 0x20 }
    return (number, String(decoding: unit, as: UTF8.self))
}
