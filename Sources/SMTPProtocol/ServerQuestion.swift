// What the session asks of the world, and what it may be answered. smtpd's policy is this list.

package import MailModel

/// A question to the daemon; at most one is open at a time, and every one gets one answer.
package enum ServerQuestion: Sendable, Equatable {
    /// May this sender begin a transaction? Asks for disk space and policy. Answer: `.sender`.
    case sender(ReversePath, size: Int?)
    /// Whose address is this? Answer: `.recipient`.
    case recipient(EmailAddress)
    /// Who is the `<postmaster>` without a domain (RFC 5321 §4.5.1)? Answer: `.postmaster`.
    case postmaster
    /// Begin a SASL exchange; drop any earlier one. `initial` is decoded; nil if absent. Answer: `.authentication`.
    case authenticate(mechanism: [UInt8], initial: [UInt8]?)
    /// The decoded response to the last challenge. Answer: `.authentication`.
    case authenticationResponse([UInt8])
    /// Take responsibility for this message, durably. Answer: `.message`.
    ///
    /// `content` is empty if it went out by `.content`.
    case accept(Envelope, content: [UInt8], AcceptFacts)
}

/// The answer to the open question, of the same kind.
package enum ServerAnswer: Sendable, Equatable {
    case sender(Sender)
    case recipient(Recipient)
    /// The postmaster of a domain of ours, who takes mail; nil while that cannot be said, which is temporary.
    case postmaster(EmailAddress?)
    case authentication(Authentication)
    case message(Message)

    package enum Sender: Sendable, Equatable {
        case accepted
        case temporary(Reply)
        case refused(Reply)
    }

    package enum Recipient: Sendable, Equatable {
        case local
        /// Not ours: relayed for the authenticated, refused to all others.
        case remote
        case unknown
        /// The directory cannot be asked now: never to be told as `unknown`.
        case unavailable
        case refused(Reply)
    }

    package enum Authentication: Sendable, Equatable {
        case challenge([UInt8])
        case authenticated(identity: [UInt8])
        case rejected
        /// The response was not one of this mechanism.
        case malformed
        case unavailable
    }

    package enum Message: Sendable, Equatable {
        /// Durable; `id` is told to the client.
        case accepted(id: [UInt8])
        case temporary(Reply)
        case refused(Reply)
    }
}

/// What the dialogue knows about a message beside its envelope.
package struct AcceptFacts: Sendable, Hashable {
    /// Octets of content as received, dots unstuffed.
    package var size: Int
    package var messageID: [UInt8]?
    package var receivedCount: Int
    /// The argument of EHLO or HELO, unverified.
    package var clientName: [UInt8]
    /// EHLO was used: `with ESMTP` (RFC 3848).
    package var isExtended: Bool
    package var isTLS: Bool
    package var identity: [UInt8]?
    /// The content went out by `.content` actions.
    package var isSpilled: Bool
    /// It came in chunks, where bare CR and LF are content (RFC 3030 §2).
    package var isChunked = false
}

/// What the pump is to do, in order.
package enum ServerAction: Sendable, Equatable {
    case send([UInt8])
    /// Start the handshake; then `tlsStarted()`, or close the connection.
    case startTLS
    /// Send what was given, then close. Always the last action.
    case close
    case ask(ServerQuestion)
    /// A piece of a message above the inline limit.
    case content([UInt8])
    /// The message whose pieces came by `.content` will not be accepted.
    case discardContent
}
