// Where header fields begin and end, in good headers and broken ones.

import MailTestKit
import Testing

@testable import MailFormat

@Suite struct HeaderSectionTests {
    private func fields(_ message: [UInt8]) -> [String] {
        HeaderSection(of: message).fields.map { text(message[$0.name]) + "=" + text(unfolded(message[$0.value])) }
    }

    @Test(arguments: [
        ("A: b\nC: d\n\nbody", ["A=b", "C=d"], "body"),
        ("A: b\n c\n\td\nE:f\n\n", ["A=b c\td", "E=f"], ""),
        ("A: b", ["A=b"], ""),
        ("A: b\n", ["A=b"], ""),
        ("\nbody", [], "body"),
        ("", [], ""),
        ("From me Thu\nA: b\n\n", ["A=b"], ""),
        ("no colon\n folded\nA : b\n\nx", ["A=b"], "x"),
        (": empty name\nA: b\n\n", ["A=b"], ""),
        (" leading fold\nA:\n\n", ["A="], ""),
        ("A: b\n \n c\n\nx", ["A=b  c"], "x"),
    ])
    func headerIsScanned(_ sample: String, _ expected: [String], _ body: String) {
        for message in [wire(sample), bytes(sample)] {
            #expect(fields(message) == expected)
            #expect(text(message[HeaderSection(of: message).bodyStart...]) == body)
        }
    }

    @Test func wholeFieldsAreTheHeaderWithoutItsBlankLine() {
        let message = wire("A: b\n c\nD: e\n\nbody")
        let section = HeaderSection(of: message)
        #expect(section.fields.map { text(message[$0.whole]) } == ["A: b\r\n c\r\n", "D: e\r\n"])
        #expect(section.range == 0..<18)
    }

    @Test func namesAreFoundInAnyCase() {
        let message = wire("Subject: 1\nSUBJECT: 2\n\n")
        let section = HeaderSection(of: message)
        #expect(section.value("subject", in: message) == bytes("1"))
        #expect(section.all(bytes("suBject"), in: message).count == 2)
        #expect(section.first("to", in: message) == nil)
    }

    @Test func fieldsBeyondTheLimitAreLeftOutButTheBodyIsFound() {
        let message = [UInt8](repeatElement(wire("To: a\n"), count: 12_000).joined()) + wire("\nbody")
        let section = HeaderSection(of: message)
        #expect(section.fields.count == HeaderSection.maximumFields)
        #expect(section.isTruncated)
        #expect(text(message[section.bodyStart...]) == "body")
    }

    @Test func sectionMayLieInsideAndOutside() {
        let message = wire("xxA: b\n\nbody")
        #expect(HeaderSection(of: message, in: 2..<8).fields.count == 1)
        #expect(HeaderSection(of: message, in: 2..<900).range == 2..<10)
        #expect(HeaderSection(of: message, in: 800..<900).fields.isEmpty)
    }

    /// Fields lie in order, within the header, and never overlap, whatever the bytes are.
    @Test func rangesAreInOrder() {
        var generator = SeededGenerator()
        for _ in 0..<2000 {
            let message = generator.bytes(Int.random(in: 0...60, using: &generator), from: bytes("aB: \t\r\n\n\0é"))
            let section = HeaderSection(of: message)
            var last = 0
            for field in section.fields {
                #expect(field.whole.lowerBound >= last && field.name.lowerBound == field.whole.lowerBound)
                #expect(field.name.upperBound < field.value.lowerBound && field.value.upperBound <= field.whole.upperBound)
                last = field.whole.upperBound
            }
            #expect(last <= section.bodyStart && section.bodyStart <= message.count)
        }
    }
}
