// Greylisting in its place, and what must hold for every configuration: order does not matter, silence refuses nobody.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct PolicyGreylistTests {
    private func scene(suspectsOnly: Bool) throws -> Scene {
        try Scene {
            $0.greylist = Greylist(delay: 100)
            $0.greylistsSuspectsOnly = suspectsOnly
        }
    }

    @Test func aStrangerWaitsAndIsRemembered() throws {
        let scene = try scene(suspectsOnly: false)
        let questions = try scene.run()
        guard case .deferred(let refusal, let seconds) = questions.decision else {
            Issue.record("not deferred")
            return
        }
        #expect(refusal.code == 450 && seconds == 100)
        let remembered = try #require(questions.remembered)
        #expect(remembered.entry == GreylistEntry(firstSeen: scene.time, lastSeen: scene.time))
        #expect(remembered.key.recipient == bytes("bob@receiver.example"))
    }

    @Test func whoComesBackIsLetInAndRemembered() throws {
        var scene = try scene(suspectsOnly: false)
        scene.memory = .known(GreylistEntry(firstSeen: scene.time - 100, lastSeen: scene.time - 100))
        let questions = try scene.run()
        #expect(questions.decision == .accepted && questions.remembered?.entry.passes == 1)
    }

    @Test func withoutAMemoryNobodyWaits() throws {
        var scene = try scene(suspectsOnly: false)
        scene.memory = .unavailable
        let questions = try scene.run()
        #expect(questions.decision == .accepted && questions.remembered == nil)
        #expect(questions.trail.last?.verdict == .unknown)
    }

    @Test func whoIsDeferredAnywayIsNotRemembered() throws {
        var scene = try scene(suspectsOnly: false)
        scene.configuration.reverseDNS.missing = .deferral
        let questions = try scene.run()
        #expect(questions.decision?.code == "450 4.7.25" && questions.remembered == nil)
        #expect(!questions.trail.contains { $0.rule == .greylist })
    }

    @Test func onlySuspectsWait() throws {
        var scene = try scene(suspectsOnly: true)
        scene.zone = Zone("1.2.0.192.in-addr.arpa PTR mail.example.com\nmail.example.com A 192.0.2.1")
        #expect(try scene.run().decision == .accepted)
        scene.client = "192.0.2.2"
        #expect(try scene.run().decision?.code == "450 4.7.1", "no reverse DNS")
    }

    @Test func anAllowListSparesTheWait() throws {
        var scene = try scene(suspectsOnly: false)
        scene.configuration.lists = [DNSList(zone: try domain("wl.example"), weights: [.init(-1)])]
        #expect(try scene.run().decision?.code == "450 4.7.1")
        scene.zone = Zone("1.2.0.192.wl.example A 127.0.0.5")
        #expect(try scene.run().decision == .accepted)
    }

    @Test func theNextRecipientIsAskedForAnew() throws {
        let scene = try scene(suspectsOnly: false)
        var questions = try scene.run()
        #expect(questions.decision?.code == "450 4.7.1")
        questions.recipientGiven(try mailbox("carol@receiver.example"), at: scene.time)
        #expect(questions.questions.count == 1, "the memory, and nothing of DNS again")
        questions.greylistAnswered(GreylistEntry(firstSeen: 0, lastSeen: scene.time, passes: 1))
        #expect(questions.decision == .accepted)
        questions.recipientGiven(try mailbox("abuse@receiver.example"), at: scene.time)
        #expect(questions.decision == .accepted && questions.questions.isEmpty)
    }

    @Test func theMemoryIsAskedLast() throws {
        var questions = try scene(suspectsOnly: false).questions()
        questions.greylistAnswered(GreylistEntry(firstSeen: 0, lastSeen: 0, passes: 9))
        #expect(questions.decision == nil)
        for case .dns(let question) in questions.questions { questions.answered(question, .noSuchName) }
        for question in questions.questions {
            #expect(
                question
                    == .greylist(
                        GreylistKey(
                            client: questions.client, sender: .address(try mailbox("alice@example.com")),
                            recipient: try mailbox("bob@receiver.example"))))
        }
        #expect(questions.questions.count == 1, "an answer that came too early was not taken")
    }
}

@Suite struct PolicyPropertyTests {
    private static let zone = Zone(
        """
        1.2.0.192.in-addr.arpa PTR mail.example.com
        1.2.0.192.in-addr.arpa PTR b.example.com
        mail.example.com A 192.0.2.1
        b.example.com A 192.0.2.7
        2.2.0.192.in-addr.arpa PTR b.example.com
        example.com MX 10 mail.example.com
        example.com TXT v=spf1 mx include:inner.example.com ptr:x.example.com -all exp=%{p}.why.example.com
        inner.example.com TXT v=spf1 ip4:192.0.2.7 exists:%{p}.is.example.com ?all
        soft.example TXT v=spf1 a ~all
        soft.example A 192.0.2.1
        ptr.example TXT v=spf1 ptr:example.com -all
        odd.example TXT v=spf1 nonsense
        null.example MX 0\u{20}
        1.2.0.192.bl.example A 127.0.0.2
        2.2.0.192.bl.example A 127.0.0.3
        2.2.0.192.wl.example A 127.0.0.2
        soft.example.names.example A 127.0.0.2
        """)

