// Addresses and networks: each has one text, and reading is strict.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("2001:db8::0:1:0:0", "2001:db8::1:0:0"), ("2001:0db8:0000:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:192.0.2.1", "::ffff:c000:201"),
        ("1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ])
    func isRead(_ text: String, _ canonical: String) throws {
        let address = try ip(text)
        #expect(address.description == canonical)
        #expect(IPAddress(octets: address.octets) == address)
    }

    @Test(arguments: [
        "", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4 ", "+1.2.3.4", "1.2.3.-4",
        "1.2.3.0004",
        ":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::",
        "::1.2.3", "1.2.3.4::",
        "::1.2.3.4:5", "fe80::1%eth0", "[::1]", "1:2:3:4:5:6:7:1.2.3.4", "::\u{0}1",
    ])
    func isRefused(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test func textIsReadAsItWasPrinted() throws {
        var random = SeededGenerator()
        for _ in 0..<5000 {
            let six = Bool.random(using: &random)
            // Zeros are common, so that runs of them are met.
            let octets = (0..<(six ? 16 : 4)).map { _ in Int.random(in: 0...2, using: &random) > 0 ? 0 : UInt8.random(in: 0...255, using: &random) }
            let address = try #require(IPAddress(octets: octets))
            #expect(address.octets == octets)
            #expect(IPAddress(parsing: address.text) == address, "\(address)")
            let network = IPNetwork(address, length: Int.random(in: 0...address.width, using: &random))
            #expect(network.contains(address))
            #expect(IPNetwork(parsing: network.text) == network, "\(network)")
        }
    }

    @Test func anyBytesAreReadOrRefused() {
        var random = SeededGenerator()
        for _ in 0..<20_000 {
            let text = random.bytes(Int.random(in: 0...20, using: &random), from: bytes("0012fF:::..:/%"))
            if let address = IPAddress(parsing: text) { #expect(IPAddress(parsing: address.text) == address) }
            if let network = IPNetwork(parsing: text) { #expect(IPNetwork(parsing: network.text) == network) }
        }
    }

    @Test func mappedAddressesAreIPv4() throws {
        #expect(try ip("::ffff:192.0.2.1").unmapped == .four(192, 0, 2, 1))
        #expect(try ip("::fffe:192.0.2.1").unmapped.family == .six)
        #expect(try ip("::1:ffff:192.0.2.1").unmapped.family == .six)
    }

    @Test func namesBelowAZoneAreReversed() throws {
        #expect(IPAddress.four(192, 0, 2, 99).pointerName == bytes("99.2.0.192.in-addr.arpa"))
        let six = try ip("2001:db8:1:2:3:4:567:89ab")
        #expect(six.reversed == bytes("b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2"))
        #expect(six.dotted == bytes("2.0.0.1.0.d.b.8.0.0.0.1.0.0.0.2.0.0.0.3.0.0.0.4.0.5.6.7.8.9.a.b"))
        #expect(six.pointerName.suffix(9) == bytes(".ip6.arpa"))
    }

    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
        ("::/0", "2001:db8::1", true), ("::/0", "192.0.2.1", false), ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::", false), ("2001:db8:0:0:8000::/65", "2001:db8:0:0:8000::1", true),
        ("2001:db8:0:0:8000::/65", "2001:db8::1", false), ("2001:db8::1/128", "2001:db8::2", false), ("2001:db8::/64", "2001:db8::ffff:1", true),
    ])
    func networkHolds(_ network: String, _ address: String, _ holds: Bool) throws {
        #expect(try #require(IPNetwork(network)).contains(try ip(address)) == holds)
    }

    @Test(arguments: [
        "192.0.2.1/24", "192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/024", "/24", "192.0.2.0/2/4", "192.0.2.0/-1", "2001:db8::1/64", "x/8",
    ])
    func noNetwork(_ text: String) { #expect(IPNetwork(text) == nil) }

    @Test(arguments: [
        ("example.org", true), ("EXAMPLE.org.", true), ("a b.example.org", true), ("_spf.example.org", true), ("x%y=z.example.org", true),
        ("org", false), ("", false),
        (".", false), ("a..b", false), (".a.b", false), ("a.b..", false), ("a\\b.example.org", false), ("a\u{0}.b", false), ("ü.example", false),
        (String(repeating: "a", count: 64) + ".b", false), (String(repeating: "a.", count: 126) + "a", true),
        (String(repeating: "a.", count: 126) + "bc", false),
    ])
    func nameIsTaken(_ text: String, _ isTaken: Bool) { #expect((DNSName(text) != nil) == isTaken, "\(text)") }

    @Test func namesLieBelowOthersByWholeLabels() throws {
        let domain = try #require(DNSName("example.org"))
        for (name, lies) in [("example.org", true), ("a.example.org", true), ("aexample.org", false), ("b.org", false), ("example.com", false)] {
            #expect(try #require(DNSName(name)).isWithin(domain) == lies, "\(name)")
        }
    }
}
