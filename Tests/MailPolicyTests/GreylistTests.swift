// Greylisting: who waits, for how long, and what is remembered; and that an entry is read as it was written.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct GreylistTests {
    private let policy = Greylist(delay: 300, window: 86400, retention: 30 * 86400)
    private let now = 1_700_000_000

    private func entry(_ first: Int, _ last: Int, _ passes: Int) -> GreylistEntry {
        GreylistEntry(firstSeen: now + first, lastSeen: now + last, passes: passes)
    }

    /// What is known, relative to now; the seconds to wait, nil for none; what is remembered.
    static let cases: [(known: (Int, Int, Int)?, wait: Int?, entry: (Int, Int, Int))] = [
        (nil, 300, (0, 0, 0)),
        ((-1, -1, 0), 299, (-1, 0, 0)),
        ((-299, -100, 0), 1, (-299, 0, 0)),
        ((-300, -1, 0), nil, (-300, 0, 1)),
        ((-86400, -86400, 0), nil, (-86400, 0, 1)),
        // The retry came too late: a stranger again.
        ((-86401, -10, 0), 300, (0, 0, 0)),
        ((-86401, -10, 1), nil, (-86401, 0, 2)),
        ((-9_000_000, -30 * 86400, 7), nil, (-9_000_000, 0, 8)),
        ((-9_000_000, -30 * 86400 - 1, 7), 300, (0, 0, 0)),
        // The clock was set back: nobody waits longer than the delay, and who was let in stays so.
        ((5000, 5000, 0), 300, (0, 0, 0)),
        ((5000, 5000, 3), nil, (5000, 0, 4)),
    ]

    @Test(arguments: cases.indices) func decides(_ index: Int) {
        let (known, wait, expected) = GreylistTests.cases[index]
        let (answer, remembered) = policy.decide(known.map { entry($0.0, $0.1, $0.2) }, at: now)
        #expect(answer == wait.map { .deferred(seconds: $0) } ?? .accepted)
        #expect(remembered == entry(expected.0, expected.1, expected.2))
    }

    @Test func withoutADelayNobodyWaits() {
        let (answer, remembered) = Greylist(delay: 0).decide(nil, at: now)
        #expect(answer == .accepted && remembered.passes == 1)
    }

    @Test func settingsAreBounded() {
        let wild = Greylist(delay: .max, window: -1, retention: .max)
        #expect(wild.delay == 86400 && wild.window == 90000 && wild.retention == 366 * 86400)
        #expect(Greylist(delay: -5).delay == 0)
    }

    @Test func anyEntryAndAnyTimeHaveAnAnswer() {
        var random = SeededGenerator()
        let extremes = [Int.min, -1, 0, 1, 300, 1_700_000_000, Int.max]
        for _ in 0..<20_000 {
            let values = (0..<4).map { _ in
                Bool.random(using: &random) ? extremes.randomElement(using: &random) ?? 0 : Int.random(in: 0...2_000_000_000, using: &random)
            }
            let (answer, entry) = policy.decide(GreylistEntry(firstSeen: values[0], lastSeen: values[1], passes: values[2]), at: values[3])
            if case .deferred(let seconds) = answer { #expect((1...300).contains(seconds)) }
            #expect(entry.lastSeen == values[3])
            #expect((answer == .accepted) == (entry.passes > 0))
        }
    }

    @Test func whoComesBackIsLetIn() {
        var random = SeededGenerator()
        for _ in 0..<500 {
            var known: GreylistEntry?
            var time = now
            var tries = 0
            while tries < 100 {
                tries += 1
                let (answer, entry) = policy.decide(known, at: time)
                known = entry
                guard case .deferred(let seconds) = answer else { break }
                // A client that waits as long as it was told needs no third attempt.
                time += tries == 1 ? Int.random(in: 1...seconds, using: &random) : seconds
            }
            #expect(tries <= 3)
        }
    }

    @Test func aKeyIsANetworkASenderAndARecipient() throws {
        let (sender, recipient) = (try mailbox("A@Example.ORG"), try mailbox("B@example.com"))
        func key(_ client: String, _ sender: ReversePath) throws -> GreylistKey {
            GreylistKey(client: try ip(client), sender: sender, recipient: recipient)
        }
        let one = try key("192.0.2.1", .address(sender))
        #expect(one == (try key("192.0.2.254", .address(sender))))
        #expect(one == (try key("::ffff:192.0.2.7", .address(sender))))
        #expect(one != (try key("192.0.3.1", .address(sender))))
        #expect(one != (try key("192.0.2.1", .null)))
        #expect(try key("2001:db8::1", .null) == key("2001:db8::ffff:0:0:1", .null))
        #expect(try key("2001:db8::1", .null) != key("2001:db8:0:1::1", .null))
        #expect(one.sender == bytes("a@example.org") && one.recipient == bytes("b@example.com"))
    }

    @Test func aLineIsWhatTheEventLogsHave() throws {
        let key = GreylistKey(client: .four(192, 0, 2, 7), sender: .null, recipient: try mailbox("\"a b%\"@example.com"))
        let line = GreylistEntry(firstSeen: 1_700_000_000, lastSeen: 1_700_000_400, passes: 2).line(key)
        #expect(line.display == "greylist - at=1700000400.000 peer=192.0.2.0/24 from= recipient=a%20b%25@example.com since=1700000000.000 count=2")
    }

    @Test func linesAreReadAsTheyWereWritten() throws {
        var random = SeededGenerator()
        for _ in 0..<3000 {
            let local = random.bytes(Int.random(in: 1...20, using: &random), from: bytes("ab =%\"\\#.+"))
            let address = try #require(EmailAddress(localPart: local, domain: domain("example.org")))
            let client = try ip(Bool.random(using: &random) ? "192.0.2.9" : "2001:db8::9")
            let key = GreylistKey(client: client, sender: Bool.random(using: &random) ? .null : .address(address), recipient: address)
            let entry = GreylistEntry(
                firstSeen: Int.random(in: 0...4_000_000_000, using: &random), lastSeen: Int.random(in: 0...4_000_000_000, using: &random),
                passes: Int.random(in: 0...1000, using: &random))
            let read = try #require(GreylistEntry.parse(entry.line(key)))
            #expect(read.key == key && read.entry == entry)
        }
    }

    @Test(arguments: [
        "", "greylist", "greylist -", "accept - at=1.000 peer=192.0.2.0/24 from= recipient=a@b since=1.000 count=0",
        "greylist x at=1.000 peer=192.0.2.0/24 from= recipient=a@b since=1.000 count=0",
        "greylist - at=1.000 peer=192.0.2.0/24 from= recipient= since=1.000 count=0",
        "greylist - at=1.000 peer=192.0.2.1/24 from= recipient=a@b since=1.000 count=0",
        "greylist - at=-1.000 peer=192.0.2.0/24 from= recipient=a@b since=1.000 count=0",
        "greylist - at=1.000 peer=192.0.2.0/24 from= recipient=a@b since=1.000",
        "greylist - at=1.000 peer=192.0.2.0/24 from= recipient=a%2 since=1.000 count=0",
        "greylist - at=1.000 peer=192.0.2.0/24 from= recipient=a@b since=1.000 count=0 count=1",
        "greylist - at=1.0.0 peer=192.0.2.0/24 from= recipient=a@b since=1.000 count=0",
        "greylist - at peer=192.0.2.0/24 from= recipient=a@b since=1.000 count=0",
        "greylist - at=99999999999999999999.000 peer=192.0.2.0/24 from= recipient=a@b since=1.000 count=0",
    ]) func noEntry(_ line: String) { #expect(GreylistEntry.parse(bytes(line)) == nil) }

    @Test func unknownKeysAreSkipped() {
        #expect(
            GreylistEntry.parse(bytes("greylist - x=y count=1 since=1 recipient=a@b from= peer=192.0.2.0/24 at=2.5"))?.entry
                == GreylistEntry(firstSeen: 1, lastSeen: 2, passes: 1))
    }
}
