// check_host() case by case: domains, records, each mechanism and modifier (the topics of the openspf suite, with zones of our own).

import MailModel
import Testing

@testable import MailPolicy

@Suite struct SPFCheckTests {
    private static let zone = Zone(
        """
        plain.example.com TXT v=spf1 ip4:192.0.2.0/24 -all
        neutral.example.com TXT v=spf1
        other.example.com TXT something else
        other.example.com TXT v=spf10 -all
        other.example.com TXT v=spf1-all
        two.example.com TXT v=spf1 -all
        two.example.com TXT V=spf1
        beside.example.com TXT verification=abc
        beside.example.com TXT v=spf1 -all
        silent.example.com FAIL
        odd.example.com TXT v=spf1 -all ip4:192.0.2.1/99
        late.example.com TXT v=spf1 ip4:192.0.2.1 nonsense
        ascii.example.com TXT v=spf1 a:bü.example.com -all
        empty.example.com A 192.0.2.1
        postmaster.example.com TXT v=spf1 exists:%{l}.is.example.com -all
        postmaster.is.example.com A 127.0.0.1
        alice.is.example.com A 127.0.0.1

        host.example.com A 192.0.2.1
        host.example.com A 192.0.2.2
        host.example.com AAAA 2001:db8::1
        a.example.com TXT v=spf1 a:host.example.com -all
        a24.example.com TXT v=spf1 a:host.example.com/24//64 -all
        a0.example.com TXT v=spf1 a:host.example.com/0 -all
        a0six.example.com TXT v=spf1 a:host.example.com//0 -all
        self.example.com TXT v=spf1 a -all
        self.example.com A 192.0.2.1
        avoid.example.com TXT v=spf1 a:empty6.example.com a:nowhere.example.com ~all
        empty6.example.com AAAA 2001:db8::99
        afail.example.com TXT v=spf1 a:silent.example.com -all
        abad.example.com TXT v=spf1 a:x.%{h} -all
        dot.example.com TXT v=spf1 include:plain.example.com. ~all

        mx.example.com TXT v=spf1 mx -all
        mx.example.com MX 10 host.example.com
        mx.example.com A 203.0.113.5
        mxnone.example.com TXT v=spf1 mx ~all
        mxnone.example.com A 192.0.2.1
        mxnull.example.com TXT v=spf1 mx ~all
        mxnull.example.com MX 0\u{20}
        mxgone.example.com TXT v=spf1 mx ~all
        mxgone.example.com MX 10 nowhere.example.com
        mxfail.example.com TXT v=spf1 mx -all
        mxfail.example.com MX 10 silent.example.com
        mxdead.example.com TXT v=spf1 mx:silent.example.com -all

        exists.example.com TXT v=spf1 exists:host.example.com -all
        existsnot.example.com TXT v=spf1 exists:empty6.example.com -all
        existsfail.example.com TXT v=spf1 exists:silent.example.com -all

        six.example.com TXT v=spf1 ip6:2001:db8::/32 -all
        mapped.example.com TXT v=spf1 ip6:::ffff:192.0.2.1 ip4:198.51.100.1 -all

        in.example.com TXT v=spf1 include:plain.example.com ~all
        infail.example.com TXT v=spf1 include:deny.example.com ?all
        deny.example.com TXT v=spf1 -all
        insoft.example.com TXT v=spf1 include:soft.example.com ?all
        soft.example.com TXT v=spf1 ~all
        inneutral.example.com TXT v=spf1 include:neutral.example.com -all
        innone.example.com TXT v=spf1 include:empty.example.com +all
        innowhere.example.com TXT v=spf1 include:nowhere.example.com +all
        inodd.example.com TXT v=spf1 include:odd.example.com +all
        insilent.example.com TXT v=spf1 include:silent.example.com +all
        inminus.example.com TXT v=spf1 -include:plain.example.com +all
        innest.example.com TXT v=spf1 include:in2.example.com -all
        in2.example.com TXT v=spf1 ?include:plain.example.com -include:deny.example.com +all
        inbadname.example.com TXT v=spf1 include:%{h} -all

        re.example.com TXT v=spf1 redirect=plain.example.com
        reall.example.com TXT v=spf1 redirect=plain.example.com ?all
        remid.example.com TXT v=spf1 ~all redirect=plain.example.com ip4:192.0.2.1
        renone.example.com TXT v=spf1 redirect=empty.example.com
        renowhere.example.com TXT v=spf1 redirect=nowhere.example.com
        resilent.example.com TXT v=spf1 redirect=silent.example.com
        reself.example.com TXT v=spf1 redirect=self.example.com
        rein.example.com TXT v=spf1 include:re.example.com ~all
        unknown.example.com TXT v=spf1 default=deny moo=%{c} -all
        """)

