// Macros: what the MTA knows beside the arguments of a command, by sendmail's names.

/// A macro and its value, such as `{auth_authen}` or `i`.
package struct MilterMacro: Sendable, Hashable {
    package let name: [UInt8]
    package let value: [UInt8]

    package init(_ name: some Collection<UInt8>, _ value: [UInt8]) {
        self.name = MilterMacro.canonical(name)
        self.value = value
    }

    package init(_ name: String, _ value: [UInt8]) { self.init(Array(name.utf8), value) }

    /// sendmail's form: one letter bare, longer names in braces.
    package static func canonical(_ name: some Collection<UInt8>) -> [UInt8] {
        var bare = Array(name)
        if bare.first == UInt8(ascii: "{"), bare.last == UInt8(ascii: "}"), bare.count > 2 { bare = Array(bare.dropFirst().dropLast()) }
        return bare.count == 1 ? bare : [UInt8(ascii: "{")] + bare + [UInt8(ascii: "}")]
    }
}

/// When macros are sent (`SMFIM_…`); the raw value is the number in a macro list.
package enum MacroStage: UInt32, Sendable, Hashable, CaseIterable {
    case connect = 0
    case helo = 1
    case mail = 2
    case recipient = 3
    case data = 4
    case endOfMessage = 5
    case endOfHeaders = 6

    /// The command that the macros go with.
    package var command: UInt8 {
        switch self {
        case .connect: UInt8(ascii: "C")
        case .helo: UInt8(ascii: "H")
        case .mail: UInt8(ascii: "M")
        case .recipient: UInt8(ascii: "R")
        case .data: UInt8(ascii: "T")
        case .endOfMessage: UInt8(ascii: "E")
        case .endOfHeaders: UInt8(ascii: "N")
        }
    }
}
