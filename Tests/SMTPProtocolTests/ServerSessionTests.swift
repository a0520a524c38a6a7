// What transcripts cannot show: open questions, back-pressure, grouping of replies, and sessions nobody would write.

import MailModel
import MailTestKit
import SMTPProtocol
import Testing

/// A server session, and the actions that it has given.
struct ServerProbe {
    var session: ServerSession
    var actions: [ServerAction] = []

    init(service: ServerConfiguration.Service = .relay, _ change: (inout ServerConfiguration) -> Void = { _ in }) throws
    {
        var configuration = ServerConfiguration(service: service, hostName: try #require(Domain("mx.example.org")))
        configuration.mechanisms = [bytes("PLAIN")]
        change(&configuration)
        session = ServerSession(configuration: configuration, peer: bytes("192.0.2.1"), isTLS: false)
        _ = take()
    }

    mutating func take() -> [ServerAction] {
        var taken: [ServerAction] = []
        while let action = session.next() { taken.append(action) }
        actions += taken
        return taken
    }

    mutating func send(_ text: String) -> [ServerAction] {
        session.received(bytes(text))
        return take()
    }

    mutating func answer(_ answer: ServerAnswer) -> [ServerAction] {
        session.answered(answer)
        return take()
    }

    /// Up to the open question whether to accept an empty message.
    mutating func untilAccept() {
        _ = send("HELO x\r\nMAIL FROM:<a@example.net>\r\n")
        _ = answer(.sender(.accepted))
        _ = send("RCPT TO:<alice@example.org>\r\n")
        _ = answer(.recipient(.local))
        _ = send("DATA\r\n")
        _ = send(".\r\n")
    }
}

func codes(_ actions: [ServerAction]) -> [String] {
    actions.flatMap { action -> [String] in
        switch action {
        case .send(let bytes):
            return bytes.split(separator: 10).map { String(decoding: $0.prefix(3), as: UTF8.self) }
        case .startTLS: return ["TLS"]
        case .close: return ["close"]
        case .ask: return ["ask"]
        case .content: return ["content"]
        case .discardContent: return ["discard"]
        }
    }
}

struct ServerSessionTests {
    @Test func inputWaitsWhileAQuestionIsOpen() throws {
        var probe = try ServerProbe()
        #expect(
            codes(probe.send("HELO x\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nNOOP\r\n")) == [
                "250", "ask",
            ])
        #expect(probe.send("NOOP\r\n") == [])
        #expect(codes(probe.answer(.sender(.accepted))) == ["ask"])
        #expect(codes(probe.answer(.recipient(.local))) == ["250", "250", "250", "250"])
    }

