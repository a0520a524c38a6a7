// EmailAddress(parsing:) is the only door: what it takes, what it refuses, and that printing and parsing are inverse.

import MailModel
import MailTestKit
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct EmailAddressTests {
    /// Text, local part, domain, what is printed where it differs.
    static let valid: [(String, String, String, String?)] = [
        ("alice@example.org", "alice", "example.org", nil),
        ("Alice@EXAMPLE.Org", "Alice", "example.org", "Alice@example.org"),
        ("a@b", "a", "b", nil),
        ("a@b.", "a", "b", "a@b"),
        ("first.last+tag@example.org", "first.last+tag", "example.org", nil),
        ("!#$%&'*+-/=?^_`{|}~@x.y", "!#$%&'*+-/=?^_`{|}~", "x.y", nil),
        ("\"john doe\"@example.org", "john doe", "example.org", nil),
        ("\"a\\\"b\"@example.org", "a\"b", "example.org", nil),
        ("\"a\\\\b\"@example.org", "a\\b", "example.org", nil),
        ("\"needless\"@example.org", "needless", "example.org", "needless@example.org"),
        ("\"\\a\"@example.org", "a", "example.org", "a@example.org"),
        ("\"a@b\"@example.org", "a@b", "example.org", nil),
        ("\".a\"@example.org", ".a", "example.org", nil),
        ("\"a..b\"@example.org", "a..b", "example.org", nil),
        ("user@[192.0.2.1]", "user", "[192.0.2.1]", nil),
        ("user@[IPv6:2001:DB8::1]", "user", "[ipv6:2001:db8::1]", "user@[ipv6:2001:db8::1]"),
        ("jürgen@bücher.example", "jürgen", "bücher.example", nil),
        ("a@under_score.example", "a", "under_score.example", nil),
        (String(repeating: "x", count: 64) + "@e.org", String(repeating: "x", count: 64), "e.org", nil),
    ]

    @Test(arguments: valid) func isTaken(_ text: String, _ local: String, _ domain: String, _ printed: String?) throws {
        let address = try #require(EmailAddress(text))
        #expect(address.localPart == bytes(local))
        #expect(address.domain.bytes == bytes(domain))
        #expect(address.wire == bytes(printed ?? text))
        #expect(address.description == printed ?? text)
    }

    static let invalid: [String] = [
        "", "@", "a", "a@", "@b", "a@b@", "a b@c", "a@b c", ".a@b", "a.@b", "a..b@c", "a@-b", "a@b-", "a@.b", "a@b..c", "a@..",
        "\"\"@b", "\"a@b", "a\"@b", "\"a\"b@c", "\"a\\\"@b", "\"a\"\"b\"@c", "\"a\\", "<a@b>", "a@[", "a@[]", "a@]", "a@[a b]",
        "a@[[1]]", "a@[1\\2]", "a\n@b", "a@b\n", "a\r\n@b", "\"a\nb\"@c", "\"a\0b\"@c", "a\u{7F}@b", "\"a\u{7F}\"@b", "a,b@c", "(a)@b",
        "@a,@b:c@d", "a@b/c", "a@b:25",
        String(repeating: "x", count: 65) + "@e.org",
        "\"" + String(repeating: "x", count: 65) + "\"@e.org",
        "a@" + String(repeating: "x", count: 64) + ".org",
        "a@" + String(repeating: "x.", count: 127) + "xx",
        String(repeating: "\"", count: 1_000_000), String(repeating: "@", count: 1_000_000),
    ]

    @Test(arguments: invalid) func isRefused(_ text: String) { #expect(EmailAddress(text) == nil) }

    @Test(arguments: [[0x61, 0xFF, 0x40, 0x62], [0x61, 0x40, 0xC0, 0xAF], [0x61, 0x40, 0xED, 0xA0, 0x80], [0xC3, 0x40, 0x62]] as [[UInt8]])
    func whatIsNoUTF8IsRefused(_ text: [UInt8]) { #expect(EmailAddress(parsing: text) == nil) }

    @Test func printedAndParsedIsTheSame() throws {
        var random = SeededGenerator()
        let alphabet = bytes("ab.\"\\ @<>()[]:;,+%=") + [0xC3, 0xA9, 0x7F, 0x00, 0x0A]
        var taken = 0
        for _ in 0..<20_000 {
            let local = random.bytes(Int.random(in: 0...66, using: &random) % 12, from: alphabet)
            guard let domain = Domain("example.org"), let address = EmailAddress(localPart: local, domain: domain) else { continue }
            taken += 1
            let again = try #require(EmailAddress(parsing: address.wire), "\(local)")
            #expect(again.localPart == local)
            #expect(again == address && again.wire == address.wire)
        }
        #expect(taken > 1000)
    }

    @Test func hostileBytesGiveAnAddressThatPrintsItselfOrNothing() throws {
        var random = SeededGenerator()
        let alphabet = bytes("aAbb1..\"\"\\[]- @") + [0xC3, 0xA9]
        var taken = 0
        for _ in 0..<50_000 {
            let text = random.bytes(Int.random(in: 0...5, using: &random), from: alphabet) + bytes("@")
                + random.bytes(Int.random(in: 0...3, using: &random), from: alphabet)
            guard let address = EmailAddress(parsing: text) else { continue }
            taken += 1
            let again = try #require(EmailAddress(parsing: address.wire), "\(text)")
            #expect(again.wire == address.wire && again == address)
        }
        #expect(taken > 500)
    }

    @Test func addressesAreEqualWithoutRegardToASCIICase() throws {
        let one = try #require(EmailAddress("Alice@Example.org"))
        let two = try #require(EmailAddress("aLICE@eXAMPLE.ORG"))
        #expect(one == two && one.hashValue == two.hashValue && one.canonical == two.canonical)
        #expect(one.canonical == bytes("alice@example.org"))
        #expect(one != EmailAddress("alice@example.com") && one != EmailAddress("alic@example.org"))
        #expect(EmailAddress("Ä@x.org") != EmailAddress("ä@x.org"), "nothing but ASCII is folded")
        #expect(EmailAddress("\"a\"@x.org") == EmailAddress("a@x.org"))
    }

    @Test(arguments: [
        ("user+tag@x.org", "user@x.org", "tag"), ("user+@x.org", "user@x.org", ""), ("user+a+b@x.org", "user@x.org", "a+b"),
    ])
    func subaddress(_ text: String, _ user: String, _ detail: String) throws {
        let parts = try #require(EmailAddress(text)?.subaddress(separator: UInt8(ascii: "+")))
        #expect(parts.user == EmailAddress(user) && parts.detail == bytes(detail))
    }

    @Test(arguments: ["user@x.org", "+tag@x.org"]) func noSubaddress(_ text: String) {
        #expect(EmailAddress(text)?.subaddress(separator: UInt8(ascii: "+")) == nil)
    }

    @Test func aKnownLocalPartIsCheckedToo() throws {
        let domain = try #require(Domain("x.org"))
        #expect(EmailAddress(localPart: [], domain: domain) == nil)
        #expect(EmailAddress(localPart: [0x0A], domain: domain) == nil)
        #expect(EmailAddress(localPart: [0xFF], domain: domain) == nil)
        #expect(EmailAddress(localPart: [UInt8](repeating: 0x61, count: 65), domain: domain) == nil)
        #expect(EmailAddress(localPart: bytes("ok go"), domain: domain)?.wire == bytes("\"ok go\"@x.org"))
    }

    @Test func theNullPathIsNobody() throws {
        let address = try #require(EmailAddress("a@b"))
        #expect(ReversePath.null.wire == [] && ReversePath.null.address == nil)
        #expect(ReversePath.address(address).wire == bytes("a@b") && ReversePath.address(address).address == address)
    }
}
