// Lines end with CRLF alone, and a peer that never ends one costs nothing.

import MailTestKit
import SMTPProtocol
import Testing

struct LineFramerTests {
    private func results(_ pieces: [ArraySlice<UInt8>], limit: Int = 16, dropLimit: Int = 40) -> [LineFramer.Result] {
        var framer = LineFramer(dropLimit: dropLimit)
        var results: [LineFramer.Result] = []
        for piece in pieces {
            framer.append(piece)
            while results.last != .hopeless, let result = framer.next(limit: limit) { results.append(result) }
        }
        return results
    }

    @Test(
        arguments: [
            ("", []), ("NOOP", []), ("NOOP\r", []), ("NOOP\r\n", [.line(bytes("NOOP"))]), ("\r\n", [.line([])]),
            ("a\r\nb\r\nc", [.line(bytes("a")), .line(bytes("b"))]), ("a\nb\r\nc\r\n", [.bareLF, .line(bytes("c"))]),
            ("a\rb\r\nc\r\n", [.bareCR, .line(bytes("c"))]), ("a\r\r\nc\r\n", [.bareCR, .line(bytes("c"))]),
            ("a\n\n\n\r\nc\r\n", [.bareLF, .line(bytes("c"))]), ("a\n", [.bareLF]),
            ("12345678901234\r\n", [.line(bytes("12345678901234"))]),
            ("123456789012345\r\nc\r\n", [.tooLong, .line(bytes("c"))]),
            ("12345678901234567", [.tooLong]), ("12345678901234567\nx\r\nc\r\n", [.tooLong, .line(bytes("c"))]),
            ("1234567890123456789012345678901234567890\r\n", [.tooLong, .hopeless]),
        ] as [(String, [LineFramer.Result])])
    func table(text: String, expected: [LineFramer.Result]) {
        #expect(results([bytes(text)[...]]) == expected)
        #expect(Chop.difference(bytes(text)) { results($0) } == nil)
    }

    @Test func choppingChangesNothing() {
        var generator = SeededGenerator()
        for _ in 0..<300 {
            let input = generator.bytes(80, from: bytes("ab\r\n\r\n"))
            #expect(Chop.difference(input, seed: generator.seed) { results($0) } == nil)
        }
    }

    @Test func anEndlessLineIsNotHeld() {
        var framer = LineFramer()
        let piece = Array(repeating: UInt8(ascii: "a"), count: 1000)
        var results: [LineFramer.Result] = []
        for _ in 0..<60 {
            framer.append(piece)
            while let result = framer.next(limit: 2048) { results.append(result) }
            #expect(framer.count <= 3048)
        }
        #expect(results == [.tooLong])
    }

    @Test func whatIsTakenIsWhatWasNotALine() {
        var framer = LineFramer()
        framer.append(bytes("DATA\r\nSubject: x\r\n"))
        #expect(framer.next(limit: 512) == .line(bytes("DATA")))
        #expect(framer.takeAll() == bytes("Subject: x\r\n"))
        #expect(framer.count == 0 && framer.next(limit: 512) == nil)
    }
}