    /// RFC 2920 §3.2: MAIL and RCPT as a unit, and nothing held once our input is empty.
    @Test func repliesToAGroupGoOutTogether() throws {
        var probe = try ServerProbe()
        _ = probe.send("EHLO x\r\n")
        _ = probe.send(
            "MAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
        _ = probe.answer(.sender(.accepted))
        _ = probe.answer(.recipient(.local))
        let last = probe.answer(.recipient(.unknown))
        #expect(last.count == 1)
        #expect(codes(last) == ["250", "250", "550", "354"])
    }

    @Test func nothingIsHeldWhenTheClientWaits() throws {
        var probe = try ServerProbe()
        _ = probe.send("EHLO x\r\n")
        #expect(codes(probe.send("RSET\r\nMAIL FROM:<a@example.net>\r\n")) == ["250", "ask"])
        #expect(codes(probe.answer(.sender(.accepted))) == ["250"])
    }

    /// What follows them goes with the next message (RFC 5321 §4.5.3.1.10), however many the limit allows.
    @Test func recipientsFillNoMoreThanOneRecordOfTheSpool() throws {
        var probe = try ServerProbe {
            $0.limits.recipients = 100_000
            $0.limits.recipientOctets = 50
        }
        _ = probe.send("HELO x\r\nMAIL FROM:<a@example.net>\r\n")
        _ = probe.answer(.sender(.accepted))
        for name in ["alice", "bob"] {
            _ = probe.send("RCPT TO:<\(name)@example.org>\r\n")
            #expect(codes(probe.answer(.recipient(.local))) == ["250"])
        }
        #expect(codes(probe.send("RCPT TO:<carol@example.org>\r\n")) == ["452"])
        #expect(codes(probe.send("RCPT TO:<alice@example.org>\r\n")) == ["250"], "known already")
        let limits = ServerConfiguration.Limits()
        #expect(limits.recipients * (254 + 4) <= limits.recipientOctets, "the usual limit is not lowered")
        #expect(3 * limits.recipientOctets < (1 << 20) - 16384, "escaped, with room for the other fields")
    }

    @Test func whatIsAskedForRecipientsCountsWithThem() throws {
        var probe = try ServerProbe {
            $0.limits.recipientOctets = 200
            $0.extensions.dsn = true
        }
        _ = probe.send("EHLO x\r\nMAIL FROM:<a@example.net>\r\n")
        _ = probe.answer(.sender(.accepted))
        let original = String(repeating: "o", count: 100)
        _ = probe.send("RCPT TO:<alice@example.org> ORCPT=rfc822;\(original)\r\n")
        #expect(codes(probe.answer(.recipient(.local))) == ["250"])
        #expect(codes(probe.send("RCPT TO:<bob@example.org> ORCPT=rfc822;\(original)\r\n")) == ["452"])
        _ = probe.send("RCPT TO:<bob@example.org>\r\n")
        #expect(codes(probe.answer(.recipient(.local))) == ["250"])
        #expect(probe.session.envelope?.recipientOptions.count == 1)
    }

    /// RFC 2920 §3.2, RFC 3030 §4.2: replies to chunks wait for those behind them, and not for the client.
    @Test func repliesToPipelinedChunksGoOutTogether() throws {
        var probe = try ServerProbe { $0.extensions.chunking = true }
        _ = probe.send("EHLO x\r\nMAIL FROM:<a@example.net>\r\n")
        _ = probe.answer(.sender(.accepted))
        _ = probe.send("RCPT TO:<alice@example.org>\r\n")
        _ = probe.answer(.recipient(.local))
        let grouped = probe.send("BDAT 1\r\naBDAT 1\r\nbBDAT 1\r\n")
        #expect(grouped.count == 1 && codes(grouped) == ["250", "250"])
        #expect(codes(probe.send("cBDAT 0 LAST\r\n")) == ["250", "ask"])
        guard case .ask(.accept(_, let content, let facts))? = probe.actions.last else {
            Issue.record("no question")
            return
        }
        #expect(content == bytes("abc") && facts.size == 3)
    }

    /// A chunk of any announced size costs what has come of it.
    @Test func anAnnouncedSizeIsNotAllocated() throws {
        var probe = try ServerProbe {
            $0.extensions.chunking = true
            $0.limits.messageSize = .max
            $0.limits.inlineContent = 1000
        }
        _ = probe.send("EHLO x\r\nMAIL FROM:<a@example.net>\r\n")
        _ = probe.answer(.sender(.accepted))
        _ = probe.send("RCPT TO:<alice@example.org>\r\n")
        _ = probe.answer(.recipient(.local))
        let actions = probe.send("BDAT 999999999999999999 LAST\r\n" + String(repeating: "x", count: 5000))
        let pieces = actions.compactMap { if case .content(let piece) = $0 { piece.count } else { nil } }
        #expect(pieces.allSatisfy { $0 <= 2000 } && pieces.reduce(0, +) >= 3000)
        probe.session.peerClosed()
        #expect(codes(probe.take()) == ["discard", "close"])
    }

    /// RFC 5321 §4.5.1: it counts, and is kept once, as the address that it stands for.
    @Test func aBarePostmasterIsOneRecipientLikeOthers() throws {
        var probe = try ServerProbe()
        _ = probe.send("HELO x\r\nMAIL FROM:<a@example.net>\r\n")
        _ = probe.answer(.sender(.accepted))
        let postmaster = try #require(EmailAddress("postmaster@example.org"))
        #expect(probe.send("RCPT TO:<postmaster>\r\n") == [.ask(.postmaster)])
        #expect(codes(probe.answer(.postmaster(postmaster))) == ["250"])
        #expect(codes(probe.send("RCPT TO:<postmaster@example.org>\r\n")) == ["250"])
        _ = probe.send("RCPT TO:<PostMaster>\r\n")
        #expect(codes(probe.answer(.postmaster(postmaster))) == ["250"])
        #expect(probe.session.envelope?.recipients == [postmaster])
        _ = probe.send("RCPT TO:<postmaster>\r\n")
        #expect(codes(probe.answer(.postmaster(nil))) == ["451"])
    }

    @Test func backPressure() throws {
        var probe = try ServerProbe()
        _ = probe.send("HELO x\r\n")
        #expect(probe.session.wantsInput)
        _ = probe.send("MAIL FROM:<a@example.net>\r\n" + String(repeating: "NOOP\r\n", count: 20000))
        #expect(!probe.session.wantsInput)
        let actions = probe.send(String(repeating: "NOOP\r\n", count: 200_000))
        #expect(codes(actions) == ["421", "close"])
        #expect(probe.session.isClosed)
    }

    @Test func anAnswerNobodyWaitsForIsIgnored() throws {
        var probe = try ServerProbe()
        #expect(probe.answer(.sender(.accepted)) == [])
        probe.untilAccept()
        probe.session.peerClosed()
        _ = probe.take()
        #expect(codes(probe.answer(.message(.accepted(id: bytes("m1"))))) == ["250", "close"])
        #expect(probe.answer(.message(.accepted(id: bytes("m1")))) == [])
    }

    @Test func anAnswerToAnotherQuestionEndsTheSession() throws {
        var probe = try ServerProbe()
        _ = probe.send("HELO x\r\nMAIL FROM:<a@example.net>\r\n")
        #expect(codes(probe.answer(.message(.accepted(id: [])))) == ["421", "close"])
    }

    @Test func aDeadlineDoesNotBlameTheClientForOurSlowness() throws {
        var probe = try ServerProbe()
        probe.untilAccept()
        probe.session.deadlinePassed()
        #expect(probe.take() == [])
        #expect(codes(probe.answer(.message(.accepted(id: bytes("m1"))))) == ["250"])
    }

    @Test func aStopWaitsForTheAnswer() throws {
        var probe = try ServerProbe()
        probe.untilAccept()
        probe.session.shutdownRequested()
        #expect(probe.take() == [])
        #expect(codes(probe.answer(.message(.accepted(id: bytes("m1"))))) == ["250", "421", "close"])
    }

    @Test func bytesBetweenStartTLSAndTheHandshakeCloseTheConnection() throws {
        var probe = try ServerProbe { $0.offersTLS = true }
        _ = probe.send("EHLO x\r\n")
        #expect(codes(probe.send("STARTTLS\r\n")) == ["220", "TLS"])
        #expect(codes(probe.send("R")) == ["close"])
        probe.session.tlsStarted()
        #expect(probe.take() == [])
        var together = try ServerProbe { $0.offersTLS = true }
        _ = together.send("EHLO x\r\n")
        #expect(codes(together.send("STARTTLS\r\nRSET\r\n")) == ["220", "close"])
    }

    @Test func aMessageIsSpilledInPiecesOfAboutTheInlineLimit() throws {
        var probe = try ServerProbe { $0.limits.inlineContent = 1000 }
        _ = probe.send("HELO x\r\nMAIL FROM:<a@example.net>\r\n")
        _ = probe.answer(.sender(.accepted))
        _ = probe.send("RCPT TO:<alice@example.org>\r\n")
        _ = probe.answer(.recipient(.local))
        _ = probe.send("DATA\r\n")
        let actions = probe.send(String(repeating: "0123456789\r\n", count: 1000) + ".\r\n")
        let pieces = actions.compactMap { if case .content(let piece) = $0 { piece } else { nil } }
        #expect(pieces.allSatisfy { $0.count <= 2000 } && pieces.count >= 6)
        #expect(Array(pieces.joined()) == bytes(String(repeating: "0123456789\r\n", count: 1000)))
        guard case .ask(.accept(_, let content, let facts))? = actions.last else {
            Issue.record("no question")
            return
        }
        #expect(content.isEmpty && facts.isSpilled && facts.size == 12000)
    }

    @Test func factsSayWhatTheDialogueKnew() throws {
        var probe = try ServerProbe()
        probe.untilAccept()
        guard case .ask(.accept(let envelope, let content, let facts))? = probe.actions.last else {
            Issue.record("no question")
            return
        }
        #expect(
            envelope
                == Envelope(
                    sender: .address(try address("a@example.net")), recipients: [try address("alice@example.org")]))
        #expect(content.isEmpty && !facts.isSpilled && facts.size == 0 && facts.clientName == bytes("x"))
        #expect(!facts.isExtended && !facts.isTLS && facts.identity == nil)
    }
}
