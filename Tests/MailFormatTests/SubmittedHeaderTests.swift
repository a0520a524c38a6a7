// The header of a submitted message: whose it says that it is, and what is wrong with it.

import MailModel
import Testing

@testable import MailFormat

struct SubmittedHeaderTests {
    private func header(_ text: String, isWhole: Bool = true) -> SubmittedHeader { SubmittedHeader(of: Array(text.utf8), isWhole: isWhole) }

    private func names(_ mailboxes: [HeaderMailbox]?) -> [String]? { mailboxes?.map { $0.address?.description ?? "?" } }

    @Test func whoItSaysThatItIs() {
        let found = header("FROM : \"A, B\" <a@x.org>,\r\n b@x.org (c <d@x.org>)\r\nSender: s@x.org\r\n\r\nFrom: body@x.org\r\n")
        #expect(names(found.from) == ["a@x.org", "b@x.org"])
        #expect(names(found.sender) == ["s@x.org"])
        #expect(names(header("Subject: x\r\n\r\n").from) == nil)
        #expect(names(header("From: nobody:;\r\n\r\n").from) == [])
        #expect(names(header("From: a name\r\n\r\n").from) == ["?"])
        #expect(names(header("From: a@x.org <b@x.org>\r\n\r\n").from) == ["b@x.org"])
        #expect(names(header("From: <a@x.org> b@x.org\r\n\r\n").from) == ["a@x.org", "b@x.org"])
    }

    @Test func whatIsMissing() {
        #expect(header("From: a@x\r\n\r\nDate: x\r\n").missing == [.date, .messageID])
        #expect(header("date: whenever\r\n\r\n").missing == [.messageID])
        #expect(header("Message-Id:\r\n <a@b>\r\nDATE : x\r\n").missing == [])
        #expect(header("").missing == [.date, .messageID])
    }

    @Test func flaws() {
        #expect(header("From: a@x\r\n\r\nb\nody\r").flaw(isUTF8: false) == nil)
        #expect(header("X: grün\r\n\r\n").flaw(isUTF8: false) == .eightBit)
        #expect(header("X: grün\r\n\r\n").flaw(isUTF8: true) == nil)
        #expect(header("X: y\r\n\r\ngrün\r\n").flaw(isUTF8: false) == nil)
        for bare in ["X: y\nFrom: b@x\r\n\r\n", "X: y\rFrom: b@x\r\n\r\n", "X: y\r\r\n\r\n", "X: y\r\n\n", "X: y\r"] {
            #expect(header(bare).flaw(isUTF8: true) == .bareLineEnd, "\(bare.debugDescription)")
        }
        #expect(header("From: a@x\r\nfrom: b@x\r\n\r\n").flaw(isUTF8: false) == .repeated(.from))
        #expect(header("SENDER: a@x\r\nSender : b@x\r\n\r\n").flaw(isUTF8: false) == .repeated(.sender))
    }

    @Test func aHeaderThatDoesNotEndInTheFirstPieceIsTooLong() {
        #expect(header("X: y\r\n", isWhole: true).flaw(isUTF8: false) == nil)
        #expect(header("X: y\r\n", isWhole: false).flaw(isUTF8: false) == .tooLong)
        #expect(header("X: y\r\n\r\nbody", isWhole: false).flaw(isUTF8: false) == nil)
        #expect(header(String(repeating: "X: y\r\n", count: 10_001) + "From: b@x\r\n\r\n").flaw(isUTF8: false) == .tooLong)
    }

    @Test func theLongestLineIsTheSameInAnyPieces() {
        let text = Array("ab\r\n\r\nabcdefgh\nx\r\nabc".utf8)
        for size in 1...text.count {
            var measure = LineMeasure()
            for start in stride(from: 0, to: text.count, by: size) { measure.take(Array(text[start..<min(start + size, text.count)])) }
            #expect(measure.longest == 9, "\(size)")
        }
        var open = LineMeasure()
        open.take(Array("abc".utf8))
        open.take([])
        open.take(Array("defg".utf8))
        #expect(open.longest == 7)
    }
}
