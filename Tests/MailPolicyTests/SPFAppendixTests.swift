// The extended examples of RFC 7208 Appendix A, each policy against each host of its network.

import MailModel
import Testing

@testable import MailPolicy

@Suite struct SPFAppendixTests {
    /// RFC 7208 Appendix A.
    private static let hosts = """
        example.com MX 10 mail-a.example.com
        example.com MX 20 mail-b.example.com
        example.com A 192.0.2.10
        example.com A 192.0.2.11
        amy.example.com A 192.0.2.65
        bob.example.com A 192.0.2.66
        mail-a.example.com A 192.0.2.129
        mail-b.example.com A 192.0.2.130
        www.example.com A 192.0.2.10
        www.example.com A 192.0.2.11
        example.org MX 10 mail-c.example.org
        mail-c.example.org A 192.0.2.140
        10.2.0.192.in-addr.arpa PTR example.com
        11.2.0.192.in-addr.arpa PTR example.com
        65.2.0.192.in-addr.arpa PTR amy.example.com
        66.2.0.192.in-addr.arpa PTR bob.example.com
        129.2.0.192.in-addr.arpa PTR mail-a.example.com
        130.2.0.192.in-addr.arpa PTR mail-b.example.com
        140.2.0.192.in-addr.arpa PTR mail-c.example.org
        4.0.0.10.in-addr.arpa PTR bob.example.com

        """

    private static let clients = [
        "192.0.2.10", "192.0.2.11", "192.0.2.65", "192.0.2.66", "192.0.2.129", "192.0.2.130", "192.0.2.140", "10.0.0.4", "203.0.113.1",
    ]

    /// Policy of example.com, and the last numbers of the clients that pass.
    @Test(arguments: [
        ("v=spf1 +all", "10 11 65 66 129 130 140 4 1"),
        ("v=spf1 a -all", "10 11"),
        ("v=spf1 a:example.org -all", ""),
        ("v=spf1 mx -all", "129 130"),
        ("v=spf1 mx:example.org -all", "140"),
        ("v=spf1 mx mx:example.org -all", "129 130 140"),
        ("v=spf1 mx/30 mx:example.org/30 -all", "129 130 140"),
        // 10.0.0.4 says that it is bob, and bob does not say so.
        ("v=spf1 ptr -all", "10 11 65 66 129 130"),
        ("v=spf1 ip4:192.0.2.128/28 -all", "129 130 140"),
    ])
    func simpleExamples(_ policy: String, _ passing: String) throws {
        let zone = Zone(SPFAppendixTests.hosts + "example.com TXT \(policy)")
        for client in SPFAppendixTests.clients {
            let last = try #require(client.split(separator: ".").last)
            let passes = passing.split(separator: " ").contains(last)
            let outcome = try zone.outcome(Check(testDescription: policy, client: client, result: .none))
            #expect(outcome.result == (passes ? .pass : .fail), "\(policy) from \(client)")
        }
    }

    /// RFC 7208 Appendix A.2.
    @Test(arguments: [("192.0.2.129", SPFResult.pass), ("192.0.2.140", .pass), ("192.0.2.65", .fail)])
    func multipleDomains(_ client: String, _ result: SPFResult) throws {
        let zone = Zone(
            SPFAppendixTests.hosts + """
                example.org TXT v=spf1 include:example.com include:example.net -all
                la.example.org TXT v=spf1 redirect=example.org
                example.com TXT v=spf1 mx -all
                example.net TXT v=spf1 mx:example.org -all
                """)
        for from in ["a@example.org", "a@la.example.org"] {
            #expect(try zone.outcome(Check(testDescription: "", client: client, from: from, result: result)).result == result)
        }
    }

    /// RFC 7208 Appendix A.3: a list of addresses per user.
    @Test(arguments: [
        ("192.0.2.65", "mary", SPFResult.pass), ("203.0.113.1", "fred", .pass), ("192.0.2.129", "joel", .pass), ("192.168.15.15", "joel", .pass),
        ("192.168.15.16", "joel", .fail), ("192.168.15.15", "jo", .fail), ("203.0.113.1", "mary+lists", .pass), ("203.0.113.1", "lists+mary", .fail),
    ])
    func listStyle(_ client: String, _ user: String, _ result: SPFResult) throws {
        let zone = Zone(
            SPFAppendixTests.hosts + """
                example.com TXT v=spf1 mx include:mobile-users._spf.%{d} include:remote-users._spf.%{d} -all
                mobile-users._spf.example.com TXT v=spf1 exists:%{l1r+}.%{d}
                mary.mobile-users._spf.example.com A 127.0.0.2
                fred.mobile-users._spf.example.com A 127.0.0.2
                remote-users._spf.example.com TXT v=spf1 exists:%{ir}.%{l1r+}.%{d}
                15.15.168.192.joel.remote-users._spf.example.com A 127.0.0.2
                """)
        #expect(try zone.outcome(Check(testDescription: "", client: client, from: "\(user)@example.com", result: result)).result == result)
    }

    /// RFC 7208 Appendix A.4: two conditions at once.
    @Test(arguments: [("192.0.2.65", SPFResult.fail), ("192.0.2.10", .fail), ("192.0.2.129", .pass), ("203.0.113.1", .fail)])
    func multipleRequirements(_ client: String, _ result: SPFResult) throws {
        let zone = Zone(
            SPFAppendixTests.hosts + """
                example.com TXT v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all
                ip4._spf.example.com TXT v=spf1 -ip4:192.0.2.128/25 +all
                ptr._spf.example.com TXT v=spf1 -ptr:example.com +all
                """)
        #expect(try zone.outcome(Check(testDescription: "", client: client, result: result)).result == result)
    }
}

extension Zone {
    func outcome(_ check: Check, limits: SPFLimits = SPFLimits()) throws -> SPFOutcome {
        let subject = try #require(check.subject, "\(check)")
        return try #require(self.check(subject, limits: limits), "more questions than any check may ask").outcome
    }
}
