// DNS lists: the names that are asked, the answers that count, and the sum that no failure can turn against a client.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct DNSListTests {
    private func list(_ zone: String, _ kind: DNSList.Kind = .addresses, _ weights: [(Int, String)] = []) throws -> DNSList {
        let all = try weights.map { DNSList.Weight($0.0, for: try #require(ListCode($0.1))) }
        return DNSList(zone: try domain(zone), kind: kind, weights: all.isEmpty ? [DNSList.Weight(10)] : all)
    }

    /// The examples of RFC 5782 §2.1, §2.4 and §3.1.
    @Test func namesAreThoseOfTheRFC() throws {
        let list = try list("bad.example.com")
        #expect(list.question(for: .four(192, 0, 2, 99)) == DNSQuestion(.a, try #require(DNSName("99.2.0.192.bad.example.com"))))
        let six = try ip("2001:db8:1:2:3:4:567:89ab")
        #expect(list.question(for: six)?.name.description == "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bad.example.com")
        #expect(list.question(for: try ip("::ffff:192.0.2.99"))?.name.description == "99.2.0.192.bad.example.com")
        let names = try self.list("names.example.org", .names)
        #expect(names.question(for: try domain("Invalid.EXAMPLE"))?.name.description == "invalid.example.names.example.org")
    }

    @Test func whatCannotBeAskedIsNot() throws {
        let names = try list("names.example.org", .names)
        #expect(names.question(for: .four(192, 0, 2, 1)) == nil)
        #expect(names.question(for: try domain("[192.0.2.1]")) == nil)
        #expect(names.question(for: try #require(Domain(String(repeating: "a.", count: 120) + "org"))) == nil, "too long together")
        #expect(try list("x.example").question(for: try domain("example.org")) == nil)
    }

    @Test(arguments: [
        ("127.0.0.2", "127.0.0.2", true), ("127.0.0.2", "127.0.0.3", false), ("127.0.0.2-11", "127.0.0.11", true),
        ("127.0.0.2-11", "127.0.0.12", false), ("127.0.*.1-3", "127.0.255.3", true),
        ("127.0.*.1-3", "127.1.0.3", false), ("127.*.*.*", "127.9.9.9", true), ("127.0.0.2", "::1", false),
    ]) func codeHolds(_ code: String, _ address: String, _ holds: Bool) throws {
        #expect(try #require(ListCode(code)).contains(try ip(address)) == holds)
    }

    @Test(arguments: [
        "", "127.0.0", "127.0.0.2.3", "128.0.0.2", "*.0.0.2", "127.0.0.256", "127.0.0.5-2", "127.0.0.-2", "127.0.0.2-", "127.0.0.2-3-4", "127.0.0.x",
        "127.0.0.", "126-127.0.0.2", "::1",
    ])
    func noCode(_ text: String) { #expect(ListCode(text) == nil) }

    static let answers: [(String, DNSFinding, DNSList.Standing)] = [
        ("listed", .found([.address(.four(127, 0, 0, 2))]), .listed(points: 5, answer: .four(127, 0, 0, 2))),
        ("another code", .found([.address(.four(127, 0, 0, 9))]), .unlisted),
        (
            "the heavier of two", .found([.address(.four(127, 0, 0, 2)), .address(.four(127, 0, 0, 4))]),
            .listed(points: -8, answer: .four(127, 0, 0, 4))
        ),
        ("the address that no list gives", .found([.address(.four(127, 0, 0, 1))]), .unlisted),
        ("an error code", .found([.address(.four(127, 255, 255, 254))]), .unlisted),
        ("a parked zone", .found([.address(.four(203, 0, 113, 7))]), .unknown),
        ("a parked zone and a code", .found([.address(.four(127, 0, 0, 2)), .address(.four(203, 0, 113, 7))]), .unknown),
        ("text alone", .found([.text(bytes("see http://…"))]), .unlisted),
        ("no data", .noData, .unlisted), ("no such name", .noSuchName, .unlisted), ("no answer", .unavailable, .unknown),
    ]

    @Test(arguments: answers) func answerSays(_ case: (String, DNSFinding, DNSList.Standing)) throws {
        let list = try list("x.example", .addresses, [(5, "127.0.0.2-3"), (-8, "127.0.0.4")])
        #expect(list.standing(`case`.1) == `case`.2, "\(`case`.0)")
    }

    private static let listed = DNSFinding.found([.address(.four(127, 0, 0, 2))])

    @Test func pointsAddUp() throws {
        let (block, half, allow) = (
            try list("b.example", .addresses, [(10, "127.0.0.2")]), try list("h.example", .addresses, [(5, "127.0.0.2")]),
            try list("a.example", .addresses, [(-6, "127.0.0.2")])
        )
        let table: [([(DNSList, DNSFinding)], Int, ListTally.Verdict)] = [
            ([], 0, .clear),
            ([(block, DNSListTests.listed)], 10, .refused),
            ([(half, DNSListTests.listed)], 5, .clear),
            ([(half, DNSListTests.listed), (half, DNSListTests.listed)], 10, .refused),
            ([(block, DNSListTests.listed), (allow, DNSListTests.listed)], 4, .clear),
            ([(allow, DNSListTests.listed)], -6, .allowed),
            ([(block, .unavailable)], 0, .clear),
            ([(block, DNSListTests.listed), (half, .unavailable)], 10, .refused),
            // The allow list might have spoken for the client.
            ([(block, DNSListTests.listed), (allow, .unavailable)], 10, .clear),
            ([(block, DNSListTests.listed), (half, DNSListTests.listed), (half, DNSListTests.listed), (allow, .unavailable)], 20, .refused),
        ]
        for (answers, score, verdict) in table {
            var tally = ListTally()
            for (list, finding) in answers { tally.add(list, finding) }
            #expect(tally.score == score)
            #expect(tally.verdict(ListThresholds()) == verdict, "\(answers.map(\.1))")
        }
    }

    @Test func aFailureNeverTurnsAnAnswerIntoARefusal() throws {
        var random = SeededGenerator()
        var refused = 0
        for _ in 0..<2000 {
            let lists = try (0..<Int.random(in: 1...5, using: &random)).map { number in
                try list("l\(number).example", .addresses, (2...4).map { (Int.random(in: -4...12, using: &random), "127.0.0.\($0)") })
            }
            let findings = lists.map { _ in
                Int.random(in: 0..<3, using: &random) == 0
                    ? DNSFinding.noSuchName : .found([.address(.four(127, 0, 0, UInt8.random(in: 1...5, using: &random)))])
            }
            var (whole, failing) = (ListTally(), ListTally())
            for (list, finding) in zip(lists, findings) {
                whole.add(list, finding)
                failing.add(list, Bool.random(using: &random) ? finding : .unavailable)
            }
            if failing.verdict(ListThresholds()) == .refused {
                refused += 1
                #expect(whole.verdict(ListThresholds()) == .refused)
            }
        }
        #expect(refused > 20, "the property has met refusals")
    }

    @Test func weightsCannotOverflow() throws {
        let list = try list("x.example", .addresses, [(Int.max, "127.0.0.2"), (Int.min, "127.0.0.3")])
        #expect(list.weights.map(\.points) == [1000, -1000])
    }
}
