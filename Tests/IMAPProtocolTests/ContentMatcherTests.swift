// What SEARCH finds in a message: decoded, whatever the case, and in linear time.

import MailTestKit
import Testing

@testable import IMAPProtocol

@Suite struct ContentMatcherTests {
    private let message = Array(
        """
        From: =?iso-8859-1?Q?J=F6rg?= <joerg@example.org>\r
        Subject: Re:\r
         =?utf-8?B?w4RyZ2Vy?= mit Straße\r
        Date: Fri, 31 Dec 1999 23:30:00 -0500\r
        Content-Type: multipart/mixed; boundary=b\r
        \r
        --b\r
        Content-Type: text/plain; charset=iso-8859-1\r
        Content-Transfer-Encoding: quoted-printable\r
        \r
        Gr=FC=DFe aus M=\r
        =FCnchen\r
        --b\r
        Content-Type: text/html\r
        Content-Transfer-Encoding: base64\r
        \r
        PGI+RmV0dDwvYj4=\r
        --b\r
        Content-Type: application/octet-stream\r
        \r
        hidden\r
        --b\r
        Content-Type: message/rfc822\r
        \r
        Subject: forwarded\r
        \r
        inner words\r
        --b--\r

        """.utf8)

    private func holds(_ key: ContentKey) -> Bool {
        ContentMatcher([key]).matches(size: 100, internalDate: InternalDate(seconds: 0, offset: -60), bytes: message) == [true]
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(arguments: [
        ("From", "JÖRG", true), ("from", "example.ORG", true), ("Subject", "ärger MIT stra", true), ("Subject", "Re: Ä", true),
        ("Subject", "utf-8", false), ("X-None", "", false), ("Date", "", true), ("Subject", "forwarded", false),
    ])
    func headers(_ row: (name: String, text: String, holds: Bool)) {
        #expect(holds(.header(name: bytes(row.name), text: bytes(row.text))) == row.holds)
    }

    @Test(arguments: [
        ("grüße aus MÜNCHEN", true), ("Fett", true), ("hidden", false), ("inner words", true), ("forwarded", false), ("", true),
    ])
    func bodies(_ row: (text: String, holds: Bool)) {
        #expect(holds(.body(bytes(row.text))) == row.holds)
        if row.holds { #expect(holds(.text(bytes(row.text)))) }
    }

    @Test func textIsHeaderToo() {
        #expect(holds(.text(bytes("forwarded"))))
        #expect(holds(.text(bytes("jörg"))))
        #expect(!holds(.text(bytes("hidden"))))
    }

    @Test func daysAreThoseOfTheirOwnZone() throws {
        let last = try #require(CalendarDay(parsing: bytes("31-Dec-1999")))
        let next = try #require(CalendarDay(parsing: bytes("1-Jan-2000")))
        #expect(holds(.sent(.on, last)))
        #expect(holds(.sent(.before, next)))
        #expect(!holds(.sent(.since, next)))
        let received = try #require(CalendarDay(parsing: bytes("31-Dec-1969")))
        #expect(holds(.received(.on, received)))
        #expect(holds(.received(.since, received)))
        #expect(!holds(.received(.before, received)))
    }

    @Test func sizesAreStrict() {
        #expect(!holds(.larger(100)))
        #expect(holds(.larger(99)))
        #expect(!holds(.smaller(100)))
    }

    @Test func onlyWhatIsNeededIsAskedFor() {
        #expect(!ContentMatcher([.larger(1), .received(.on, CalendarDay(daysSince1970: 0))]).needsHeader)
        #expect(ContentMatcher([.header(name: [0x61], text: [])]).needsHeader)
        #expect(!ContentMatcher([.header(name: [0x61], text: [])]).needsBody)
        #expect(ContentMatcher([.text([0x61])]).needsBody)
    }

    @Test func patternsAgreeWithTheObviousSearch() {
        var random = SeededGenerator()
        for _ in 0..<2000 {
            let text = random.bytes(Int.random(in: 0...30, using: &random), from: Array("abAB".utf8))
            let pattern = random.bytes(Int.random(in: 0...5, using: &random), from: Array("abAB".utf8))
            let found = TextPattern(pattern).isFound(in: FoldedText(text))
            let small = FoldedText(text).bytes
            let wanted = FoldedText(pattern).bytes
            let obvious = (0...small.count).contains { small[$0...].starts(with: wanted) }
            #expect(found == obvious)
        }
    }

    @Test func hostileTextIsLinear() {
        let text = FoldedText([UInt8](repeating: 0x61, count: 200_000))
        let pattern = TextPattern([UInt8](repeating: 0x61, count: 50_000) + [0x62])
        #expect(!pattern.isFound(in: text))
    }
}
