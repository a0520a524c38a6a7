// The dialogue before login as the front sees it, whatever its protocol: POP3 and IMAP each give a machine of this shape.

/// What the session process found out about one step of an authentication.
package enum LoginAnswer: Hashable, Sendable {
    /// The mechanism's next message, not encoded.
    case challenge([UInt8])
    /// The peer is who it says: the machine's next action is `handOver`.
    case accepted
    /// Wrong name or secret, deliberately one case.
    case rejected
    /// No message of the mechanism; says nothing about the account.
    case malformed
    /// It cannot be looked up now.
    case unavailable
}

/// What the dialogue wants done.
package enum LoginAction: Hashable, Sendable {
    case send([UInt8])
    case startTLS
    /// Begins an exchange, and drops one that was not finished. A name with a password comes as PLAIN (RFC 4616 §2).
    case authenticate(mechanism: [UInt8], initial: [UInt8]?)
    /// The peer's next message of the exchange, decoded.
    case respond([UInt8])
    /// The session begins, in the other process; `bytes` are what the peer sent ahead.
    case handOver(bytes: [UInt8])
    case close
}

/// A protocol's dialogue from the greeting to a proven identity: events in, actions out.
///
/// After `authenticate` and `respond` it asks nothing more until `answered`; after `handOver` and `close` it says nothing.
package protocol LoginMachine {
    /// Whether more bytes should be read from the peer now.
    var wantsInput: Bool { get }
    mutating func received(_ bytes: ArraySlice<UInt8>)
    mutating func tlsStarted()
    mutating func answered(_ answer: LoginAnswer)
    mutating func deadlinePassed()
    mutating func shutdownRequested()
    /// The next thing to do; nil until there is another event.
    mutating func next() -> LoginAction?
}

/// Why an authentication failed, as the two processes say it.
enum LoginFailure: UInt8 {
    case rejected = 1, malformed, unavailable

    var answer: LoginAnswer {
        switch self {
        case .rejected: .rejected
        case .malformed: .malformed
        case .unavailable: .unavailable
        }
    }
}
