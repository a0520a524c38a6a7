// Chunks of announced size: as many octets as were said, no more, whatever they are; and none of a refused one is kept.

import MailTestKit
import SMTPProtocol
import Testing

struct ChunkFramerTests {
    /// What a chunk made of some bytes.
    struct Outcome: Equatable {
        var content: [UInt8]
        var used: Int
        var remaining: Int
    }

    private func outcome(_ pieces: [ArraySlice<UInt8>], octets: Int, limit: Int = 100, isKept: Bool = true) -> Outcome {
        var framer = ChunkFramer(limit: limit)
        framer.begin(octets: octets, isLast: true, isKept: isKept)
        var outcome = Outcome(content: [], used: 0, remaining: 0)
        for piece in pieces { outcome.used += piece.withUnsafeBytes { framer.consume($0, into: &outcome.content) } }
        outcome.remaining = framer.remaining
        #expect(framer.size == outcome.content.count)
        return outcome
    }

    /// Whole, incomplete, refused.
    @Test(
        arguments: [
            ("abcd", 4, "abcd", 4, 0), ("abcdQUIT\r\n", 4, "abcd", 4, 0), ("\r\n.\r\n", 5, "\r\n.\r\n", 5, 0), ("a\n\r\0", 4, "a\n\r\0", 4, 0),
            ("", 0, "", 0, 0), ("NOOP", 0, "", 0, 0), ("", 4, "", 0, 4), ("ab", 4, "ab", 2, 2), ("ab", 100, "ab", 2, 98),
            ("abcd", 101, "", 4, 97), ("abcd", .max, "", 4, .max - 4), ("abcd", -1, "", 0, 0),
        ] as [(String, Int, String, Int, Int)])
    func table(input: String, octets: Int, content: String, used: Int, remaining: Int) {
        let wanted = Outcome(content: bytes(content), used: used, remaining: remaining)
        #expect(outcome([bytes(input)[...]], octets: octets) == wanted)
        #expect(Chop.difference(bytes(input)) { outcome($0, octets: octets) } == nil)
        let refused = outcome([bytes(input)[...]], octets: octets, isKept: false)
        #expect(refused == Outcome(content: [], used: used, remaining: remaining))
    }

    @Test func theLimitIsThatOfTheWholeMessage() {
        var framer = ChunkFramer(limit: 10)
        var content: [UInt8] = []
        framer.begin(octets: 6, isLast: false, isKept: true)
        _ = bytes("abcdef").withUnsafeBytes { framer.consume($0, into: &content) }
        #expect(!framer.exceedsLimit(4) && framer.exceedsLimit(5) && framer.exceedsLimit(.max))
        framer.begin(octets: 5, isLast: true, isKept: true)
        #expect(bytes("ghijk").withUnsafeBytes { framer.consume($0, into: &content) } == 5)
        #expect(content == bytes("abcdef") && framer.size == 6 && framer.remaining == 0 && framer.isLast)
    }

    @Test func theHeaderIsReadAcrossChunks() {
        var framer = ChunkFramer(limit: 1000)
        var content: [UInt8] = []
        for piece in ["Recei", "ved: x\r\nMessage-", "ID: <a", "@b>\r", "\n\r\nReceived: body\r\n"] {
            framer.begin(octets: piece.utf8.count, isLast: false, isKept: true)
            _ = bytes(piece).withUnsafeBytes { framer.consume($0, into: &content) }
        }
        #expect(framer.header.receivedCount == 1 && framer.header.messageID == bytes("<a@b>") && framer.header.isOver)
    }

    @Test func contentIsTakenFromTheFrontOfWhatALineFramerHolds() {
        var framer = LineFramer()
        framer.append(bytes("BDAT 3\r\nabcNOOP\r\nx"))
        #expect(framer.next(limit: 100) == .line(bytes("BDAT 3")))
        #expect(framer.take(2) == bytes("ab") && framer.take(1) == bytes("c") && framer.take(0) == [] && framer.take(-1) == [])
        #expect(framer.next(limit: 100) == .line(bytes("NOOP")) && framer.next(limit: 100) == nil)
        #expect(framer.take(.max) == bytes("x") && framer.count == 0)
        framer.append(bytes("QUIT\r\n"))
        #expect(framer.next(limit: 100) == .line(bytes("QUIT")))
    }
}
