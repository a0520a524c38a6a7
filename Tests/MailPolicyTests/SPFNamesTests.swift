// The client's own names (`ptr`, `%{p}`), and explanations with all that can be wrong in them.

import MailModel
import Testing

@testable import MailPolicy

@Suite struct SPFNamesTests {
    private static let names = """
        1.2.0.192.in-addr.arpa PTR forged.example.com
        1.2.0.192.in-addr.arpa PTR Mail.Example.com
        1.2.0.192.in-addr.arpa PTR mail.example.org
        forged.example.com A 203.0.113.1
        mail.example.com A 192.0.2.1
        mail.example.org A 192.0.2.1
        2.2.0.192.in-addr.arpa PTR silent.example.com
        2.2.0.192.in-addr.arpa PTR ok.example.com
        silent.example.com FAIL
        ok.example.com A 192.0.2.2
        3.2.0.192.in-addr.arpa FAIL
        5.2.0.192.in-addr.arpa PTR aexample.com
        aexample.com A 192.0.2.5
        1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.example.com
        six.example.com AAAA 2001:db8::1

        """

    @Test(arguments: [
        ("ptr", "192.0.2.1", SPFResult.pass), ("ptr:example.org", "192.0.2.1", .pass), ("ptr:mail.example.com", "192.0.2.1", .pass),
        ("ptr:forged.example.com", "192.0.2.1", .fail),
        ("ptr", "192.0.2.2", .pass), ("ptr", "192.0.2.3", .fail), ("ptr", "192.0.2.4", .fail), ("ptr", "192.0.2.5", .fail),
        ("ptr", "2001:db8::1", .pass), ("ptr", "2001:db8::2", .fail),
        ("ptr:%{h}", "192.0.2.1", .fail), ("ptr ptr:example.org", "192.0.2.5", .fail),
    ])
    func ptr(_ term: String, _ client: String, _ result: SPFResult) throws {
        let zone = Zone(SPFNamesTests.names + "example.com TXT v=spf1 \(term) -all")
        #expect(try zone.outcome(Check(testDescription: "", client: client, hello: "localhost", result: result)).result == result)
    }

    /// RFC 7208 §7.3: the domain itself, a name below it, any other, `unknown`.
    @Test(arguments: [
        ("192.0.2.1", "mail.example.com"), ("192.0.2.5", "aexample.com"), ("192.0.2.4", "unknown"), ("192.0.2.3", "unknown"),
        ("2001:db8::1", "six.example.com"),
    ])
    func validatedName(_ client: String, _ name: String) throws {
        for record in [
            "-exists:%{p}.is.example.com", "-include:%{p}.is.example.com", "redirect=%{p}.is.example.com", "-a:%{p}.is.example.com",
            "-mx:%{p}.is.example.com -a:%{p}.is.example.com",
        ] {
            let zone = Zone(
                SPFNamesTests.names + """
                    example.com TXT v=spf1 \(record)
                    \(name).is.example.com A \(client.contains(":") ? "127.0.0.1" : client)
                    \(name).is.example.com AAAA \(client.contains(":") ? client : "::1")
                    \(name).is.example.com TXT v=spf1 \(record.hasPrefix("redirect") ? "-" : "+")all
                    """)
            #expect(try zone.outcome(Check(testDescription: "", client: client, result: .fail)).result == .fail, "\(record)")
        }
    }

    @Test func theDomainItselfIsTheBestName() throws {
        let zone = Zone(
            """
            example.com TXT v=spf1 -exists:%{p}.x.example.net
            1.2.0.192.in-addr.arpa PTR a.example.com
            1.2.0.192.in-addr.arpa PTR example.com
            a.example.com A 192.0.2.1
            example.com A 192.0.2.1
            example.com.x.example.net A 127.0.0.1
            """
        )
        #expect(try zone.outcome(Check(testDescription: "", result: .fail)).result == .fail)
    }