    static let checks: [Check] = [
        Check(testDescription: "a match", from: "a@plain.example.com", result: .pass, mechanism: "ip4:192.0.2.0/24"),
        Check(testDescription: "no match", client: "203.0.113.1", from: "a@plain.example.com", result: .fail, mechanism: "-all"),
        Check(testDescription: "an empty policy", from: "a@neutral.example.com", result: .neutral, mechanism: "default"),
        Check(testDescription: "no policy among other texts", from: "a@other.example.com", result: .none),
        Check(testDescription: "two policies", from: "a@two.example.com", result: .permerror),
        Check(testDescription: "one policy among other texts", from: "a@beside.example.com", result: .fail, mechanism: "-all"),
        Check(testDescription: "a name without texts", from: "a@empty.example.com", result: .none),
        Check(testDescription: "no such name", from: "a@nowhere.example.com", result: .none),
        Check(testDescription: "no answer", from: "a@silent.example.com", result: .temperror),
        Check(testDescription: "an error before the match", from: "a@odd.example.com", result: .permerror),
        Check(testDescription: "an error behind the match", from: "a@late.example.com", result: .permerror),
        Check(testDescription: "a policy that is not ASCII", from: "a@ascii.example.com", result: .permerror),
        Check(testDescription: "a sender in an address literal", from: "a@[192.0.2.1]", result: .none),
        Check(testDescription: "a sender in a single label", from: "a@localhost", result: .none),
        Check(testDescription: "a sender outside ASCII", from: "a@bücher.example", result: .none),
        Check(testDescription: "HELO of one label", from: "", hello: "OEMCOMPUTER", result: .none),
        Check(testDescription: "HELO with an empty label", from: "", hello: "a..example.com", result: .none),
        Check(testDescription: "HELO with a long label", from: "", hello: String(repeating: "a", count: 64) + ".example.com", result: .none),
        Check(testDescription: "HELO that is no name", from: "", hello: "JUMPIN' JUPITER.example.com", result: .none),
        Check(testDescription: "HELO with a literal", from: "", hello: "[192.0.2.1]", result: .none),
        Check(testDescription: "empty HELO", from: "", hello: "", result: .none),
        Check(testDescription: "the null sender is postmaster at HELO", from: "", hello: "postmaster.example.com", result: .pass),
        Check(
            testDescription: "HELO is checked as postmaster", from: "bob@x.example.com", hello: "Postmaster.Example.COM.", identity: .helo,
            result: .pass),
        Check(testDescription: "MAIL is checked by its own local part", from: "alice@postmaster.example.com", result: .pass),
        Check(testDescription: "another local part", from: "bob@postmaster.example.com", result: .fail),

        Check(testDescription: "a: of another name", client: "192.0.2.2", from: "a@a.example.com", result: .pass, mechanism: "a:host.example.com"),
        Check(testDescription: "a: other address", client: "192.0.2.3", from: "a@a.example.com", result: .fail),
        Check(testDescription: "a: IPv6", client: "2001:db8::1", from: "a@a.example.com", result: .pass),
        Check(testDescription: "a: a neighbour", client: "192.0.2.200", from: "a@a24.example.com", result: .pass),
        Check(testDescription: "a: not a neighbour", client: "192.0.3.1", from: "a@a24.example.com", result: .fail),
        Check(testDescription: "a: IPv6 neighbour", client: "2001:db8::beef", from: "a@a24.example.com", result: .pass),
        Check(testDescription: "a: IPv6 other network", client: "2001:db8:0:1::1", from: "a@a24.example.com", result: .fail),
        Check(testDescription: "a/0 is all of IPv4", client: "203.0.113.9", from: "a@a0.example.com", result: .pass),
        Check(testDescription: "a/0 is not IPv6", client: "2001:db9::1", from: "a@a0.example.com", result: .fail),
        Check(testDescription: "a//0 is all of IPv6", client: "2001:db9::1", from: "a@a0six.example.com", result: .pass),
        Check(testDescription: "a//0 and a mapped address", client: "::ffff:203.0.113.9", from: "a@a0six.example.com", result: .fail),
        Check(testDescription: "a: the domain itself", from: "a@self.example.com", result: .pass, mechanism: "a"),
        Check(testDescription: "a: two void lookups", from: "a@avoid.example.com", result: .softfail, mechanism: "~all"),
        Check(testDescription: "a: no answer", from: "a@afail.example.com", result: .temperror),
        Check(testDescription: "a: a name that macros make wrong", from: "a@abad.example.com", hello: "[192.0.2.1]", result: .fail),
        Check(testDescription: "a final dot", from: "a@dot.example.com", result: .pass),

        Check(testDescription: "mx", from: "a@mx.example.com", result: .pass, mechanism: "mx"),
        Check(testDescription: "mx: IPv6", client: "2001:db8::1", from: "a@mx.example.com", result: .pass),
        Check(testDescription: "mx: the domain's own address is none", client: "203.0.113.5", from: "a@mx.example.com", result: .fail),
        Check(testDescription: "mx: nothing stands in for it", from: "a@mxnone.example.com", result: .softfail),
        Check(testDescription: "mx: the null MX", from: "a@mxnull.example.com", result: .softfail),
        Check(testDescription: "mx: a host that does not exist", from: "a@mxgone.example.com", result: .softfail),
        Check(testDescription: "mx: a host that does not answer", from: "a@mxfail.example.com", result: .temperror),
        Check(testDescription: "mx: no answer", from: "a@mxdead.example.com", result: .temperror),

        Check(testDescription: "exists", client: "203.0.113.1", from: "a@exists.example.com", result: .pass),
        Check(testDescription: "exists asks A of an IPv6 client too", client: "2001:db8::77", from: "a@exists.example.com", result: .pass),
        Check(testDescription: "exists does not ask AAAA", client: "2001:db8::77", from: "a@existsnot.example.com", result: .fail),
        Check(testDescription: "exists: no answer", from: "a@existsfail.example.com", result: .temperror),

        Check(testDescription: "ip6", client: "2001:db8:5::1", from: "a@six.example.com", result: .pass),
        Check(testDescription: "ip6 and IPv4", from: "a@six.example.com", result: .fail),
        Check(testDescription: "ip6 of a mapped address matches nothing", client: "::ffff:192.0.2.1", from: "a@mapped.example.com", result: .fail),
        Check(testDescription: "ip4 and a mapped client", client: "::ffff:198.51.100.1", from: "a@mapped.example.com", result: .pass),

        Check(testDescription: "include: pass", from: "a@in.example.com", result: .pass, mechanism: "include:plain.example.com"),
        Check(testDescription: "include: fail", from: "a@infail.example.com", result: .neutral, mechanism: "?all"),
        Check(testDescription: "include: softfail", from: "a@insoft.example.com", result: .neutral),
        Check(testDescription: "include: neutral", from: "a@inneutral.example.com", result: .fail),
        Check(testDescription: "include: none", from: "a@innone.example.com", result: .permerror),
        Check(testDescription: "include: no such name", from: "a@innowhere.example.com", result: .permerror),
        Check(testDescription: "include: permerror", from: "a@inodd.example.com", result: .permerror),
        Check(testDescription: "include: temperror", from: "a@insilent.example.com", result: .temperror),
        Check(testDescription: "-include", from: "a@inminus.example.com", result: .fail, mechanism: "-include:plain.example.com"),
        Check(testDescription: "include in include", from: "a@innest.example.com", result: .fail, mechanism: "-all"),
        Check(testDescription: "include in include, other client", client: "203.0.113.1", from: "a@innest.example.com", result: .pass),
        Check(testDescription: "include of a wrong name", from: "a@inbadname.example.com", hello: "x", result: .permerror),

        Check(testDescription: "redirect", from: "a@re.example.com", result: .pass, mechanism: "ip4:192.0.2.0/24"),
        Check(testDescription: "redirect, other client", client: "203.0.113.1", from: "a@re.example.com", result: .fail),
        Check(testDescription: "redirect beside all", from: "a@reall.example.com", result: .neutral, mechanism: "?all"),
        Check(testDescription: "redirect behind all", from: "a@remid.example.com", result: .softfail, mechanism: "~all"),
        Check(testDescription: "redirect: none", from: "a@renone.example.com", result: .permerror),
        Check(testDescription: "redirect: no such name", from: "a@renowhere.example.com", result: .permerror),
        Check(testDescription: "redirect: temperror", from: "a@resilent.example.com", result: .temperror),
        Check(testDescription: "redirect changes what `a` means", from: "a@reself.example.com", result: .pass, mechanism: "a"),
        Check(testDescription: "redirect in an include", from: "a@rein.example.com", result: .pass),
        Check(testDescription: "redirect in an include, other client", client: "203.0.113.1", from: "a@rein.example.com", result: .softfail),
        Check(testDescription: "modifiers without a meaning", from: "a@unknown.example.com", result: .fail),
    ]

