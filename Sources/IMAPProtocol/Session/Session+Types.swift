// What a session wants of its pump, and what it must know beforehand.

extension Session {
    /// What a session wants done, in this order.
    package enum Action: Hashable, Sendable {
        /// Call `next` again when the client has taken most of it: that is the back-pressure.
        case send([UInt8])
        /// Get the answer and give it to `answered`.
        case ask(Question)
        /// Much was computed without I/O: let others run, then call `next` again.
        case pause
        case close
    }

    /// How long the pump should wait for the client before it calls `deadlinePassed`.
    package enum Wait: Hashable, Sendable {
        /// For a new command: at least 30 minutes (RFC 3501 §5.4).
        case command
        /// For the rest of a command that has begun, or of a message.
        case rest
        /// In IDLE; call `keepAlive` every few minutes.
        case idle
        /// For our own store.
        case answer
    }

    /// What the session must know.
    package struct Settings: Hashable, Sendable {
        /// In octets.
        package var maximumMessageSize: Int
        /// Commands not understood, one after the other, until BYE.
        package var maximumErrors = 20

        package init(maximumMessageSize: Int) { self.maximumMessageSize = maximumMessageSize }
    }
}