    @Test func namesAreAskedOnce() throws {
        let zone = Zone(
            SPFNamesTests.names
                + """
                example.com TXT v=spf1 ptr:x.example.net exists:%{p}.y.example.net ptr:z.example.net -all exp=%{p}.e.example.com
                mail.example.com.e.example.com TXT you are %{p}
                """
        )
        let subject = try #require(Check(testDescription: "", result: .fail).subject)
        let (outcome, questions) = try #require(zone.check(subject))
        #expect(questions.filter { $0.type == .ptr }.count == 1)
        #expect(outcome.explanation?.display == "you are mail.example.com")
    }

    static let explanations: [(String, String?)] = [
        ("e.example.com TXT See http://%{d}/why?s=%{S}&i=%{C}.", "See http://example.com/why?s=alice%40example.com&i=192.0.2.1."),
        ("e.example.com TXT %{r} at %{t}", "mx.receiver.example at 1700000000"),
        ("e.example.com TXT %{p} is not ours", "mail.example.com is not ours"),
        ("e.example.com TXT one\ne.example.com TXT two", nil),
        ("e.example.com A 192.0.2.1", nil),
        ("e.example.com FAIL", nil),
        ("", nil),
        ("e.example.com TXT The %{x} files", nil),
        ("e.example.com TXT bücher", nil),
        ("e.example.com TXT bell \u{7}", nil),
        ("e.example.com TXT 250 OK\r", nil),
        ("e.example.com TXT " + String(repeating: "x", count: 9000), nil),
        ("e.example.com TXT " + String(repeating: "x", count: 1000), String(repeating: "x", count: 300)),
    ]

    @Test(arguments: explanations) func explanation(_ record: String, _ text: String?) throws {
        let zone = Zone(SPFNamesTests.names + "example.com TXT v=spf1 -all exp=e.example.com\n" + record)
        let outcome = try zone.outcome(Check(testDescription: "", result: .fail))
        #expect(outcome.result == .fail && outcome.mechanism?.display == "-all")
        #expect(outcome.explanation?.display == text)
    }

    /// RFC 7208 §6.2: whose explanation it is.
    @Test(arguments: [
        ("v=spf1 include:inner.example.com -all exp=e1.example.com", "first"),
        ("v=spf1 include:inner.example.com -all", nil),
        ("v=spf1 -include:pass.example.com exp=e1.example.com", "first"),
        ("v=spf1 exp=e1.example.com redirect=inner.example.com", "second"),
        ("v=spf1 exp=e1.example.com redirect=bare.example.com", nil),
        ("v=spf1 ~all exp=e1.example.com", nil), ("v=spf1 +all exp=e1.example.com", nil),
    ])
    func explanationOf(_ record: String, _ text: String?) throws {
        let zone = Zone(
            """
            example.com TXT \(record)
            inner.example.com TXT v=spf1 -all exp=e2.example.com
            bare.example.com TXT v=spf1 -all
            pass.example.com TXT v=spf1 +all exp=e2.example.com
            e1.example.com TXT first
            e2.example.com TXT second
            """)
        #expect(try zone.outcome(Check(testDescription: "", result: .fail)).explanation?.display == text)
    }

    @Test func anExplanationIsNoVoidLookupAndNoTerm() throws {
        let terms = (0..<8).map { "a:h\($0 % 1).example.com" }.joined(separator: " ")
        let zone = Zone("example.com TXT v=spf1 a:n1.example.com a:n2.example.com \(terms) exp=n3.example.com -all\nh0.example.com A 203.0.113.1")
        #expect(try zone.outcome(Check(testDescription: "", result: .fail)).result == .fail)
    }

    @Test func aDeadlineDuringTheExplanationLeavesTheResult() throws {
        let subject = try #require(Check(testDescription: "", result: .fail).subject)
        var evaluation = SPFEvaluation(subject)
        evaluation.answered(.found([.text(bytes("v=spf1 -all exp=e.example.com"))]))
        #expect(evaluation.question?.name.description == "e.example.com")
        evaluation.deadlinePassed()
        #expect(evaluation.outcome?.result == .fail)
    }
}
