// All addresses that begin with the same bits.

internal import MailModel

/// A prefix and its length, such as `192.0.2.0/24`; bits behind the length are zero.
package struct IPNetwork: Hashable, Sendable {
    package let address: IPAddress
    /// Bits: 0 to 32 or 0 to 128.
    package let length: Int

    /// The network of this length around an address; a length outside the family's is its nearest.
    package init(_ address: IPAddress, length: Int) {
        let length = min(max(length, 0), address.width)
        self.length = length
        switch address.family {
        case .four: self.address = IPAddress(family: .four, high: 0, low: address.low & IPNetwork.mask(length + 32))
        case .six:
            self.address = IPAddress(
                family: .six, high: address.high & IPNetwork.mask(min(length, 64)), low: address.low & IPNetwork.mask(max(length - 64, 0)))
        }
    }

    /// `192.0.2.0/24`, or an address alone; nil if bits behind the length are set, which is a slip.
    package init?(parsing text: some Collection<UInt8>) {
        let parts = Array(text).split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(parsing: first) else { return nil }
        var length = address.width
        if parts.count == 2 {
            guard let value = IPNetwork.length(parts[1]), value <= address.width else { return nil }
            length = value
        }
        self.init(address, length: length)
        guard self.address == address else { return nil }
    }

    package init?(_ text: String) { self.init(parsing: Array(text.utf8)) }

    package func contains(_ other: IPAddress) -> Bool { IPNetwork(other, length: length).address == address }

    package var text: [UInt8] { address.text + Array("/\(length)".utf8) }

    /// A length without leading zeros (RFC 7208 §5.6); nil above 128.
    static func length(_ text: some Collection<UInt8>) -> Int? {
        guard text.count <= 3, text.count == 1 || text.first != UInt8(ascii: "0"), let value = text.decimalValue, value <= 128
        else { return nil }
        return value
    }

    private static func mask(_ bits: Int) -> UInt64 { bits == 0 ? 0 : ~0 << UInt64(64 - bits) }
}

extension IPNetwork: CustomStringConvertible {
    package var description: String { text.display }
}
