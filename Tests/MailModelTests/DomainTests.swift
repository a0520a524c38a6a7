// Domains, enhanced status codes and the ASCII of protocols: tables of what is taken and what is not.

import MailModel
import MailTestKit
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct DomainTests {
    @Test(arguments: [
        ("example.org", "example.org"), ("EXAMPLE.ORG.", "example.org"), ("x", "x"), ("1.2.3.4", "1.2.3.4"), ("_dmarc.x", "_dmarc.x"),
        ("[127.0.0.1]", "[127.0.0.1]"), ("[IPv6:::1]", "[ipv6:::1]"), ("bücher.example", "bücher.example"),
        (String(repeating: "a", count: 63) + ".b", String(repeating: "a", count: 63) + ".b"),
    ])
    func isTaken(_ text: String, _ canonical: String) throws {
        let domain = try #require(Domain(text))
        #expect(domain.bytes == bytes(canonical))
        #expect(Domain(parsing: domain.bytes) == domain)
        #expect(domain.isAddressLiteral == text.hasPrefix("["))
        #expect(domain.isASCII == text.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test(arguments: [
        "", ".", "..", ".x", "x..y", "-x", "x-", "x.-y", "a b", "a\u{0}b", "a\tb", "[", "]", "[]", "[x", "x]", "[a]b", "[\u{7F}]", "[é]", "x/y", "x@y",
        String(repeating: "a", count: 64), String(repeating: "a.", count: 129),
    ])
    func isRefused(_ text: String) { #expect(Domain(text) == nil) }

    @Test func theLongestNameHas255Octets() {
        let name = Array(repeating: String(repeating: "a", count: 63), count: 4).joined(separator: ".")
        #expect(name.utf8.count == 255 && Domain(name) != nil)
        #expect(Domain(name + "a") == nil)
    }

    @Test func domainsSortByTheirBytes() throws {
        let sorted = try ["b.org", "a.org", "a.net"].map { try #require(Domain($0)) }.sorted()
        #expect(sorted.map(\.description) == ["a.net", "a.org", "b.org"])
    }
}

@Suite struct EnhancedStatusTests {
    @Test(arguments: ["2.0.0", "4.4.1", "5.1.1", "5.999.999"]) func isPrintedAsParsed(_ text: String) throws {
        #expect(try #require(EnhancedStatus(parsing: bytes(text))).description == text)
    }

    @Test(arguments: [
        "", ".", "5", "5.1", "5.1.1.1", "3.0.0", "0.0.0", "6.0.0", "55.1.1", "5..1", "5.1.", ".1.1", "5.1000.1", "5.1.1000", "5.-1.1", "5.1.1 ",
        "5.99999999999999999999.1", "a.b.c", "5.1.x",
    ])
    func isRefused(_ text: String) { #expect(EnhancedStatus(parsing: bytes(text)) == nil) }

    @Test func everyCodeIsPrintedAndParsed() {
        for statusClass in [EnhancedStatus.Class.success, .temporary, .permanent] {
            for subject in stride(from: UInt16(0), to: 1000, by: 37) {
                let status = EnhancedStatus(statusClass, subject, 999 - subject)
                #expect(EnhancedStatus(parsing: bytes(status.description)) == status)
            }
        }
    }
}

@Suite struct ASCIITests {
    @Test func eachByteIsWhatASCIISays() {
        for byte in UInt8.min...UInt8.max {
            let scalar = Character(UnicodeScalar(byte))
            #expect(byte.isASCIIDigit == ("0"..."9").contains(scalar))
            #expect(byte.isASCIIUppercase == ("A"..."Z").contains(scalar))
            #expect(byte.isASCIILetter == (("A"..."Z").contains(scalar) || ("a"..."z").contains(scalar)), "\(byte)")
            #expect(byte.hexValue.map(Int.init) == (byte < 0x80 ? Int(String(scalar), radix: 16) : nil))
            #expect(byte.asciiLowercased == (byte.isASCIIUppercase ? byte + 32 : byte))
        }
    }

    @Test(arguments: [
        ("0", 0), ("007", 7), ("999999999999999999", 999_999_999_999_999_999), ("", nil), ("-1", nil), ("+1", nil), ("1 ", nil), ("1000000000000000000", nil),
        ("99999999999999999999999999", nil), ("٣", nil), ("1e3", nil),
    ] as [(String, Int?)])
    func decimalValue(_ text: String, _ value: Int?) { #expect(text.utf8.decimalValue == value) }

    @Test func comparisonFoldsNothingButASCII() {
        #expect(bytes("MAIL from").equalsIgnoringASCIICase("mail FROM" as StaticString))
        #expect(!bytes("[").equalsIgnoringASCIICase("{" as StaticString))
        #expect(!bytes("ab").equalsIgnoringASCIICase("abc" as StaticString))
        #expect(!bytes("ä").equalsIgnoringASCIICase(bytes("Ä")))
    }

    @Test(arguments: [[0x61], [0xC3, 0xA9], [0xF0, 0x9F, 0x90, 0xA6], [0]] as [[UInt8]]) func isUnicode(_ text: [UInt8]) { #expect(isUTF8(text)) }
    @Test(arguments: [[0x80], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x61, 0xFF]] as [[UInt8]])
    func isNotUnicode(_ text: [UInt8]) { #expect(!isUTF8(text)) }
}
