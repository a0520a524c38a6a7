// What we write ourselves: no foreign byte may begin a line (V38), and what is written reads back.

import MailModel
import MailTestKit
import Testing

@testable import MailFormat

private let host = Domain("mx.example.org")
private let alice = EmailAddress("alice@example.org")
private let date = MailDate(secondsSince1970: 880_127_706, zoneMinutes: -360)
private let id = QueueID(origin: .smtpd, epoch: 5, sequence: 7)
private let hostile = bytes("x\r\nBcc: evil@example.com\r\n\r\n--B\r\nbody\n\rX: y\0\u{1b}[31m\u{e9}") + [0xFF, 0x80]

@Suite struct HeaderWriterTests {
    @Test func longValuesAreFoldedAtBlanks() {
        var writer = HeaderWriter()
        let value = (0..<40).map { "word\($0)" }.joined(separator: " ")
        writer.field("Subject", value)
        let lines = writer.bytes.split(separator: 0x0A)
        #expect(lines.count > 3)
        #expect(lines.allSatisfy { $0.count <= 79 && $0.last == 0x0D })
        #expect(HeaderSection(of: writer.bytes).value("Subject", in: writer.bytes) == bytes(value))
    }

    @Test func endlessWordIsCut() {
        var writer = HeaderWriter()
        writer.field("X", [UInt8](repeating: 0x61, count: 10_000))
        #expect(writer.bytes.split(separator: 0x0A).allSatisfy { $0.count <= 999 })
    }

    @Test func foreignBytesBeginNoField() {
        var generator = SeededGenerator()
        for _ in 0..<1000 {
            var writer = HeaderWriter()
            let value = generator.bytes(Int.random(in: 0...200, using: &generator), from: Array(0...255) + bytes("\r\n\r\n: "))
            writer.field("A", value)
            writer.text("B", value)
            let section = HeaderSection(of: writer.bytes)
            #expect(section.fields.map { text(writer.bytes[$0.name]) } == ["A", "B"])
            #expect(section.bodyStart == writer.bytes.count)
            let controls = writer.bytes.filter { $0 < 0x20 && $0 != 0x0D && $0 != 0x0A }
            #expect(controls.isEmpty && isUTF8(writer.bytes))
        }
    }

