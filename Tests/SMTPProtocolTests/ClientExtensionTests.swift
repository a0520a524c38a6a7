// What the client passes on of a message's wishes, what it leaves out, and without what it does not send at all.

import MailModel
import MailTestKit
import SMTPProtocol
import Testing

struct ClientExtensionTests {
    private static let everything =
        "250-mx\r\n250-PIPELINING\r\n250-SIZE 9000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-REQUIRETLS\r\n"
        + "250-DELIVERBY 30\r\n250 MT-PRIORITY MIXER\r\n"

    /// A message that asks for all there is.
    private static func demanding(body: BodyType = .sevenBit, _ change: (inout MessageOptions) -> Void = { _ in }) throws -> OutgoingMessage {
        var message = try ClientProbe.message(["alice@example.org", "bob@example.org"], size: 20, body: body)
        message.options.returnContent = .headers
        message.options.envelopeID = EnvelopeID(bytes("a b"))
        message.options.priority = Priority(-2)
        message.options.deliverBy = DeliverBy(seconds: 60, mode: .notify)
        message.options.hold = .interval(5)
        message.recipientOptions[message.recipients[1]] = RecipientOptions(
            notify: [.delay], originalRecipient: OriginalRecipient(try address("Bob+x@example.com")))
        change(&message.options)
        return message
    }

