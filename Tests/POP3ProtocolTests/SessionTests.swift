// The machines where transcripts do not reach: pieces, back-pressure, questions, and every input in every state.

import MailTestKit
import SASLProtocol
import Testing

@testable import POP3Protocol

private let offer = Capabilities(mechanisms: [.scramSHA256, .plain], offersTLS: true, isTLS: true)

@Suite struct LoginSessionTests {
    private func actions(_ session: inout LoginSession) -> [LoginSession.Action] {
        var found: [LoginSession.Action] = []
        while let action = session.next() { found.append(action) }
        return found
    }

    private func greeted() -> LoginSession {
        var session = LoginSession(offer)
        _ = session.next()
        return session
    }

    @Test func saslMessagesPassThroughUnread() {
        var session = greeted()
        session.received(Array("AUTH SCRAM-SHA-256 bg==\r\n".utf8))
        #expect(actions(&session) == [.ask(.authenticate(.scramSHA256, initial: Array("n".utf8)))])
        session.answered(.challenge(Array("r=1".utf8)))
        #expect(actions(&session) == [.send(Array("+ cj0x\r\n".utf8))])
        session.received(Array("Yw==\r\n".utf8))
        #expect(actions(&session) == [.ask(.authenticationResponse(Array("c".utf8)))])
        session.answered(.challenge(Array("v=".utf8)))
        session.received(Array("\r\nSTAT\r\nQU".utf8))
        #expect(actions(&session) == [.send(Array("+ dj0=\r\n".utf8)), .ask(.authenticationResponse([]))])
        session.answered(.authenticated(identity: Array("alice".utf8)))
        guard case .handOver(let handOver) = session.next() else { Issue.record("no hand-over"); return }
        #expect(handOver.identity == Array("alice".utf8))
        #expect(handOver.leftover == Array("STAT\r\nQU".utf8))
        #expect(handOver.capabilities == offer)
        #expect(session.next() == nil)
        #expect(!session.wantsInput)
    }

    @Test func passAsksForPlain() {
        var session = greeted()
        session.received(Array("USER a\r\nPASS b c\r\n".utf8))
        #expect(actions(&session).last == .ask(.authenticate(.plain, initial: Array("\0a\0b c".utf8))))
    }

    @Test func nothingIsReadWhileAQuestionIsOpen() {
        var session = greeted()
        session.received(Array("AUTH PLAIN =\r\nQUIT\r\n".utf8))
        #expect(actions(&session) == [.ask(.authenticate(.plain, initial: []))])
        #expect(session.next() == nil)
        session.answered(.rejected)
        #expect(actions(&session).last == .close)
    }

    @Test func fullBufferStopsTheInput() {
        var session = greeted()
        session.received(Array("AUTH PLAIN =\r\n".utf8))
        _ = actions(&session)
        #expect(session.wantsInput)
        session.received([UInt8](repeating: 0x61, count: 20_000))
        #expect(!session.wantsInput)
    }

    @Test func scramPlusNeedsTLS() {
        var plain = Capabilities(mechanisms: [.scramSHA256Plus, .scramSHA256, .plain], offersTLS: true)
        #expect(plain.usableMechanisms == [.scramSHA256])
        plain.isTLS = true
        #expect(plain.usableMechanisms == [.scramSHA256Plus, .scramSHA256, .plain])
    }

    /// Random events in random order: the machine never answers after it is over, and never asks twice at once.
    @Test func everyStateTakesEveryEvent() {
        var generator = SeededGenerator()
        let lines = ["USER a", "PASS b", "AUTH PLAIN", "AUTH PLAIN =", "AAAA", "*", "STLS", "CAPA", "QUIT", "NOOP", "xx", "STAT"]
        for _ in 0..<2000 {
            var session = LoginSession(offer)
            var isAsking = false
            var isOver = false
            for _ in 0..<30 {
                switch Int.random(in: 0..<12, using: &generator) {
                case 0: session.answered(.challenge([1, 2])); isAsking = false
                case 1: session.answered(.rejected); isAsking = false
                case 2: session.answered(.unavailable); isAsking = false
                case 3: session.answered(.authenticated(identity: [1])); isAsking = false
                case 4: session.tlsStarted()
                case 5 where Bool.random(using: &generator): session.deadlinePassed()
                default: session.received(Array((lines.randomElement(using: &generator) ?? "").utf8) + [13, 10])
                }
                while let action = session.next() {
                    #expect(!isOver)
                    if case .ask = action { #expect(!isAsking); isAsking = true }
                    if case .handOver = action { isOver = true }
                    if action == .close { isOver = true }
                }
            }
        }
    }
}

@Suite struct SessionTests {
    private func opened(_ sizes: [Int], limits: Session.Limits = Session.Limits()) -> Session {
        var session = Session(offer, limits: limits)
        _ = session.next()
        session.answered(.opened(sizes.enumerated().map { .init(size: $1, uniqueID: Array("u\($0)".utf8)) }))
        _ = session.next()
        return session
    }

