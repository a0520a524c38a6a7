// How urgent a message is.

/// The value of MT-PRIORITY (RFC 6710 §3): -9, which may wait, to 9, which may not; 0 is ordinary mail.
package struct Priority: Hashable, Sendable, Comparable {
    package let value: Int8

    package static let ordinary = Priority(unchecked: 0)

    private init(unchecked value: Int8) { self.value = value }

    package init?(_ value: Int) {
        guard (-9...9).contains(value) else { return nil }
        self.value = Int8(value)
    }

    /// One digit, perhaps after a minus; `-0` is not one.
    package init?(parsing text: some Collection<UInt8>) {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = isNegative ? text.dropFirst() : text[...]
        guard digits.count == 1, let digit = digits.decimalValue, !(isNegative && digit == 0) else { return nil }
        self.init(isNegative ? -digit : digit)
    }

    package var text: String { String(value) }

    package static func < (a: Priority, b: Priority) -> Bool { a.value < b.value }
}
