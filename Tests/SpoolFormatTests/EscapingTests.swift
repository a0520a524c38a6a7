// Values survive the line whatever they are, and no value can break the line.

import MailTestKit
import SpoolFormat
import Testing

@Suite struct EscapingTests {
    static func escaped(_ value: [UInt8]) -> [UInt8] {
        var line: [UInt8] = []
        Escaping.append(value, to: &line)
        return line
    }

    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("a b", "a%20b"), ("100%", "100%25"), ("a\nb", "a%0ab"), ("a\u{7F}b", "a%7fb"), ("é", "é"), ("a=b#c", "a=b#c"),
        ("é b", "é%20b"), ("\u{0}", "%00"),
    ])
    func asWritten(_ value: String, _ text: String) { #expect(EscapingTests.escaped(bytes(value)) == bytes(text)) }

    @Test func whatIsNoUTF8IsEscapedByteByByte() { #expect(EscapingTests.escaped([0xC3, 0x61, 0xFF]) == bytes("%c3a%ff")) }

    @Test func everyValueComesBack() {
        var random = SeededGenerator()
        for round in 0..<20_000 {
            let alphabet = round % 2 == 0 ? Array(UInt8.min...UInt8.max) : bytes("a% \n=#") + [0xC3, 0xA9]
            let value = random.bytes(Int.random(in: 0...12, using: &random), from: alphabet)
            let text = EscapingTests.escaped(value)
            #expect(Escaping.value(text[...]) == value)
            #expect(text.allSatisfy { $0 > 0x20 && $0 != 0x7F }, "\(value) breaks a line")
        }
    }

    @Test(arguments: ["%", "%4", "%zz", "a%", "a%2", "%%", "%2%20", "%-1"]) func isNoEscapedValue(_ text: String) {
        #expect(Escaping.value(bytes(text)[...]) == nil)
    }

    @Test func aSliceIsReadFromItsOwnStart() { #expect(Escaping.value(bytes("xx%41")[2...]) == bytes("A")) }

    @Test(arguments: [("0", 0), ("ff", 255), ("FFFFFFFFFFFFFFFF", UInt64.max), ("", nil), ("10000000000000000", nil), ("g", nil), (" 1", nil)] as [(String, UInt64?)])
    func hexadecimal(_ text: String, _ value: UInt64?) { #expect(Hex.value(bytes(text)) == value) }

    @Test func hexadecimalComesBack() {
        var random = SeededGenerator()
        for _ in 0..<1000 {
            let value = random.next()
            #expect(Hex.value(Hex.text(value, digits: 16)) == value)
            #expect(Hex.text(value & 0xFFFF, digits: 4).count == 4)
        }
    }
}
