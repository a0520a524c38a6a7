// What is remembered of networks and by greylisting: sums of 30 days, bounded, and the facts of the log that make them.

import MailModel
import SpoolFormat
import Testing

@testable import MailPolicy

@Suite struct NetworkHistoryTests {
    private let now = 1_700_000_000

    @Test func daysBeyondThirtyAreForgotten() {
        var history = NetworkHistory()
        for day in 0..<40 { history.count(1, .accepted, from: .four(192, 0, 2, UInt8(day)), at: now + day * 86400) }
        #expect(history.counts(of: .four(192, 0, 2, 200), at: now + 39 * 86400).accepted == 30)
        #expect(history.counts(of: .four(192, 0, 3, 1), at: now + 39 * 86400) == NetworkCounts())
        // Old facts that come late.
        history.count(7, .unknown, from: .four(192, 0, 2, 1), at: now + 20 * 86400)
        history.count(7, .unknown, from: .four(192, 0, 2, 1), at: now)
        #expect(history.counts(of: .four(192, 0, 2, 1), at: now + 39 * 86400).unknown == 7)
    }

    @Test func memoryIsBounded() {
        var history = NetworkHistory(capacity: 2)
        for net in 1...3 { history.count(1, .refused, from: .four(10, 0, UInt8(net), 1), at: now) }
        #expect((1...3).map { history.counts(of: .four(10, 0, UInt8($0), 9), at: now).refused } == [0, 1, 1])
    }

    static let allowances: [(NetworkCounts, Int)] = [
        (NetworkCounts(), 100), (NetworkCounts(accepted: 99), 100), (NetworkCounts(accepted: 100), 400),
        (NetworkCounts(accepted: 100, refused: 5, unknown: 5), 400), (NetworkCounts(accepted: 100, unknown: 11), 100),
        (NetworkCounts(unknown: 49), 100), (NetworkCounts(refused: 20, unknown: 30), 25), (NetworkCounts(accepted: 12, unknown: 52), 25),
        (NetworkCounts(accepted: 13, unknown: 52), 100),
    ]

    @Test(arguments: allowances) func whoWasGoodMayDoMore(_ counts: NetworkCounts, _ allowance: Int) {
        #expect(counts.allowance == allowance)
    }

    @Test func anAllowanceScalesARate() {
        var table = RateTable(address: RateLimits(messages: Rate(4, per: 3600)), network: RateLimits())
        let client = IPAddress.four(192, 0, 2, 1)
        #expect(table.spend(1, .messages, from: client, at: 1, allowance: 25) == .allowed)
        #expect(table.spend(1, .messages, from: client, at: 2, allowance: 25) != .allowed)
        #expect((0..<16).allSatisfy { _ in table.spend(1, .messages, from: .four(192, 0, 2, 2), at: 1, allowance: 400) == .allowed })
        #expect(table.spend(1, .messages, from: .four(192, 0, 2, 2), at: 1, allowance: 400) != .allowed)
    }

    private func record(_ text: String) -> PolicyRecord? { RecordParser.fields(Array(text.utf8)[...]).flatMap { PolicyRecord($0) } }

    @Test func factsOfTheLogAreHeard() {
        let client = IPAddress.four(192, 0, 2, 1)
        #expect(record("accept - from=a@b.example to=c@d.example to=e@d.example peer=192.0.2.1 at=1700000000.123") == .recipients(2, .accepted, client: client, time: now))
        #expect(record("refuse - peer=192.0.2.1 to=x@d.example reason=unknown at=1700000000.123") == .recipients(1, .unknown, client: client, time: now))
        #expect(record("refuse - peer=192.0.2.1 to=x@d.example reason=no status=5.7.1 policy=lists at=1700000000.123") == .recipients(1, .refused, client: client, time: now))
        #expect(record("refuse - peer=192.0.2.1 to=x@d.example reason=no status=4.7.1 policy=greylist at=1700000000.123") == nil)
        #expect(record("refuse - peer=192.0.2.1 to=x@d.example reason=directory%20unavailable at=1700000000.123") == nil)
        #expect(record("connect - peer=192.0.2.1 at=1700000000.123") == nil)
        #expect(record("accept - from= to=c@d.example peer=/run/socket at=1700000000.123") == nil)
    }

    @Test func anEntryIsReadAsItWasWritten() throws {
        let recipient = try #require(EmailAddress("Bob@example.org"))
        let key = GreylistKey(client: .four(192, 0, 2, 1), sender: .null, recipient: recipient)
        let entry = GreylistEntry(firstSeen: now - 400, lastSeen: now, passes: 3)
        let line = String(decoding: entry.record(key).adding(.at, "\(now).000").bytes, as: UTF8.self)
        #expect(record(line) == .greylist(key, entry))
    }

    @Test func theLogIsToldOfWhatMatters() throws {
        let key = GreylistKey(client: .four(192, 0, 2, 1), sender: .null, recipient: try #require(EmailAddress("bob@example.org")))
        var memory = GreylistMemory()
        func told(_ first: Int, _ last: Int, _ passes: Int) -> Bool { memory.remember(key, GreylistEntry(firstSeen: now + first, lastSeen: now + last, passes: passes)) }
        #expect(told(0, 0, 0))
        #expect(!told(0, 100, 0))
        #expect(told(0, 400, 1))
        #expect(!told(0, 500, 2))
        #expect(told(0, 500 + 86400, 3))
        #expect(told(9, 500 + 86400, 0))
        // What was learnt since the start is newer than the log.
        memory.recall(key, GreylistEntry(firstSeen: now, lastSeen: now, passes: 9))
        #expect(memory[key]?.firstSeen == now + 9)
    }
}
