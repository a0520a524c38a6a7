// What milters change, and that nothing else changes.

import MailModel
import MailTestKit
import MilterProtocol
import Testing

struct MessageEditsTests {
    private static let header = "Received: x\r\nX-A: one\r\nSubject: hi\r\n there\r\nx-a:two\r\nX-A : three\r\n\r\n"

    private func change(_ text: String) -> MilterModification {
        guard case .modification(let change)? = MilterReply(parsing: packet(text), leadingSpace: false) else { fatalError("no modification: \(text)") }
        return change
    }

    private func edits(_ header: String = header, _ rounds: [String]...) -> MessageEdits {
        var edits = MessageEdits(
            header: bytes(header), sender: .address(address("s@a.example")), recipients: [address("r@a.example"), address("q@a.example")])
        for round in rounds { edits.apply(round.map { change($0) }) }
        return edits
    }

    private func header(_ edits: MessageEdits) -> String { String(decoding: edits.header, as: UTF8.self) }

    @Test(arguments: [
        ("Received: x\r\n\r\n", ["hX|b|"], "Received: x\r\nX: b\r\n\r\n"),
        ("A: 1\r\nB: 2\r\n\r\n", ["i#0#X|b|"], "X: b\r\nA: 1\r\nB: 2\r\n\r\n"),
        ("A: 1\r\nB: 2\r\n\r\n", ["i#1#X|b|"], "A: 1\r\nX: b\r\nB: 2\r\n\r\n"),
        ("A: 1\r\nB: 2\r\n\r\n", ["i#2#X|b|"], "A: 1\r\nB: 2\r\nX: b\r\n\r\n"),
        ("A: 1\r\nB: 2\r\n\r\n", ["i#99#X|b|"], "A: 1\r\nB: 2\r\nX: b\r\n\r\n"),
        ("A: 1\r\n 1\r\nB: 2\r\n\r\n", ["i#1#X|b|"], "A: 1\r\n 1\r\nX: b\r\nB: 2\r\n\r\n"),
        ("A: 1\r\nB: 2\r\n\r\n", ["i#0#X|b|", "i#0#Y|c|"], "Y: c\r\nX: b\r\nA: 1\r\nB: 2\r\n\r\n"),
        ("A: 1\r\n\r\n", ["m#1#A|9|"], "A: 9\r\n\r\n"), ("a : 1\r\n\r\n", ["m#1#A|9|"], "A: 9\r\n\r\n"), ("A: 1\r\n\r\n", ["m#0#A|9|"], "A: 9\r\n\r\n"),
        ("A: 1\r\n\r\n", ["m#2#A|9|"], "A: 1\r\nA: 9\r\n\r\n"), ("A: 1\r\n\r\n", ["m#1#B|9|"], "A: 1\r\nB: 9\r\n\r\n"),
        ("A: 1\r\na: 2\r\nA: 3\r\n\r\n", ["m#2#A|9|"], "A: 1\r\nA: 9\r\nA: 3\r\n\r\n"),
        ("A: 1\r\n x\r\nB: 2\r\n\r\n", ["m#1#A|9|"], "A: 9\r\nB: 2\r\n\r\n"),
        ("A: 1\r\nB: 2\r\n\r\n", ["m#1#A||"], "B: 2\r\n\r\n"), ("A: 1\r\n x\r\nB: 2\r\n\r\n", ["m#1#a||"], "B: 2\r\n\r\n"),
        ("A: 1\r\n\r\n", ["m#2#A||"], "A: 1\r\n\r\n"), ("A: 1\r\n\r\n", ["m#1#B||"], "A: 1\r\n\r\n"),
        // Deleted fields still count for this milter: a list of deletions need not be sorted.
        ("A: 1\r\nA: 2\r\nA: 3\r\n\r\n", ["m#1#A||", "m#2#A||"], "A: 3\r\n\r\n"),
        ("A: 1\r\nA: 2\r\n\r\n", ["m#1#A||", "m#1#A|9|"], "A: 9\r\nA: 2\r\n\r\n"),
        ("A: 1\r\nB: 2\r\n\r\n", ["m#1#A||", "i#1#X|b|"], "X: b\r\nB: 2\r\n\r\n"),
        ("A: 1\n\n", ["hX|a\n\tb|"], "A: 1\nX: a\r\n\tb\r\n\n"), ("A: 1\r\n", ["hX|b|"], "A: 1\r\nX: b\r\n"), ("A: 1", ["hX|b|"], "A: 1\r\nX: b\r\n"),
        ("", ["hX|b|"], "X: b\r\n"), ("\r\n", ["hX|b|"], "X: b\r\n\r\n"),
        // Lines that are no fields are kept, and not counted.
        ("From x\r\nA: 1\r\n\r\n", ["i#0#X|b|"], "From x\r\nX: b\r\nA: 1\r\n\r\n"), ("garbage\r\n cont\r\n\r\n", ["hX|b|"], "garbage\r\n cont\r\nX: b\r\n\r\n"),
    ] as [(String, [String], String)])
    func headerTable(before: String, changes: [String], after: String) {
        let edits = edits(before, changes)
        #expect(header(edits) == after && edits.isHeaderChanged && edits.replacedBody == nil)
    }

