// Content ends at CRLF.CRLF and nowhere else: tables, the smuggling list, and a plain model to compare with.

import MailTestKit
import SMTPProtocol
import Testing

/// What is left when content has been framed.
struct FramedContent: Equatable {
    var content: [UInt8]?
    var size: Int
    var fault: ContentFramer.Fault?
    var rest: [UInt8]?
    var received: Int
    var messageID: [UInt8]?
}

func framed(_ pieces: [ArraySlice<UInt8>], limit: Int = 1 << 20) -> FramedContent {
    var framer = ContentFramer(limit: limit)
    var content: [UInt8] = []
    var rest: [UInt8]?
    for piece in pieces {
        if framer.isComplete {
            rest? += piece
            continue
        }
        let used = piece.withUnsafeBytes { framer.consume($0, into: &content) }
        if framer.isComplete { rest = Array(piece.dropFirst(used)) }
    }
    let isClean = framer.fault == nil
    return FramedContent(
        content: isClean ? content : nil, size: isClean ? framer.size : -1, fault: framer.fault, rest: rest,
        received: isClean ? framer.header.receivedCount : -1, messageID: isClean ? framer.header.messageID : nil)
}

/// The same by the letter of RFC 5321 §4.5.2, slowly: find the first CRLF.CRLF, split at CRLF, drop a leading dot.
func framedByTheLetter(_ input: [UInt8]) -> (content: [UInt8]?, isComplete: Bool) {
    let text = [13, 10] + input
    let end = text.indices.first { text[$0...].starts(with: [13, 10, 46, 13, 10]) }
    guard let end else { return (nil, false) }
    let body = Array(text[..<(end + 2)])
    var out: [UInt8] = []
    for (index, byte) in body.enumerated() where index >= 2 {
        if byte == 10, body[index - 1] != 13 { return (nil, true) }
        if byte == 13, index + 1 == body.count || body[index + 1] != 10 { return (nil, true) }
        if byte == 46, body[index - 1] == 10, body[index - 2] == 13 { continue }
        out.append(byte)
    }
    return (out, true)
}

/// Every LF with a CR before it, and no other CR.
func withCRLF(_ text: [UInt8]) -> [UInt8] {
    text.flatMap { byte -> [UInt8] in byte == 10 ? [13, 10] : byte == 13 ? [] : [byte] }
}

