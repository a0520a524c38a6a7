// The steps of the protocol that have replies, and what a milter may have said of each in the negotiation.

/// A command whose reply may be awaited.
enum MilterStep: Sendable, Equatable, CaseIterable {
    case connect, helo, mail, recipient, data, unknown, header, endOfHeaders, body, endOfMessage

    /// The milter does not want to see it.
    var omission: MilterSteps {
        switch self {
        case .connect: .noConnect
        case .helo: .noHelo
        case .mail: .noMail
        case .recipient: .noRecipient
        case .data: .noData
        case .unknown: .noUnknown
        case .header: .noHeaders
        case .endOfHeaders: .noEndOfHeaders
        case .body: .noBody
        case .endOfMessage: []
        }
    }

    /// The milter sends no reply to it.
    var silence: MilterSteps {
        switch self {
        case .connect: .noReplyConnect
        case .helo: .noReplyHelo
        case .mail: .noReplyMail
        case .recipient: .noReplyRecipient
        case .data: .noReplyData
        case .unknown: .noReplyUnknown
        case .header: .noReplyHeader
        case .endOfHeaders: .noReplyEndOfHeaders
        case .body: .noReplyBody
        case .endOfMessage: []
        }
    }

    /// Which macros go before it, to a milter of which version: an older one would stumble over them.
    var macros: (stage: MacroStage, version: UInt32)? {
        switch self {
        case .connect: (.connect, 2)
        case .helo: (.helo, 2)
        case .mail: (.mail, 2)
        case .recipient: (.recipient, 2)
        case .data: (.data, 4)
        case .endOfHeaders: (.endOfHeaders, 6)
        case .endOfMessage: (.endOfMessage, 3)
        case .unknown, .header, .body: nil
        }
    }

    /// A verdict here is on the whole SMTP connection.
    var isOfConnection: Bool { self == .connect || self == .helo }
}
