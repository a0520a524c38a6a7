// XCLIENT: a filter of ours begins the session again as its client's; nobody else may.

import MailModel
import Testing

@testable import SMTPProtocol

@Suite struct XClientTests {
    private func parse(_ text: String) -> XClient? { XClient(parsing: Array(text.utf8)[...]) }
    private func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func attributesAreReadInAnyOrder() throws {
        let said = try #require(parse("NAME=spike.example addr=192.0.2.7 PORT=4711 HELO=spike+2Eexample PROTO=ESMTP"))
        #expect(said.address == utf8("192.0.2.7") && said.port == 4711 && said.helo == utf8("spike.example") && said.isExtended == true)
        let six = try #require(parse("ADDR=IPV6:2001:DB8::1 NAME=[UNAVAILABLE] HELO=[UNAVAILABLE]"))
        #expect(six.address == utf8("2001:db8::1") && six.helo == nil)
        let (both, printed) = (parse("ADDR=IPV6:2001:db8::1 PORT=1 HELO=a PROTO=SMTP"), "ADDR=IPV6:2001:db8::1 PORT=1 HELO=a PROTO=SMTP")
        #expect(both.map { $0.wire } == utf8(printed))
    }

    @Test(arguments: [
        "", "ADDR", "ADDR=", "ADDR=[UNAVAILABLE]", "ADDR=192.0.2", "ADDR=192.0.2.256", "ADDR=192.0.2.1.1", "ADDR=2001:db8::1", "ADDR=IPV6:x",
        "ADDR=IPV6:1234", "ADDR=192.0.2.1 ADDR=192.0.2.2", "PORT=65536", "PORT=x", "PROTO=LMTP", "LOGIN=alice@example.org", "DESTADDR=192.0.2.1",
        "HELO=a+0D+0Ab", "HELO=a=b", "HELO=a+ZZ", "ADDR=192.0.2.1 X=y",
    ])
    func otherAttributesAndValuesAreRefused(text: String) { #expect(parse(text) == nil) }

    private func session(_ takesIt: Bool) -> ServerSession {
        guard let host = Domain("mx.example.org") else { preconditionFailure("a domain") }
        var configuration = ServerConfiguration(service: .relay, hostName: host)
        configuration.extensions.xclient = takesIt
        return ServerSession(configuration: configuration, peer: utf8("10.0.0.1"), isTLS: false)
    }

    private func say(_ text: String, to session: inout ServerSession) -> String {
        session.received(utf8(text))
        var out: [UInt8] = []
        while let action = session.next() {
            if case .send(let bytes) = action { out += bytes }
        }
        return String(decoding: out, as: UTF8.self)
    }

    @Test func theSessionBeginsAgainAsTheClients() {
        var session = session(true)
        _ = say("", to: &session)
        #expect(say("EHLO filter\r\n", to: &session).contains("250-XCLIENT NAME ADDR PORT HELO PROTO\r\n"))
        #expect(say("XCLIENT ADDR=192.0.2.7\r\n", to: &session).hasPrefix("220 mx.example.org"))
        #expect(session.peer == utf8("192.0.2.7"))
        #expect(say("MAIL FROM:<>\r\n", to: &session).hasPrefix("503"))
        #expect(say("EHLO client.example\r\n", to: &session).contains("greets 192.0.2.7"))
        #expect(say("XCLIENT ADDR=192.0.2.8 HELO=other.example PROTO=SMTP\r\n", to: &session).hasPrefix("220"))
        #expect(session.clientFacts.clientName == utf8("other.example") && !session.clientFacts.isExtended)
    }

    @Test func nobodyElseMay() {
        var session = session(false)
        _ = say("", to: &session)
        #expect(!say("EHLO client.example\r\n", to: &session).contains("XCLIENT"))
        #expect(say("XCLIENT ADDR=192.0.2.7\r\n", to: &session).hasPrefix("502"))
        #expect(session.peer == utf8("10.0.0.1"))
    }

    @Test func notWithinATransaction() {
        var session = session(true)
        _ = say("EHLO filter\r\n", to: &session)
        session.received(utf8("MAIL FROM:<>\r\n"))
        while session.next() != nil {}
        session.answered(.sender(.accepted))
        while session.next() != nil {}
        #expect(say("XCLIENT ADDR=192.0.2.7\r\n", to: &session).hasPrefix("503"))
        #expect(session.peer == utf8("10.0.0.1"))
    }
}
