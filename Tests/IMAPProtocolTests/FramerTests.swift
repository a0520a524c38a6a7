// The framer: commands out of bytes, wherever they were cut.

import MailTestKit
import Testing

@testable import IMAPProtocol

@Suite struct FramerTests {
    private let limits = CommandFramer.Limits(line: 64, literals: 20)

    /// What a machine that keeps what it may, and streams what begins with `S`, gets to see.
    private func events(_ pieces: [ArraySlice<UInt8>]) -> [String] {
        var framer = CommandFramer(limits: limits)
        var seen: [String] = []
        var streamed: [UInt8]?
        for piece in pieces {
            framer.append(piece)
            while true {
                if streamed != nil {
                    guard let chunk = framer.nextChunk(limit: 3) else {
                        seen.append("content " + text(streamed ?? []))
                        streamed = nil
                        continue
                    }
                    if chunk.isEmpty { break }
                    streamed?.append(contentsOf: chunk)
                    continue
                }
                guard let event = framer.next() else { break }
                switch event {
                case .command(let bytes): seen.append("command " + text(bytes))
                case .bareLineFeed(let bytes): seen.append("bare " + text(bytes))
                case .tooLong: seen.append("too long")
                case .literal(let literal, let bytes):
                    seen.append("literal \(literal.size) \(literal.isSynchronizing)")
                    if bytes.first == UInt8(ascii: "S") {
                        framer.stream()
                        streamed = []
                    } else if !framer.keep() {
                        seen.append("skipped")
                        framer.skip()
                    }
                }
            }
        }
        return seen
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test(arguments: [
        ("a NOOP\r\n", ["command a NOOP"]),
        ("a NOOP\r\nb NOOP\r\nc", ["command a NOOP", "command b NOOP"]),
        ("a NOOP\n", ["bare a NOOP"]),
        ("\r\n", ["command "]),
        ("a {3}\r\nx\r\n {2+}\r\nyz!\r\n", ["literal 3 true", "literal 2 false", "command a {3}\r\nx\r\n {2+}\r\nyz!"]),
        ("a {21+}\r\n123456789012345678901 {3+}\r\nabc rest\r\nb\r\n", ["literal 21 false", "skipped", "command b"]),
        ("a {21}\r\nb\r\n", ["literal 21 true", "skipped", "command b"]),
        ("a {11}\r\n12345678901 {10}\r\nb\r\n", ["literal 11 true", "literal 10 true", "skipped", "command b"]),
        ("S {30}\r\n123456789012345678901234567890\r\nb\r\n", ["literal 30 true", "content 123456789012345678901234567890", "command ", "command b"]),
        ("S {0}\r\n\r\n", ["literal 0 true", "content ", "command "]),
        ("a {99999999999999999999}\r\n", ["command a {99999999999999999999}"]),
        ("a {}\r\n", ["command a {}"]), ("a {-1}\r\n", ["command a {-1}"]), ("a {+}\r\n", ["command a {+}"]),
        ("a {1\r\n", ["command a {1"]), ("a }\r\n", ["command a }"]), ("a {1+x}\r\n", ["command a {1+x}"]),
        (String(repeating: "x", count: 62) + "\r\n", ["command " + String(repeating: "x", count: 62)]),
        (String(repeating: "x", count: 70), ["too long"]),
        (String(repeating: "x", count: 70) + "\r\nb NOOP\r\n", ["too long"]),
        // The line limit holds for a command's lines together: many small literals are no way around it.
        (String(repeating: "{0+}\r\n", count: 20), Array(repeating: "literal 0 false", count: 10) + ["too long"]),
    ])
    func anyCutGivesTheSame(_ row: (input: String, events: [String])) {
        let bytes = Array(row.input.utf8)
        #expect(events([bytes[...]]) == row.events)
        let difference = Chop.difference(bytes) { events($0) }
        #expect(difference == nil, "\(difference ?? "")")
    }

    @Test func linesKnowNoLiterals() {
        var framer = CommandFramer(limits: limits)
        framer.append(Array("abc{3}\r\nDONE\r\nx\n".utf8))
        #expect(framer.nextLine() == .command(Array("abc{3}".utf8)))
        #expect(framer.nextLine() == .command(Array("DONE".utf8)))
        #expect(framer.nextLine() == .bareLineFeed(Array("x".utf8)))
        #expect(framer.nextLine() == nil)
        framer.append([UInt8](repeating: 0x41, count: 100))
        #expect(framer.nextLine() == .tooLong)
        #expect(framer.nextLine() == nil)
    }

    @Test func whatIsUnreadIsHandedOver() {
        var framer = CommandFramer(limits: limits)
        framer.append(Array("a LOGIN\r\nb SEL".utf8))
        #expect(framer.next() == .command(Array("a LOGIN".utf8)))
        #expect(framer.takeUnread() == Array("b SEL".utf8))
        #expect(framer.unread == 0)
        #expect(!framer.isInsideCommand)
    }
}
