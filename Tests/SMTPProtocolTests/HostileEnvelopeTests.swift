// Addresses and envelopes that somebody makes up to get a message where it may not go, or something else into our records.

import MailModel
import MailTestKit
import SMTPProtocol
import Testing

struct HostileEnvelopeTests {
    /// The replies to RCPT TO of each path, in a session of its own.
    private func replies(_ paths: [String], _ settings: [Transcript.Setting] = []) throws -> [(String, Substring, SMTPWorld)] {
        try paths.map { path in
            var world = try SMTPWorld(settings)
            world.connected(1)
            world.received(bytes("EHLO x\r\nMAIL FROM:<c@example.net>\r\n")[...], on: 1)
            _ = world.output(of: 1)
            world.received(bytes("RCPT TO:\(path)\r\n")[...], on: 1)
            return (path, world.output(of: 1).display[...].prefix(3), world)
        }
    }

    private static let relayForms = [
        "<dave@example.com>", "<dave@EXAMPLE.COM>", "<dave@example.com.>", "<@example.org:dave@example.com>", "<@example.org,@mx.example.org:dave@example.com>",
        "<dave%example.com@example.org>", "<dave%example.com>", "<dave%example.com@[127.0.0.1]>", "<dave%example.com@mx.example.org>",
        "<\"dave@example.com\"@example.org>", "<\"dave@example.com\">", "<\"dave%example.com\"@example.org>", "<\"dave\"@example.com>",
        "<\"dave@example.com\"@[127.0.0.1]>", "<dave@example.com@example.org>", "<dave@example.org@example.com>", "<example.com!dave@example.org>",
        "<example.com!dave>", "<mx.example.org!example.com!dave@example.org>", "<dave@[127.0.0.1]>", "<dave@[192.0.2.7]>", "<dave@[IPv6:::1]>", "<dave@127.0.0.1>",
        "<dave@localhost>", "<dave>", "<alice@sub.example.org>", "<alice@example.org.example.com>", "<alice@example-org>", "<alice@xn--example.org>",
        "<@example.com:dave@mx.example.org>", "<dave@example.com >", "<dave@example.com\\@example.org>", "<alice@ｅxample.org>", "<dave@example.com,alice@example.org>",
        "<dave@example.com>alice@example.org", "dave@example.com", "<<dave@example.com>>", "<:dave@example.com>", "<dave:example.com@example.org>", "<;dave@example.com>",
    ]

