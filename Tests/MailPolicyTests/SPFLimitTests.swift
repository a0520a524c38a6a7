// The bounds of a check (RFC 7208 §4.6.4), and records made to pass them.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct SPFLimitTests {
    private func check(_ zone: String, client: String = "192.0.2.1", from: String = "a@example.com", limits: SPFLimits = SPFLimits()) throws -> (
        SPFOutcome, Int
    ) {
        let subject = try #require(Check(testDescription: "", client: client, from: from, result: .none).subject)
        let (outcome, questions) = try #require(Zone(zone).check(subject, limits: limits), "more questions than any check may ask")
        return (outcome, questions.count)
    }

    @Test(arguments: [(10, SPFResult.pass), (11, .permerror)]) func termsThatAskAreCounted(_ terms: Int, _ result: SPFResult) throws {
        let all = String(repeating: "a:h.example.com ", count: terms)
        let (outcome, questions) = try check("example.com TXT v=spf1 \(all)+all\nh.example.com A 203.0.113.1")
        #expect(outcome.result == result)
        #expect(questions == 11)
    }

    @Test func termsThatDoNotAskAreNotCounted() throws {
        let all = String(repeating: "ip4:203.0.113.1 ip6:::1 moo=x ", count: 100)
        #expect(try check("example.com TXT v=spf1 \(all)+all").0.result == .pass)
    }

    @Test(arguments: [(8, SPFResult.pass), (9, .permerror)]) func includedTermsAreCountedToo(_ inner: Int, _ result: SPFResult) throws {
        let all = String(repeating: " a:h.example.com", count: inner)
        let zone = "example.com TXT v=spf1 a:h.example.com include:i.example.com +all\ni.example.com TXT v=spf1\(all)\nh.example.com A 203.0.113.1"
        #expect(try check(zone).0.result == result)
    }

    @Test func aMatchBeforeTheLimitCounts() throws {
        let all = String(repeating: " a:h.example.com", count: 40)
        #expect(try check("example.com TXT v=spf1 ip4:192.0.2.1\(all)\nh.example.com A 203.0.113.1").0.result == .pass)
    }

    @Test(arguments: [(2, SPFResult.neutral), (3, .permerror)]) func voidLookupsAreCounted(_ count: Int, _ result: SPFResult) throws {
        let terms = (0..<count).map { ["a:x\($0).example.com", "exists:x\($0).example.com", "mx:x\($0).example.com"][$0 % 3] }
        #expect(try check("example.com TXT v=spf1 \(terms.joined(separator: " ")) ?all").0.result == result)
    }

    @Test func aClientWithoutANameIsAVoidLookupOfEachPtr() throws {
        let zone = "example.com TXT v=spf1 a:x.example.com ptr -all\nother.example.com TXT v=spf1 a:x.example.com ptr ptr -all"
        #expect(try check(zone).0.result == .fail)
        #expect(try check(zone, from: "a@other.example.com").0.result == .permerror)
        #expect(try check(zone + "\n1.2.0.192.in-addr.arpa FAIL", from: "a@other.example.com").0.result == .fail, "no answer is not void")
    }

    @Test func theLimitOfVoidLookupsIsASetting() throws {
        var limits = SPFLimits()
        limits.voidLookups = 5
        let terms = (0..<5).map { "a:x\($0).example.com" }.joined(separator: " ")
        #expect(try check("example.com TXT v=spf1 \(terms) ?all", limits: limits).0.result == .neutral)
    }

    @Test(arguments: [(10, SPFResult.pass), (11, .permerror)]) func mailExchangersAreCounted(_ count: Int, _ result: SPFResult) throws {
        let hosts = (0..<count).map { "example.com MX \($0) h\($0).example.com\nh\($0).example.com A 203.0.113.\($0)\n" }.joined()
        let (outcome, questions) = try check("example.com TXT v=spf1 mx -all\n" + hosts, client: "203.0.113.9")
        #expect(outcome.result == result)
        #expect(questions == (result == .pass ? 12 : 2))
    }

    @Test func hostsOfOneFamilyAreNoVoidLookups() throws {
        let hosts = (0..<9).map { "example.com MX \($0) h\($0).example.com\nh\($0).example.com A 203.0.113.\($0)\n" }.joined()
        #expect(try check("example.com TXT v=spf1 mx -all\n" + hosts, client: "2001:db8::1").0.result == .fail)
        let gone = (0..<3).map { "example.com MX \($0) gone\($0).example.com\n" }.joined()
        #expect(try check("example.com TXT v=spf1 mx -all\n" + gone).0.result == .permerror)
    }

    @Test func addressesAreNotLimited() throws {
        let addresses = (1...200).map { "example.com A 203.0.113.\($0)\n" }.joined()
        #expect(try check("example.com TXT v=spf1 a -all\n" + addresses, client: "203.0.113.200").0.result == .pass)
    }

    @Test func namesBeyondTheTenthAreIgnored() throws {
        var zone = "example.com TXT v=spf1 ptr -all\n"
        for number in 0..<10 { zone += "1.2.0.192.in-addr.arpa PTR x\(number).example.org\nx\(number).example.org A 192.0.2.1\n" }
        zone += "1.2.0.192.in-addr.arpa PTR y.example.com\ny.example.com A 192.0.2.1\n"
        let (outcome, questions) = try check(zone)
        #expect(outcome.result == .fail && questions == 12)
    }

    @Test(arguments: [
        "example.com TXT v=spf1 include:example.com -all", "example.com TXT v=spf1 redirect=example.com",
        "example.com TXT v=spf1 include:b.example.com\nb.example.com TXT v=spf1 redirect=example.com",
        "example.com TXT v=spf1 include:b.example.com\nb.example.com TXT v=spf1 include:example.com",
        "example.com TXT v=spf1 include:%{d} include:%{d} include:%{d} include:%{d} redirect=%{d}",
    ]) func cyclesEnd(_ zone: String) throws {
        let (outcome, questions) = try check(zone)
        #expect(outcome.result == .permerror)
        #expect(questions == 11)
    }

    @Test func aChainOfIncludesEndsAtItsEleventh() throws {
        let zone = (0..<50).map { "i\($0).example.com TXT v=spf1 include:i\($0 + 1).example.com\n" }.joined()
        let (outcome, questions) = try check(zone, from: "a@i0.example.com")
        #expect(outcome.result == .permerror && questions == 11)
    }

    @Test func tenThousandIncludesAreARecordTooLong() throws {
        let terms = (0..<10_000).map { " include:i\($0).example.com" }.joined()
        let (outcome, questions) = try check("example.com TXT v=spf1\(terms)")
        #expect(outcome.result == .permerror && outcome.problem?.display == "record too long")
        #expect(questions == 1)
        // Where the record may be that long, the terms are still counted.
        var limits = SPFLimits()
        limits.record = 1 << 20
        limits.voidLookups = 100
        let zone = "example.com TXT v=spf1\(terms)\n" + (0..<20).map { "i\($0).example.com TXT v=spf1\n" }.joined()
        let counted = try check(zone, limits: limits)
        #expect(counted.0.result == .permerror && counted.1 == 11)
    }

    @Test func aTextOf64KiBIsReadAndRefused() throws {
        #expect(try check("example.com TXT v=spf1 " + String(repeating: "x", count: 65_000)).0.problem?.display == "record too long")
        #expect(try check("example.com TXT " + String(repeating: "x", count: 65_000)).0.result == .none)
    }

    @Test func macroBombsStayNames() throws {
        let bomb = String(repeating: "%{S}%{dr}%{lr-}", count: 400) + ".example.com"
        let local = String(repeating: "a-", count: 31) + "a"
        for term in ["exists:\(bomb)", "a:\(bomb)", "mx:\(bomb)", "include:\(bomb)", "redirect=\(bomb)", "ptr:\(bomb)", "exp=\(bomb)"] {
            let (outcome, questions) = try check("example.com TXT v=spf1 \(term) -all", from: "\(local)@example.com")
            #expect([SPFResult.fail, .permerror].contains(outcome.result), "\(term.prefix(10))")
            #expect(questions <= 3)
        }
    }
}
