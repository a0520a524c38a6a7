// The client against servers that behave, and against servers that do not.

import MailModel
import MailTestKit
import SASLProtocol
import SMTPProtocol
import Testing

struct ClientSessionTests {
    private let ehlo = "250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 8BITMIME\r\n"

    @Test func aMessageIsDelivered() throws {
        var client = try ClientProbe(["alice@example.org", "bob@example.org"], size: 20)
        #expect(client.hear("220 mx\r\n") == "EHLO client.example.net\r\n")
        #expect(
            client.hear(ehlo)
                == "MAIL FROM:<carol@example.net> SIZE=20\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\n"
        )
        #expect(client.hear("250 ok\r\n250 ok\r\n") == "")
        #expect(client.hear("550-5.1.1 no\r\n550 5.1.1 bob\r\n") == "DATA\r\n")
        #expect(client.hear("354 go\r\n") == "Subject: x\r\n\r\n..dot\r\n.\r\n")
        #expect(client.hear("250 2.0.0 took it\r\n") == "")
        #expect(client.outcomes == ["delivered", "permanent 5.1.1 5.1.1 no 5.1.1 bob"])
        #expect(
            client.finished[0].map(\.reply) == [
                bytes("250 2.0.0 took it\r\n"), bytes("550-5.1.1 no\r\n550 5.1.1 bob\r\n"),
            ])
        #expect(client.finished[0].map(\.stage) == [.end, .recipients])
        #expect(client.session.canDeliver)
        client.session.quit()
        client.pump()
        #expect(client.hear("221 bye\r\n") == "QUIT\r\n" && client.isClosed && client.finished.count == 1)
    }

    @Test func withoutPipeliningOneCommandAtATime() throws {
        var client = try ClientProbe(["alice@example.org", "bob@example.org"])
        client.hear("220 mx\r\n")
        #expect(client.hear("500 what\r\n") == "HELO client.example.net\r\n")
        #expect(client.hear("250 mx\r\n") == "MAIL FROM:<carol@example.net>\r\n")
        #expect(client.hear("250 ok\r\n") == "RCPT TO:<alice@example.org>\r\n")
        #expect(client.hear("250 ok\r\n") == "RCPT TO:<bob@example.org>\r\n")
        #expect(client.hear("450 later\r\n") == "DATA\r\n")
        client.hear("354 go\r\n")
        client.hear("250 ok\r\n")
        #expect(client.outcomes == ["delivered", "temporary 4.0.0 later"])
    }

    @Test func aRefusedSenderSettlesAll() throws {
        var client = try ClientProbe(["alice@example.org", "bob@example.org"])
        client.hear("220 mx\r\n")
        client.hear(ehlo)
        #expect(client.hear("550 5.7.1 no\r\n503 x\r\n") == "")
        #expect(client.finished.isEmpty)
        client.hear("503 x\r\n")
        #expect(client.outcomes == ["permanent 5.7.1 5.7.1 no", "permanent 5.7.1 5.7.1 no"])
        #expect(client.finished[0][0].stage == .mail && client.session.canDeliver)
    }

    @Test func theNextMessageBeginsWithRSETOnlyIfOneWasLeftOpen() throws {
        var client = try ClientProbe()
        client.hear("220 mx\r\n")
        client.hear(ehlo)
        client.hear("250 ok\r\n550 no\r\n")
        #expect(client.outcomes == ["permanent 5.0.0 no"])
        client.session.deliver(try ClientProbe.message(["bob@example.org"]))
        client.pump()
        #expect(client.sent == bytes("RSET\r\n"))
        client.sent = []
        #expect(client.hear("250 ok\r\n") == "MAIL FROM:<carol@example.net>\r\nRCPT TO:<bob@example.org>\r\n")
        client.hear("250 ok\r\n250 ok\r\n")
        client.hear("354 go\r\n")
        client.hear("250 ok\r\n")
        client.session.deliver(try ClientProbe.message(["bob@example.org"]))
        client.pump()
        #expect(client.sent == bytes("MAIL FROM:<carol@example.net>\r\nRCPT TO:<bob@example.org>\r\n"))
        #expect(client.finished.count == 2)
    }

    @Test func whatTheServerCannotTakeIsNotOffered() throws {
        var large = try ClientProbe(size: 1001)
        large.hear("220 mx\r\n")
        #expect(large.hear(ehlo) == "")
        #expect(large.outcomes == ["permanent 5.3.4 larger than the server's limit of 1000"])
        var foreign = try ClientProbe(["gr\u{FC}n@example.org", "bob@example.org"])
        foreign.hear("220 mx\r\n")
        #expect(foreign.hear(ehlo) == "MAIL FROM:<carol@example.net>\r\nRCPT TO:<bob@example.org>\r\n")
        foreign.hear("250 ok\r\n250 ok\r\n")
        foreign.hear("354 go\r\n")
        foreign.hear("250 ok\r\n")
        #expect(foreign.outcomes == ["permanent 5.6.7 server takes ASCII addresses only", "delivered"])
    }

    @Test(arguments: [
        ("554 go away\r\n", "temporary 4.3.0 go away"), ("421 4.3.2 busy\r\n", "temporary 4.3.2 4.3.2 busy"),
        ("220-x\r\n250 y\r\n", "temporary 4.5.0 not an SMTP reply"),
        ("SSH-2.0-x\r\n", "temporary 4.5.0 not an SMTP reply"),
        ("354 what\r\n", "temporary 4.3.0 what"),
    ])
    func aBadGreetingIsTheHostsFault(greeting: String, outcome: String) throws {
        var client = try ClientProbe()
        client.hear(greeting)
        #expect(client.outcomes == [outcome])
        #expect(client.finished[0][0].stage == .greeting && !client.session.canDeliver)
    }

    @Test func repliesOutOfTurnEndTheConnection() throws {
        var client = try ClientProbe()
        #expect(client.hear("220 mx\r\n250 mx\r\n250 sender\r\n250 rcpt\r\n") == "")
        #expect(client.outcomes == ["temporary 4.4.2 server replied out of turn"] && client.isClosed)
        var idle = try ClientProbe()
        idle.hear("220 mx\r\n")
        idle.hear("250 mx\r\n")
        idle.hear("550 no\r\n")
        #expect(idle.session.canDeliver)
        idle.hear("250 surprise\r\n")
        #expect(idle.isClosed && idle.finished.count == 1)
    }

    /// CVE-2021-38371.
    @Test(arguments: ["220 go\r\n250 mx\r\n", "220 go\r\nx"])
    func injectedRepliesAfterStartTLSAbort(reply: String) throws {
        var client = try ClientProbe()
        client.hear("220 mx\r\n")
        #expect(client.hear("250-mx\r\n250 STARTTLS\r\n") == "STARTTLS\r\n")
        #expect(client.hear(reply) == "")
        #expect(client.handshakes == 0 && client.isClosed && client.outcomes == ["temporary 4.7.0 data after STARTTLS"])
        var late = try ClientProbe()
        late.hear("220 mx\r\n")
        late.hear("250-mx\r\n250 STARTTLS\r\n")
        late.hear("220 go\r\n")
        late.hear("250 injected\r\n")
        #expect(late.isClosed && late.outcomes == ["temporary 4.7.0 data before the TLS handshake"])
    }

    @Test func afterTLSTheOfferIsAskedForAnew() throws {
        var client = try ClientProbe()
        client.hear("220 mx\r\n")
        client.hear("250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n")
        client.hear("220 go\r\n")
        #expect(client.handshakes == 1)
        #expect(client.tlsStarted() == "EHLO client.example.net\r\n")
        #expect(client.hear("250-mx\r\n250 STARTTLS\r\n") == "MAIL FROM:<carol@example.net>\r\n")
    }

    @Test func requiredTLSIsRequired() throws {
        for replies in [["250 mx\r\n"], ["500 no\r\n"], ["250-mx\r\n250 STARTTLS\r\n", "454 no\r\n"]] {
            var client = try ClientProbe { $0.tls = .required }
            client.hear("220 mx\r\n")
            for reply in replies { client.hear(reply) }
            #expect(client.outcomes.first?.hasPrefix("temporary 4.") == true && client.handshakes == 0)
        }
        var failed = try ClientProbe { $0.tls = .required }
        failed.hear("220 mx\r\n")
        failed.hear("250-mx\r\n250 STARTTLS\r\n")
        failed.hear("220 go\r\n")
        failed.session.tlsFailed(bytes("bad certificate"))
        failed.pump()
        #expect(failed.outcomes == ["temporary 4.7.5 bad certificate"] && failed.isClosed)
    }

    @Test func whereverTheConnectionEndsEachRecipientHasOneResult() throws {
        let script = ["220 mx\r\n", ehlo, "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 ok\r\n"]
        for length in 0...script.count {
            for end in ["closed", "deadline", "421 bye\r\n", "garbage\r\n"] {
                var client = try ClientProbe()
                for reply in script.prefix(length) { client.hear(reply) }
                switch end {
                case "closed": client.session.peerClosed()
                case "deadline": client.session.deadlinePassed()
                default: client.session.received(bytes(end))
                }
                client.pump()
                #expect(
                    client.finished.count == 1 && client.finished[0].count == 1 && client.isClosed, "\(length) \(end)")
                #expect(
                    client.outcomes[0].hasPrefix(length == script.count ? "delivered" : "temporary 4."),
                    "\(length) \(end)")
            }
        }
    }

    @Test func anEarlyRefusalCountsMoreThanTheLostConnection() throws {
        var client = try ClientProbe()
        client.sendsContentAtOnce = false
        for reply in ["220 mx\r\n", ehlo, "250 ok\r\n250 ok\r\n", "354 go\r\n", "552 5.3.4 too big\r\n"] {
            client.hear(reply)
        }
        #expect(client.finished.isEmpty)
        client.session.peerClosed()
        client.pump()
        #expect(client.outcomes == ["permanent 5.3.4 5.3.4 too big"])
    }

    /// Nobody can have taken what has not been sent to its end, whether the connection goes on or not.
    @Test(arguments: [true, false], ["250 taken\r\n", "250 tak"]) func anEarlyAcceptanceIsNone(_ closes: Bool, _ early: String) throws {
        var client = try ClientProbe()
        client.sendsContentAtOnce = false
        for reply in ["220 mx\r\n", ehlo, "250 ok\r\n250 ok\r\n", "354 go\r\n", early] { client.hear(reply) }
        #expect(client.finished.isEmpty)
        if closes { client.session.peerClosed() } else { client.session.contentSent() }
        client.pump()
        if early.last != "\r\n" && !closes { client.hear("en\r\n") }
        #expect(client.outcomes.count == 1 && client.outcomes[0].hasPrefix("temporary 4."), "\(client.outcomes)")
        #expect(client.isClosed)
    }

    @Test func unreadableContentNeverEnds() throws {
        var client = try ClientProbe()
        client.sendsContentAtOnce = false
        for reply in ["220 mx\r\n", ehlo, "250 ok\r\n250 ok\r\n", "354 go\r\n"] { client.hear(reply) }
        client.session.contentFailed(bytes("spool unreadable"))
        client.pump()
        #expect(client.outcomes == ["temporary 4.3.0 spool unreadable"] && client.isClosed && client.sent.isEmpty)
    }

    /// RFC 2033 §4.2.
    @Test func lmtpAnswersForEachRecipient() throws {
        var client = try ClientProbe(["a@example.org", "b@example.org", "c@example.org"]) { $0.dialect = .lmtp }
        #expect(client.hear("220 mx\r\n") == "LHLO client.example.net\r\n")
        client.hear(ehlo)
        client.hear("250 ok\r\n250 a\r\n550 b\r\n250 c\r\n")
        client.hear("354 go\r\n")
        client.hear("250 a\r\n")
        #expect(client.finished.isEmpty)
        client.hear("452 4.2.2 full\r\n")
        #expect(client.outcomes == ["delivered", "permanent 5.0.0 b", "temporary 4.2.2 4.2.2 full"])
    }

    /// A recipient that is refused before the content's end takes nothing from those that are answered after it.
    @Test(arguments: ["550 no\r\n", "550-no\r\n550 no\r\n"]) func anEarlyRefusalOfOneRecipientLeavesTheOthersTheirs(_ early: String) throws {
        for cut in 1...early.utf8.count {
            var client = try ClientProbe(["a@example.org", "b@example.org"]) { $0.dialect = .lmtp }
            client.sendsContentAtOnce = false
            for reply in ["220 mx\r\n", ehlo, "250 ok\r\n250 a\r\n250 b\r\n", "354 go\r\n"] { client.hear(reply) }
            #expect(!client.session.hadEarlyReply)
            client.hear(String(early.prefix(cut)))
            client.session.contentSent()
            client.pump()
            client.hear(early.dropFirst(cut) + "250 b\r\n")
            #expect(client.outcomes.count == 2 && client.outcomes.first?.hasPrefix("permanent 5.0.0") == true && client.outcomes.last == "delivered")
            #expect(client.session.hadEarlyReply && !client.isClosed)
        }
    }

    @Test(arguments: ["550 no\r\n250 b\r\n", "550 no\r\n250 "]) func whatIsAcceptedEarlyIsNotTakenBehindARefusalEither(_ early: String) throws {
        var client = try ClientProbe(["a@example.org", "b@example.org"]) { $0.dialect = .lmtp }
        client.sendsContentAtOnce = false
        for reply in ["220 mx\r\n", ehlo, "250 ok\r\n250 a\r\n250 b\r\n", "354 go\r\n", early] { client.hear(reply) }
        client.session.contentSent()
        client.pump()
        if !client.isClosed { client.hear("b\r\n") }
        #expect(client.outcomes == ["permanent 5.0.0 no", "temporary 4.4.2 server replied out of turn"] && client.isClosed)
    }

    /// Replies may not come before their commands, so the cuts are made within each reply.
    @Test(arguments: [
        "250 mx\r\n", "250-mx\r\n250-PIPELINING\r\n250 SIZE 5\r\n", "250-mx\r\n250 STARTTLS\r\n",
        "550-5.1.1 a\r\n550 5.1.1 b\r\n",
        "421 bye\r\n", "nonsense\r\n", "250-a\r\n251 b\r\n", "454 4.7.0 later\r\n",
    ])
    func choppingChangesNothing(reply: String) throws {
        let difference = try Chop.difference(bytes(reply)) { pieces -> [String] in
            var client = try ClientProbe(["a@example.org", "b@example.org"])
            client.hear("220 mx\r\n")
            for piece in pieces { client.session.received(piece) }
            client.pump()
            return [client.sent.display] + client.outcomes
        }
        #expect(difference == nil)
    }
}
