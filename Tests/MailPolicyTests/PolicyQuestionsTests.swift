// Port 25's questions: what is asked, what is decided, and that smtpd and an explanation cannot come to different ends.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

/// A dialogue and the world that answers its questions.
struct Scene: Sendable {
    var configuration: PolicyConfiguration
    var zone = Zone("")
    var client = "192.0.2.1"
    var hello = "mail.example.com"
    var from = "alice@example.com"
    var to = "bob@receiver.example"
    var time = 1_700_000_000
    var rates = RateVerdict.allowed
    var memory: PolicyQuestions.Memory = .known(nil)

    init(_ change: (inout PolicyConfiguration) -> Void = { _ in }) throws {
        configuration = PolicyConfiguration(hostName: try domain("mx.receiver.example"))
        change(&configuration)
    }

    /// As far as RCPT, nothing answered.
    func questions() throws -> PolicyQuestions {
        var questions = PolicyQuestions(configuration, client: try ip(client))
        questions.rates = rates
        questions.helloGiven(bytes(hello), at: time)
        questions.senderGiven(from.isEmpty ? .null : .address(try mailbox(from)), at: time)
        questions.recipientGiven(try mailbox(to), at: time)
        return questions
    }

    /// Answers all that is asked, the next question chosen by `pick`; a question in `silent` gets no answer.
    func run(silent: Set<DNSQuestion> = [], pick: (Int) -> Int = { _ in 0 }) throws -> PolicyQuestions {
        var questions = try questions()
        var count = 0
        while !questions.questions.isEmpty {
            let open = questions.questions
            #expect(Set(open).count == open.count, "each once")
            count += 1
            try #require(count < 500, "the questions end")
            switch open[pick(open.count)] {
            case .dns(let question): questions.answered(question, silent.contains(question) ? .unavailable : zone.answer(question))
            case .greylist:
                switch memory {
                case .known(let entry): questions.greylistAnswered(entry)
                case .unavailable, .unasked: questions.greylistUnavailable()
                }
            }
        }
        return questions
    }
}

extension PolicyDecision {
    /// `250`, `550 5.7.1`, …
    var code: String {
        switch self {
        case .accepted: "250"
        case .refused(let refusal), .deferred(let refusal, _): "\(refusal.code) \(refusal.status)"
        }
    }
}

@Suite struct PolicyQuestionsTests {
    private static let zone = Zone(
        """
        1.2.0.192.in-addr.arpa PTR mail.example.com
        mail.example.com A 192.0.2.1
        example.com MX 10 mail.example.com
        example.com TXT v=spf1 mx -all exp=why.example.com
        why.example.com TXT %{i} is not ours
        2.2.0.192.in-addr.arpa PTR mail.example.com
        3.2.0.192.in-addr.arpa FAIL
        soft.example TXT v=spf1 ~all
        odd.example TXT v=spf1 nonsense
        silent.example FAIL
        null.example MX 0\u{20}
        2.2.0.192.bl.example A 127.0.0.2
        5.2.0.192.half.example A 127.0.0.2
        2.2.0.192.wl.example A 127.0.0.2
        9.2.0.192.bl.example FAIL
        spam.example.names.example A 127.0.0.2
        """)