    @Test func traceFieldsAreThoseOfTheRFC() throws {
        let alice = try #require(alice)
        var writer = HeaderWriter()
        writer.returnPath(.null)
        writer.returnPath(.address(alice))
        writer.deliveredTo(alice)
        writer.date(date)
        #expect(text(writer.bytes) == "Return-Path: <>\r\nReturn-Path: <alice@example.org>\r\nDelivered-To: alice@example.org\r\n"
            + "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n")
    }

    @Test func receivedSaysFromByWithIDForDate() throws {
        var field = ReceivedField(by: try #require(host), with: bytes("ESMTPS"), id: id, date: date)
        field.helo = bytes("client.example")
        field.peerName = bytes("host.example")
        field.peerAddress = bytes("192.0.2.1")
        field.tls = bytes("TLSv1.3 TLS_AES_128_GCM_SHA256")
        field.forRecipient = alice
        var writer = HeaderWriter()
        field.write(to: &writer)
        let value = try #require(HeaderSection(of: writer.bytes).value("Received", in: writer.bytes))
        #expect(text(value) == "from client.example (host.example [192.0.2.1]) by mx.example.org (Martlet) with ESMTPS "
            + "(TLSv1.3 TLS_AES_128_GCM_SHA256) id \(id) for <alice@example.org>; Fri, 21 Nov 1997 09:55:06 -0600")
        #expect(writer.bytes.split(separator: 0x0A).allSatisfy { $0.count <= 79 })
    }

    @Test(arguments: [("user@bücher.example", " for <user@xn--bcher-kva.example>"), ("δ@example.org", nil), ("a@example.org", " for <a@example.org>")])
    func receivedStaysASCII(recipient: String, expected: String?) throws {
        var field = ReceivedField(by: try #require(host), with: bytes("UTF8SMTP"), id: id, date: date)
        field.forRecipient = EmailAddress(recipient)
        var writer = HeaderWriter()
        field.write(to: &writer)
        #expect(writer.bytes.allSatisfy { $0 < 0x80 })
        let value = text(unfolded(writer.bytes[...]))
        #expect(value.contains(" for ") == (expected != nil) && value.contains(expected ?? ""))
    }

    @Test func receivedOfAHostilePeerIsOneField() throws {
        var field = ReceivedField(by: try #require(host), with: hostile, id: id, date: date)
        field.helo = hostile
        field.peerName = hostile
        field.peerAddress = hostile
        field.tls = bytes("a)(b\\") + hostile
        var writer = HeaderWriter()
        field.write(to: &writer)
        #expect(HeaderSection(of: writer.bytes).fields.count == 1)
        let open = writer.bytes.count { $0 == UInt8(ascii: "(") }
        #expect(open == writer.bytes.count { $0 == UInt8(ascii: ")") } && open == 3)
        #expect(writer.bytes.allSatisfy { $0 < 0x80 })
    }
}

@Suite struct BounceMessageTests {
    private func bounce(original: [UInt8], reason: [UInt8], remote: [UInt8]? = nil) throws -> BounceMessage {
        let alice = try #require(alice)
        var recipient = ReportedRecipient(
            original: try #require(EmailAddress("bob@example.net")), final: try #require(EmailAddress("robert@example.com")),
            status: EnhancedStatus(.permanent, 5, 1), reason: reason)
        recipient.remoteHost = remote
        recipient.lastAttempt = date
        return BounceMessage(
            action: .failed, sender: alice, host: try #require(host), messageID: bytes("<n1@mx.example.org>"), date: date,
            arrival: date, originalID: id, recipients: [recipient], original: original, boundary: bytes("B-\"0\r\n1"))
    }

    private let original = wire("Message-ID: <m@x>\nReferences: <a@x>\n <b@x>\nSubject: hi\n\nsecret body\n")

    @Test func noticeIsAReportOfThreeParts() throws {
        let message = try bounce(original: original, reason: bytes("no such user"), remote: bytes("mx.example.com")).bytes()
        let structure = MIMEStructure(of: message)
        #expect(structure.parts.map { text($0.contentType.type + [0x2F] + $0.contentType.subtype) }
            == ["multipart/report", "text/plain", "message/delivery-status", "text/rfc822-headers"])
        let envelope = try #require(structure.root.envelope)
        #expect(envelope.to.mailboxes.first?.address == alice)
        #expect(envelope.from.mailboxes.first?.localPart == bytes("MAILER-DAEMON"))
        #expect(envelope.inReplyTo == bytes("<m@x>"))
        #expect(structure.header.value("References", in: message) == bytes("<a@x> <b@x> <m@x>"))
        #expect(structure.header.value("Auto-Submitted", in: message) == bytes("auto-replied"))
        #expect(text(message[structure.parts[3].body]) == "Message-ID: <m@x>\r\nReferences: <a@x>\r\n <b@x>\r\nSubject: hi\r\n")
    }

    @Test func statusIsThatOfTheRFC() throws {
        let message = try bounce(original: original, reason: bytes("550 no such user"), remote: bytes("mx.example.com")).bytes()
        let part = MIMEStructure(of: message).parts[2]
        #expect(text(message[part.body]) == text(wire("""
            Reporting-MTA: dns; mx.example.org
            Arrival-Date: Fri, 21 Nov 1997 09:55:06 -0600

            Original-Recipient: rfc822; bob@example.net
            Final-Recipient: rfc822; robert@example.com
            Action: failed
            Status: 5.5.1
            Remote-MTA: dns; mx.example.com
            Diagnostic-Code: smtp; 550 no such user
            Last-Attempt-Date: Fri, 21 Nov 1997 09:55:06 -0600

            """)))
    }

    @Test func explanationNamesAddressAndReason() throws {
        let message = try bounce(original: original, reason: bytes("mailbox is full")).bytes()
        let words = text(message[MIMEStructure(of: message).parts[1].body])
        for expected in ["<bob@example.net>", "<robert@example.com>", "mailbox is full (5.5.1)", "\(id)"] {
            #expect(words.utf8.split(separator: 0x0A).contains { text($0).contains(expected) }, "\(expected)")
        }
    }

    @Test func hostileInputsChangeNoStructure() throws {
        let originals = [
            [], hostile, bytes("--B01\r\nContent-Type: text/html\r\n\r\nx"), bytes("A: b\n--B01--\nC: d\n\n"),
            bytes("Message-ID: <a\r\nBcc: x@y>\r\n\r\n"), bytes("A: ") + [UInt8](repeating: 0xE9, count: 300_000),
        ]
        for original in originals {
            let message = try bounce(original: original, reason: hostile, remote: hostile).bytes()
            let structure = MIMEStructure(of: message)
            #expect(structure.parts.count == 4)
            #expect(structure.header.first("Bcc", in: message) == nil)
            #expect(isUTF8(message))
            var lines = message.split(separator: 0x0A, omittingEmptySubsequences: false)
            #expect(lines.popLast() == [])
            #expect(lines.allSatisfy { $0.last == 0x0D && $0.count <= 999 && !$0.dropLast().contains(0x0D) && !$0.contains(0) })
        }
    }

    @Test func manyReferencesAreShortened() throws {
        let references = (0..<10_000).map { "<\($0)@x>" }.joined(separator: "\r\n ")
        let message = try bounce(original: bytes("Message-ID: <m@x>\r\nReferences: \(references)\r\n\r\n"), reason: []).bytes()
        let found = try #require(HeaderSection(of: message).first("References", in: message))
        #expect(messageIDs(in: message[found.value]).count == 21)
    }
}

@Suite struct CRLFNormaliserTests {
    private func run(_ pieces: [ArraySlice<UInt8>], _ bare: CRLFNormaliser.BareCarriageReturn) -> [UInt8] {
        var normaliser = CRLFNormaliser(bareReturn: bare)
        var out: [UInt8] = []
        for piece in pieces { normaliser.append(Array(piece), to: &out) }
        normaliser.finish(endLine: true, to: &out)
        return out + bytes("#\(normaliser.lineCount)")
    }

    @Test(arguments: [
        ("", "#0", "#0"), ("a", "a\r\n#1", "a\r\n#1"), ("a\n", "a\r\n#1", "a\r\n#1"), ("a\r\n", "a\r\n#1", "a\r\n#1"),
        ("\n\n", "\r\n\r\n#2", "\r\n\r\n#2"), ("a\rb\n", "a\rb\r\n#1", "a\r\nb\r\n#2"), ("\r\r\n", "\r\r\n#1", "\r\n\r\n#2"),
        ("a\r", "a\r\r\n#1", "a\r\n#1"), ("\n\r", "\r\n\r\r\n#2", "\r\n\r\n#2"),
    ])
    func linesEndWithCRLF(_ input: String, _ kept: String, _ ended: String) {
        #expect(text(run([bytes(input)[...]], .keep)) == kept)
        #expect(text(run([bytes(input)[...]], .lineEnd)) == ended)
        #expect(Chop.difference(bytes(input)) { run($0, .keep) } == nil)
        #expect(Chop.difference(bytes(input)) { run($0, .lineEnd) } == nil)
    }

    @Test func wireFormStaysAsItIs() {
        var generator = SeededGenerator()
        for _ in 0..<500 {
            let once = wireForm(generator.bytes(Int.random(in: 0...80, using: &generator), from: bytes("abcdefgh\r\n\n")))
            #expect(wireForm(once) == once)
            #expect(zip([0] + once, once).allSatisfy { $1 != 0x0A || $0 == 0x0D })
        }
    }
}