struct ContentFramerTests {
    @Test(
        arguments: [
            (".\r\n", "", "", nil), ("a\r\n.\r\n", "a\r\n", "", nil), ("a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n", nil),
            ("..\r\n.\r\n", ".\r\n", "", nil), (".a\r\n.\r\n", "a\r\n", "", nil), ("a.\r\n.\r\n", "a.\r\n", "", nil),
            ("\r\n.\r\n", "\r\n", "", nil), ("\n.\r\n.\r\n", nil, "", .bareLF), ("a\n.\n\r\n.\r\n", nil, "", .bareLF),
            ("a\r\n.\n\r\n.\r\n", nil, "", .bareLF), ("a\r.\r\r\n.\r\n", nil, "", .bareCR),
            ("a\r\n.\r\r\n.\r\n", nil, "", .bareCR),
            ("a\r.\r\n.\r\n", nil, "", .bareCR), ("a\n\r.\r\n\r\n.\r\n", nil, "", .bareLF),
            ("a\r\n\0.\r\n.\r\n", "a\r\n\0.\r\n", "", nil),
            ("a\r\n.", nil, nil, nil), ("a\r\n.\r", nil, nil, nil), ("", nil, nil, nil),
            ("a\r\n.\rb\r\n.\r\n", nil, "", .bareCR),
        ] as [(String, String?, String?, ContentFramer.Fault?)])
    func table(input: String, content: String?, rest: String?, fault: ContentFramer.Fault?) {
        let result = framed([bytes(input)[...]])
        #expect(result.rest == rest.map { bytes($0) })
        #expect(result.fault == fault)
        if let content { #expect(result.content == bytes(content) && result.size == bytes(content).count) }
        #expect(Chop.difference(bytes(input)) { framed($0) } == nil)
    }

    @Test func agreesWithTheLetterOfTheRFC() {
        var generator = SeededGenerator()
        var complete = 0
        var clean = 0
        for round in 0..<20000 {
            let alphabet = bytes(round % 2 == 0 ? "a.\r\n" : "aaaaaaaaaaaaaaaaaaaaaaaaa.\r\n")
            var input = generator.bytes(Int.random(in: 0...60, using: &generator), from: alphabet)
            if round % 3 == 0 { input = withCRLF(input) }
            let expected = framedByTheLetter(input)
            let result = framed([input[...]])
            #expect((result.rest != nil) == expected.isComplete, "\(input)")
            guard expected.isComplete else { continue }
            complete += 1
            #expect(result.content == expected.content, "\(input)")
            if expected.content != nil { clean += 1 }
        }
        #expect(complete > 500 && clean > 500)
    }

    @Test func choppingChangesNothing() {
        var generator = SeededGenerator()
        for _ in 0..<60 {
            var input = bytes("Received: x\r\nMessage-ID:\r\n <a@b>\r\nReceived: y\r\n\r\n")
            input += withCRLF(generator.bytes(60, from: bytes("aaaa.\r\n")))
            input += bytes("\r\n.\r\nQUIT\r\n")
            #expect(Chop.difference(input, seed: generator.seed) { framed($0) } == nil)
            #expect(Chop.difference(generator.bytes(80, from: bytes("a.\r\n"))) { framed($0) } == nil)
        }
    }

    /// SMTP smuggling, CVE-2023-51764 and its kin: each pattern before a second envelope: the first true end is the only one.
    @Test(arguments: ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\n\r.\r\n", "\r\n\0.\r\n"])
    func smugglingEndsNothing(end: String) {
        let second = "MAIL FROM:<m@example.net>\r\nDATA\r\nx\r\n.\r\n"
        let input = bytes("Subject: a\r\n\r\nbody" + end + second + "NOOP\r\n")
        #expect(framed([input[...]]).rest == bytes("NOOP\r\n"))
        #expect(Chop.difference(input) { framed($0) } == nil)
    }

    @Test func sizeIsCountedUnstuffedAndLimited() {
        #expect(framed([bytes("..\r\n.\r\n")[...]], limit: 3).size == 3)
        #expect(framed([bytes("..\r\n.\r\n")[...]], limit: 2).fault == .tooBig)
        let input = bytes(String(repeating: "x", count: 500) + "\r\n\n.\r\n.\r\n")
        #expect(framed([input[...]], limit: 100).fault == .tooBig)
        #expect(Chop.difference(input) { framed($0, limit: 100) } == nil)
    }

    @Test func aRefusedMessageIsNotKept() {
        var framer = ContentFramer(limit: 1000)
        var content: [UInt8] = []
        let piece = bytes(String(repeating: "0123456789\r\n", count: 100))
        for _ in 0..<100 { _ = piece.withUnsafeBytes { framer.consume($0, into: &content) } }
        #expect(framer.fault == .tooBig && content.count <= 1000 + piece.count && framer.size == 120_000)
    }
}

struct HeaderSectionTests {
    @Test(
        arguments: [
            ("", 0, nil), ("\r\nReceived: x\r\n", 0, nil), ("Received: x\r\nreceived:y\r\nReceived : z\r\n", 3, nil),
            ("X-Received: x\r\nReceivedx: y\r\n Received: z\r\n", 0, nil), ("Message-ID: <a@b>\r\n", 0, "<a@b>"),
            ("MESSAGE-id :\t<a@b> \r\n", 0, "<a@b>"), ("Message-ID:\r\n <a@b>\r\n", 0, "<a@b>"),
            ("Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n", 0, "<a@b>"), ("Message-ID:\r\nMessage-ID: <c@d>\r\n", 0, ""),
            ("Subject: x\r\n Message-ID: <a@b>\r\n", 0, nil),
            ("Message-ID: <a@b>\r\n\r\nMessage-ID: <c@d>\r\n", 0, "<a@b>"),
        ] as [(String, Int, String?)])
    func table(text: String, received: Int, messageID: String?) {
        let run = { (pieces: [ArraySlice<UInt8>]) -> String in
            var header = HeaderSection()
            for piece in pieces { piece.withUnsafeBytes { header.take($0) } }
            return "\(header.receivedCount) \(header.messageID.map { String(decoding: $0, as: UTF8.self) } ?? "nil")"
        }
        #expect(run([bytes(text)[...]]) == "\(received) \(messageID ?? "nil")")
        #expect(Chop.difference(bytes(text), run: run) == nil)
    }

    @Test func anEndlessFieldIsCut() {
        var header = HeaderSection()
        bytes("Message-ID: " + String(repeating: "x", count: 2000) + "\r\n").withUnsafeBytes { header.take($0) }
        #expect(header.messageID == nil)
        for _ in 0..<1000 {
            bytes(" " + String(repeating: "x", count: 500) + "\r\n").withUnsafeBytes { header.take($0) }
        }
        bytes("Received: x\r\n").withUnsafeBytes { header.take($0) }
        #expect(header.receivedCount == 1)
    }
}
