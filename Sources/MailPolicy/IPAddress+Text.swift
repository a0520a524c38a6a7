// The text of addresses: strict to read, one form to print.

internal import MailModel

extension IPAddress {
    /// `192.0.2.1` or any form of RFC 4291 §2.2, nothing else around it.
    package init?(parsing text: some Collection<UInt8>) {
        guard text.count <= 45 else { return nil }
        let text = Array(text)[...]
        guard let address = text.contains(UInt8(ascii: ":")) ? IPAddress.six(text) : IPAddress.four(text) else { return nil }
        self = address
    }

    package init?(_ text: String) { self.init(parsing: Array(text.utf8)) }

    /// Four numbers up to 255 without leading zeros (RFC 7208 §12 `qnum`).
    private static func four(_ text: ArraySlice<UInt8>) -> IPAddress? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt64 = 0
        for part in parts {
            guard part.count <= 3, part.count == 1 || part.first != UInt8(ascii: "0"), let octet = part.decimalValue, octet <= 255
            else { return nil }
            value = value << 8 | UInt64(octet)
        }
        return IPAddress(family: .four, high: 0, low: value)
    }

    private static func six(_ text: ArraySlice<UInt8>) -> IPAddress? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard (3...9).contains(parts.count) else { return nil }
        var groups: [UInt64] = []
        var gap: Int?
        for (index, part) in parts.enumerated() {
            if part.isEmpty {
                // A colon at an end is half of `::`.
                if index == 0 || index == parts.count - 1 {
                    guard parts[index == 0 ? 1 : index - 1].isEmpty else { return nil }
                } else {
                    guard gap == nil else { return nil }
                    gap = groups.count
                }
            } else if index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let tail = four(part) else { return nil }
                groups += [tail.low >> 16, tail.low & 0xFFFF]
            } else {
                guard let group = group(part) else { return nil }
                groups.append(group)
            }
        }
        return address(groups, gap: gap)
    }

    private static func group(_ text: ArraySlice<UInt8>) -> UInt64? {
        guard text.count <= 4 else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard let digit = byte.hexValue else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    private static func address(_ groups: [UInt64], gap: Int?) -> IPAddress? {
        var all = groups
        if let gap {
            guard groups.count < 8 else { return nil }
            all.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard all.count == 8 else { return nil }
        return IPAddress(family: .six, high: all[..<4].reduce(0) { $0 << 16 | $1 }, low: all[4...].reduce(0) { $0 << 16 | $1 })
    }

    /// Dotted decimal, or the form of RFC 5952 §4: lower case, the first longest run of zeros as `::`.
    package var text: [UInt8] {
        if family == .four { return dotted }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - 16 * ($0 & 3))) }
        let zeros = IPAddress.longestZeros(groups)
        var out: [UInt8] = []
        for (index, group) in groups.enumerated() {
            if zeros.contains(index) {
                if index == zeros.lowerBound { out += "::".utf8 }
                continue
            }
            if !out.isEmpty, out.last != UInt8(ascii: ":") { out.append(UInt8(ascii: ":")) }
            out += String(group, radix: 16).utf8
        }
        return out
    }

    /// Runs of one group are written out (RFC 5952 §4.2.2).
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 { start = index + 1 } else if index + 1 - start > max(best.count, 1) { best = start..<(index + 1) }
        }
        return best
    }
}

extension IPAddress: CustomStringConvertible {
    package var description: String { text.display }
}