    @Test func whatIsOfferedIsPassedOn() throws {
        var client = try ClientProbe(try Self.demanding())
        client.hear("220 mx\r\n")
        #expect(
            client.hear(Self.everything)
                == "MAIL FROM:<carol@example.net> SIZE=20 RET=HDRS ENVID=a+20b BY=60;N MT-PRIORITY=-2\r\nRCPT TO:<alice@example.org>\r\n"
                + "RCPT TO:<bob@example.org> NOTIFY=DELAY ORCPT=rfc822;Bob+2Bx@example.com\r\n")
        client.hear("250 ok\r\n250 ok\r\n250 ok\r\n")
        client.hear("354 go\r\n")
        client.hear("250 ok\r\n")
        #expect(client.outcomes == ["delivered", "delivered"] && client.finished[0].allSatisfy { $0.missing.isEmpty })
    }

    @Test func whatIsNotOfferedIsLeftOutAndTold() throws {
        var client = try ClientProbe(try Self.demanding())
        client.hear("220 mx\r\n")
        #expect(client.hear("250-mx\r\n250 PIPELINING\r\n") == "MAIL FROM:<carol@example.net>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\n")
        client.hear("250 ok\r\n250 ok\r\n550 no\r\n")
        client.hear("354 go\r\n")
        client.hear("250 ok\r\n")
        #expect(client.outcomes == ["delivered", "permanent 5.0.0 no"])
        #expect(client.finished[0].map(\.missing) == Array(repeating: [.dsn, .deliverBy, .priority], count: 2))
    }

    @Test func anOrdinaryMessageMissesNothing() throws {
        var client = try ClientProbe()
        client.hear("220 mx\r\n")
        #expect(client.hear(Self.everything) == "MAIL FROM:<carol@example.net>\r\nRCPT TO:<alice@example.org>\r\n")
        client.hear("250 ok\r\n250 ok\r\n")
        #expect(client.hear("354 go\r\n").hasSuffix("\r\n.\r\n"), "no chunk unless the configuration says so")
        client.hear("250 ok\r\n")
        #expect(client.finished[0].map(\.missing) == [[]])
    }

    /// What cannot be left out: the message stays here, with the status that says why.
    @Test(arguments: [
        ("SMTPUTF8", "permanent 5.6.9 server does not offer SMTPUTF8", MissingExtensions.smtpUTF8),
        ("REQUIRETLS", "permanent 5.7.30 server does not offer REQUIRETLS under TLS", .requireTLS),
        ("BINARYMIME", "permanent 5.6.3 server does not take binary content", .binaryMIME),
        ("CHUNKING", "permanent 5.6.3 server does not take binary content", .binaryMIME),
        ("8BITMIME", "permanent 5.6.3 server takes 7-bit content only", .eightBitMIME),
        ("DELIVERBY 30", "permanent 5.3.3 server promises no delivery within the time that is left", .deliverBy),
    ])
    func withoutItTheMessageIsNotSent(keyword: String, outcome: String, missing: MissingExtensions) throws {
        for isOffered in [false, true] {
            var message = try Self.demanding(body: missing == .binaryMIME ? .binaryMIME : missing == .eightBitMIME ? .eightBitMIME : .sevenBit) {
                $0.isUTF8 = missing == .smtpUTF8
                $0.requiresTLS = missing == .requireTLS
                if missing == .deliverBy { $0.deliverBy = DeliverBy(seconds: 60, mode: .return) }
            }
            message.recipientOptions = [:]
            var client = try ClientProbe(message)
            client.hear("220 mx\r\n")
            client.hear("250-mx\r\n250 STARTTLS\r\n")
            client.hear("220 go\r\n")
            #expect(client.tlsStarted() == "EHLO client.example.net\r\n")
            let offer = isOffered ? Self.everything : Self.everything.split(separator: "\r\n").filter { !$0.hasSuffix(keyword) }.joined(separator: "\r\n")
                .replacingLastMinus() + "\r\n"
            let said = client.hear(offer)
            #expect(said.hasPrefix("MAIL ") == isOffered, "\(keyword): \(said)")
            guard !isOffered else { continue }
            #expect(said == "" && client.outcomes == [outcome, outcome] && client.session.canDeliver)
            #expect(client.finished[0].allSatisfy { $0.missing.contains(missing) && $0.reply.isEmpty })
            #expect(client.finished[0][0].stage == ([.requireTLS, .eightBitMIME].contains(missing) ? .hello : .mail), "another host may do better")
        }
    }

    /// RFC 6531 §3.2: what is ASCII but for its domains goes without SMTPUTF8; each address that is not comes back by itself.
    @Test func smtpUTF8IsLeftOutWhereItIsNotNeeded() throws {
        for hasASCIIHeader in [true, false] {
            var message = try ClientProbe.message(["alice@b\u{FC}cher.example", "\u{3B4}@example.org"], size: 20)
            message.options.isUTF8 = true
            message.recipientOptions[message.recipients[0]] = RecipientOptions(notify: [.delay])
            message.hasASCIIHeader = hasASCIIHeader
            var client = try ClientProbe(message)
            client.hear("220 mx\r\n")
            let said = client.hear("250-mx\r\n250-DSN\r\n250 PIPELINING\r\n")
            guard hasASCIIHeader else {
                #expect(said == "" && client.outcomes == Array(repeating: "permanent 5.6.7 server does not offer SMTPUTF8", count: 2))
                continue
            }
            #expect(said == "MAIL FROM:<carol@example.net>\r\nRCPT TO:<alice@xn--bcher-kva.example> NOTIFY=DELAY\r\n")
            client.hear("250 ok\r\n250 ok\r\n")
            client.hear("354 go\r\n")
            client.hear("250 ok\r\n")
            #expect(client.outcomes == ["delivered", "permanent 5.6.7 server takes ASCII addresses only"])
        }
    }

    @Test func requireTLSInTheClearIsNothing() throws {
        var client = try ClientProbe(try Self.demanding { $0.requiresTLS = true }) { $0.tls = .never }
        client.hear("220 mx\r\n")
        #expect(client.hear(Self.everything) == "")
        #expect(client.outcomes.first == "permanent 5.7.30 server does not offer REQUIRETLS under TLS")
    }

    @Test func aReturnSoonerThanPromisedIsNotSent() throws {
        for (seconds, isSent) in [(29, false), (30, true)] {
            var client = try ClientProbe(try Self.demanding { $0.deliverBy = DeliverBy(seconds: seconds, mode: .return) })
            client.hear("220 mx\r\n")
            #expect(client.hear(Self.everything).contains("BY=30;R") == isSent)
        }
    }

    @Test func utf8AddressesGoWithSMTPUTF8() throws {
        var message = try ClientProbe.message(["gr\u{FC}n@b\u{FC}cher.example"])
        message.options.isUTF8 = true
        var client = try ClientProbe(message)
        client.hear("220 mx\r\n")
        #expect(client.hear(Self.everything) == "MAIL FROM:<carol@example.net> SMTPUTF8\r\nRCPT TO:<gr\u{FC}n@b\u{FC}cher.example>\r\n")
    }

    @Test func contentGoesInOneChunk() throws {
        var client = try ClientProbe(size: 20) { $0.usesChunking = true }
        client.content = bytes("Subject: x\r\n\r\n.dot\r\n")
        client.hear("220 mx\r\n")
        client.hear(Self.everything)
        #expect(client.hear("250 ok\r\n250 ok\r\n") == "BDAT 20 LAST\r\nSubject: x\r\n\r\n.dot\r\n")
        client.hear("250 took it\r\n")
        #expect(client.outcomes == ["delivered"] && client.session.canDeliver)
        client.session.deliver(try ClientProbe.message(["bob@example.org"]))
        client.pump()
        #expect(client.sent.display.hasPrefix("MAIL "), "no RSET after a message that was taken")
    }

    @Test(arguments: ["552 5.3.4 too big\r\n", "451 4.3.0 later\r\n"])
    func afterARefusedChunkTheNextMessageBeginsWithRSET(reply: String) throws {
        var client = try ClientProbe(size: 20) { $0.usesChunking = true }
        client.hear("220 mx\r\n")
        client.hear(Self.everything)
        client.hear("250 ok\r\n250 ok\r\n")
        client.hear(reply)
        #expect(client.outcomes.first?.hasPrefix("delivered") == false)
        client.session.deliver(try ClientProbe.message(["bob@example.org"]))
        client.pump()
        #expect(client.sent.display == "RSET\r\n")
    }

    @Test func withoutASizeOrAnOfferThereIsNoChunk() throws {
        for (size, ehlo) in [(nil, Self.everything), (20, "250-mx\r\n250 PIPELINING\r\n")] as [(Int?, String)] {
            var client = try ClientProbe(size: size) { $0.usesChunking = true }
            client.hear("220 mx\r\n")
            client.hear(ehlo)
            #expect(client.hear("250 ok\r\n250 ok\r\n") == "DATA\r\n")
        }
    }

    /// On one connection: each message as it is itself.
    @Test func contentThatIsNotLinesGoesByData() throws {
        var client = try ClientProbe(size: 20) { $0.usesChunking = true }
        client.hear("220 mx\r\n")
        client.hear(Self.everything)
        #expect(client.hear("250 ok\r\n250 ok\r\n").hasPrefix("BDAT 20 LAST\r\n"))
        client.hear("250 took it\r\n")
        for (isLines, body, command) in [(false, BodyType.sevenBit, "DATA\r\n"), (true, .sevenBit, "BDAT 20 LAST\r\n"), (false, .binaryMIME, "BDAT 20 LAST\r\n")] {
            var message = try ClientProbe.message(["bob@example.org"], size: 20, body: body)
            message.isLines = isLines
            client.session.deliver(message)
            client.pump()
            #expect(client.sent.display.hasPrefix("MAIL "))
            client.sent = []
            #expect(client.hear("250 ok\r\n250 ok\r\n").hasPrefix(command))
            if command == "DATA\r\n" { client.hear("354 go\r\n") }
            client.hear("250 took it\r\n")
        }
    }

    /// RFC 9422 §4: what is not understood means nothing.
    @Test(arguments: [
        ("LIMITS RCPTMAX=7 MAILMAX=3 RCPTDOMAINMAX=1", PeerLimits(recipients: 7, transactions: 3, recipientDomains: 1)),
        ("limits mailmax=3", PeerLimits(transactions: 3)), ("LIMITS", PeerLimits()), ("LIMITS RCPTMAX= MAILMAX=x FOO=1 RCPTMAX", PeerLimits()),
        ("LIMITS RCPTMAX=0 MAILMAX=-1 RCPTDOMAINMAX=99999999999999999999", PeerLimits()), ("SIZE 5", PeerLimits()),
    ])
    func limitsAreHeard(line: String, limits: PeerLimits) throws {
        var client = try ClientProbe()
        client.hear("220 mx\r\n")
        client.hear("250-mx\r\n250 \(line)\r\n")
        #expect(client.session.peerLimits == limits)
    }

    /// RFC 2033 §4.2.
    @Test func lmtpAnswersForEachRecipientOfAChunk() throws {
        var client = try ClientProbe(["a@example.org", "b@example.org", "c@example.org"], size: 20) { ($0.dialect, $0.usesChunking) = (.lmtp, true) }
        client.hear("220 mx\r\n")
        client.hear(Self.everything)
        #expect(client.hear("250 ok\r\n250 a\r\n550 b\r\n250 c\r\n").hasPrefix("BDAT 20 LAST\r\n"))
        client.hear("250 a\r\n")
        #expect(client.finished.isEmpty)
        client.hear("452 4.2.2 full\r\n")
        #expect(client.outcomes == ["delivered", "permanent 5.0.0 b", "temporary 4.2.2 4.2.2 full"])
    }

    /// Replies within a chunk wait until it is out, in whatever pieces they come.
    @Test(arguments: ["552-5.3.4 too\r\n552 5.3.4 big\r\n", "250 ok\r\n", "421 4.3.2 bye\r\n", "nonsense\r\n"])
    func choppingRepliesToAChunkChangesNothing(reply: String) throws {
        let difference = try Chop.difference(bytes(reply)) { pieces -> [String] in
            var client = try ClientProbe(size: 20) { $0.usesChunking = true }
            client.sendsContentAtOnce = false
            client.hear("220 mx\r\n")
            client.hear(Self.everything)
            client.hear("250 ok\r\n250 ok\r\n")
            for piece in pieces { client.session.received(piece) }
            client.pump()
            #expect(client.finished.isEmpty)
            client.session.contentSent()
            client.pump()
            return client.outcomes
        }
        #expect(difference == nil)
    }

    @Test func aLostConnectionInAChunkIsTemporary() throws {
        var client = try ClientProbe(size: 20) { $0.usesChunking = true }
        client.sendsContentAtOnce = false
        client.hear("220 mx\r\n")
        client.hear(Self.everything)
        client.hear("250 ok\r\n250 ok\r\n")
        client.session.contentFailed(bytes("spool unreadable"))
        client.pump()
        #expect(client.outcomes == ["temporary 4.3.0 spool unreadable"] && client.isClosed)
    }

    /// Whatever the content, through both machines.
    @Test func whatIsAskedArrivesAtOurServer() throws {
        var generator = SeededGenerator()
        for round in 0..<100 {
            let offers = ["SMTPUTF8", "DSN", "CHUNKING", "BINARYMIME", "DELIVERBY", "REQUIRETLS", "MT-PRIORITY MIXER"]
            var server = try SMTPWorld(
                offers.map { .init(key: "offer", words: $0.split(separator: " ").map(String.init)) } + [.init(key: "tls", words: [])])
            let content = generator.bytes(Int.random(in: 0...200, using: &generator), from: bytes("ab.\r\n\0") + [0xFF])
            var message = try Self.demanding(body: round % 2 == 0 ? .binaryMIME : .sevenBit)
            message.size = content.count
            message.options.isUTF8 = true
            message.options.requiresTLS = true
            message.sender = .address(try address("gr\u{FC}n@example.net"))
            var client = try ClientProbe(message) { $0.usesChunking = true }
            client.content = content
            server.converse(&client)
            #expect(client.outcomes == ["delivered", "delivered"])
            var options = message.options
            options.hold = nil
            let wanted = Envelope(
                sender: message.sender, recipients: message.recipients, body: message.body, options: options, recipientOptions: message.recipientOptions)
            #expect(server.accepted.map(\.envelope) == [wanted] && server.accepted.map(\.content) == [content])
        }
    }
}

extension String {
    /// The last line of a reply has a space where the others have a minus.
    fileprivate func replacingLastMinus() -> String {
        var lines = split(separator: "\r\n").map(String.init)
        if let last = lines.popLast() { lines.append("250 " + last.dropFirst(4)) }
        return lines.joined(separator: "\r\n")
    }
}
