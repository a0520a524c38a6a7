// BODY=BINARYMIME becomes lines: what was binary decodes to the same octets, and the pieces in which it came change nothing.

import MailTestKit
import Testing

@testable import MailFormat

@Suite struct BinaryEncoderTests {
    private func encoded(_ message: [UInt8], pieces: [Int] = []) -> [UInt8] {
        var encoder = BinaryEncoder()
        var out: [UInt8] = []
        var at = 0
        for piece in pieces where at < message.count {
            let end = min(message.count, at + piece)
            encoder.append(message[at..<end], to: &out)
            at = end
        }
        encoder.append(message[at...], to: &out)
        encoder.finish(to: &out)
        return out
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// Every CR and every LF stands in a CRLF.
    private func isLines(_ text: [UInt8]) -> Bool {
        guard text.suffix(2) == [13, 10] else { return false }
        return text.indices.allSatisfy { index in
            switch text[index] {
            case 10: index > 0 && text[index - 1] == 13
            case 13: index + 1 < text.count && text[index + 1] == 10
            default: true
            }
        }
    }

    @Test func aMessageWithoutBinaryPartsStaysAsItIs() {
        let message = bytes("Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nhello\r\n--b\r\n\r\npart\r\n--b--\r\nend\r\n")
        #expect(encoded(message) == message)
    }

    @Test func theEncodingOfABinaryPartIsReplaced() {
        let message = bytes("Content-Transfer-Encoding: binary\r\nSubject: x\r\n\r\n") + [0, 1, 2, 10, 13]
        #expect(encoded(message) == bytes("Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECCg0=\r\n"))
    }

    @Test func theLineEndBeforeABoundaryIsTheBoundarys() {
        let message = bytes("Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b\r\nContent-Transfer-Encoding: Binary\r\n\r\nabc\r\n--b--")
        #expect(encoded(message) == bytes("Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--b--\r\n"))
    }

    @Test func aMessageInsideIsLookedIntoAndEndsWithItsPart() {
        let inner = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\nx\ny\r\n"
        let message = bytes("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n" + inner + "--b\r\n\r\nz\n--b--\r\n")
        let text = encoded(message)
        #expect(isLines(text))
        #expect(text == bytes("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\neAp5\r\n--b\r\n\r\nz\r\n--b--\r\n"))
    }

    /// Octets that are mostly line ends, dashes and the boundary, so that every state meets every other at the edges of pieces.
    @Test(arguments: 0..<300 as Range<UInt64>)
    func piecesChangeNothingAndOctetsComeBack(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let parts = ["\r", "\n", "\r\n", "--", "--c", "-", "x", "\u{0}", "abc", String(repeating: "y", count: 1100), String(repeating: "\r", count: 700)]
        let octets = (0..<Int.random(in: 0...60, using: &random)).flatMap { _ in bytes(parts.randomElement(using: &random) ?? "") }
        let message = bytes("Content-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\nContent-Transfer-Encoding: binary\r\n\r\n") + octets + bytes("\r\n--bb--\r\n")
        let whole = encoded(message)
        #expect(isLines(whole), "seed \(seed)")
        let pieces = (0..<200).map { _ in Int.random(in: 1...9, using: &random) }
        #expect(encoded(message, pieces: pieces) == whole, "seed \(seed)")
        let head = bytes("Content-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\nContent-Transfer-Encoding: base64\r\n\r\n")
        #expect(whole.starts(with: head))
        let body = whole.dropFirst(head.count).dropLast(bytes("--bb--\r\n").count)
        #expect(base64Decoded(Array(body)[...], limit: .max) == octets, "seed \(seed)")
    }

    @Test func memoryIsBoundedHoweverLongALineIs() {
        var encoder = BinaryEncoder()
        var out: [UInt8] = []
        encoder.append(bytes("Content-Transfer-Encoding: binary\r\n\r\n"), to: &out)
        for filler in [UInt8(ascii: "x"), 13] {
            for _ in 0..<100 {
                out.removeAll(keepingCapacity: true)
                encoder.append(repeatElement(filler, count: 10_000), to: &out)
                #expect(out.count > 10_000)
            }
        }
    }
}
