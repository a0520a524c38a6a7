// The first handshake message of one direction out of TLS records that may be cut at any byte (RFC 8446 §5.1). Bounded and total.

/// Collects a ClientHello or ServerHello; what comes behind it is left alone.
struct FirstHandshakeMessage {
    enum Outcome: Equatable {
        /// Not whole yet.
        case more
        /// Its type and its body, without the four bytes before it.
        case message(type: UInt8, [UInt8])
        /// Not a handshake record, or larger than we look at.
        case other
    }

    /// In bytes with the records' headers. No sound hello is a tenth of it.
    static let limit = 64 * 1024
    private static let handshake: UInt8 = 22
    private static let longestRecord = 1 << 14

    private(set) var outcome = Outcome.more
    private var taken = 0
    private var header: [UInt8] = []
    private var leftInRecord = 0
    private var message: [UInt8] = []
    private var wanted = 4

    /// Takes the next bytes of the direction; after an outcome other than `more` it stays as it is.
    mutating func read(_ bytes: some Sequence<UInt8>) -> Outcome {
        for byte in bytes {
            guard outcome == .more else { break }
            taken += 1
            if taken > FirstHandshakeMessage.limit {
                outcome = .other
            } else if leftInRecord == 0 {
                readHeader(byte)
            } else {
                leftInRecord -= 1
                readBody(byte)
            }
        }
        return outcome
    }

    private mutating func readHeader(_ byte: UInt8) {
        header.append(byte)
        switch header.count {
        case 1: if byte != FirstHandshakeMessage.handshake { outcome = .other }
        case 2: if byte != 3 { outcome = .other }
        case 5:
            leftInRecord = Int(header[3]) << 8 | Int(byte)
            header.removeAll(keepingCapacity: true)
            // RFC 8446 §5.1: a handshake record is never empty.
            if leftInRecord == 0 || leftInRecord > FirstHandshakeMessage.longestRecord { outcome = .other }
        default: break
        }
    }

    private mutating func readBody(_ byte: UInt8) {
        message.append(byte)
        if message.count == 4 { wanted = 4 + (Int(message[1]) << 16 | Int(message[2]) << 8 | Int(byte)) }
        if wanted > FirstHandshakeMessage.limit {
            outcome = .other
        } else if message.count >= 4, message.count == wanted {
            outcome = .message(type: message[0], Array(message.dropFirst(4)))
        }
    }
}

/// Reads the vectors of TLS's notation (RFC 8446 §3.4); nil beyond the end.
struct TLSCursor {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }
    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func number16() -> UInt16? {
        guard let bytes = take(2) else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt16($1) }
    }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// A vector whose length stands in one byte before it.
    mutating func short() -> ArraySlice<UInt8>? { byte().flatMap { take(Int($0)) } }
    /// A vector whose length stands in two bytes before it.
    mutating func long() -> ArraySlice<UInt8>? { number16().flatMap { take(Int($0)) } }

    /// The extensions that fill the rest, by type; nil if one is cut, or there twice (RFC 8446 §4.2).
    mutating func extensions() -> [UInt16: ArraySlice<UInt8>]? {
        guard !isAtEnd else { return [:] }
        guard let list = long(), isAtEnd else { return nil }
        var cursor = TLSCursor(list)
        var found: [UInt16: ArraySlice<UInt8>] = [:]
        while !cursor.isAtEnd {
            guard let type = cursor.number16(), let data = cursor.long(), found.updateValue(data, forKey: type) == nil else { return nil }
        }
        return found
    }
}
