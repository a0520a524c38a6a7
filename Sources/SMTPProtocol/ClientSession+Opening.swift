// From the greeting to the point where mail can be sent: EHLO, STARTTLS, AUTH.

internal import MailModel
internal import SASLProtocol

extension ClientSession {
    mutating func greeted(_ reply: ReceivedReply) {
        // RFC 5321 §3.1: 554 says that no mail service is here; the next MX may have one.
        guard reply.code == 220 else { return giveUpOnHost(reply) }
        hello()
    }

    mutating func giveUpOnHost(_ reply: ReceivedReply) { giveUp(reply.hostOutcome, reply: reply.bytes) }

    mutating func hello() {
        let name = configuration.clientName.bytes
        switch configuration.dialect {
        case .smtp: send(Command.ehlo(name).wire, awaiting: .hello)
        case .lmtp: send(Array("LHLO ".utf8) + name + [13, 10], awaiting: .hello)
        }
    }

    mutating func helloAnswered(_ reply: ReceivedReply) {
        guard reply.replyClass == .positive else {
            // RFC 5321 §3.2: a server that does not know EHLO gets HELO, unless it would cost us TLS.
            let mayFallBack = reply.replyClass == .permanent && !usedHelo && configuration.dialect == .smtp
            guard mayFallBack, configuration.tls != .required || isTLS, configuration.credentials == nil else {
                return giveUpOnHost(reply)
            }
            usedHelo = true
            return send(Command.helo(configuration.clientName.bytes).wire, awaiting: .hello)
        }
        offer = usedHelo ? ServerOffer() : ServerOffer(lines: reply.lines.dropFirst())
        secure()
    }

    private mutating func secure() {
        guard !isTLS, configuration.tls != .never else { return authenticate() }
        if offer.startTLS { return send(Command.startTLS.wire, awaiting: .startTLS) }
        guard configuration.tls == .required else { return authenticate() }
        // RFC 8689 §4.2.1: whoever asked for it is told at once; what we alone demand may be there tomorrow.
        let isAsked = transaction?.message.options.requiresTLS ?? false
        let reason = Array("TLS required but not offered".utf8)
        giveUp(isAsked ? .permanent(.permanent(7, 30), reason: reason) : .temporary(.temporary(7, 4), reason: reason))
    }

    mutating func startTLSAnswered(_ reply: ReceivedReply) {
        guard reply.code == 220 else {
            return configuration.tls == .required ? giveUpOnHost(reply) : authenticate()
        }
        // Response injection (CVE-2021-38371): nothing may follow the 220 in the clear.
        guard replies.isEmpty else { return abandon("data after STARTTLS", status: .temporary(7, 0)) }
        stage = .handshake
        act(.startTLS)
    }

    private mutating func authenticate() {
        guard let credentials = configuration.credentials, !isAuthenticated else { return begin() }
        let usable = [Mechanism.scramSHA256, .plain, .login].first {
            offer.mechanisms.contains($0)
                && (!$0.revealsPassword || isTLS || configuration.allowsPlaintextAuthentication)
        }
        guard let usable,
            let exchange = ClientExchange(
                mechanism: usable, name: credentials.name, password: credentials.password, hashes: credentials.hashes,
                nonce: credentials.nonce)
        else { return giveUp(.temporary(.temporary(7, 0), reason: Array("no usable authentication mechanism".utf8))) }
        self.exchange = exchange
        let initial = exchange.initialResponse.map { Base64.encode($0) }
        send(Command.auth(mechanism: usable.name, initial: initial).wire, awaiting: .authentication)
    }

    mutating func authenticationAnswered(_ reply: ReceivedReply) {
        switch reply.replyClass {
        case .positive:
            guard exchange?.acceptsSuccess == true else {
                return abandon("server did not prove itself", status: .temporary(7, 8))
            }
            exchange = nil
            isAuthenticated = true
            begin()
        case .intermediate: challenged(reply)
        case .temporary, .permanent: giveUpOnHost(reply)
        }
    }

    private mutating func challenged(_ reply: ReceivedReply) {
        guard let challenge = reply.lines.first.flatMap({ Base64.decode($0) }),
            case .respond(let response)? = exchange?.challenge(challenge)
        else { return abandon("authentication challenge not understood", status: .temporary(7, 0)) }
        send(Base64.encode(response) + [13, 10], awaiting: .authentication)
    }
}
