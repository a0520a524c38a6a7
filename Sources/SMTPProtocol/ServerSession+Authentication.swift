// AUTH (RFC 4954): carries SASL messages to and fro; what they mean is the daemon's affair.

private import SASLProtocol

extension ServerSession {
    var mayAuthenticateNow: Bool { isTLS || configuration.allowsPlaintextAuthentication }

    var offersAuthentication: Bool {
        configuration.service == .submission && !mechanisms.isEmpty && mayAuthenticateNow
    }

    /// What is bound to a TLS connection needs one (RFC 5802 §6).
    var mechanisms: [[UInt8]] { configuration.mechanisms.filter { isTLS || Mechanism(name: $0) != .scramSHA256Plus } }

    mutating func auth(_ mechanism: [UInt8], _ initial: [UInt8]?) {
        guard configuration.service == .submission, !configuration.mechanisms.isEmpty else {
            return refuse(.authenticationUnoffered)
        }
        guard mayAuthenticateNow else { return refuse(.encryptionRequired) }
        guard client?.isExtended == true else { return refuse(.helloFirst) }
        guard identity == nil else { return refuse(.alreadyAuthenticated) }
        guard transaction == nil else { return refuse(.authenticationMidMail) }
        let name = mechanism.map { $0.isASCIILowercase ? $0 & 0xDF : $0 }
        guard mechanisms.contains(name) else { return refuse(.unknownMechanism) }
        guard let initial else { return askToAuthenticate(name, nil) }
        // A lone `=` is an empty initial response (RFC 4954 §4).
        guard let decoded = initial == [UInt8(ascii: "=")] ? [] : Base64.decode(initial) else {
            return refuse(.badBase64)
        }
        askToAuthenticate(name, decoded)
    }

    private mutating func askToAuthenticate(_ mechanism: [UInt8], _ initial: [UInt8]?) {
        ask(.authenticate(mechanism: mechanism, initial: initial), .authentication)
    }

    /// A line while a challenge is open: a response, or `*` to give up (RFC 4954 §4).
    mutating func authenticationResponse(_ line: [UInt8]) {
        phase = .command
        if line == [UInt8(ascii: "*")] { return refuse(.authenticationCancelled) }
        guard let response = Base64.decode(line) else { return refuse(.badBase64) }
        ask(.authenticationResponse(response), .authentication)
    }

    mutating func authenticationAnswered(_ answer: ServerAnswer.Authentication) {
        switch answer {
        case .challenge(let challenge):
            phase = .authentication
            reply(Reply(challenge: Base64.encode(challenge)))
        case .authenticated(let identity):
            self.identity = identity
            reply(.authenticated)
        case .rejected: authenticationFailed(.authenticationFailed)
        case .malformed: authenticationFailed(.badBase64)
        case .unavailable: refuse(.authenticationUnavailable)
        }
    }

    private mutating func authenticationFailed(_ reason: Reply) {
        counters.authenticationFailures += 1
        refuse(reason)
        if counters.authenticationFailures >= configuration.limits.authenticationFailures {
            close(saying: .tooManyErrors)
        }
    }
}

extension UInt8 {
    fileprivate var isASCIILowercase: Bool { self >= 0x61 && self <= 0x7A }
}
