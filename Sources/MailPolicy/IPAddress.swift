// An address of either family as a number: what networks contain, what DNS is asked, and the one text of each.

internal import MailModel

/// An IPv4 or IPv6 address.
package struct IPAddress: Hashable, Sendable {
    package enum Family: Sendable, Hashable { case four, six }

    package let family: Family
    /// The first 64 bits of an IPv6 address; 0 for IPv4.
    let high: UInt64
    /// The last 64 bits; of IPv4 the 32 bits.
    let low: UInt64

    init(family: Family, high: UInt64, low: UInt64) {
        self.family = family
        self.high = high
        self.low = low
    }

    /// Four or sixteen octets, as in an A or AAAA record; nil for any other number.
    package init?(octets: some Collection<UInt8>) {
        switch octets.count {
        case 4: self.init(family: .four, high: 0, low: IPAddress.number(octets))
        case 16: self.init(family: .six, high: IPAddress.number(octets.prefix(8)), low: IPAddress.number(octets.dropFirst(8)))
        default: return nil
        }
    }

    package static func four(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> IPAddress {
        IPAddress(family: .four, high: 0, low: number([a, b, c, d]))
    }

    private static func number(_ octets: some Sequence<UInt8>) -> UInt64 { octets.reduce(0) { $0 << 8 | UInt64($1) } }

    package var octets: [UInt8] {
        switch family {
        case .four: (0..<4).map { UInt8(truncatingIfNeeded: low >> UInt64(24 - 8 * $0)) }
        case .six:
            (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - 8 * ($0 & 7))) }
        }
    }

    /// Bits of an address of this family.
    package var width: Int { family == .four ? 32 : 128 }

    /// The IPv4 address inside `::ffff:0:0/96`, else the address itself (RFC 7208 §5).
    package var unmapped: IPAddress {
        guard family == .six, high == 0, low >> 32 == 0xFFFF else { return self }
        return IPAddress(family: .four, high: 0, low: low & 0xFFFF_FFFF)
    }

    /// The octets of IPv4 or the nibbles of IPv6, dots between, in the order of the address (RFC 7208 §7.3 `%{i}`).
    package var dotted: [UInt8] { joined(parts) }

    /// The same from the last to the first, as they stand below a zone of DNS (RFC 5782 §2.1, §2.4).
    package var reversed: [UInt8] { joined(parts.reversed()) }

    /// The name that has the address's PTR records.
    package var pointerName: [UInt8] { reversed + Array((family == .four ? ".in-addr.arpa" : ".ip6.arpa").utf8) }

    private var parts: [[UInt8]] {
        switch family {
        case .four: octets.map { Array(String($0).utf8) }
        case .six: octets.flatMap { [[IPAddress.digit($0 >> 4)], [IPAddress.digit($0 & 15)]] }
        }
    }

    static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

    private func joined(_ parts: [[UInt8]]) -> [UInt8] { Array(parts.joined(separator: [UInt8(ascii: ".")])) }
}
