// The grammar of records: what is a policy, what is a wrong one, and what is none.

import MailModel
import Testing

@testable import MailPolicy

@Suite struct SPFRecordTests {
    @Test(arguments: [
        ("v=spf1", true), ("v=spf1 ", true), ("V=SPF1 -all", true), ("v=spf1 -all", true), ("v=spf10", false), ("v=spf1-all", false),
        ("v=spf1\t-all", false),
        ("v=spf2.0/mfrom -all", false), (" v=spf1 -all", false), ("v=spf", false), ("", false), ("spf1 -all", false),
    ])
    func policy(_ text: String, _ isPolicy: Bool) { #expect(SPFRecord.isPolicy(bytes(text)) == isPolicy) }

    static let valid: [String] = [
        "", " ", "all", "+all", "-all", "~all", "?all", "ALL", "-all -all", "a", "A", "a:example.com", "a/24", "a//64", "a/24//64",
        "a:example.com/24//64", "a/0", "a//0", "a/32",
        "a//128", "a:%{d}/24", "a:foo:bar/baz.example.com", "a:example.com.", "a:a-b.xn--p1ai", "a:example.1-2", "mx", "mx:example.com", "mx/24",
        "mx//48", "ptr", "ptr:example.com",
        "exists:%{i}.example.com", "exists:%{l=}.example.com", "exists:foo%%", "exists:foo%_", "exists:foo%-", "exists:example.com",
        "include:example.com", "include:%{d2}", "ip4:192.0.2.1", "ip4:192.0.2.0/24", "ip4:192.0.2.1/24",
        "ip4:0.0.0.0/0", "ip6:::1", "ip6:2001:db8::/32", "ip6:::/0", "ip6:::192.0.2.1/96", "redirect=example.com", "REDIRECT=%{d}",
        "exp=%{i}.example.com", "moo=", "moo=cow",
        "x-y_z.1=%{r}/:", "default=pass", "a=b", "all=x", "-all redirect=example.com", "exp=e.example.com -all redirect=r.example.com", "  a   mx  ",
        "a:%{d}.com", "include:%{D9999999999999999999999R.-+,/_=}",
    ]

    @Test(arguments: valid) func isRead(_ terms: String) throws {
        _ = try SPFRecord(parsing: bytes("v=spf1 " + terms), limit: 8192)
    }

    static let invalid: [(String, SPFSyntaxError)] = [
        ("foo", .mechanism), ("-", .mechanism), ("--all", .mechanism), ("-all.", .mechanism), ("a11", .mechanism), ("-foo:example.com", .mechanism),
        ("redirect:example.com", .mechanism), ("all\tmx", .mechanism),
        ("all:", .argument), ("all:example.com", .argument), ("all/8", .argument), ("include", .argument), ("include/24", .argument),
        ("exists", .argument), ("exists/24", .argument), ("ip4", .argument),
        ("ip4:", .argument), ("ip4:192.0.2", .argument), ("ip4:192.0.2.1.", .argument), ("ip4:192.0.2.1/33", .argument),
        ("ip4:192.0.2.1/024", .argument), ("ip4:192.0.2.1//32", .argument),
        ("ip4:192.0.2.1/", .argument), ("ip4/24", .argument), ("ip4:::1", .argument), ("ip4:192.0.2.1:25", .argument), ("ip6:192.0.2.1", .argument),
        ("ip6:::1/129", .argument), ("ip6:::1//64", .argument),
        ("ip6:::1::", .argument), ("ip6", .argument), ("a/33", .argument), ("a//129", .argument), ("a/024", .argument), ("a/24/24", .argument),
        ("a//64/24", .argument), ("mx/99999999999999999999", .argument), ("ptr/24", .argument),
        ("a:", .domain), ("a:/24", .domain), ("a:museum", .domain), ("a:museum.", .domain), ("a:.", .domain), ("a:111.222.33.44", .domain),
        ("a:example.com/", .domain), ("a:example.com//", .domain),
        ("a:example.-com", .domain), ("a:example.com-", .domain), ("a:example..", .domain), ("a:%{d}com", .domain), ("a:foo:bar/baz", .domain),
        ("mx:", .domain), ("ptr:", .domain), ("ptr:example.com/24", .domain),
        ("include:", .domain), ("exists:", .domain), ("exists:example.com/24", .domain), ("redirect=", .domain), ("redirect=-all", .domain),
        ("exp=", .domain), ("exp=-all", .domain),
        ("exists:%(ir).example.com", .macro), ("exists:foo%.example.com", .macro), ("exists:foo.example.com%", .macro), ("exists:%{d", .macro),
        ("exists:%{}", .macro), ("exists:%{x}.example.com", .macro),
        ("exists:%{d0}", .macro), ("exists:%{d000}", .macro), ("exists:%{dr2}", .macro), ("exists:%{d2rr}", .macro), ("exists:%{d;}", .macro),
        ("a:%{c}.example.com", .macro), ("a:%{r}", .macro), ("exp=%{t}.example.com", .macro),
        ("a:b\u{0}.example.com", .macro), ("a:b\u{7}.example.com", .macro), ("a:bü.example.com", .macro), ("moo=%abc", .macro),
        ("moo=\u{80}", .macro), ("moo=%{", .macro),
        ("=all", .modifier), ("1up=foo", .modifier), ("-foo=bar", .modifier), ("fo$o=bar", .modifier), ("ü=x", .modifier),
        ("redirect=a.example.com redirect=a.example.com", .repeated), ("exp=a.example.com -all EXP=b.example.com", .repeated),
    ]

    @Test(arguments: invalid) func isWrong(_ terms: String, _ problem: SPFSyntaxError) throws {
        let error = #expect(throws: SPFRecordError.self, "\(terms)") { _ = try SPFRecord(parsing: bytes("v=spf1 " + terms), limit: 8192) }
        #expect(error?.problem == problem, "\(terms)")
    }

    @Test func termsAreReadIntoWhatTheySay() throws {
        let record = try SPFRecord(
            parsing: bytes("v=spf1 a/24//64 ~mx:example.com -ip4:192.0.2.9/24 ?ip6:2001:db8::1 +all exp=e.example.com"), limit: 8192)
        #expect(record.directives.map(\.result) == [.pass, .softfail, .fail, .neutral, .pass])
        #expect(record.directives.map(\.text) == ["a/24//64", "~mx:example.com", "-ip4:192.0.2.9/24", "?ip6:2001:db8::1", "+all"].map(bytes))
        #expect(record.directives[0].mechanism == .address(nil, SPFPrefixes(four: 24, six: 64)))
        #expect(record.directives[1].mechanism == .exchangers(try SPFMacro(domain: bytes("example.com")[...]), SPFPrefixes()))
        #expect(record.directives[2].mechanism == .network(try #require(IPNetwork("192.0.2.0/24"))))
        #expect(record.directives[3].mechanism == .network(try #require(IPNetwork("2001:db8::1"))))
        #expect(record.directives[4].mechanism == .all && record.redirect == nil && record.explanation != nil)
    }

    @Test func aLongRecordIsWrongAndIsNotRead() throws {
        let terms = String(repeating: " a", count: 5000)
        let error = #expect(throws: SPFRecordError.self) { _ = try SPFRecord(parsing: bytes("v=spf1" + terms), limit: 8192) }
        #expect(error?.problem == .tooLong)
        #expect(try SPFRecord(parsing: bytes("v=spf1" + terms), limit: 20000).directives.count == 5000)
    }
}

@Suite struct SPFMacroTests {
    private func values(client: String = "192.0.2.3", localPart: String = "strong-bad", name: String = "mx.example.org") throws -> SPFMacroValues {
        SPFMacroValues(
            localPart: bytes(localPart), senderDomain: bytes("email.example.com"), domain: bytes("email.example.com"), client: try ip(client),
            hello: bytes("mail.example.net"), validatedName: bytes(name), receiver: bytes("mx.receiver.example"), time: 1_700_000_000)
    }

