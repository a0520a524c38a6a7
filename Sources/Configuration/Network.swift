// Addresses that begin with the same bits, as the file writes them.

/// `192.0.2.0/24`, `2001:db8::/32`, or one address alone; checked for its form, compared by whoever has real addresses.
package struct Network: Hashable, Sendable {
    /// Numeric, without brackets.
    package let address: String
    /// Bits that count; all of them for one address.
    package let length: Int

    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let endpoint = Endpoint(host: String(first), port: 1), endpoint.isNumeric else { return nil }
        guard !endpoint.isIPv6 || Network.isIPv6(endpoint.host) else { return nil }
        let width = endpoint.isIPv6 ? 128 : 32
        address = endpoint.host
        guard parts.count == 2 else {
            length = width
            return
        }
        let digits = parts[1]
        guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let length = Int(digits), length <= width
        else { return nil }
        self.length = length
    }

    /// RFC 4291 §2.2, without an IPv4 tail: a peer that is mapped is shown as IPv4. What slipped through here would be in no network.
    private static func isIPv6(_ text: String) -> Bool {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return false }
        let groups = halves.flatMap { $0.isEmpty ? [] : $0.split(separator: ":", omittingEmptySubsequences: false) }
        guard groups.allSatisfy({ (1...4).contains($0.utf8.count) && UInt16($0, radix: 16) != nil }) else { return false }
        return halves.count == 2 ? groups.count < 8 : groups.count == 8
    }
}

extension Network: CustomStringConvertible {
    package var description: String { length == (address.utf8.contains(UInt8(ascii: ":")) ? 128 : 32) ? address : "\(address)/\(length)" }
}

extension Network: ConfigurationValue {
    package static let kind = "an address or network such as \"192.0.2.7\" or \"10.0.0.0/8\""

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal else { return nil }
        self.init(text)
    }

    package var literal: ConfigurationLiteral { .text(description) }
}