    @Test(arguments: checks) func comesTo(_ check: Check) throws {
        let outcome = try SPFCheckTests.zone.outcome(check)
        #expect(outcome.result == check.result, "\(outcome.problem?.display ?? "")")
        if let mechanism = check.mechanism { #expect(outcome.mechanism?.display == mechanism) }
        let isError = [.permerror, .temperror].contains(check.result)
        #expect((outcome.problem != nil) == isError || check.result == .none)
        #expect((outcome.mechanism == nil) == (isError || check.result == .none))
    }

    @Test func nothingIsAskedForWhatIsNoDomain() throws {
        let subject = try #require(Check(testDescription: "", from: "a@[192.0.2.1]", result: .none).subject)
        #expect(try #require(SPFCheckTests.zone.check(subject)).questions.isEmpty)
    }

    @Test func questionsAreTheVisibleOrder() throws {
        let zone = Zone(
            """
            q.example.com TXT v=spf1 a mx exists:%{i}.x.example.com include:i.example.com -all
            q.example.com A 203.0.113.9
            q.example.com MX 5 host.example.com
            host.example.com A 203.0.113.9
            i.example.com TXT v=spf1 ?all
            """
        )
        let subject = try #require(Check(testDescription: "", from: "a@q.example.com", result: .fail).subject)
        let asked = try #require(zone.check(subject)).questions.map { "\($0.type) \($0.name)" }
        #expect(
            asked == [
                "txt q.example.com", "a q.example.com", "mx q.example.com", "a host.example.com", "a 192.0.2.1.x.example.com", "txt i.example.com",
            ])
    }

    @Test func aDeadlineIsATemporaryError() throws {
        let subject = try #require(Check(testDescription: "", from: "a@plain.example.com", result: .temperror).subject)
        var evaluation = SPFEvaluation(subject)
        evaluation.deadlinePassed()
        #expect(evaluation.outcome?.result == .temperror)
        evaluation.answered(.found([.text(bytes("v=spf1 +all"))]))
        evaluation.deadlinePassed()
        #expect(evaluation.outcome?.result == .temperror, "what comes later changes nothing")
    }
}
