// What the dialogue before login asks of its surroundings, and what it is told.

extension LoginSession {
    /// A request about who the client is; each gets one `Answer`.
    package enum Question: Hashable, Sendable {
        /// Begins an exchange, and ends one that was not finished. LOGIN comes as PLAIN with its one message.
        case authenticate(mechanism: [UInt8], initial: [UInt8]?)
        /// The client's next message, decoded.
        case authenticationResponse([UInt8])
    }

    package enum Answer: Hashable, Sendable {
        /// The server's next message, not encoded.
        case challenge([UInt8])
        case authenticated(identity: [UInt8])
        /// Wrong name or secret, or a message that the mechanism does not know.
        case rejected
        /// It could not be looked up; nothing is said about the secret.
        case unavailable
    }

    /// What the dialogue before login wants done, in this order.
    package enum Action: Hashable, Sendable {
        case send([UInt8])
        case ask(Question)
        /// Do the handshake, then call `tlsStarted`; bytes read before it are the attacker's.
        case startTLS
        case handOver(HandOver)
        case close
    }

    /// What the dialogue before login must know.
    package struct Settings: Hashable, Sendable {
        /// Names of SASL mechanisms in capitals, in the order in which they are announced.
        package var mechanisms: [[UInt8]]
        package var offersTLS: Bool
        /// Whether a password may come over a connection without TLS.
        package var allowsPlaintext: Bool
        /// Failed logins until BYE.
        package var maximumFailures = 5
        /// Commands not understood, one after the other, until BYE.
        package var maximumErrors = 5

        package init(mechanisms: [[UInt8]], offersTLS: Bool, allowsPlaintext: Bool = false) {
            self.mechanisms = mechanisms
            self.offersTLS = offersTLS
            self.allowsPlaintext = allowsPlaintext
        }
    }
}