    @Test func messageIsAskedPieceByPieceAfterEachWasTaken() {
        var session = opened([8])
        session.received(Array("RETR 1\r\nNOOP\r\n".utf8))
        #expect(session.next() == .ask(.content(of: 0, from: 0)))
        #expect(session.next() == nil)
        session.answered(.content(Array("ab\r\n".utf8)))
        #expect(session.next() == .send(Array("+OK 8 octets\r\nab\r\n".utf8)))
        #expect(session.next() == .ask(.content(of: 0, from: 4)))
        session.answered(.content(Array(".c\r\n".utf8)))
        #expect(session.next() == .send(Array("..c\r\n".utf8)))
        #expect(session.next() == .ask(.content(of: 0, from: 8)))
        session.answered(.content([]))
        #expect(session.next() == .send(Array(".\r\n".utf8)))
        #expect(session.next() == .send(Array("+OK nothing done\r\n".utf8)))
    }

    @Test func topAsksForNoMoreThanItNeeds() {
        var session = opened([100])
        session.received(Array("TOP 1 0\r\n".utf8))
        #expect(session.next() == .ask(.content(of: 0, from: 0)))
        session.answered(.content(Array("A: b\r\n\r\nbody\r\nbody".utf8)))
        #expect(session.next() == .send(Array("+OK top of message follows\r\nA: b\r\n\r\n.\r\n".utf8)))
        #expect(session.next() == nil)
    }

    @Test func emptyMessageIsAnEmptyResponse() {
        var session = opened([0])
        session.received(Array("RETR 1\r\n".utf8))
        _ = session.next()
        session.answered(.content([]))
        #expect(session.next() == .send(Array("+OK 0 octets\r\n.\r\n".utf8)))
    }

    @Test func failureInTheMiddleCutsTheConnection() {
        for answer in [Session.Answer.unavailable, .missing] {
            var session = opened([100])
            session.received(Array("RETR 1\r\n".utf8))
            _ = session.next()
            session.answered(.content([0x61]))
            _ = session.next()
            _ = session.next()
            session.answered(answer)
            #expect(session.next() == .close)
            #expect(session.next() == nil)
        }
    }

    @Test func listingComesInPieces() {
        var limits = Session.Limits()
        limits.piece = 1000
        var session = opened(Array(repeating: 12, count: 100_000), limits: limits)
        session.received(Array("UIDL\r\n".utf8))
        var out: [UInt8] = []
        while let action = session.next() {
            guard case .send(let bytes) = action else { Issue.record("not a send"); return }
            #expect(bytes.count <= 1020)
            out += bytes
        }
        #expect(out.suffix(20) == Array("\r\n100000 u99999\r\n.\r\n".utf8))
        #expect(out.count { $0 == 0x0A } == 100_002)
    }

    @Test func shutdownLetsTheReplyEnd() {
        var session = opened([4])
        session.received(Array("RETR 1\r\nSTAT\r\n".utf8))
        _ = session.next()
        session.shutdownRequested()
        #expect(session.next() == nil)
        session.answered(.content(Array("ab\r\n".utf8)))
        _ = session.next()
        _ = session.next()
        session.answered(.content([]))
        #expect(session.next() == .send(Array(".\r\n".utf8)))
        #expect(session.next() == .close)
    }

    @Test func leftoverIsReadFirst() {
        var session = Session(offer, leftover: Array("STA".utf8))
        session.received(Array("T\r\n".utf8))
        #expect(session.next() == .ask(.open))
        #expect(session.next() == nil)
        session.answered(.opened([]))
        _ = session.next()
        #expect(session.next() == .send(Array("+OK 0 0\r\n".utf8)))
    }

    /// Random events: one question at a time, at most one update, only after QUIT, and silence at the end.
    @Test func everyStateTakesEveryEvent() {
        var generator = SeededGenerator()
        let lines = ["STAT", "LIST", "LIST 1", "UIDL", "RETR 1", "RETR 2", "TOP 1 1", "DELE 1", "DELE 2", "RSET", "NOOP", "QUIT", "CAPA", "x"]
        let answers: [Session.Answer] = [
            .opened([.init(size: 3, uniqueID: [0x61]), .init(size: 4, uniqueID: [0x62])]), .content([0x61, 0x0A]), .content([]),
            .missing, .updated(removed: 1), .unavailable, .inUse,
        ]
        for _ in 0..<2000 {
            var session = Session(offer)
            _ = session.next()
            var open = 1
            var saidQuit = false
            var isOver = false
            for _ in 0..<40 {
                switch Int.random(in: 0..<10, using: &generator) {
                case 0...4:
                    session.answered(answers.randomElement(using: &generator) ?? .missing)
                    open = 0
                case 5 where Int.random(in: 0..<8, using: &generator) == 0: session.deadlinePassed()
                case 6 where Int.random(in: 0..<8, using: &generator) == 0: session.shutdownRequested()
                default:
                    let line = lines.randomElement(using: &generator) ?? ""
                    if line == "QUIT" { saidQuit = true }
                    session.received(Array(line.utf8) + [13, 10])
                }
                while let action = session.next() {
                    #expect(!isOver)
                    if case .ask(let question) = action {
                        open += 1
                        if case .update = question { #expect(saidQuit) }
                    }
                    #expect(open <= 1)
                    if action == .close { isOver = true }
                }
            }
        }
    }
}
