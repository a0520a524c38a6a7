// MTA-STS: the record, the policy, and what is done with one that is kept.

import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct STSPolicyTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func policy(_ text: String) -> STSPolicy? { STSPolicy(parsing: bytes(text)) }

    @Test(arguments: [
        ("v=STSv1; id=20160831085700Z;", "20160831085700Z"), ("v=STSv1;id=a", "a"), ("v=STSv1 ; other=x; id = b7 ", "b7"),
        ("v=STSv1; id=one; id=two", "one"), ("v=STSv1", nil), ("v=STSv1;", nil), ("v=STSv2; id=a", nil), ("v=STSv1; id=", nil),
        ("v=STSv1; id=a-b", nil), ("v=STSv1; id=" + String(repeating: "a", count: 33), nil), ("id=a; v=STSv1", nil), ("V=STSv1; id=a", nil),
    ])
    func aRecordHasAnId(_ text: String, _ id: String?) {
        #expect(STSRecord(texts: [bytes(text)])?.id == id.map(bytes))
    }

    @Test func othersBesideItDoNotCountAndTwoOfThemAreNone() {
        #expect(STSRecord(texts: [bytes("v=spf1 -all"), bytes("v=STSv1; id=a")])?.id == bytes("a"))
        #expect(STSRecord(texts: [bytes("v=STSv1; id=a"), bytes("v=STSv1; id=a")]) == nil)
        #expect(STSRecord(texts: []) == nil)
    }

    @Test func aPolicyIsReadLineByLine() throws {
        let found = try #require(policy("version: STSv1\r\nmode: enforce\r\nmx: Mail.Example.com\r\nmx: *.example.net.\nmore: x\nmax_age: 604800\r\n"))
        #expect(found.mode == .enforce)
        #expect(found.maximumAge == 604_800)
        #expect(found.patterns == [bytes("mail.example.com"), bytes("*.example.net")])
        #expect(policy("version:STSv1\nmode:none\nmax_age:0")?.mode == STSPolicy.Mode.none)
        #expect(policy("version: STSv1\nmode: testing\nmode: enforce\nmx: a.b\nmax_age: 9999999999")?.mode == .testing)
        #expect(policy("version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 9999999999")?.maximumAge == 31_557_600)
    }

    @Test(arguments: [
        "", "mode: enforce\nmx: a.b\nmax_age: 1", "version: STSv2\nmode: enforce\nmx: a.b\nmax_age: 1", "version: STSv1\nmx: a.b\nmax_age: 1",
        "version: STSv1\nmode: strict\nmx: a.b\nmax_age: 1", "version: STSv1\nmode: enforce\nmax_age: 1", "version: STSv1\nmode: enforce\nmx: a.b",
        "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: -1", "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 99999999999",
        "version: STSv1\nmode: enforce\nmx: a b\nmax_age: 1", "version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 1",
        "version: STSv1\nmode: enforce\nmx: *\nmax_age: 1", "version: STSv1\nmode: enforce\nmx:\nmax_age: 1",
    ])
    func whatIsNoPolicyIsRefused(_ text: String) { #expect(policy(text) == nil) }

    @Test func nothingIsReadWithoutEnd() {
        let head = "version: STSv1\nmode: enforce\nmax_age: 1\n"
        #expect(policy(head + String(repeating: "mx: a.b\n", count: 1001)) == nil)
        #expect(policy(head + "mx: a.b\n" + String(repeating: "x", count: STSPolicy.mostOctets)) == nil)
    }

    @Test func hostsAreNamedWholeOrByOneLabel() throws {
        let found = try #require(policy("version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 1"))
        for (host, isNamed) in [
            ("mail.example.com", true), ("x.mail.example.com", false), ("example.com", false), ("a.example.net", true), ("a.b.example.net", false),
            ("example.net", false), (".example.net", false), ("xexample.net", false), ("", false),
        ] { #expect(found.names(bytes(host)) == isNamed, "\(host)") }
    }

    @Test func damagedPoliciesAreReadOrRefused() {
        var random = SeededGenerator()
        let good = bytes("version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n")
        for _ in 0..<20_000 {
            var text = good
            for _ in 0..<Int.random(in: 1...4, using: &random) { text[Int.random(in: text.indices, using: &random)] = UInt8.random(in: 0...255, using: &random) }
            guard let found = STSPolicy(parsing: text) else { continue }
            #expect(found.patterns.allSatisfy { !$0.isEmpty } && found.maximumAge >= 0)
            _ = STSRecord(texts: [text])
            _ = KeptPolicy(parsing: text)
        }
    }

    // MARK: What is kept

    private func kept(_ id: String = "a", fetched: Int64 = 1000, age: Int64 = 604_800) throws -> KeptPolicy {
        try #require(KeptPolicy(id: bytes(id), fetched: fetched, text: bytes("version: STSv1\nmode: enforce\nmx: a.b\nmax_age: \(age)\n")))
    }

    @Test func aKeptPolicyComesBackFromItsBytes() throws {
        let policy = try kept()
        #expect(KeptPolicy(parsing: policy.bytes) == policy)
        for end in policy.bytes.indices.dropLast(9) { #expect(KeptPolicy(parsing: Array(policy.bytes[..<end])) != policy) }
    }

    @Test func whatIsToBeDoneFollowsFromWhatIsKeptAndWhatDNSSays() throws {
        let policy = try kept()
        let same = try #require(STSRecord(texts: [bytes("v=STSv1; id=a")])), other = try #require(STSRecord(texts: [bytes("v=STSv1; id=b")]))
        #expect(STSStep(kept: nil, record: nil, at: 1000) == .none)
        #expect(STSStep(kept: nil, record: same, at: 1000) == .fetch(id: bytes("a"), otherwise: nil))
        #expect(STSStep(kept: policy, record: same, at: 1000) == .use(policy))
        #expect(STSStep(kept: policy, record: same, at: 1000 + 86401) == .useAndRenew(policy, id: bytes("a")))
        #expect(STSStep(kept: policy, record: other, at: 1000) == .fetch(id: bytes("b"), otherwise: policy))
        #expect(STSStep(kept: policy, record: nil, at: 1000 + 604_799) == .use(policy), "who takes the record away takes no policy away")
        #expect(STSStep(kept: policy, record: nil, at: 1000 + 604_800) == .none)
        #expect(STSStep(kept: policy, record: same, at: 1000 + 604_800) == .fetch(id: bytes("a"), otherwise: nil))
        #expect(STSStep(kept: try kept(fetched: 1_000_000), record: nil, at: 1000) == .none, "a clock that was wrong keeps no policy for ever")
    }
}