    @Test func unchangedIsUnchanged() {
        for text in [Self.header, "", "\r\n", "A:1", "A: 1\n\tx\n\n", " x\r\n\r\n", "no colon\r\nB: \u{1}\r\n\r\n", ": x\r\n\r\n"] {
            let edits = edits(text)
            #expect(header(edits) == text && !edits.isHeaderChanged)
        }
    }

    @Test func theNextMilterCountsWhatItIsShown() {
        let edits = edits(Self.header, ["m#1#X-A||"], ["m#1#X-A|second|"])
        #expect(header(edits) == "Received: x\r\nSubject: hi\r\n there\r\nX-A: second\r\nX-A : three\r\n\r\n")
        #expect(edits.fields.map { String(decoding: $0.name, as: UTF8.self) } == ["Received", "Subject", "X-A", "X-A"])
    }

    @Test func fieldsAreShownFoldedWithLineFeeds() {
        let shown = edits().fields.map { String(decoding: $0.shown(leadingSpace: false), as: UTF8.self) }
        #expect(shown == ["x", "one", "hi\n there", "two", "three"])
        #expect(edits().fields.map { String(decoding: $0.shown(leadingSpace: true), as: UTF8.self) } == [" x", " one", " hi\n there", "two", " three"])
    }

    @Test(arguments: [
        (["ba\r\n", "bb\r\n"], "a\r\nb\r\n"), (["ba\n", "bb"], "a\r\nb\r\n"), (["ba\r", "b\nb"], "a\r\nb\r\n"), (["ba\rb\r"], "a\r\nb\r\n"),
        (["ba\r\r\n"], "a\r\n\r\n"), (["b"], ""), (["b\n\n"], "\r\n\r\n"), (["ba\r", "b"], "a\r\n"),
    ])
    func bodies(pieces: [String], expected: String) {
        #expect(edits(Self.header, pieces).replacedBody.map { String(decoding: $0, as: UTF8.self) } == expected)
        #expect(edits(Self.header, pieces + ["hX|b|"]).replacedBody == bytes(expected))
    }

    @Test func aLaterMiltersBodyReplacesAnEarlierOne() {
        #expect(edits(Self.header, ["bone\r\n"], ["btwo\r\n"]).replacedBody == bytes("two\r\n"))
        #expect(edits(Self.header, ["bone\r\n"], ["hX|b|"]).replacedBody == bytes("one\r\n"))
        #expect(header(edits("A: 1\r\n", ["bone\r\n"])) == "A: 1\r\n\r\n")
    }

