// What goes out is dot-stuffed, ends with CRLF.CRLF once, and has no line end but CRLF.

import MailTestKit
import SMTPProtocol
import Testing

struct DotStufferTests {
    private func stuffed(_ pieces: [ArraySlice<UInt8>]) -> [UInt8] {
        var stuffer = DotStuffer()
        var out: [UInt8] = []
        for piece in pieces { stuffer.stuff(piece, into: &out) }
        return out + stuffer.finish()
    }

    @Test(arguments: [
        ("", ".\r\n"), ("a\r\n", "a\r\n.\r\n"), ("a", "a\r\n.\r\n"), (".\r\n", "..\r\n.\r\n"), (".", "..\r\n.\r\n"),
        ("..a\r\n", "...a\r\n.\r\n"),
        ("a.b\r\n.c\r\n", "a.b\r\n..c\r\n.\r\n"), ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"),
        ("a\r", "a\r\n.\r\n"), ("\n", "\r\n.\r\n"), ("\r\r\n", "\r\n\r\n.\r\n"), ("\r\n\0.\r\n", "\r\n\0.\r\n.\r\n"),
    ])
    func table(content: String, wire: String) {
        #expect(stuffed([bytes(content)[...]]) == bytes(wire))
        #expect(Chop.difference(bytes(content), run: stuffed) == nil)
    }

    @Test func theServerReadsBackWhatTheClientStuffed() {
        var generator = SeededGenerator()
        for _ in 0..<3000 {
            let content =
                generator.bytes(Int.random(in: 0...80, using: &generator), from: bytes("aaaaa.\n"))
                .flatMap { byte -> [UInt8] in byte == 10 ? [13, 10] : [byte] } + [13, 10]
            let result = framed([stuffed([content[...]])[...]])
            #expect(result.content == content && result.rest == [])
        }
    }

    /// Whatever is in the spool: a strict receiver finds one message, without fault, and nothing behind it.
    @Test func nothingBareEverLeaves() {
        var generator = SeededGenerator()
        for _ in 0..<3000 {
            let content = generator.bytes(Int.random(in: 0...60, using: &generator), from: bytes("aaa.\r\n"))
            let result = framed([stuffed([content[...]])[...]])
            #expect(result.fault == nil && result.rest == [], "\(content)")
        }
    }

    /// Long content, most of it plain, so that the edges of pieces meet every state of the fast path and the slow one.
    @Test func whatLeavesIsTheSameWhereverItIsCutAndIsWhatTheRFCSays() {
        var generator = SeededGenerator()
        for _ in 0..<300 {
            var content: [UInt8] = []
            for _ in 0..<Int.random(in: 0...30, using: &generator) {
                content += [UInt8](repeating: UInt8(ascii: "a"), count: Int.random(in: 0...70, using: &generator))
                content += generator.bytes(Int.random(in: 0...4, using: &generator), from: bytes("\r\n\r\n.."))
            }
            var pieces: [ArraySlice<UInt8>] = []
            var at = 0
            while at < content.count {
                let end = min(content.count, at + Int.random(in: 1...90, using: &generator))
                pieces.append(content[at..<end])
                at = end
            }
            let out = stuffed(pieces)
            #expect(out == plainly(content), "\(content)")
            #expect(out.indices.allSatisfy { out[$0] != 10 || $0 > 0 && out[$0 - 1] == 13 } && zip(out, out.dropFirst()).allSatisfy { $0 != 13 || $1 == 10 })
        }
    }

    /// The same, line by line and in no hurry.
    private func plainly(_ content: [UInt8]) -> [UInt8] {
        var lines: [[UInt8]] = [[]]
        var at = 0
        while at < content.count {
            if content[at] == 13 || content[at] == 10 {
                if content[at] == 13, at + 1 < content.count, content[at + 1] == 10 { at += 1 }
                lines.append([])
            } else {
                lines[lines.count - 1].append(content[at])
            }
            at += 1
        }
        if lines.last == [] { lines.removeLast() }
        return lines.flatMap { ($0.first == UInt8(ascii: ".") ? [UInt8(ascii: ".")] : []) + $0 + [13, 10] } + bytes(".\r\n")
    }

    @Test func choppingChangesNothing() {
        var generator = SeededGenerator()
        for _ in 0..<60 {
            let content = generator.bytes(100, from: bytes("aaaaaaaaaaaa.\r\n"))
            #expect(Chop.difference(content, seed: generator.seed, run: stuffed) == nil)
        }
    }
}
