// The commands before login, each answered at once or by a question.

internal import MailModel
internal import SASLProtocol

extension LoginSession {
    mutating func take(_ event: CommandFramer.Event) {
        switch event {
        case .command(let text): take(LoginCommand.parse(text))
        case .bareLineFeed(let text): fail(LoginCommand.parse(text).tag, .syntax(.bareLineFeed))
        case .literal(let literal, let text): announce(literal, text)
        case .tooLong: bye("* BYE Line too long\r\n")
        }
    }

    /// A literal before login is a name or a password, never large.
    private mutating func announce(_ literal: CommandFramer.Literal, _ text: [UInt8]) {
        if framer.keep() {
            if literal.isSynchronizing { output.raw("+ Ready\r\n") }
            return
        }
        guard literal.isSynchronizing else { return bye("* BYE [TOOBIG] Literal too large\r\n") }
        framer.skip()
        reply(LoginCommand.parse(text).tag, "BAD [TOOBIG] Literal too large")
        countError()
    }

    private mutating func take(_ command: ParsedCommand<LoginCommand>) {
        switch command.result {
        case .failure(let failure): fail(command.tag, failure)
        case .success(let verb):
            guard let tag = command.tag else { return }
            errors = 0
            perform(verb, tag)
        }
    }

    private mutating func perform(_ command: LoginCommand, _ tag: Tag) {
        switch command {
        case .capability:
            reply(nil, capabilities)
            reply(tag, "OK CAPABILITY completed")
        case .noop: reply(tag, "OK NOOP completed")
        case .id:
            output.raw(ServerIdentification.response)
            reply(tag, "OK ID completed")
        case .logout:
            bye("* BYE Logging out\r\n")
            reply(tag, "OK LOGOUT completed")
        case .startTLS: startTLS(tag)
        case .login(let user, let password): login(tag, user, password)
        case .authenticate(let mechanism, let initial): authenticate(tag, mechanism, initial)
        }
    }

    private mutating func startTLS(_ tag: Tag) {
        guard settings.offersTLS, !isTLS else { return reply(tag, "BAD STARTTLS is not possible now") }
        reply(tag, "OK Begin TLS negotiation now")
        framer.reset()
        pending = .startTLS
        phase = .handshake
    }

    private mutating func login(_ tag: Tag, _ user: [UInt8], _ password: [UInt8]) {
        guard mayLogIn(tag) else { return }
        pending = .ask(.authenticate(mechanism: Array("PLAIN".utf8), initial: [0] + user + [0] + password))
        phase = .asking(tag, acceptsChallenge: false)
    }

    private mutating func authenticate(_ tag: Tag, _ mechanism: [UInt8], _ initial: [UInt8]?) {
        guard mayLogIn(tag) else { return }
        guard mechanisms.contains(mechanism) else {
            return reply(tag, "NO [CANNOT] Unknown authentication mechanism")
        }
        var message: [UInt8]?
        if let initial {
            // RFC 4959 §3: a single `=` is an initial response without bytes.
            guard let decoded = initial.elementsEqual("=".utf8) ? [] : Base64.decode(initial) else {
                return failResponse(tag)
            }
            message = decoded
        }
        pending = .ask(.authenticate(mechanism: mechanism, initial: message))
        phase = .asking(tag, acceptsChallenge: true)
    }

    /// What is bound to a TLS connection needs one (RFC 5802 §6).
    var mechanisms: [[UInt8]] { settings.mechanisms.filter { isTLS || Mechanism(name: $0) != .scramSHA256Plus } }

    private mutating func mayLogIn(_ tag: Tag) -> Bool {
        guard isLoginDisabled else { return true }
        reply(tag, "NO [PRIVACYREQUIRED] Use TLS first")
        return false
    }

    private mutating func fail(_ tag: Tag?, _ failure: CommandFailure) {
        // V14: a browser that was tricked into talking to us gets no second line.
        if let tag, LoginSession.isForeign(tag) { return bye("* BYE This is an IMAP server\r\n") }
        reply(tag, failure.reply)
        countError()
    }

    private mutating func countError() {
        errors += 1
        if errors >= settings.maximumErrors { bye("* BYE Too many errors\r\n") }
    }

    /// The first word of an HTTP request, which is a tag to IMAP.
    private static func isForeign(_ tag: Tag) -> Bool {
        let methods: [StaticString] = ["GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "DELETE", "PATCH", "TRACE"]
        return methods.contains { tag.bytes.equalsIgnoringASCIICase($0) }
    }
}
