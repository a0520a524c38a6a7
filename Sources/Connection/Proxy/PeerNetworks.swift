// Whom a listener believes more than others: peers by their networks.

internal import NIOCore

/// A few networks, asked once a connection.
package struct PeerNetworks: Sendable {
    private struct Prefix { let bytes: [UInt8]; let bits: Int }
    private let prefixes: [Prefix]

    /// Numeric addresses with the bits that count; what is no address is left out.
    package init(_ networks: [(address: [UInt8], bits: Int)] = []) {
        prefixes = networks.compactMap { network in
            PeerNetworks.bytes(SocketName(address: network.address, port: 1)).map { Prefix(bytes: $0, bits: network.bits) }
        }
    }

    /// A local socket and a peer that the kernel no longer knows are in none.
    package func contains(_ peer: SocketName) -> Bool {
        guard !prefixes.isEmpty, let address = PeerNetworks.bytes(peer) else { return false }
        return prefixes.contains { PeerNetworks.agree($0.bytes, address, bits: $0.bits) }
    }

    private static func bytes(_ name: SocketName) -> [UInt8]? {
        guard let address = name.socketAddress, address.port != nil else { return nil }
        return address.withSockAddr { raw, _ in
            let (offset, count) = address.protocol == .inet ? (4, 4) : (8, 16)
            return Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(raw) + offset, count: count))
        }
    }

    private static func agree(_ network: [UInt8], _ address: [UInt8], bits: Int) -> Bool {
        guard network.count == address.count, (0...(8 * network.count)).contains(bits) else { return false }
        let (whole, rest) = (bits / 8, bits % 8)
        guard network.prefix(whole).elementsEqual(address.prefix(whole)) else { return false }
        guard rest > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - rest))
        return network[whole] & mask == address[whole] & mask
    }
}
