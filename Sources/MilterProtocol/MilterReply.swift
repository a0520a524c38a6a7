// Every reply of a milter and how it is read (`SMFIR_…`).

/// What a milter says.
package enum MilterReply: Sendable, Hashable {
    case proceed
    /// No more questions about this message, or at the beginning about this connection.
    case accept
    /// Take the message and throw it away.
    case discard
    case reject
    case temporaryFailure
    case refuse(MilterRefusal)
    /// No more of the same kind in this message.
    case skip
    /// Still at work.
    case progress
    /// The connection ends with 421.
    case shutdown
    case connectionFailure
    case options(MilterOptions)
    case modification(MilterModification)

    /// nil for a command that we do not know or data that is not of it. `leadingSpace`: as negotiated.
    package init?(parsing packet: MilterPacket, leadingSpace: Bool) {
        if let plain = MilterReply.plain(packet.command) {
            guard packet.data.isEmpty else { return nil }
            self = plain
        } else if packet.command == UInt8(ascii: "y") {
            var reader = PacketReader(packet.data)
            guard let text = reader.string(), reader.isAtEnd, let refusal = MilterRefusal(parsing: text) else { return nil }
            self = .refuse(refusal)
        } else if packet.command == UInt8(ascii: "O") {
            guard let options = MilterOptions(parsing: packet.data) else { return nil }
            self = .options(options)
        } else {
            guard let change = MilterModification(parsing: packet, leadingSpace: leadingSpace) else { return nil }
            self = .modification(change)
        }
    }

    /// The replies without data.
    private static func plain(_ command: UInt8) -> MilterReply? {
        switch command {
        case UInt8(ascii: "a"): .accept
        case UInt8(ascii: "c"): .proceed
        case UInt8(ascii: "d"): .discard
        case UInt8(ascii: "r"): .reject
        case UInt8(ascii: "t"): .temporaryFailure
        case UInt8(ascii: "s"): .skip
        case UInt8(ascii: "p"): .progress
        case UInt8(ascii: "4"): .shutdown
        case UInt8(ascii: "f"): .connectionFailure
        default: nil
        }
    }
}
