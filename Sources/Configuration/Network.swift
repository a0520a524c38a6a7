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
