// The header of the PROXY protocol, version 2: a load balancer says whom it speaks for before the first byte of the client.
// Bounded and total; version 1, which is text, is not taken.

/// What the header says.
enum ProxyHeader: Hashable, Sendable {
    /// The balancer itself asks, or cannot say for whom: the connection's own addresses hold.
    case local
    /// Network order, 4 or 16 bytes each.
    case client(source: [UInt8], sourcePort: UInt16, destination: [UInt8], destinationPort: UInt16)

    enum Outcome: Hashable, Sendable {
        case more
        /// With the bytes that the header takes; what is behind them is the client's.
        case header(ProxyHeader, length: Int)
        case invalid
    }

    /// Of the part behind the first 16 bytes: addresses and what balancers add to them, which is not looked at.
    static let longest = 4096
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let fixed = 16

    /// Reads the beginning of a connection; what cannot become a header any more is invalid at once.
    static func read(_ bytes: ArraySlice<UInt8>) -> Outcome {
        guard bytes.prefix(signature.count).elementsEqual(signature.prefix(bytes.count)) else { return .invalid }
        guard bytes.count >= fixed else { return .more }
        let head = Array(bytes.prefix(fixed))
        let length = Int(head[14]) << 8 | Int(head[15])
        guard head[12] >> 4 == 2, length <= longest else { return .invalid }
        guard bytes.count >= fixed + length else { return .more }
        let body = Array(bytes.dropFirst(fixed).prefix(length))
        switch (head[12] & 0x0F, head[13]) {
        case (0, _), (1, 0x00): return .header(.local, length: fixed + length)
        case (1, 0x11): return addresses(body, of: 4, fixed + length)
        case (1, 0x21): return addresses(body, of: 16, fixed + length)
        default: return .invalid
        }
    }

    private static func addresses(_ body: [UInt8], of size: Int, _ length: Int) -> Outcome {
        guard body.count >= 2 * size + 4 else { return .invalid }
        let ports = Array(body[(2 * size)..<(2 * size + 4)])
        return .header(
            .client(
                source: Array(body[..<size]), sourcePort: UInt16(ports[0]) << 8 | UInt16(ports[1]),
                destination: Array(body[size..<(2 * size)]), destinationPort: UInt16(ports[2]) << 8 | UInt16(ports[3])),
            length: length)
    }
}
