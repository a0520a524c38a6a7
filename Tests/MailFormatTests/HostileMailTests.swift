// Mail made to break parsers (V30 to V37): large enough that a quadratic or recursive step would not come back.

import Testing

@testable import MailFormat

@Suite struct HostileMailTests {
    private func flood(_ sample: String, _ count: Int) -> [UInt8] { [UInt8](repeatElement(wire(sample), count: count).joined()) }

    @Test func manyAddressFields() {
        let message = flood("To: a@x\n", 100_000) + wire("\n")
        let envelope = MIMEStructure(of: message).root.envelope
        #expect(envelope?.to.items.count == AddressList.maximumItems)
    }

    @Test func hugeFoldedField() {
        let message = bytes("Subject: ") + flood("x\n ", 300_000) + wire("\n\nbody")
        let structure = MIMEStructure(of: message)
        #expect(structure.header.fields.count == 1)
        #expect((structure.root.envelope?.subject?.count ?? 0) <= MessageEnvelope.maximumText)
        #expect(text(message[structure.root.body]) == "body")
    }

    @Test(arguments: ["(", "((((\\", "\"\\", "<", "@", ":", ";", ",", "[", "a:", "(a)", "<@a:", "a@b <", ".", "\\"])
    func repeatedMarksInEveryField(_ mark: String) {
        let value = bytes("a/b;") + flood(mark, 100_000)
        #expect(AddressList(parsing: value[...]).items.count <= AddressList.maximumItems + 1)
        #expect(ContentType(parsing: value[...]) != nil)
        #expect(MailDate(parsing: value[...]) == nil)
        #expect(messageIDs(in: value[...]).count <= 1000)
    }

    @Test(arguments: ["=?", "=?utf-8?q?", "=?utf-8?q?a?= ", "=?utf-8?b?", " =?x?q?", "=?utf-8?q?=?="])
    func encodedWordBombs(_ mark: String) {
        let value = flood(mark, 50_000)
        #expect(EncodedWord.decode(value[...]).count <= value.count)
    }

    @Test func blanksBetweenEncodedWords() {
        let value = flood("=?utf-8?q?a?=" + String(repeating: " ", count: 2000) + "b", 100)
        #expect(EncodedWord.decode(value[...]).count == 100 * 2002)
    }

    @Test(arguments: ["--", "--b", "--bx\n", "--b-\n", "--b--x\n", "-", "--b \t \t", "\r", "--b\r", "\0"])
    func boundaryGames(_ line: String) {
        let message = wire("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n") + flood(line, 100_000)
        #expect(MIMEStructure(of: message).parts.count == 2)
    }

    @Test func boundaryInAllDepths() {
        var message: [UInt8] = []
        for level in 0..<90 { message += wire("Content-Type: multipart/x; boundary=\(String(repeating: "p", count: level + 1))\n\n--\(String(repeating: "p", count: level + 1))\n") }
        message += flood("--\(String(repeating: "p", count: 200))\n", 10_000) + wire("--p--\n")
        #expect(MIMEStructure(of: message).parts.count == 91)
    }

    @Test func quotedPrintableOfNothingButMarks() {
        let body = flood("=", 300_000)
        #expect(TransferEncoding.quotedPrintable.decode(body[...]).count <= body.count)
        let blanks = flood("= ", 200_000)
        #expect(TransferEncoding.quotedPrintable.decode(blanks[...]).count <= blanks.count)
    }

    @Test func selfSimilarMessages() {
        let message = flood("Content-Type: message/rfc822\n\n--b\n\nContent-Type: multipart/x; boundary=b\n\n--b\n", 5000)
        #expect(MIMEStructure(of: message).parts.count <= MIMEStructure.maximumParts)
    }

    @Test func bytesOfAllKindsAreKeptInRanges() {
        let message = bytes("A: \0\u{e9}\r\n\r\nbody\0\r\rx\n\r\n") + [0xFF]
        let structure = MIMEStructure(of: message)
        #expect(Array(message[structure.root.header]) + Array(message[structure.root.body]) == message)
    }
}
