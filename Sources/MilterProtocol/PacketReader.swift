// Reading the data of a packet: numbers in network order, text that ends in NUL, and nothing left over.

/// A cursor over the data of one packet. Every reading that would pass its end gives nil.
struct PacketReader {
    private var rest: ArraySlice<UInt8>

    init(_ data: [UInt8]) { rest = data[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func number() -> UInt32? {
        guard rest.count >= 4 else { return nil }
        defer { rest = rest.dropFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The text before the next NUL; nil if there is no NUL.
    mutating func string() -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(of: 0) else { return nil }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }

    /// Texts up to the end of the packet, at least one and at most `limit`.
    mutating func strings(limit: Int) -> [ArraySlice<UInt8>]? {
        var found: [ArraySlice<UInt8>] = []
        while !isAtEnd {
            guard found.count < limit, let text = string() else { return nil }
            found.append(text)
        }
        return found.isEmpty ? nil : found
    }
}
