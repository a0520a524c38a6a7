// Where to listen or to connect: a host and a port, written as RFC 3986 §3.2.2 and §3.2.3 write them.

/// `127.0.0.1:25`, `[::1]:25` or `mail.example.org:25`; the host without brackets.
package struct Endpoint: Hashable, Sendable {
    /// An address or a name: ASCII letters, digits, `.`, `-`, `_` and `:`, never empty.
    package let host: String
    package let port: UInt16

    package init?(host: String, port: UInt16) {
        let allowed = host.utf8.allSatisfy {
            ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || [0x2D, 0x2E, 0x3A, 0x5F].contains($0)
        }
        guard !host.isEmpty, host.utf8.count <= 255, allowed else { return nil }
        self.host = host
        self.port = port
    }

    /// `host:port`, an IPv6 address in brackets; `*:25` is every IPv4 address. Port 0 is none.
    package init?(_ text: String) {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")), let port = UInt16(text[text.utf8.index(after: colon)...]),
            port > 0, text[text.utf8.index(after: colon)...].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.utf8.contains(UInt8(ascii: ":")) else { return nil }
        } else if host.utf8.contains(UInt8(ascii: ":")) {
            return nil
        } else if host == "*" {
            host = "0.0.0.0"
        }
        self.init(host: String(host), port: port)
    }

    /// Whether the host is an address rather than a name: IPv6, or four numbers up to 255.
    package var isNumeric: Bool {
        if isIPv6 { return host.utf8.allSatisfy { ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66) || ($0 >= 0x2E && $0 <= 0x3A) } }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { !$0.isEmpty && $0.utf8.count <= 3 && UInt8($0) != nil }
    }

    package var isIPv6: Bool { host.utf8.contains(UInt8(ascii: ":")) }
}

extension Endpoint: CustomStringConvertible {
    package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension Endpoint: ConfigurationValue {
    package static let kind = "an address and port such as \"192.0.2.1:25\" or \"[::1]:25\""

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal else { return nil }
        self.init(text)
    }

    package var literal: ConfigurationLiteral { .text(description) }
}
