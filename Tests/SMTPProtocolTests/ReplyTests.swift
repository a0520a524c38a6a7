// Replies: printed as one, read as one, and never more lines than they have.

import MailModel
import MailTestKit
import SMTPProtocol
import Testing

struct ReplyTests {
    @Test(arguments: [
        (Reply(250, .init(.success, 2, 1), "fine"), "250 2.2.1 fine\r\n"),
        (Reply(220, nil, "mx.example.org ESMTP"), "220 mx.example.org ESMTP\r\n"),
        (Reply(250, nil, lines: [bytes("one"), bytes("two")]), "250-one\r\n250 two\r\n"),
        (Reply(550, .init(.permanent, 1, 1), lines: [bytes("a"), bytes("b")]), "550-5.1.1 a\r\n550 5.1.1 b\r\n"),
        (Reply(250, nil, lines: []), "250 \r\n"),
    ])
    func prints(reply: Reply, wire: String) { #expect(reply.wire == bytes(wire)) }

    @Test func foreignTextAddsNoLine() {
        let reply = Reply(550, nil, "no\r\n250 yes\n\0")
        #expect(reply.wire == bytes("550 no??250 yes??\r\n"))
        #expect(Reply(550, nil, String(repeating: "x", count: 5000)).wire.count == 406)
    }

    @Test func printedRepliesAreReadBack() {
        var generator = SeededGenerator()
        for _ in 0..<500 {
            let lines = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                generator.bytes(Int.random(in: 0...20, using: &generator), from: bytes("ab 2.-\u{E9}"))
            }
            let reply = Reply(Int.random(in: 200...599, using: &generator), nil, lines: lines)
            var parser = ReplyParser()
            parser.append(reply.wire)
            guard case .reply(let read)? = parser.next() else {
                Issue.record("not read: \(reply)")
                continue
            }
            #expect(read.code == reply.code && read.lines == reply.lines && read.bytes == reply.wire)
            #expect(parser.isEmpty)
        }
    }
}

struct ReplyParserTests {
    private func results(_ pieces: [ArraySlice<UInt8>]) -> [ReplyParser.Result] {
        var parser = ReplyParser()
        var results: [ReplyParser.Result] = []
        for piece in pieces {
            parser.append(piece)
            while results.last != .invalid, let result = parser.next() { results.append(result) }
        }
        return results
    }

    @Test(arguments: [
        ("250 ok\r\n", 250, "nil", ["ok"]), ("250\r\n", 250, "nil", [""]), ("250 \r\n", 250, "nil", [""]),
        ("250 ok\n", 250, "nil", ["ok"]), ("550-5.1.1 a\r\n550 5.1.1 b\r\n", 550, "5.1.1", ["5.1.1 a", "5.1.1 b"]),
        ("550 4.7.1 liar\r\n", 550, "nil", ["4.7.1 liar"]), ("250-\r\n250 x\r\n", 250, "nil", ["", "x"]),
    ])
    func values(text: String, code: Int, status: String, lines: [String]) {
        guard case .reply(let reply)? = results([bytes(text)[...]]).first else {
            Issue.record("no reply in \(text)")
            return
        }
        #expect(reply.code == code && reply.lines == lines.map { bytes($0) } && reply.bytes == bytes(text))
        #expect((reply.status?.description ?? "nil") == status)
    }

    @Test(arguments: ["", "2", "250 ok", "250 ok\r", "250-more\r\n", "250-more\r\n250 last"])
    func incomplete(text: String) { #expect(results([bytes(text)[...]]).isEmpty) }

    @Test(arguments: [
        "\r\n", "ok\r\n", "25\r\n", "2500 x\r\n", "099 x\r\n", "199 x\r\n", "600 x\r\n", "250_x\r\n",
        "250-a\r\n251 b\r\n", "250-a\r\nb\r\n",
        " 250 x\r\n", "+50 x\r\n",
    ])
    func invalid(text: String) { #expect(results([bytes(text)[...]]) == [.invalid]) }

    @Test func boundsHold() {
        #expect(results([Array(repeating: 0x32, count: 2049)[...]]) == [.invalid])
        #expect(results([bytes("250 " + String(repeating: "x", count: 2043) + "\r\n")[...]]) == [.invalid])
        #expect(results([bytes(String(repeating: "250-x\r\n", count: 101))[...]]) == [.invalid])
        #expect(results([bytes(String(repeating: "250-x\r\n", count: 99) + "250 x\r\n")[...]]).count == 1)
    }

    @Test(arguments: ["250-a\r\n250 b\r\n354 go\r\n421 x\r\n", "250-a\n251 b\r\n250 x\r\n", "550 5.1.1 no\r\n\r\n"])
    func choppingChangesNothing(text: String) { #expect(Chop.difference(bytes(text), run: results) == nil) }
}
