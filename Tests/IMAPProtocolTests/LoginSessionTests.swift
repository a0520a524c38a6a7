// The dialogue before login where transcripts do not reach: events out of order, and what is handed over.

import MailTestKit
import Testing

@testable import IMAPProtocol

@Suite struct LoginSessionTests {
    private func session(isTLS: Bool = true) -> LoginSession {
        var session = LoginSession(
            settings: .init(mechanisms: [Array("PLAIN".utf8)], offersTLS: true, allowsPlaintext: false), isTLS: isTLS)
        _ = session.next()
        return session
    }

    @Test func handOverCarriesWhatFollows() {
        var session = session()
        session.received(Array("a LOGIN \"al ice\" p\r\nb SELECT INB".utf8))
        #expect(session.next() == .ask(.authenticate(mechanism: Array("PLAIN".utf8), initial: Array("\0al ice\0p".utf8))))
        #expect(session.next() == nil)
        session.received(Array("OX\r\n".utf8))
        session.answered(.authenticated(identity: Array("alice".utf8)))
        guard case .handOver(let handOver) = session.next() else {
            Issue.record("no hand-over")
            return
        }
        #expect(handOver.identity == Array("alice".utf8))
        #expect(handOver.unread == Array("b SELECT INBOX\r\n".utf8))
        #expect(handOver.completion.starts(with: Array("a OK [CAPABILITY IMAP4rev1 ".utf8)))
        #expect(handOver.isTLS)
        #expect(session.next() == nil)
        #expect(!session.wantsInput)
    }

    @Test func handshakeThatNobodyAskedForChangesNothing() {
        var session = session(isTLS: false)
        session.tlsStarted()
        #expect(!session.isTLS)
        session.answered(.authenticated(identity: []))
        #expect(session.next() == nil)
    }

    @Test func bytesDuringTheHandshakeAreDropped() {
        var session = session(isTLS: false)
        session.received(Array("a STARTTLS\r\nb LOGOUT\r\n".utf8))
        #expect(session.next() == .send(Array("a OK Begin TLS negotiation now\r\n".utf8)))
        #expect(session.next() == .startTLS)
        #expect(!session.wantsInput)
        session.received(Array("c LOGOUT\r\n".utf8))
        #expect(session.next() == nil)
        session.tlsStarted()
        #expect(session.next() == nil)
        session.received(Array("d NOOP\r\n".utf8))
        #expect(session.next() == .send(Array("d OK NOOP completed\r\n".utf8)))
    }

    @Test func failedHandshakeIsEndedWithoutAWord() {
        var session = session(isTLS: false)
        session.received(Array("a STARTTLS\r\n".utf8))
        _ = session.next()
        _ = session.next()
        session.deadlinePassed()
        #expect(session.next() == .close)
        #expect(session.next() == nil)
    }

    @Test func lateAnswerToAClosedDialogueIsIgnored() {
        var session = session()
        session.received(Array("a LOGIN x y\r\n".utf8))
        _ = session.next()
        session.shutdownRequested()
        session.answered(.authenticated(identity: []))
        #expect(session.next() == .send(Array("* BYE Server is shutting down\r\n".utf8)))
        #expect(session.next() == .close)
        #expect(session.next() == nil)
    }

    @Test func memoryBeforeLoginIsBounded() {
        var session = session()
        session.received(Array("a LOGIN x y\r\n".utf8))
        _ = session.next()
        var given = 0
        while session.wantsInput {
            session.received([UInt8](repeating: 0x78, count: 1000))
            given += 1000
        }
        #expect(given <= 17_000)
    }

    @Test func randomBytesNeverConfuse() {
        var random = SeededGenerator()
        let alphabet = Array("ab {}+123\r\n\"()\\*=NOPLGI\0".utf8)
        for _ in 0..<300 {
            let input = random.bytes(120, from: alphabet)
            let difference = Chop.difference(input, places: 16) { pieces in
                var session = session()
                var actions: [LoginSession.Action] = []
                for piece in pieces {
                    session.received(piece)
                    while let action = session.next() {
                        actions.append(action)
                        if case .ask = action { session.answered(.rejected) }
                    }
                }
                return actions.reduce(into: [UInt8]()) { if case .send(let bytes) = $1 { $0 += bytes } }
            }
            #expect(difference == nil, "\(difference ?? "")")
        }
    }
}
