// The events: what the network, the clock and the pump tell the client session.

internal import MailModel

extension ClientSession {
    package mutating func received(_ bytes: some Collection<UInt8>) {
        guard stage != .closed, !bytes.isEmpty else { return }
        // In the clear between our STARTTLS and the handshake: somebody puts words into the server's mouth.
        if stage == .handshake { return abandon("data before the TLS handshake", status: .temporary(7, 0)) }
        replies.append(bytes)
        // An early reply waits until the content is out; it must not grow meanwhile.
        if stage == .content {
            if replies.count > 65536 { abandon("too much from the server") }
            return
        }
        advance()
    }

    package mutating func tlsStarted() {
        guard stage == .handshake else { return }
        isTLS = true
        // RFC 3207 §4.2: nothing that was learned in the clear counts.
        offer = ServerOffer()
        hello()
    }

    /// The handshake failed; whether to come again without TLS is the caller's policy.
    package mutating func tlsFailed(_ reason: [UInt8]) {
        guard stage == .handshake else { return }
        transaction?.settleAll(.temporary(.temporary(7, 5), reason: reason), stage, [])
        abandon("TLS handshake failed", status: .temporary(7, 5))
    }

    /// The content and its final dot are out.
    package mutating func contentSent() {
        guard stage == .content else { return }
        contentEnded()
    }

    /// What was said before the content was out may refuse it; nobody can have taken it.
    private mutating func contentEnded() {
        earlyOctets = replies.count
        if earlyOctets > 0 { hadEarlyReply = true }
        stage = .end
        advance()
    }

    /// The content cannot be read to its end: the final dot must never be sent.
    package mutating func contentFailed(_ reason: [UInt8]) {
        guard stage == .content else { return }
        transaction?.settleAll(.temporary(.temporary(3, 0), reason: reason), stage, [])
        abandon("content unreadable")
    }

    package mutating func deadlinePassed() {
        abandon(stage == .end ? "timeout after the end of data: the message may be sent twice" : "timeout")
    }

    package mutating func peerClosed() {
        // A server may refuse early, then close: its last word counts more than its silence.
        if stage == .content { contentEnded() }
        abandon("connection lost", status: .temporary(4, 2))
    }

    /// Gives the next message; only while `canDeliver`.
    package mutating func deliver(_ message: OutgoingMessage) {
        guard stage == .idle else { return }
        transaction = ClientTransaction(message)
        begin()
    }

    /// Works through the replies that have come.
    mutating func advance() {
        while stage != .closed, stage != .content, stage != .handshake {
            guard let result = replies.next() else { return }
            switch result {
            case .invalid: abandon("not an SMTP reply", status: .temporary(5, 0))
            case .reply(let reply):
                replied(reply)
                earlyOctets = max(0, earlyOctets - reply.bytes.count)
            }
        }
    }

    private mutating func replied(_ reply: ReceivedReply) {
        // 421 may come at any time and ends the connection (RFC 5321 §3.8).
        if reply.code == 421, stage != .quit {
            transaction?.settleAll(reply.hostOutcome, stage, reply.bytes)
            return abandon("service closing")
        }
        switch stage {
        case .greeting: greeted(reply)
        case .hello: helloAnswered(reply)
        case .startTLS: startTLSAnswered(reply)
        case .authentication: authenticationAnswered(reply)
        case .reset: resetAnswered(reply)
        case .mail, .recipients: envelopeAnswered(reply)
        case .data: dataAnswered(reply)
        case .end: contentAnswered(reply)
        case .quit: abandon("quit")
        case .idle: abandon("server replied out of turn")
        case .handshake, .content, .closed: break
        }
    }
}
