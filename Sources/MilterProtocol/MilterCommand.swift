// Every command of the MTA and how it is written (`SMFIC_…`).

/// The SMTP client, as the milter is told of it.
package struct MilterClient: Sendable, Hashable {
    /// The client's verified name, or its address in brackets.
    package var hostName: [UInt8]
    package var address: Address

    package enum Address: Sendable, Hashable {
        case unknown
        case unix(path: [UInt8])
        /// The address as text, without `IPv6:` or brackets.
        case ipv4([UInt8], port: UInt16)
        case ipv6([UInt8], port: UInt16)
    }

    package init(hostName: [UInt8], address: Address) {
        self.hostName = hostName
        self.address = address
    }
}

/// What the MTA tells a milter.
package enum MilterCommand: Sendable, Hashable {
    case negotiate(MilterOptions)
    /// Goes before the command that it belongs to; has no reply.
    case macros(MacroStage, [MilterMacro])
    case connect(MilterClient)
    case helo([UInt8])
    /// The path in angle brackets, then the parameters of MAIL.
    case mail([[UInt8]])
    case recipient([[UInt8]])
    case data
    /// A command that SMTP does not know, or that is out of place.
    case unknown([UInt8])
    case header(name: [UInt8], value: [UInt8])
    case endOfHeaders
    /// Written as packets of at most `bodyChunk` octets.
    case body(ArraySlice<UInt8>)
    case endOfMessage
    /// The message ends without a verdict; has no reply.
    case abort
    case quit
    /// The SMTP connection is over, and another follows on the same milter connection (version 6).
    case quitForNewConnection

    /// The most that libmilter takes in one packet of a body.
    package static let bodyChunk = 65535

    package var wire: [UInt8] {
        var out: [UInt8] = []
        append(to: &out)
        return out
    }

    package func append(to out: inout [UInt8]) {
        switch self {
        case .negotiate(let options):
            append("O", to: &out) {
                $0.appendBigEndian(options.version)
                $0.appendBigEndian(options.actions.rawValue)
                $0.appendBigEndian(options.steps.rawValue)
            }
        case .macros(let stage, let macros):
            append("D", to: &out) { data in
                data.append(stage.command)
                for macro in macros {
                    data.appendString(macro.name)
                    data.appendString(macro.value)
                }
            }
        case .connect(let client): append("C", to: &out) { MilterCommand.append(client, to: &$0) }
        case .helo(let name): append("H", to: &out) { $0.appendString(name) }
        case .mail(let arguments): append("M", to: &out) { data in arguments.forEach { data.appendString($0) } }
        case .recipient(let arguments): append("R", to: &out) { data in arguments.forEach { data.appendString($0) } }
        case .data: append("T", to: &out)
        case .unknown(let text): append("U", to: &out) { $0.appendString(text) }
        case .header(let name, let value):
            append("L", to: &out) {
                $0.appendString(name)
                $0.appendString(value)
            }
        case .endOfHeaders: append("N", to: &out)
        case .body(let bytes): MilterCommand.append(body: bytes, to: &out)
        case .endOfMessage: append("E", to: &out)
        case .abort: append("A", to: &out)
        case .quit: append("Q", to: &out)
        case .quitForNewConnection: append("K", to: &out)
        }
    }

    private func append(_ command: Unicode.Scalar, to out: inout [UInt8], _ fill: (inout [UInt8]) -> Void = { _ in }) {
        var packet = MilterPacket(UInt8(ascii: command))
        fill(&packet.data)
        packet.append(to: &out)
    }

    private static func append(_ client: MilterClient, to data: inout [UInt8]) {
        data.appendString(client.hostName)
        switch client.address {
        case .unknown: data.append(UInt8(ascii: "U"))
        case .unix(let path): append("L", path, 0, to: &data)
        case .ipv4(let address, let port): append("4", address, port, to: &data)
        case .ipv6(let address, let port): append("6", address, port, to: &data)
        }
    }

    private static func append(_ family: Unicode.Scalar, _ address: [UInt8], _ port: UInt16, to data: inout [UInt8]) {
        data.append(UInt8(ascii: family))
        data.append(UInt8(truncatingIfNeeded: port >> 8))
        data.append(UInt8(truncatingIfNeeded: port))
        data.appendString(address)
    }

    private static func append(body: ArraySlice<UInt8>, to out: inout [UInt8]) {
        var rest = body
        while !rest.isEmpty {
            MilterPacket(UInt8(ascii: "B"), Array(rest.prefix(bodyChunk))).append(to: &out)
            rest = rest.dropFirst(bodyChunk)
        }
    }
}
