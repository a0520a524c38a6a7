// Encoded words and transfer encodings, both ways.

import MailTestKit
import Testing

@testable import MailFormat

@Suite struct EncodedWordTests {
    @Test(arguments: [
        ("plain", "plain"),
        ("=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"),
        ("=?UTF-8?B?w7w=?= =?utf-8?q?=C3=BC?=", "üü"),
        ("=?UTF-8?B?w7w=?=\n =?utf-8?q?x?=", "üx"),
        ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        ("=?ISO-8859-1?Q?a_b?=", "a b"),
        ("=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"),
        ("=?windows-1252?Q?=80?=", "€"),
        ("=?ISO-8859-15?Q?=A4?=", "€"),
        ("=?us-ascii*en?Q?x?=", "x"),
        ("=?koi8-r?B?xg==?=", "=?koi8-r?B?xg==?="),
        ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
        ("=?utf-8?Q?a", "=?utf-8?Q?a"), ("=?utf-8?Q?a b?=", "=?utf-8?Q?a b?="), ("=?", "=?"), ("=?utf-8", "=?utf-8"),
        ("=?utf-8?Q?=FF?=", "\u{fffd}"),
    ])
    func valueIsDecoded(_ value: String, _ expected: String) {
        #expect(text(EncodedWord.decode(wire(value)[...])) == expected)
    }

    @Test func encodedTextDecodesToItself() {
        var generator = SeededGenerator()
        for _ in 0..<1000 {
            let count = Int.random(in: 0...120, using: &generator)
            let letters = (0..<count).map { _ in "aZ =?_é€😀".unicodeScalars.randomElement(using: &generator) ?? "x" }
            let source = Array(String(String.UnicodeScalarView(letters)).utf8)
            let encoded = EncodedWord.encode(source)
            #expect(EncodedWord.decode(encoded[...]) == source)
            if encoded != source {
                #expect(encoded.split(separator: 0x20).allSatisfy { $0.count <= 75 && $0.allSatisfy { $0 > 0x20 && $0 < 0x7F } })
            }
        }
    }

    @Test(arguments: [
        ("aGVsbG8=", "hello"), ("aGVs\r\nbG8=\r\n", "hello"), ("aGVsbG8", "hello"), ("a*G V!sbG8=", "hello"),
        ("aA==aA==", "hh"), ("====", ""), ("", ""), ("a", ""),
    ])
    func base64IsTolerant(_ source: String, _ expected: String) {
        #expect(text(TransferEncoding.base64.decode(bytes(source)[...])) == expected)
    }

    @Test func base64RoundTrips() {
        var generator = SeededGenerator()
        for length in 0..<200 {
            let source = generator.bytes(length, from: Array(0...255))
            #expect(base64Decoded(base64Encoded(source)[...], limit: .max) == source)
        }
    }

    @Test(arguments: [
        ("a=3Db", "a=b"), ("soft=\nbreak", "softbreak"), ("soft= \t\nbreak", "softbreak"), ("end=", "end"), ("bad=zz", "bad=zz"),
        ("a_b", "a_b"), ("=e9", "\u{fffd}"), ("=4", "=4"),
    ])
    func quotedPrintableIsTolerant(_ source: String, _ expected: String) {
        #expect(text(TransferEncoding.quotedPrintable.decode(wire(source)[...])) == expected)
    }

    @Test func decodingStopsAtTheLimit() {
        #expect(TransferEncoding.base64.decode(bytes("aGVsbG8=")[...], limit: 2) == bytes("he"))
        #expect(TransferEncoding.quotedPrintable.decode(bytes("abc")[...], limit: 2) == bytes("ab"))
        #expect(TransferEncoding(name: bytes("8BIT")).decode(bytes("abc")[...], limit: 1) == bytes("a"))
    }
}