    @Test func anOrdinaryClientIsLetInAndEachStepIsShown() throws {
        var scene = try Scene { $0.greylist = Greylist() }
        scene.zone = PolicyQuestionsTests.zone
        let questions = try scene.run()
        #expect(questions.decision == .accepted)
        #expect(
            questions.trail.map(\.description) == [
                "reverse-dns: 192.0.2.1 is mail.example.com: passed", "helo: mail.example.com: passed", "spf-helo: none for mail.example.com: passed",
                "spf: pass for example.com (mx): passed",
            ])
        let field = AuthenticationResults.field(host: scene.configuration.hostName, questions.authenticationMethods).display
        #expect(field.contains("iprev=pass") && field.contains("spf=none smtp.helo=mail.example.com") && field.contains("spf=pass"))
        #expect(questions.spfOutcome?.receivedSPF.display.hasPrefix("Received-SPF: pass") == true)
    }

    @Test func theFirstQuestionsAreAskedTogether() throws {
        var scene = try Scene {
            $0.hello.unresolvable = .refusal
            $0.senderDomain.unreachable = .refusal
        }
        scene.configuration.lists = [
            DNSList(zone: try domain("bl.example"), weights: [.init(10)]),
            DNSList(zone: try domain("names.example"), kind: .names, weights: [.init(10)]),
        ]
        let asked = try scene.questions().questions.compactMap {
            if case .dns(let question) = $0 { "\(question.type) \(question.name)" } else { nil }
        }
        #expect(
            asked == [
                "ptr 1.2.0.192.in-addr.arpa", "a 1.2.0.192.bl.example", "a mail.example.com", "txt mail.example.com", "a example.com.names.example",
                "mx example.com", "txt example.com",
            ])
    }

    @Test func questionsBeginBeforeTheDialogueIsOver() throws {
        let scene = try Scene()
        var questions = PolicyQuestions(scene.configuration, client: try ip("192.0.2.1"))
        #expect(questions.questions.count == 1 && questions.decision == nil)
        questions.senderGiven(.null, at: 0)
        questions.recipientGiven(try mailbox("a@b"), at: 0)
        #expect(questions.questions.count == 1, "nothing counts before HELO")
        questions.helloGiven(bytes("mail.example.com"), at: 0)
        #expect(questions.questions.count == 2 && questions.decision == nil)
    }

    @Test func oneConfirmedNameIsEnough() throws {
        var questions = PolicyQuestions(try Scene().configuration, client: try ip("192.0.2.1"))
        let names = ["gone.example.com", "mail.example.com", "more.example.com"].map { DNSDatum.pointer(bytes($0)) }
        for answer in [DNSFinding.found(names), .noSuchName, .found([.address(.four(192, 0, 2, 1))])] {
            guard case .dns(let question)? = questions.questions.first else {
                Issue.record("no question")
                return
            }
            questions.answered(question, answer)
        }
        #expect(questions.questions.isEmpty)
        #expect(questions.authenticationMethods == [AuthenticationMethod("iprev", "pass", [.init("policy.iprev", bytes("192.0.2.1"))])])
    }

    @Test func theSameNameAfterSTARTTLSIsNotAskedAboutAgain() throws {
        let scene = try Scene()
        var questions = PolicyQuestions(scene.configuration, client: try ip("192.0.2.1"))
        questions.helloGiven(bytes("mail.example.com"), at: 0)
        for case .dns(let question) in questions.questions { questions.answered(question, .noSuchName) }
        questions.senderGiven(.address(try mailbox("a@example.com")), at: 0)
        #expect(questions.questions.count == 1)
        questions.helloGiven(bytes("mail.example.com"), at: 1)
        #expect(questions.questions.isEmpty && questions.spfOutcome == nil, "the sender is forgotten")
        questions.helloGiven(bytes("other.example.com"), at: 2)
        #expect(questions.questions.count == 1)
    }

    /// A client of whom one rule finds something, and the setting that says what follows.
    struct Finding: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let rule: PolicyRule
        /// Subject and detail of the enhanced status.
        let detail: String
        var client = "192.0.2.1"
        var hello = "mail.example.com"
        var from = "a@plain.example"
        let set: @Sendable (inout PolicyConfiguration, PolicyAction) -> Void

        func scene() throws -> Scene {
            var scene = try Scene()
            scene.zone = PolicyQuestionsTests.zone
            (scene.client, scene.hello, scene.from) = (client, hello, from)
            return scene
        }
    }

    private static let noName = Finding(testDescription: "no reverse DNS", rule: .reverseDNS, detail: "7.25", client: "192.0.2.77") {
        $0.reverseDNS.missing = $1
    }
    private static let otherName = Finding(
        testDescription: "reverse DNS that leads elsewhere", rule: .reverseDNS, detail: "7.25", client: "192.0.2.2"
    ) {
        $0.reverseDNS.unconfirmed = $1
    }
    private static let hellos = ["localhost", "a b\r\n", "[300.1.1.1]", "", "a..b"].map { hello in
        Finding(testDescription: "HELO \(hello)", rule: .hello, detail: "7.1", hello: hello) { $0.hello.malformed = $1 }
    }
    private static let forged = ["[192.0.2.9]", "[IPv6:2001:db8::1]", "MX.receiver.example", "mx.receiver.example."].map { hello in
        Finding(testDescription: "HELO \(hello)", rule: .hello, detail: "7.1", hello: hello) { $0.hello.forged = $1 }
    }
    private static let missingHello = Finding(testDescription: "HELO that does not exist", rule: .hello, detail: "7.1", hello: "nowhere.example") {
        $0.hello.unresolvable = $1
    }
    private static let senders = [("a@nowhere.example", "1.8"), ("a@localhost", "1.8"), ("a@null.example", "7.27")].map { from, detail in
        Finding(testDescription: "sender \(from)", rule: .senderDomain, detail: detail, from: from) { $0.senderDomain.unreachable = $1 }
    }
    private static let fail = Finding(testDescription: "SPF fail", rule: .spf, detail: "7.23", client: "192.0.2.50", from: "a@example.com") {
        $0.spf.fail = $1
    }
    private static let helloFail = Finding(
        testDescription: "SPF fail of HELO", rule: .spfHello, detail: "7.23", client: "192.0.2.50", hello: "example.com"
    ) {
        $0.spf.helloFail = $1
    }
    private static let softfail = Finding(testDescription: "SPF softfail", rule: .spf, detail: "7.23", from: "a@soft.example") {
        $0.spf.softfail = $1
    }
    private static let permerror = Finding(testDescription: "SPF permerror", rule: .spf, detail: "7.24", from: "a@odd.example") {
        $0.spf.permerror = $1
    }

    static let findings = [noName, otherName] + hellos + forged + [missingHello] + senders + [fail, helloFail, softfail, permerror]

    @Test(arguments: findings) func leadsWhereTheConfigurationSays(_ finding: Finding) throws {
        let outcomes: [(PolicyAction, PolicyStep.Verdict, String)] = [
            (.note, .noted, "250"), (.deferral, .deferred, "450 4.\(finding.detail)"), (.refusal, .refused, "550 5.\(finding.detail)"),
        ]
        for (action, verdict, code) in outcomes {
            var scene = try finding.scene()
            finding.set(&scene.configuration, action)
            let questions = try scene.run()
            #expect(questions.decision?.code == code, "\(questions.trail)")
            #expect(questions.trail.last { $0.rule == finding.rule }?.verdict == verdict)
            // No policy keeps anybody from postmaster.
            scene.to = "Postmaster@receiver.example"
            #expect(try scene.run().decision == .accepted)
        }
    }

    @Test(arguments: findings) func byDefaultOnlySPFFailRefuses(_ finding: Finding) throws {
        let code = finding.testDescription == "SPF fail" ? "550 5.7.23" : "250"
        #expect(try finding.scene().run().decision?.code == code)
    }

    @Test func aTemporaryErrorOfSPFNeverRefuses() throws {
        for (action, code) in [(PolicyAction.note, "250"), (.deferral, "450 4.7.24"), (.refusal, "450 4.7.24")] {
            var scene = try Scene { $0.spf.temperror = action }
            scene.zone = PolicyQuestionsTests.zone
            scene.from = "a@silent.example"
            #expect(try scene.run().decision?.code == code)
        }
    }

    /// RFC 7208 §5.5 makes it a fail; the client's own DNS, and no fault of its, is why.
    @Test func aFailForWantOfAnAnswerRefusesNobody() throws {
        var scene = try Scene { $0.spf.helloFail = .refusal }
        (scene.client, scene.hello, scene.from) = ("192.0.2.3", "ptr.example.com", "a@ptr.example.com")
        scene.zone = Zone("ptr.example.com TXT v=spf1 ptr -all\n3.2.0.192.in-addr.arpa FAIL")
        let questions = try scene.run()
        #expect(questions.spfOutcome?.result == .fail && questions.decision == .accepted)
        #expect(questions.trail.filter { $0.rule == .spf || $0.rule == .spfHello }.map(\.verdict) == [.unknown, .unknown])
        scene.zone = Zone("ptr.example.com TXT v=spf1 ptr -all")
        #expect(try scene.run().decision?.code == "550 5.7.23")
    }

    @Test func theOwnLiteralIsAGoodHELO() throws {
        for (client, hello) in [("192.0.2.1", "[192.0.2.1]"), ("2001:db8::5", "[IPv6:2001:DB8:0::5]"), ("::ffff:192.0.2.1", "[192.0.2.1]")] {
            var scene = try Scene { ($0.hello.malformed, $0.hello.forged, $0.hello.unresolvable) = (.refusal, .refusal, .refusal) }
            (scene.client, scene.hello) = (client, hello)
            #expect(try scene.run().decision == .accepted, "\(hello)")
        }
    }

    @Test func aRefusalBySPFTellsTheDomainsWords() throws {
        var scene = try Scene()
        scene.zone = PolicyQuestionsTests.zone
        scene.client = "192.0.2.50"
        guard case .refused(let refusal) = try scene.run().decision else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.text.display == "SPF of example.com does not permit 192.0.2.50: the domain explains: 192.0.2.50 is not ours")
    }

    @Test(arguments: [
        ("192.0.2.2", false, "550 5.7.1"), ("192.0.2.2", true, "250"), ("192.0.2.5", false, "250"), ("192.0.2.9", false, "250"),
        ("192.0.2.1", false, "250"),
    ]) func listsDecideTogether(_ client: String, _ withAllowList: Bool, _ code: String) throws {
        var scene = try Scene { $0.spf.isAsked = false }
        scene.zone = PolicyQuestionsTests.zone
        scene.client = client
        scene.configuration.lists = [
            DNSList(zone: try domain("bl.example"), weights: [.init(10)]), DNSList(zone: try domain("half.example"), weights: [.init(5)]),
        ]
        if withAllowList { scene.configuration.lists.append(DNSList(zone: try domain("wl.example"), weights: [.init(-20)])) }
        #expect(try scene.run().decision?.code == code)
    }

    @Test func listsOfNamesAreAskedForTheSendersDomain() throws {
        var scene = try Scene { $0.spf.isAsked = false }
        scene.zone = PolicyQuestionsTests.zone
        scene.configuration.lists = [DNSList(zone: try domain("names.example"), kind: .names, weights: [.init(10)])]
        #expect(try scene.run().decision == .accepted)
        scene.from = "x@spam.example"
        #expect(try scene.run().decision?.code == "550 5.7.1")
        scene.from = ""
        #expect(try scene.run().decision == .accepted)
    }

    @Test func theTrustedAreNotAskedAbout() throws {
        var scene = try Scene {
            $0.greylist = Greylist()
            $0.greylistsSuspectsOnly = false
            $0.senderDomain.unreachable = .refusal
            $0.hello.malformed = .refusal
        }
        scene.configuration.trusted = [try #require(IPNetwork("192.0.2.0/24"))]
        (scene.hello, scene.from, scene.rates) = ("?", "x@localhost", .full)
        let questions = try scene.questions()
        #expect(questions.questions.isEmpty && questions.decision == .accepted)
        #expect(questions.trail.map(\.rule) == [.trusted])
    }

    @Test(arguments: [
        (RateVerdict.limited(.messages, .network, seconds: 7), "450 4.7.1", 7 as Int?), (.crowded(.address), "450 4.7.1", nil),
        (.full, "450 4.3.2", nil), (.allowed, "250", nil),
    ]) func ratesDefer(_ verdict: RateVerdict, _ code: String, _ seconds: Int?) throws {
        var scene = try Scene()
        scene.rates = verdict
        let decision = try scene.run().decision
        #expect(decision?.code == code)
        if case .deferred(_, let wait) = decision { #expect(wait == seconds) }
    }

    @Test func aRefusalStandsAboveADeferral() throws {
        var scene = try Scene { $0.reverseDNS.missing = .deferral }
        scene.zone = PolicyQuestionsTests.zone
        (scene.client, scene.from) = ("192.0.2.77", "a@plain.example")
        #expect(try scene.run().decision?.code == "450 4.7.25")
        scene.from = "a@example.com"
        let questions = try scene.run()
        #expect(questions.decision?.code == "550 5.7.23")
        #expect(questions.trail.map(\.verdict) == [.deferred, .passed, .passed, .refused])
    }

    @Test func aFloodIsDeferredBeforeAnythingIsAnswered() throws {
        var scene = try Scene()
        scene.rates = .limited(.connections, .address, seconds: 3)
        let questions = try scene.questions()
        #expect(questions.decision?.code == "450 4.7.1" && questions.questions.isEmpty)
    }
}

@Suite struct HostLookupTests {
    private static let one = DNSFinding.found([.address(.four(192, 0, 2, 1))])
    private static let mx = DNSFinding.found([.exchanger(preference: 1, host: bytes("mx.example.org"))])
    private static let null = DNSFinding.found([.exchanger(preference: 0, host: [])])

    /// The answers to MX, A and AAAA, as far as they are asked for.
    @Test(arguments: [
        ([mx], HostLookup.Result.found), ([null], .nullMX), ([.noSuchName], .missing), ([.noData, one], .found), ([.noData, .noData, one], .found),
        ([.noData, .noData, .noData], .missing), ([.found([]), .noData, .noData], .missing), ([.unavailable, one], .found),
        ([.unavailable, .noData, .noData], .unknown), ([.noData, .noData, .unavailable], .unknown), ([.unavailable, .noSuchName], .missing),
        ([.unavailable, .unavailable, .unavailable], .unknown),
    ])
    func answersComeTo(_ answers: [DNSFinding], _ result: HostLookup.Result) throws {
        var lookup = HostLookup.mailDomain(try #require(DNSName("example.org")))
        for answer in answers {
            #expect(lookup.result == nil && lookup.question != nil)
            lookup.answered(answer)
        }
        #expect(lookup.result == result && lookup.question == nil)
        lookup.answered(HostLookupTests.one)
        lookup.deadlinePassed()
        #expect(lookup.result == result, "what comes later changes nothing")
    }
}