    @Test func noFormOfAnAddressRelays() throws {
        #expect(Self.relayForms.count >= 30)
        for (path, code, _) in try replies(Self.relayForms) { #expect(code.hasPrefix("5"), "\(path): \(code)") }
        // And the measure of it: these are the people here, however they are written.
        for (path, code, _) in try replies(["<alice@example.org>", "<ALICE@Example.ORG>", "<\"alice\"@example.org>", "<@example.com:alice@example.org>", "<postmaster>"]) {
            #expect(code == "250", "\(path): \(code)")
        }
    }

    /// CVE-2020-10967, CVE-2019-19722 and their kin.
    @Test func oddAddressesAreNone() throws {
        let local64 = String(repeating: "a", count: 64)
        let domain255 = String(repeating: "x.", count: 126) + "org"
        let odd = [
            "<\"\">", "<\"\"@example.org>", "<@>", "<@@>", "<alice@>", "<@example.org>", "<a\(local64)@example.org>", "<alice@x\(domain255)>", "<all: alice@example.org;>",
            "<alice @example.org>", "<alice@ example.org>", "<.alice@example.org>", "<alice.@example.org>", "<(x)alice@example.org>", "<alice@example..org>",
            "<\"alice@example.org>", "<\"\\\"@example.org>", "<>", "< >", "<", "", ">", "<\u{7F}@example.org>",
        ]
        for (path, code, world) in try replies(odd) {
            #expect(code == "501", "\(path): \(code)")
            #expect(world.connections[1]?.session.envelope?.recipients == [])
        }
        for (path, code, _) in try replies(["<\(local64)@example.org>", "<a@\(domain255)>"]) { #expect(code == "550", "\(path): \(code)") }
    }

    /// CVE-2020-28021, -28026, CVE-2020-8794: an octet that would begin a line or a word of a record never gets into an envelope.
    @Test(arguments: Array(UInt8.min...32) + [UInt8(ascii: "="), 127, 128, 255])
    func noControlCharacterComesInByXText(octet: UInt8) throws {
        let hex = "+" + [octet >> 4, octet & 15].map { String($0, radix: 16, uppercase: true) }.joined()
        let offers = ["DSN", "SMTPUTF8"].map { Transcript.Setting(key: "offer", words: [$0]) }
        let mail = ["AUTH=a\(hex)b@example.net", "ENVID=a\(hex)b", "AUTH=\(hex)", "ENVID=\(hex)"].map { (" \($0)", "") }
        let rcpt = ["ORCPT=rfc822;a\(hex)b@example.net", "ORCPT=utf-8;a\(hex)b", "ORCPT=utf-8;\\x{\(hex.dropFirst())}", "ORCPT=a\(hex)b;c"].map { ("", " \($0)") }
        for (parameters, options) in mail + rcpt {
            var world = try SMTPWorld(offers)
            world.connected(1)
            world.received(bytes("EHLO x\r\nMAIL FROM:<c@example.net>\(parameters)\r\nRCPT TO:<alice@example.org>\(options)\r\n")[...], on: 1)
            guard let envelope = world.connections[1]?.session.envelope else { continue }
            let kept = (envelope.options.envelopeID?.bytes ?? []) + envelope.recipientOptions.values.flatMap { $0.originalRecipient?.text ?? [] }
            #expect(kept.allSatisfy { $0 > 31 && $0 != 127 }, "\(parameters)\(options) left \(kept)")
        }
    }

    /// Local parts that a shell, a path or a query would understand: they are bytes, and nobody's name.
    @Test(arguments: [
        "`id`", "$(id)", "|id", "-oQ/tmp", "--help", "/etc/passwd", "../../etc/passwd", "{x,y}", "'or'1'='1", "a'--", "%", "_", "*", "?", "~root", "#", "!", "&", "&&id",
        "\"; id;\"", "\"a\\\\b\"", "\"a b\"", "\"<>\"", "\"a,b\"",
    ])
    func whatAShellWouldRunIsNobodysName(local: String) throws {
        for (path, code, _) in try replies(["<\(local)@example.org>"]) { #expect(code.hasPrefix("5"), "\(path): \(code)") }
        var world = try SMTPWorld([])
        world.connected(1)
        world.received(bytes("EHLO x\r\nMAIL FROM:<\(local)@example.net>\r\n")[...], on: 1)
        // As a sender it is kept as it came, or refused: what is kept prints itself.
        if let sender = world.connections[1]?.session.envelope?.sender.address { #expect(EmailAddress(parsing: sender.wire) == sender) }
    }

    /// RFC 2920 §3.1 deviation: a client that does not wait for 354 is understood; what it sent is content and never a command.
    @Test func contentThatDidNotWaitIsContent() throws {
        var world = try SMTPWorld([])
        world.connected(1)
        world.received(bytes("EHLO x\r\nMAIL FROM:<c@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nRCPT TO:<bob@example.org>\r\nQUIT\r\n.\r\nNOOP\r\n")[...], on: 1)
        #expect(world.accepted.map(\.content) == [bytes("RCPT TO:<bob@example.org>\r\nQUIT\r\n")])
        #expect(world.accepted.first?.envelope.recipients.map(\.description) == ["alice@example.org"])
        // Without a recipient there is no 354, and what was meant as content are commands: errors, and no message.
        world.connected(2)
        world.received(bytes("EHLO x\r\nMAIL FROM:<c@example.net>\r\nDATA\r\nSubject: x\r\n")[...], on: 2)
        #expect(world.isClosed(2) && world.accepted.count == 1)
    }

    /// Whatever ended a transaction without a message, nothing of it is left for the next (Postfix, August 2026).
    @Test(arguments: [
        "RSET\r\n", "EHLO y\r\n", "HELO y\r\n", "BDAT 4000 LAST\r\n" + String(repeating: "x", count: 4000), "DATA\r\nReceived: x\r\nReceived: x\r\nReceived: x\r\n\r\n.\r\n",
        "DATA\r\nbare\nLF\r\n.\r\n", "DATA\r\nbare\rCR\r\n.\r\n", "DATA\r\nx\r\n.\r\n", "DATA\r\n" + String(repeating: "too big\r\n", count: 400) + ".\r\n", "BDAT 1 LAST\r\nx",
    ])
    func afterwardsTheEnvelopeIsEmpty(end: String) throws {
        let settings = [("offer", ["CHUNKING"]), ("limit", ["size", "3000"]), ("limit", ["hops", "2"]), ("spool", ["failing"])]
            .map { Transcript.Setting(key: $0.0, words: $0.1) }
        var world = try SMTPWorld(settings)
        world.connected(1)
        world.received(bytes("EHLO x\r\nMAIL FROM:<c@example.net>\r\nRCPT TO:<alice@example.org>\r\n" + end)[...], on: 1)
        #expect(world.connections[1]?.session.envelope == nil && world.accepted.isEmpty)
        _ = world.output(of: 1)
        world.received(bytes("DATA\r\n")[...], on: 1)
        #expect(world.isClosed(1) || world.output(of: 1).display.hasPrefix("503"))
    }

    /// A flood of recipients ends the session, however many it is cut into.
    @Test func recipientsBeyondReasonEndTheSession() throws {
        var world = try SMTPWorld([Transcript.Setting(key: "limit", words: ["recipients", "100"])])
        world.connected(1)
        world.received(bytes("EHLO x\r\nMAIL FROM:<c@example.net>\r\n")[...], on: 1)
        var said = 0
        while said < 10_000, !world.isClosed(1) {
            world.received(bytes("RCPT TO:<alice@example.org>\r\n")[...], on: 1)
            said += 1
        }
        #expect(world.isClosed(1) && said <= 401)
    }
}