    @Test(arguments: [
        ("A: 1\r\n\r\nbody\r\n", 8), ("A: 1\n\nbody", 6), ("\r\nbody", 2), ("\nbody", 1), ("A: 1\r\n", 6), ("", 0), ("A: 1\r\n \r\n\r\nb", 11),
        ("A: 1\r\n\r", 7), ("x\r\n\n\n", 4), ("A\r\r\n\r\nb", 6),
    ])
    func whereTheBodyBegins(content: String, start: Int) {
        #expect(MessageEdits.bodyStart(of: bytes(content)) == start)
        let whole = bytes(content)
        let edits = MessageEdits(header: Array(whole[..<start]), sender: .null, recipients: [])
        #expect(edits.content(receivedBody: whole[start...]) == whole)
    }

    @Test func theNewContent() {
        #expect(edits("A: 1\r\n\r\n", ["hX|b|"]).content(receivedBody: bytes("old\r\n")) == bytes("A: 1\r\nX: b\r\n\r\nold\r\n"))
        #expect(edits("A: 1\r\n\r\n", ["bnew"]).content(receivedBody: bytes("old\r\n")) == bytes("A: 1\r\n\r\nnew\r\n"))
    }

    @Test func theEnvelope() {
        let edits = edits(Self.header, ["+<n@a.example>|", "+<R@a.example>|", "-<q@A.example>|", "-<z@a.example>|", "e<new@a.example>|X=1|", "qbad|"])
        #expect(edits.recipients == [address("r@a.example"), address("n@a.example")])
        #expect(edits.sender == .address(address("new@a.example")) && edits.senderParameters == [bytes("X=1")] && edits.quarantine == bytes("bad"))
        #expect(!edits.isHeaderChanged)
        #expect(self.edits(Self.header, ["-<r@a.example>|", "-<q@a.example>|", "e<>|"]).recipients.isEmpty)
    }

    @Test func aHeaderOfEndlessFieldsIsKept() {
        let text = String(repeating: "A: 1\r\n b\r\n", count: 10_050) + "\r\n"
        let edits = edits(text, ["hX|b|"])
        #expect(edits.header.count == text.utf8.count + 6 && edits.fields.count == 10_001)
        #expect(edits.header.suffix(8) == bytes("1\r\n b\r\n\r\n").suffix(8))
        #expect(header(self.edits(text)) == text)
    }

    /// Against a model that knows nothing of octets: a list of names and values.
    @Test func randomChangesAgreeWithAModel() {
        var generator = SeededGenerator()
        for _ in 0..<2000 {
            var model: [(name: String, value: String, isDeleted: Bool)] = []
            var text = ""
            for number in 0..<Int.random(in: 0...6, using: &generator) {
                let name = ["A", "a", "B"].randomElement(using: &generator) ?? "A"
                model.append((name, "\(number)", false))
                text += "\(name): \(number)\r\n"
            }
            var changes: [String] = []
            for number in 10..<Int.random(in: 10...16, using: &generator) {
                let name = ["A", "b"].randomElement(using: &generator) ?? "A"
                let index = Int.random(in: 0...4, using: &generator)
                let places = model.indices.filter { model[$0].name.lowercased() == name.lowercased() }
                let place = places.dropFirst(max(0, index - 1)).first
                switch Int.random(in: 0...3, using: &generator) {
                case 0:
                    changes.append("h\(name)|\(number)|")
                    model.append((name, "\(number)", false))
                case 1:
                    changes.append("i#\(index)#\(name)|\(number)|")
                    model.insert((name, "\(number)", false), at: min(index, model.count))
                case 2:
                    changes.append("m#\(index)#\(name)|\(number)|")
                    if let place { model[place] = (name, "\(number)", false) } else { model.append((name, "\(number)", false)) }
                default:
                    changes.append("m#\(index)#\(name)||")
                    if let place { model[place].isDeleted = true }
                }
            }
            let expected = model.filter { !$0.isDeleted }.map { "\($0.name): \($0.value)\r\n" }.joined()
            #expect(header(edits(text + "\r\n", changes)) == expected + "\r\n", "\(text) \(changes)")
        }
    }
}
