// Next hops as they are written, and which rule decides.

import MailModel
import Testing

struct NextHopTests {
    @Test(arguments: [
        ("hub.example.net", "hub.example.net:25"), ("hub.example.net:24", "hub.example.net:24"), ("[192.0.2.1]:2525", "[192.0.2.1]:2525"),
        ("smtp:hub.example.net", "hub.example.net:25"), ("SMTP:hub.example.net:587", "hub.example.net:587"),
        ("smtps:hub.example.net", "smtps:hub.example.net:465"), ("lmtp:[127.0.0.1]:24", "lmtp:[127.0.0.1]:24"), ("lmtp:lists", "lmtp:lists:24"),
        ("lmtp:/run/dovecot/lmtp", "lmtp:/run/dovecot/lmtp"), ("mx", "mx"), ("MX", "mx"),
        // Hosts that have the name of a protocol.
        ("lmtp:24", "lmtp:24"), ("smtp:25", "smtp:25"), ("lmtp", "lmtp:25"),
        ("lmtp:[IPv6:2001:db8::1]:24", "lmtp:[ipv6:2001:db8::1]:24"),
        ("lmtp:/", nil), ("lmtp:/with blank", nil), ("lmtp:relative/path", nil), ("smtp:/run/x", nil), ("|/bin/cat", nil), ("/var/mail/x", nil),
        ("pipe:cat", nil), ("h:0", nil), ("", nil), ("smtp:", nil), ("lmtp:h:99999", nil),
    ]) func isWrittenAndReadAlike(_ text: String, _ expected: String?) {
        let hop = NextHop(parsing: Array(text.utf8))
        #expect(hop?.description == expected)
        if let hop { #expect(NextHop(parsing: hop.bytes) == hop) }
    }

    @Test(arguments: [("|prog", true), ("/var/mail/bob", true), ("pipe:prog", true), (":include:/list", true), ("mx", false), ("h:25", false), ("lmtp:/run/s", false)])
    func programsAndFilesAreKnown(_ text: String, _ expected: Bool) {
        #expect(NextHop.isProgramOrFile(Array(text.utf8)) == expected)
    }

    static let table: [String: String] = [
        "example.org": "exact.example:25", ".example.org": "below.example:25", "<alice@our.example": "alice.example:25", "<our.example": "ours.example:25",
        "<.our.example": "ourbelow.example:25", "*": "all.example:25", "direct.example": "mx",
    ]

    private func decision(_ recipient: String, from sender: String?, without: Set<String> = [], smarthost: String? = "smart.example:25") -> String? {
        guard let recipient = EmailAddress(recipient) else { return nil }
        let found = RouteDecision.decide(
            recipient: recipient, sender: sender.flatMap { EmailAddress($0) }, smarthost: smarthost.flatMap { NextHop(parsing: Array($0.utf8)) }
        ) { pattern -> NextHop? in
            let key = pattern.key.display
            return without.contains(key) ? nil : NextHopTests.table[key].flatMap { NextHop(parsing: Array($0.utf8)) }
        }
        return "\(found.hop) by \(found.rule)"
    }

    @Test func theRecipientIsLookedAtBeforeTheSender() {
        #expect(decision("x@example.org", from: "alice@our.example") == "exact.example:25 by route example.org")
        #expect(decision("x@mx.sub.example.org", from: "alice@our.example") == "below.example:25 by route .example.org")
        #expect(decision("x@direct.example", from: "alice@our.example") == "mx by route direct.example")
        #expect(decision("x@else.example", from: "Alice@Our.Example") == "alice.example:25 by route from alice@our.example")
        #expect(decision("x@else.example", from: "bob@our.example") == "ours.example:25 by route from our.example")
        #expect(decision("x@else.example", from: "bob@sub.our.example") == "ourbelow.example:25 by route from .our.example")
        #expect(decision("x@else.example", from: "bob@their.example") == "all.example:25 by route *")
        #expect(decision("x@else.example", from: nil) == "all.example:25 by route *")
        #expect(decision("x@else.example", from: nil, without: ["*"]) == "smart.example:25 by remote.smarthost")
        #expect(decision("x@else.example", from: nil, without: ["*"], smarthost: nil) == "mx by no route")
        // What lies in a domain is not the domain.
        #expect(decision("x@example.org", from: nil, without: ["example.org"]) == "all.example:25 by route *")
    }

    @Test func aLongNameHasBoundedCandidates() throws {
        let long = try #require(Domain(Array(repeating: "a", count: 127).joined(separator: ".")))
        let sender = try #require(EmailAddress(localPart: [0x61], domain: long))
        #expect(RoutePattern.candidates(recipient: long, sender: sender).count <= 260)
    }

    @Test(arguments: [("example.org", false), (".example.org", false), ("*", false), ("example.org", true), (".example.org", true), ("a@example.org", true)])
    func patternsAreReadAndShown(_ text: String, _ isSender: Bool) throws {
        let pattern = try #require(RoutePattern(parsing: Array(text.utf8), ofSender: isSender))
        #expect(pattern.text == Array(text.utf8))
        #expect(pattern.isOfSender == isSender)
        #expect(RoutePattern(storedKey: pattern.key) == pattern)
    }

    /// Whichever spelling the route has, and whichever the mail.
    @Test func aNameIsFoundInEitherSpelling() throws {
        let spellings = ["b\u{FC}cher.example", "xn--bcher-kva.example"]
        for written in spellings {
            for asked in spellings {
                let domain = try #require(Domain(asked)), below = try #require(Domain("mx." + asked))
                let address = try #require(EmailAddress("Alice@" + asked))
                func pattern(_ text: String, _ isSender: Bool) throws -> RoutePattern {
                    try #require(RoutePattern(parsing: Array(text.utf8), ofSender: isSender))
                }
                #expect(RoutePattern.candidates(recipient: domain, sender: nil).first == (try pattern(written, false)))
                #expect(RoutePattern.candidates(recipient: below, sender: nil).contains(try pattern("." + written, false)))
                let other = try #require(Domain("other.example"))
                for text in [written, "alice@" + written] {
                    #expect(RoutePattern.candidates(recipient: other, sender: address).contains(try pattern(text, true)))
                }
                #expect(try pattern(written, false) == .domain(domain))
            }
        }
    }

    @Test(arguments: [("*", true), ("a@example.org", false), (".", false), ("..", false), ("*.example.org", false), ("", false), ("<example.org", false)])
    func otherPatternsAreRefused(_ text: String, _ isSender: Bool) {
        #expect(RoutePattern(parsing: Array(text.utf8), ofSender: isSender) == nil)
    }
}
