// Where a connection comes from or goes to, as text in the one form that logs, limits and policies compare.

internal import NIOCore

/// One end of a connection: an address as text (`192.0.2.1`, `2001:db8::1`, or a socket's path) and a port.
package struct SocketName: Hashable, Sendable {
    /// Numeric, without brackets, zone or IPv4-mapping; empty when the kernel no longer knew it.
    package let address: [UInt8]
    /// 0 for a local socket.
    package let port: UInt16

    package init(address: [UInt8], port: UInt16) {
        self.address = address
        self.port = port
    }

    package static let unknown = SocketName(address: [], port: 0)
    package var isIPv6: Bool { address.contains(UInt8(ascii: ":")) }
}

extension SocketName: CustomStringConvertible {
    package var description: String {
        let text = String(decoding: address, as: UTF8.self)
        return port == 0 ? text : isIPv6 ? "[\(text)]:\(port)" : "\(text):\(port)"
    }
}

extension SocketName {
    init(_ socket: SocketAddress?) {
        guard let socket else { self = .unknown; return }
        guard let text = socket.ipAddress, let port = socket.port else {
            self.init(address: Array((socket.pathname ?? "").utf8), port: 0)
            return
        }
        self.init(address: SocketName.canonical(Array(text.utf8)), port: UInt16(exactly: port) ?? 0)
    }

    /// `::ffff:192.0.2.1` is the IPv4 host that it maps, and `fe80::1%eth0` the host without its zone.
    static func canonical(_ text: [UInt8]) -> [UInt8] {
        let host = text.prefix { $0 != UInt8(ascii: "%") }
        let mapped = Array("::ffff:".utf8)
        return host.starts(with: mapped) && host.contains(UInt8(ascii: ".")) ? Array(host.dropFirst(mapped.count)) : Array(host)
    }

    /// The address to dial; nil if this is neither a numeric address nor an absolute path.
    var socketAddress: SocketAddress? {
        let text = String(decoding: address, as: UTF8.self)
        if address.first == UInt8(ascii: "/") { return try? SocketAddress(unixDomainSocketPath: text) }
        return try? SocketAddress(ipAddress: text, port: Int(port))
    }
}

/// Whom a limit counts as one: an IPv4 host, or the /64 of an IPv6 host, which one subscriber owns whole.
struct PeerKey: Hashable, Sendable {
    private let high: UInt64
    private let isIPv6: Bool

    /// nil where there is no address to count by: local sockets are never limited by peer.
    init?(_ socket: SocketAddress?) {
        guard let socket, socket.port != nil else { return nil }
        let isIPv4 = socket.protocol == .inet
        let (network, host) = socket.withSockAddr { address, _ in
            isIPv4
                ? (0, UInt64(PeerKey.load(address, at: 4, as: UInt32.self)))
                : (PeerKey.load(address, at: 8, as: UInt64.self), PeerKey.load(address, at: 16, as: UInt64.self))
        }
        let isMapped = network == 0 && host >> 32 == 0xFFFF
        isIPv6 = !isIPv4 && !isMapped
        high = isIPv6 ? network : host & 0xFFFF_FFFF
    }

    /// A number in network order out of a `sockaddr`, by the offsets that Linux fixes.
    private static func load<Number: FixedWidthInteger>(_ address: UnsafeRawPointer, at offset: Int, as: Number.Type) -> Number {
        Number(bigEndian: address.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}
