// Packets: four octets of length, a command, its data. A length is believed only within the limit, before anything is held for it.

/// One packet of the milter protocol, as either side sends it.
package struct MilterPacket: Sendable, Hashable {
    /// The letter that says what it is.
    package var command: UInt8
    package var data: [UInt8]

    package init(_ command: UInt8, _ data: [UInt8] = []) {
        self.command = command
        self.data = data
    }

    package func append(to out: inout [UInt8]) {
        out.appendBigEndian(UInt32(truncatingIfNeeded: data.count + 1))
        out.append(command)
        out += data
    }
}

/// Cuts a stream into packets.
package struct PacketFramer: Sendable {
    package enum Result: Sendable, Equatable {
        case packet(MilterPacket)
        /// A length of 0, or one above the limit. Nothing can follow it.
        case invalid
    }

    /// Octets of the command and its data.
    private let limit: Int
    private var held: [UInt8] = []
    private var start = 0
    private var isInvalid = false

    package init(limit: Int) { self.limit = limit }

    package mutating func append(_ bytes: some Collection<UInt8>) {
        guard !isInvalid else { return }
        held += bytes
    }

    /// The next whole packet; nil until more has come.
    package mutating func next() -> Result? {
        guard !isInvalid else { return .invalid }
        guard held.count - start >= 4 else { return compact() }
        let length = held[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
        guard length >= 1, length <= limit else {
            isInvalid = true
            held = []
            start = 0
            return .invalid
        }
        guard held.count - start - 4 >= length else { return compact() }
        let data = held[(start + 5)..<(start + 4 + length)]
        let packet = MilterPacket(held[start + 4], Array(data))
        start += 4 + length
        return .packet(packet)
    }

    /// Bytes that are not yet a packet.
    package var count: Int { held.count - start }

    private mutating func compact() -> Result? {
        held.removeSubrange(..<start)
        start = 0
        return nil
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ number: UInt32) {
        for shift in stride(from: UInt32(24), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    /// Text and its NUL. A NUL within would cut it where the peer reads it, and shift all that follows.
    mutating func appendString(_ text: some Sequence<UInt8>) {
        for byte in text { append(byte == 0 ? UInt8(ascii: "?") : byte) }
        append(0)
    }
}
