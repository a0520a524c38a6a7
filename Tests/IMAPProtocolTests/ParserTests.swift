// Table tests of the grammar: what is a command, what is not, and what it means.

import MailTestKit
import Testing

@testable import IMAPProtocol

@Suite struct ParserTests {
    private func command(_ text: String) -> Result<Command, CommandFailure> { Command.parse(Array(text.utf8)).result }
    private func name(_ text: String) throws -> MailboxName { try #require(MailboxName(utf8: Array(text.utf8))) }

    @Test(arguments: [
        ("a NOOP", Command.noop), ("a.1 noop", .noop), ("a UNSELECT", .unselect), ("a EXPUNGE", .expunge(nil)),
        ("a UID EXPUNGE 1:3", .expunge(SequenceSet([.init(1, 3)]))),
        ("a FETCH 1,3:* FLAGS", .fetch(SequenceSet([.init(1, 1), .init(3, nil)]), [.flags], .sequence)),
        ("a UID FETCH * (UID FLAGS UID)", .fetch(SequenceSet([.init(nil, nil)]), [.uid, .flags], .uid)),
        ("a FETCH 1 FAST", .fetch(SequenceSet([.init(1, 1)]), [.flags, .internalDate, .size], .sequence)),
        (
            "a FETCH 1 BODY.PEEK[1.2.MIME]<0.10>",
            .fetch(
                SequenceSet([.init(1, 1)]),
                [.section(.init(SectionSpecifier(part: [1, 2], .mime), isPeek: true, partial: PartialRange(origin: 0, length: 10)))],
                .sequence)
        ),
        (
            "a FETCH 1 BODY[HEADER.FIELDS (From \"To\")]",
            .fetch(
                SequenceSet([.init(1, 1)]),
                [.section(.init(SectionSpecifier(.headerFields([Array("From".utf8), Array("To".utf8)])), isPeek: false))],
                .sequence)
        ),
        (
            "a STORE 1 -FLAGS.SILENT (\\Seen $Work)",
            .store(
                SequenceSet([.init(1, 1)]),
                StoreOperation(.remove, Flags(.seen, keywords: [Keyword(Array("$work".utf8))!]), isSilent: true), .sequence)
        ),
        ("a SEARCH ALL", .search(SearchProgram(steps: [.leaf(.all)]), .sequence)),
        ("a SEARCH UNSEEN", .search(SearchProgram(steps: [.leaf(.flags(.seen)), .not]), .sequence)),
        (
            "a SEARCH OR SEEN NOT DELETED 5",
            .search(
                SearchProgram(steps: [
                    .leaf(.flags(.seen)), .leaf(.flags(.deleted)), .not, .or,
                    .leaf(.sequence(SequenceSet([.init(5, 5)]))), .and(count: 2),
                ]), .sequence)
        ),
        ("a SEARCH (ALL)", .search(SearchProgram(steps: [.leaf(.all)]), .sequence)),
    ])
    func isUnderstood(_ row: (text: String, command: Command)) {
        #expect(command(row.text) == .success(row.command))
    }

    @Test(arguments: [
        ("a FETCH 1", CommandFailure.syntax(.argument)), ("a FETCH 0 FLAGS", .syntax(.number)),
        ("a FETCH 4294967296 FLAGS", .syntax(.number)), ("a FETCH 99999999999999999999 FLAGS", .syntax(.number)),
        ("a FETCH 1: FLAGS", .syntax(.sequenceSet)), ("a FETCH ,1 FLAGS", .syntax(.sequenceSet)),
        ("a FETCH 1 ()", .syntax(.fetchItem)), ("a FETCH 1 (FLAGS", .syntax(.fetchItem)),
        ("a FETCH 1 BODY[MIME]", .syntax(.section)), ("a FETCH 1 BODY[0]", .syntax(.number)),
        ("a FETCH 1 BODY[1.]", .syntax(.section)), ("a FETCH 1 BODY[]<1.0>", .syntax(.number)),
        ("a FETCH 1 BODY.PEEK", .syntax(.section)), ("a FETCH 1 BODY[HEADER.FIELDS ()]", .syntax(.argument)),
        ("a NOOP ", .syntax(.trailing)), ("a NOOP x", .syntax(.trailing)), ("a", .syntax(.tag)), ("", .syntax(.tag)),
        ("+ NOOP", .syntax(.tag)), ("a  NOOP", .syntax(.argument)), ("a LOGIN x y", .unknownCommand),
        ("a SELECT \"a", .syntax(.string)), ("a SELECT \"\\a\"", .syntax(.string)), ("a SELECT {3}x", .syntax(.string)),
        ("a SELECT {9}\r\nINBOX", .incomplete), ("a SELECT a b", .syntax(.trailing)),
        ("a SELECT &", .mailboxName), ("a SELECT a%", .syntax(.trailing)),
        ("a SEARCH", .syntax(.argument)), ("a SEARCH NOT", .syntax(.argument)), ("a SEARCH (ALL", .syntax(.searchKey)),
        ("a SEARCH OR ALL", .syntax(.argument)), ("a SEARCH ALL)", .syntax(.trailing)),
        ("a SEARCH CHARSET X ALL", .charset), ("a STORE 1 FLAGS", .syntax(.argument)), ("a EXPUNGE 1", .syntax(.trailing)), ("a MOVE 1", .syntax(.argument)),
        ("a UID NOOP", .unknownCommand),
        ("a STATUS INBOX ()", .syntax(.argument)), ("a LIST", .syntax(.argument)), ("a ID", .syntax(.argument)),
    ])
    func isRefused(_ row: (text: String, failure: CommandFailure)) {
        #expect(command(row.text) == .failure(row.failure))
    }

    @Test func deepNestingCostsNothing() {
        for text in [
            "a SEARCH " + String(repeating: "(", count: 60_000), "a SEARCH " + String(repeating: "NOT ", count: 15_000),
            "a SEARCH " + String(repeating: "OR ", count: 20_000),
        ] {
            #expect(command(text) == .failure(.syntax(.nesting)))
        }
    }

    @Test func longSearchesAndListsAreBounded() {
        #expect(command("a SEARCH " + String(repeating: "SEEN ", count: 2000) + "SEEN") == .failure(.tooComplex))
        let sections = (1...100).map { "BODY[\($0)]" }.joined(separator: " ")
        #expect(command("a FETCH 1 (\(sections))") == .failure(.tooComplex))
    }

    @Test func nulIsNowhereAllowed() {
        for text in ["a LOGIN \"x\" y", "a SELECT INBOX", "a FETCH 1 BODY[HEADER.FIELDS (a)]", "a SEARCH TEXT \"abc\""] {
            for place in 0...text.utf8.count {
                var bytes = Array(text.utf8)
                bytes.insert(0, at: place)
                guard case .failure = Command.parse(bytes).result else {
                    Issue.record("NUL at \(place) of \(text)")
                    continue
                }
                guard case .failure = LoginCommand.parse(bytes).result else {
                    Issue.record("NUL at \(place) of \(text) before login")
                    continue
                }
            }
        }
    }

    @Test(arguments: [
        "a APPEND INBOX {5}\r\n", "a APPEND INBOX (\\Seen) {5+}\r\n", "a append \"INBOX\" \" 7-Feb-1994 21:52:25 -0800\" {5}\r\n",
        "a APPEND {5}\r\nINBOX (\\Seen) \"17-Feb-1994 21:52:25 -0800\" {0}\r\n",
    ])
    func appendIsRecognisedByItsPrefix(_ text: String) throws {
        guard case .message(let tag, let append) = AppendCommand.prefix(Array(text.utf8)) else {
            Issue.record("not recognised")
            return
        }
        #expect(tag == Tag(Array("a".utf8)))
        #expect(append.mailbox == .inbox)
    }

    @Test(arguments: ["a APPEND {5}\r\n", "a SEARCH TEXT {5}\r\n", "+ APPEND INBOX {5}\r\n", ""])
    func otherLiteralsAreLeftToTheFramer(_ text: String) {
        guard case .other = AppendCommand.prefix(Array(text.utf8)) else {
            Issue.record("taken for APPEND's message")
            return
        }
    }

    @Test(arguments: [
        "a APPEND {5}\r\n", "a SEARCH OR (NOT SEEN) FROM \"x\" UID 1:*,5", "a LIST (SUBSCRIBED) \"\" (a* b%) RETURN (STATUS (MESSAGES))",
        "a FETCH 1:* (FLAGS BODY.PEEK[1.2.HEADER.FIELDS.NOT (a b)]<1.2> ENVELOPE)",
    ])
    func manglingNeverCrashes(_ text: String) {
        var random = SeededGenerator()
        for _ in 0..<2000 {
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let other = bytes[Int.random(in: 0..<bytes.count, using: &random)]
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = other
                case 1: bytes.insert(other, at: place)
                default: if bytes.count > 1 { bytes.remove(at: place) }
                }
            }
            let parsed = Command.parse(bytes)
            // Without a tag there is nobody to answer, so nothing may have been understood.
            if parsed.tag == nil { #expect(throws: CommandFailure.self) { try parsed.result.get() } }
        }
    }
}
