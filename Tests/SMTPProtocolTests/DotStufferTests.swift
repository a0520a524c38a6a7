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

    @Test func choppingChangesNothing() {
        var generator = SeededGenerator()
        for _ in 0..<60 {
            let content = generator.bytes(100, from: bytes("aaaaaaaaaaaa.\r\n"))
            #expect(Chop.difference(content, seed: generator.seed, run: stuffed) == nil)
        }
    }
}
