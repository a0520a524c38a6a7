// The AUTHORIZATION state of POP3 (RFC 1939 §4): a machine of its own, so that it can run in a process that
// can open no mailbox. Invariant: it ends by `.handOver` or `.close`, once, and answers nothing after that.

package import SASLProtocol

/// The dialogue from the greeting to a proven identity.
///
/// Feed it events, then call `next()` until it returns nil. It asks nothing while a question is open.
package struct LoginSession: Sendable {
    package struct Limits: Hashable, Sendable {
        /// Octets of a command line with its CRLF. RFC 2449 §4 deviation: 512, where 255 is asked for; passwords are long.
        package var line = 512
        /// Octets of a line that carries SASL data (RFC 4954 §4.3 has the same need).
        package var authenticationLine = 12_288
        /// Lines that are no command, before we close.
        package var errors = 10
        /// Failed logins, before we close.
        package var failures = 3
        package init() {}
    }

    /// What the caller must find out; each is answered by one `answered(_:)`.
    package enum Question: Equatable, Sendable {
        /// Begin an exchange, and drop any other. PASS asks for PLAIN with `\0user\0password`.
        case authenticate(Mechanism, initial: [UInt8]?)
        /// The client's next message in this exchange.
        case authenticationResponse([UInt8])
    }

    package enum Answer: Equatable, Sendable {
        case challenge([UInt8])
        case authenticated(identity: [UInt8])
        /// Wrong name or secret, deliberately one case.
        case rejected
        /// It cannot be looked up now.
        case unavailable
    }

    /// What the session after login starts from.
    package struct HandOver: Equatable, Sendable {
        package let identity: [UInt8]
        package let capabilities: Capabilities
        /// Bytes that the client sent ahead; they belong to the next session.
        package let leftover: [UInt8]
    }

    package enum Action: Equatable, Sendable {
        case send([UInt8])
        case startTLS
        case ask(Question)
        case handOver(HandOver)
        case close
    }

    enum State: Equatable, Sendable {
        case ready
        case asking(isPass: Bool)
        /// The client owes a SASL message.
        case authenticating
        case startingTLS
        case over
    }

    let limits: Limits
    var capabilities: Capabilities
    var state = State.ready
    var user: [UInt8]?
    private var reader = CommandReader()
    private var actions: [Action]
    private var errors = 0
    private var failures = 0

    package init(_ capabilities: Capabilities, limits: Limits = Limits()) {
        self.capabilities = capabilities
        self.limits = limits
        actions = [.send(Reply.ok("Martlet POP3 server ready"))]
    }

    /// Whether more bytes should be read from the client now.
    package var wantsInput: Bool { state != .over && reader.count < limits.authenticationLine }

    package mutating func received(_ bytes: some Collection<UInt8>) {
        // Sent in the clear after STLS: an attacker may have put it there (V03).
        guard state != .over, state != .startingTLS else { return }
        reader.append(bytes)
    }

    package mutating func tlsStarted() {
        guard state == .startingTLS else { return }
        capabilities.isTLS = true
        state = .ready
    }

    /// RFC 1939 §3: an idle client is dropped without a word.
    package mutating func deadlinePassed() { end() }

    package mutating func shutdownRequested() { end() }

    package mutating func answered(_ answer: Answer) {
        guard case .asking(let isPass) = state else { return }
        switch answer {
        case .challenge(let message) where !isPass:
            send(Reply.challenge(Base64.encode(message)))
            state = .authenticating
        case .authenticated(let identity):
            let handOver = HandOver(identity: identity, capabilities: capabilities, leftover: reader.takeRest())
            actions.append(.handOver(handOver))
            state = .over
        case .rejected: failed(Reply.error("wrong name or password", .authentication))
        case .unavailable, .challenge: failed(Reply.error("cannot look you up now, try again later", .systemTemporary))
        }
    }

    /// The next thing to do; nil until there is another event.
    package mutating func next() -> Action? {
        while actions.isEmpty, readLine() {}
        return actions.isEmpty ? nil : actions.removeFirst()
    }

    /// Handles one line, if the state takes lines and there is one.
    private mutating func readLine() -> Bool {
        let isAuthenticating = state == .authenticating
        guard state == .ready || isAuthenticating else { return false }
        // AUTH may carry its first message, which is as long as the others.
        let isLong = isAuthenticating || reader.begins(with: "AUTH ")
        switch reader.next(limit: isLong ? limits.authenticationLine : limits.line) {
        case .incomplete: return false
        case .invalid(.tooLong): fatal("line too long")
        case .invalid(.strayByte): fatal("lines end with CR LF")
        case .line(let line):
            if isAuthenticating { response(line) } else { command(line) }
        }
        return true
    }
}

extension LoginSession {
    mutating func send(_ reply: [UInt8]) { actions.append(.send(reply)) }
    mutating func ask(_ question: Question, isPass: Bool) {
        actions.append(.ask(question))
        state = .asking(isPass: isPass)
    }

    /// Everything that TLS must make us forget is forgotten here (RFC 2595 §4).
    mutating func startTLS() {
        send(Reply.ok("begin TLS now"))
        actions.append(.startTLS)
        user = nil
        _ = reader.takeRest()
        state = .startingTLS
    }

    mutating func close(_ reply: [UInt8]) {
        send(reply)
        actions.append(.close)
        state = .over
    }

    /// A line that is no command, or not here.
    mutating func refused(_ text: String) {
        errors += 1
        if errors > limits.errors { return close(Reply.error("too many errors")) }
        send(Reply.error(text))
        state = .ready
    }

    mutating func fatal(_ text: String) { close(Reply.error(text)) }

    private mutating func failed(_ reply: [UInt8]) {
        failures += 1
        user = nil
        if failures >= limits.failures { return close(reply) }
        send(reply)
        state = .ready
    }

    private mutating func end() {
        guard state != .over else { return }
        actions = [.close]
        state = .over
    }
}