    private static func scene(_ random: inout SeededGenerator) throws -> Scene {
        func action() -> PolicyAction { PolicyAction.allCases.randomElement(using: &random) ?? .note }
        var scene = try Scene()
        scene.zone = zone
        scene.configuration.reverseDNS.isAsked = Bool.random(using: &random)
        (scene.configuration.reverseDNS.missing, scene.configuration.reverseDNS.unconfirmed) = (action(), action())
        (scene.configuration.hello.malformed, scene.configuration.hello.forged) = (action(), action())
        scene.configuration.hello.unresolvable = Bool.random(using: &random) ? action() : nil
        scene.configuration.senderDomain.unreachable = Bool.random(using: &random) ? action() : nil
        scene.configuration.spf.isAsked = Int.random(in: 0..<4, using: &random) > 0
        scene.configuration.spf.checksHello = Bool.random(using: &random)
        (scene.configuration.spf.fail, scene.configuration.spf.helloFail) = (action(), action())
        (scene.configuration.spf.softfail, scene.configuration.spf.permerror, scene.configuration.spf.temperror) = (action(), action(), action())
        scene.configuration.greylist = Bool.random(using: &random) ? Greylist(delay: 60) : nil
        scene.configuration.greylistsSuspectsOnly = Bool.random(using: &random)
        for (name, kind, points) in [("bl.example", DNSList.Kind.addresses, 10), ("wl.example", .addresses, -10), ("names.example", .names, 10)]
        where Bool.random(using: &random) {
            scene.configuration.lists.append(DNSList(zone: try domain(name), kind: kind, weights: [.init(points)]))
        }
        scene.client = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"].randomElement(using: &random) ?? ""
        scene.hello =
            ["mail.example.com", "nowhere.example", "x", "[192.0.2.1]", "example.com", "mx.receiver.example"].randomElement(using: &random) ?? ""
        scene.from =
            [
                "a@example.com", "a@soft.example", "a@odd.example", "a@null.example", "", "a@nowhere.example", "a@localhost", "a@[192.0.2.1]",
                "a@ptr.example",
            ].randomElement(using: &random) ?? ""
        scene.to = ["bob@receiver.example", "postmaster@receiver.example"][Int.random(in: 0..<8, using: &random) == 0 ? 1 : 0]
        scene.memory =
            [.known(nil), .unavailable, .known(GreylistEntry(firstSeen: 1, lastSeen: scene.time, passes: 1))].randomElement(using: &random)
            ?? .unavailable
        return scene
    }

    @Test func theOrderOfAnswersDoesNotMatter() throws {
        var random = SeededGenerator()
        for _ in 0..<200 {
            let scene = try PolicyPropertyTests.scene(&random)
            let first = try scene.run()
            let other = try scene.run { Int.random(in: 0..<$0, using: &random) }
            #expect(first.decision != nil && first.decision == other.decision)
            #expect(first.trail == other.trail)
            #expect(first.remembered?.entry == other.remembered?.entry)
        }
    }

    /// Answers that do not come, some or all, refuse nobody who would not be refused with them.
    @Test func silenceRefusesNobody() throws {
        var random = SeededGenerator()
        var refused = 0
        for _ in 0..<300 {
            let scene = try PolicyPropertyTests.scene(&random)
            let whole = try scene.run()
            var silent: Set<DNSQuestion> = []
            for type in DNSQuestion.RecordType.allCases {
                for name in [
                    "1.2.0.192.in-addr.arpa", "2.2.0.192.in-addr.arpa", "mail.example.com", "b.example.com", "example.com", "soft.example",
                    "1.2.0.192.bl.example", "2.2.0.192.bl.example", "2.2.0.192.wl.example", "soft.example.names.example", "nowhere.example",
                    "null.example", "inner.example.com", "ptr.example",
                ] where Int.random(in: 0..<3, using: &random) == 0 {
                    silent.insert(DNSQuestion(type, try #require(DNSName(name))))
                }
            }
            if case .refused = try scene.run(silent: silent).decision {
                refused += 1
                guard case .refused = whole.decision else {
                    Issue.record("\(scene.client) \(scene.hello) \(scene.from): \(whole.trail) became \(try scene.run(silent: silent).trail)")
                    continue
                }
            }
        }
        #expect(refused > 10, "the property has met refusals")
    }

    @Test func theDeadlineEndsEverything() throws {
        var random = SeededGenerator()
        for _ in 0..<200 {
            let scene = try PolicyPropertyTests.scene(&random)
            var questions = try scene.questions()
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                guard case .dns(let question)? = questions.questions.first else { break }
                questions.answered(question, scene.zone.answer(question))
            }
            questions.deadlinePassed()
            #expect(questions.decision != nil && questions.questions.isEmpty)
        }
    }

    @Test func whatStrangersSayIsPrintable() throws {
        var random = SeededGenerator()
        for _ in 0..<300 {
            var scene = try PolicyPropertyTests.scene(&random)
            scene.hello = String(
                decoding: random.bytes(Int.random(in: 0...300, using: &random), from: [0, 7, 10, 13, 32, 34, 46, 65, 91, 92, 93, 0xC3, 0xA9, 0xFF]),
                as: UTF8.self)
            let questions = try scene.run()
            for step in questions.trail { #expect(step.found.count <= 400 && step.found.allSatisfy { $0 >= 0x20 && $0 < 0x7F }) }
            switch questions.decision {
            case .refused(let refusal), .deferred(let refusal, _):
                #expect(refusal.text.count <= 400 && refusal.text.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
            case .accepted, nil: break
            }
            #expect(ReceivedSPFTests.isOneField(AuthenticationResults.field(host: scene.configuration.hostName, questions.authenticationMethods)))
        }
    }
}
