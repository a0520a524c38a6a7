// The types of the grammar: numbers, names, dates, flags, patterns.

import MailTestKit
import Testing

@testable import IMAPProtocol

@Suite struct GrammarTests {
    @Test(arguments: [
        ("INBOX", "INBOX"), ("inbox", "INBOX"), ("Inbox.x", "INBOX.x"), ("INBOXES", "INBOXES"), ("a b", "a b"),
        ("Entw&APw-rfe", "Entwürfe"), ("R&-D", "R&D"), ("&2D3eAA-", "😀"), ("~peter.mail.&U,BTFw-.&ZeVnLIqe-", "~peter.mail.台北.日本語"),
    ])
    func namesHaveOneSpelling(_ row: (wire: String, utf8: String)) throws {
        let name = try #require(MailboxName(wire: Array(row.wire.utf8)))
        #expect(name.utf8 == Array(row.utf8.utf8))
        #expect(MailboxName(wire: name.wire) == name)
    }

    @Test(arguments: [
        "", ".", "..", "a..b", ".a", "a.", "/", "a/b", "*", "a%", "&", "a&", "&AGE-", "&AC8-", "&AAA-", "&AAo-", "&2D0-",
        "&AP", "&A P-", "&APw", "&APw-&APw-", "&AIU-", "a\u{7F}", "a\tb", "é", "&/////w-", String(repeating: "a", count: 201),
        String(repeating: "a.", count: 32) + "a",
    ])
    func namesThatAreNone(_ wire: String) {
        #expect(MailboxName(wire: Array(wire.utf8)) == nil)
    }

    @Test func modifiedUTF7IsReversible() {
        var random = SeededGenerator()
        let scalars: [ClosedRange<UInt32>] = [0x20...0x7E, 0xA0...0x2FF, 0x4E00...0x4FFF, 0x1F600...0x1F64F]
        for _ in 0..<500 {
            var text = ""
            for _ in 0..<Int.random(in: 0..<12, using: &random) {
                let value = UInt32.random(in: scalars.randomElement(using: &random) ?? 0x41...0x41, using: &random)
                if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
            }
            let utf8 = Array(text.utf8)
            #expect(ModifiedUTF7.decode(ModifiedUTF7.encode(utf8)) == utf8)
        }
    }

    @Test(arguments: [
        ("*", "INBOX", true), ("*", "a.b.c", true), ("%", "a", true), ("%", "a.b", false), ("a.%", "a.b", true),
        ("a.%", "a.b.c", false), ("*c", "a.b.c", true), ("%.%", "a.b", true), ("%.%", "a", false), ("a*", "a", true),
        ("inbox", "INBOX", true), ("iNb%", "INBOX", true), ("inbox.*", "INBOX.x", true), ("INBOX.X", "INBOX.x", false),
        ("A", "a", false), ("", "a", false), ("a", "ab", false), ("%%%%", "abc", true), ("&APw-%", "übung", true), ("%bung", "übung", true),
    ])
    func patternsMatch(_ row: (pattern: String, name: String, matches: Bool)) throws {
        let pattern = try #require(ListPattern(reference: [], pattern: Array(row.pattern.utf8)))
        let name = try #require(MailboxName(utf8: Array(row.name.utf8)))
        #expect(pattern.matches(name) == row.matches)
    }

    @Test func hostilePatternIsNoWork() throws {
        let pattern = try #require(ListPattern(reference: [], pattern: Array(String(repeating: "*a", count: 256).utf8)))
        let name = try #require(MailboxName(utf8: Array(String(repeating: "a", count: 199).utf8) + [0x62]))
        #expect(!pattern.matches(name))
    }

    @Test(arguments: [
        (" 7-Feb-1994 21:52:25 -0800", 760_686_745, -480), ("01-Jan-1970 00:00:00 +0000", 0, 0),
        ("31-Dec-1969 23:59:59 +0000", -1, 0), ("29-Feb-2024 12:00:00 +0530", 1_709_188_200, 330),
    ])
    func internalDates(_ row: (text: String, seconds: Int64, offset: Int)) throws {
        let date = try #require(InternalDate(parsing: Array(row.text.utf8)))
        #expect(date == InternalDate(seconds: row.seconds, offset: row.offset))
        #expect(InternalDate(parsing: date.text) == date)
    }

    @Test(arguments: [
        "", "7-Feb-1994 21:52:25 -0800", " 7-Feb-1994 21:52:25", "30-Feb-1994 21:52:25 -0800", "29-Feb-2023 00:00:00 +0000",
        " 7-Foo-1994 21:52:25 -0800", " 7-Feb-1994 24:00:00 -0800", " 7-Feb-1994 21:52:25 08000", " 7-Feb-1994 21:52:25 +9900",
    ])
    func datesThatAreNone(_ text: String) {
        #expect(InternalDate(parsing: Array(text.utf8)) == nil)
    }

    @Test func datesPrintWhatTheyParse() {
        var random = SeededGenerator()
        for _ in 0..<1000 {
            let date = InternalDate(
                seconds: Int64.random(in: -60_000_000_000...250_000_000_000, using: &random),
                offset: Int.random(in: -719...719, using: &random))
            #expect(InternalDate(parsing: date.text) == date)
        }
    }

    @Test func setsAreSortedAndJoined() {
        let set = SequenceSet([.init(5, 3), .init(1, 1), .init(4, nil), .init(2, 2), .init(9, 9)])
        #expect(set.resolved(largest: 7).ranges == [1...7, 9...9])
        let whole = SequenceSet(Array(repeating: .init(1, .max), count: 20_000))
        #expect(whole.resolved(largest: 3).ranges == [1...UInt32.max])
        #expect(NumberSet(ascending: [1, 2, 3, 7]).ranges == [1...3, 7...7])
        #expect(NumberSet(ascending: [1, 2, 3, 7]).contains(7))
        #expect(!NumberSet(ascending: [1, 2, 3, 7]).contains(4))
        #expect(!NumberSet([]).contains(1))
    }

    @Test func partsOfASectionStayInside() {
        #expect(PartialRange(origin: 2, length: 3).applied(to: 10..<20) == 12..<15)
        #expect(PartialRange(origin: 8, length: 30).applied(to: 10..<20) == 18..<20)
        #expect(PartialRange(origin: Int.max, length: Int.max).applied(to: 10..<20) == 20..<20)
    }

    @Test func keywordsIgnoreCase() throws {
        let work = try #require(Keyword(Array("$Work".utf8)))
        let other = try #require(Keyword(Array("$WORK".utf8)))
        var flags = Flags(.seen, keywords: [work, other])
        #expect(flags.keywords.count == 1)
        flags.subtract(Flags(keywords: [other]))
        #expect(flags == Flags(.seen))
        #expect(Keyword(Array("a b".utf8)) == nil)
        #expect(Keyword([]) == nil)
    }

    @Test func storeOperationsKeepRecent() {
        let old = Flags([.seen, .recent])
        #expect(StoreOperation(.replace, Flags(.flagged)).applied(to: old) == Flags([.flagged, .recent]))
        #expect(StoreOperation(.add, Flags(.flagged)).applied(to: old) == Flags([.seen, .flagged, .recent]))
        #expect(StoreOperation(.remove, Flags(.seen)).applied(to: old) == Flags(.recent))
    }
}
