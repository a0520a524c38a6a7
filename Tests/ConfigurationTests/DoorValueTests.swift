// Networks and pairs of certificate and key, as the file writes them.

import Kernel
import MailPolicy
import Testing

@testable import Configuration

@Suite struct DoorValueTests {
    @Test(arguments: [
        ("192.0.2.7", 32), ("10.0.0.0/8", 8), ("0.0.0.0/0", 0), ("2001:db8::/33", 33), ("::1", 128), ("::/0", 0), ("fe80::1:2", 128),
        ("1:2:3:4::/64", 64),
    ])
    func networksComeBack(_ text: String, _ length: Int) throws {
        let network = try #require(IPNetwork(.text(text)))
        #expect(network.length == length && network.literal == .text(text))
    }

    @Test(arguments: [
        "", "mail.example.org", "192.0.2", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/x", "192.0.2.1/-1", "192.0.2.1/8/8", "192.0.2.1:99", "::1/129",
        "1:2:3:4:5:6:7", "1::2::3", "1:2:3:4:5:6:7:8::", "12345::", "::ffff:192.0.2.1", "10.0.0.1/8", "1:2:3:4:5:6:7:8/64", ":::", "[::1]",
    ])
    func otherTextsAreNone(_ text: String) { #expect(IPNetwork(.text(text)) == nil) }

    @Test func aPairIsTwoPathsSeenFromTheRoot() throws {
        let pair = try #require(CertificatePair(.text("etc/tls/a.pem:/srv/b.key")))
        #expect(pair.literal == .text("etc/tls/a.pem:/srv/b.key"))
        #expect(pair.resolved(from: "/srv/martlet").chain == "/srv/martlet/etc/tls/a.pem")
        #expect(pair.resolved(from: "/srv/martlet").key == "/srv/b.key")
        for text in ["", "a.pem", ":", "a.pem:", ":b.key", "a:b:c"] { #expect(CertificatePair(.text(text)) == nil, "\(text)") }
    }
}