    /// The examples of RFC 7208 §7.4.
    @Test(arguments: [
        ("%{s}", "strong-bad@email.example.com"), ("%{o}", "email.example.com"), ("%{d}", "email.example.com"), ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"), ("%{d1}", "com"), ("%{dr}", "com.example.email"), ("%{d2r}", "example.email"), ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"), ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"), ("%{l1r-}", "strong"), ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{c}|%{r}|%{t}|%{p}|%{h}", "192.0.2.3|mx.receiver.example|1700000000|mx.example.org|mail.example.net"),
        ("100%% %_ %-", "100%   %20"), ("See %{S}", "See strong-bad%40email.example.com"), ("plain text.", "plain text."), ("", ""),
    ])
    func stands(_ macro: String, _ text: String) throws {
        #expect(try SPFMacro(explanation: bytes(macro)[...]).text(try values(), limit: 300)?.display == text)
    }

    @Test func nibblesStandForIPv6() throws {
        let values = try values(client: "2001:db8::cb01")
        let macro = try SPFMacro(domain: bytes("%{ir}.%{v}._spf.%{d2}")[...])
        #expect(macro.name(values)?.description == "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com")
        #expect(try SPFMacro(explanation: bytes("%{c}")[...]).text(values, limit: 300)?.display == "2001:db8::cb01")
    }

    @Test func upperCaseEscapesForURLs() throws {
        let values = try values(localPart: "~jack&jill=up-a_b3.c/ü")
        #expect(try SPFMacro(explanation: bytes("%{L}")[...]).text(values, limit: 300)?.display == "~jack%26jill%3Dup-a_b3.c%2F%C3%BC")
        #expect(try SPFMacro(explanation: bytes("%{l}")[...]).text(values, limit: 300) == nil, "not ASCII")
    }

    @Test func aLocalPartThatIsNotASCIIMakesNoName() throws {
        let values = try values(localPart: "ü")
        #expect(try SPFMacro(domain: bytes("%{L}.example.com")[...]).name(values) == nil)
        #expect(try SPFMacro(domain: bytes("%{s}.example.com")[...]).name(values) == nil)
        #expect(try SPFMacro(domain: bytes("%{d}.example.com")[...]).name(values) != nil)
    }

    @Test func longNamesLoseLabelsFromTheLeft() throws {
        let long = try SPFMacro(domain: bytes(String(repeating: "%{o}.", count: 20) + "example.com")[...])
        let name = try #require(long.name(try values()))
        // One label more would be 257 bytes.
        #expect(name.bytes.count == 249)
        #expect(name.description.hasPrefix("com.email.example.com."))
        #expect(name.description.hasSuffix(".email.example.com.example.com"))
    }

    @Test func aBombGrowsNoFurtherThanANameOrAReply() throws {
        let values = try values(localPart: String(repeating: "x", count: 64))
        let bomb = bytes(String(repeating: "%{S}%{s}", count: 1000) + ".example.com")
        #expect(try SPFMacro(domain: bomb[...]).name(values) == nil, "no label of it is short enough")
        #expect(try SPFMacro(explanation: bomb[...]).text(values, limit: 300)?.count == 300)
    }

    @Test func whatComesOutIsNeverReadAsAMacroAgain() throws {
        let values = try values(localPart: "%{d}")
        #expect(try SPFMacro(explanation: bytes("%{l}")[...]).text(values, limit: 300)?.display == "%{d}")
    }
}
