// What a milter is asked, and what comes of it. One question at a time, and every one gets one decision.

/// A step of the SMTP dialogue that the milter may judge.
///
/// Ask only after our own policy has said yes: what we refuse was never begun, as far as a milter knows.
package enum MilterQuestion: Sendable, Equatable {
    case connect(MilterClient)
    case helo([UInt8])
    /// `<sender>` and the parameters of MAIL.
    case mail([[UInt8]])
    /// `<recipient>` and the parameters of RCPT. One that we refused is shown only to a milter that wants such.
    case recipient([[UInt8]], isRefused: Bool)
    case data
    case unknown([UInt8])
    /// The message; its body is asked for in pieces.
    case message([MilterField], bodySize: Int)
}

/// The answer to a question.
package enum MilterDecision: Sendable, Equatable {
    /// Go on; at the end of a message, with these changes in this order.
    case proceed([MilterModification])
    /// Say yes to the client, and throw the message away.
    case discard
    case refuse(MilterRefusal)
}

/// Why a milter could not be relied on: for the log.
package enum MilterFault: Sendable, Equatable {
    case notReached
    case connectionLost
    case tooSlow
    /// A packet without a command, or above the limit.
    case badLength
    /// A reply that is not one, or malformed; its letter.
    case badReply(UInt8)
    /// A reply at a moment that has none such.
    case unexpectedReply(UInt8)
    case notNegotiated(UInt8)
    case tooManyModifications
    /// Version or demands in the negotiation.
    case badOptions
    /// Our own: the message could not be read.
    case bodyUnavailable
}

/// What the pump is to do, in order.
package enum MilterAction: Sendable, Equatable {
    /// Connect to the milter; then `opened(at:)`, or `connectionLost()`.
    case open
    case send([UInt8])
    /// Give these octets of the body to `bodyRead(_:at:)`.
    case wantsBody(Range<Int>)
    /// The answer to the open question.
    case decided(MilterDecision)
    /// Send what was given, then close; also where the connection is lost already.
    case close
}
