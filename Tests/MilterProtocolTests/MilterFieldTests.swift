// A field from a milter is one field: no value ends the header, begins another field or holds a lone CR or LF.

import MailTestKit
import MilterProtocol
import Testing

struct MilterFieldTests {
    private func line(_ name: String, _ value: String, leadingSpace: Bool = false) -> String? {
        MilterField(name: bytes(name), given: bytes(value), leadingSpace: leadingSpace).map { String(decoding: $0.line, as: UTF8.self) }
    }

    @Test(arguments: [
        ("b", "X: b\r\n"), ("", "X: \r\n"), ("a\n\tb", "X: a\r\n\tb\r\n"), ("a\r\n b", "X: a\r\n b\r\n"),
        ("a\nEvil: b", "X: a\r\n\tEvil: b\r\n"), ("a\r\n\r\nbody", "X: a\r\n\tbody\r\n"), ("a\n\n\n b\n", "X: a\r\n b\r\n"),
        ("a\n \t \n b", "X: a\r\n b\r\n"), ("a\rb", "X: a?b\r\n"), ("a\r\r\n b", "X: a?\r\n b\r\n"), ("a\n\r\n", "X: a\r\n"),
        ("\n b", "X: \r\n b\r\n"), ("a\u{0}b", "X: a?b\r\n"), ("é", "X: é\r\n"), ("a\r", "X: a\r\n"), ("a\n\rb", "X: a\r\n\t?b\r\n"),
    ])
    func table(value: String, expected: String) { #expect(line("X", value) == expected) }

    @Test func theLeadingSpace() {
        #expect(line("X", " b") == "X:  b\r\n" && line("X", " b", leadingSpace: true) == "X: b\r\n" && line("X", "b", leadingSpace: true) == "X:b\r\n")
    }

    @Test(arguments: ["", " ", "X Y", "X:", "X\n", "X\u{0}", "é", "X\t"])
    func names(name: String) { #expect(line(name, "b") == nil) }

    @Test func longLinesAreRefused() {
        let long = String(repeating: "x", count: 2044)
        #expect(line("X", long) != nil && line("X", long + "x") == nil && line("XY", long) == nil)
        #expect(line("X", "a\n" + long + "xx") != nil && line("X", "a\n" + long + "xxx") == nil)
        #expect(line("X", "a\n " + long + "xx") != nil && line("X", "a\n " + long + "xxx") == nil)
    }

    /// Whatever the value: read back by the rules of RFC 5322 it is one field, of that name.
    @Test func anyValueIsOneField() {
        var generator = SeededGenerator()
        for _ in 0..<5000 {
            let value = generator.bytes(Int.random(in: 0...20, using: &generator), from: bytes("ab: \t\r\r\n\n\n") + [0])
            guard let field = MilterField(name: bytes("X-Y"), given: value, leadingSpace: Bool.random(using: &generator)) else {
                Issue.record("refused: \(value)")
                continue
            }
            let text = field.line
            var lines = text.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
            #expect(lines.popLast() == [] && lines.allSatisfy { $0.last == 13 && $0.filter { $0 == 13 }.count == 1 }, "\(value) gave \(text)")
            #expect(lines.dropFirst().allSatisfy { $0.first == 0x20 || $0.first == 9 } && lines[0].starts(with: bytes("X-Y:")))
            #expect(lines.dropFirst().allSatisfy { $0.contains { $0 != 0x20 && $0 != 9 && $0 != 13 } } && !text.contains(0))
        }
    }

    @Test func shownWithLineFeeds() {
        let field = MilterField(name: bytes("X"), given: bytes("a\n\tb"), leadingSpace: false)
        #expect(field?.shown(leadingSpace: true) == bytes(" a\n\tb") && field?.shown(leadingSpace: false) == bytes("a\n\tb"))
    }
}
