// Messages as multi-line responses: compared with a slow and obvious encoder, in all choppings.

import MailTestKit
import Testing

@testable import POP3Protocol

@Suite struct MultilineTests {
    /// RFC 1939 §3, word by word.
    static func reference(_ message: [UInt8]) -> [UInt8] {
        var lines = message.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        if lines.last == [] { lines.removeLast() }
        let endsWithFeed = message.last == 0x0A
        var out: [UInt8] = []
        for (index, line) in lines.enumerated() {
            if line.first == UInt8(ascii: ".") { out.append(UInt8(ascii: ".")) }
            let hasEnd = index < lines.count - 1 || endsWithFeed
            out += hasEnd && line.last == 0x0D ? line.dropLast() : line[...]
            out += [0x0D, 0x0A]
        }
        return out + Array(".\r\n".utf8)
    }

    static func encode(_ pieces: [ArraySlice<UInt8>]) -> [UInt8] {
        var encoder = MultilineEncoder()
        var out: [UInt8] = []
        for piece in pieces { encoder.append(piece, to: &out) }
        encoder.finish(to: &out)
        return out
    }

    @Test(arguments: [
        ("", ".\r\n"), ("a", "a\r\n.\r\n"), ("a\n", "a\r\n.\r\n"), ("a\r\n", "a\r\n.\r\n"), (".", "..\r\n.\r\n"),
        (".\r\n", "..\r\n.\r\n"), ("\n.\n", "\r\n..\r\n.\r\n"), ("a\r.\n", "a\r.\r\n.\r\n"), ("a.\r\n", "a.\r\n.\r\n"),
    ])
    func messageIsStuffed(_ message: String, _ expected: String) {
        #expect(Self.encode([Array(message.utf8)[...]]) == Array(expected.utf8))
    }

    @Test func anyMessageIsEncodedAsTheReferenceDoes() {
        var generator = SeededGenerator()
        for round in 0..<200 {
            let message = generator.bytes(Int.random(in: 0...120, using: &generator), from: Array("a.\r\n\nbcdefgh".utf8))
            #expect(Self.encode([message[...]]) == Self.reference(message))
            if round < 20 { #expect(Chop.difference(message, seed: 7, run: Self.encode) == nil) }
        }
    }

    @Test func sizeCountsNoAddedDots() {
        var encoder = MultilineEncoder()
        var out: [UInt8] = []
        encoder.append(Array(".a\n..\nb".utf8), to: &out)
        encoder.finish(to: &out)
        #expect(encoder.size == Array(".a\r\n..\r\nb\r\n".utf8).count)
    }

    static func cut(_ pieces: [ArraySlice<UInt8>], lines: Int) -> [UInt8] {
        var cut = TopCut(lines: lines)
        var out: [UInt8] = []
        for piece in pieces where !cut.isReached { out += piece.prefix(cut.wanted(of: Array(piece))) }
        return out
    }

    @Test(arguments: [
        ("A: b\r\n\r\n1\r\n2\r\n", 0, "A: b\r\n\r\n"),
        ("A: b\r\n\r\n1\r\n2\r\n", 1, "A: b\r\n\r\n1\r\n"),
        ("A: b\r\n\r\n1\r\n2\r\n", 5, "A: b\r\n\r\n1\r\n2\r\n"),
        ("A: b\n\n1\n2", 1, "A: b\n\n1\n"),
        ("A: b\n\n1\n2", 2, "A: b\n\n1\n2"),
        ("\r\n1\r\n", 0, "\r\n"),
        ("no blank line\r\n", 0, "no blank line\r\n"),
        ("A: b\r\n\r\r\n1\r\n\r\n2\r\n", 0, "A: b\r\n\r\r\n1\r\n\r\n"),
    ])
    func topEndsThere(_ message: String, _ lines: Int, _ expected: String) {
        let bytes = Array(message.utf8)
        #expect(Self.cut([bytes[...]], lines: lines) == Array(expected.utf8))
        #expect(Chop.difference(bytes) { Self.cut($0, lines: lines) } == nil)
    }

    @Test func lineFeedIsFoundAtAnyPlace() {
        for length in 0..<40 {
            for place in 0...length {
                var bytes = [UInt8](repeating: 0x8A, count: length)
                if place < length { bytes[place] = 0x0A }
                for from in 0...place {
                    #expect(bytes.withUnsafeBytes { lineFeed(in: $0, from: from) } == place)
                }
            }
        }
    }
}
