// Who waits for whom: no domain behind a slow one, no sender behind one that writes to all the world.

import Kernel
import SpoolFormat
import Testing

@testable import queued

@Suite struct FairnessTests {
    let world = QueueWorld()

    /// Copies for one domain: a hundred messages of so many recipients.
    private func pour(_ count: Int, to domain: String, from number: Int) throws {
        for message in 0..<100 { try world.accept(number + message, to: (0..<(count / 100)).map { "u\($0)@\(domain)" }) }
        world.route()
    }

    @Test func fiftyThousandCopiesForASlowDomainDelayNoOther() throws {
        try pour(50_000, to: "slow.example", from: 1)
        #expect(world.assign().count == Queue.window / 2)
        #expect(world.assign().isEmpty)
        // Not one of them was answered.
        try world.accept(200, to: ["one@quick.example"])
        world.route()
        #expect(world.assign().map(\.recipient) == ["one@quick.example"])
    }

    @Test func tenSlowDomainsLeaveRoomForTheNext() throws {
        for domain in 0..<10 { try pour(1000, to: "slow\(domain).example", from: 1 + 100 * domain) }
        let shares = Dictionary(grouping: world.assign()) { $0.recipient.split(separator: "@")[1] }.mapValues(\.count)
        #expect(shares.count == 10 && shares.values.allSatisfy { 175...190 ~= $0 }, "\(shares)")
        try world.accept(5000, to: (0..<100).map { "u\($0)@quick.example" })
        world.route()
        #expect(world.assign().filter { $0.recipient.hasSuffix("@quick.example") }.count >= 80)
    }

    @Test func aSenderToAllTheWorldDelaysNoOther() throws {
        for message in 0..<50 { try world.accept(1 + message, to: (0..<100).map { "u@host\(message * 100 + $0).example" }, from: "list@example.org") }
        world.route()
        var flying = world.assign()
        #expect(flying.count == Queue.window)
        try world.accept(100, to: ["friend@quick.example"], from: "bob@example.org")
        world.route()
        #expect(world.assign().isEmpty)
        for copy in flying.prefix(4) {
            let host = try #require(Int(copy.recipient.dropFirst("u@host".count).prefix { $0.isNumber }))
            try world.answer(.sent, 1 + host / 100, copy.recipient)
        }
        flying = world.assign()
        // There are 3,000 other domains to write to.
        #expect(flying.count == 4 && flying.contains { $0.recipient == "friend@quick.example" }, "\(flying.map(\.recipient))")
    }

    @Test func aListThatNamesItsRecipientsInItsSenderIsOneSender() {
        let tagged = Rank(priority: 0, sender: bytes("list+bob=x.example@example.org"))
        #expect(tagged == Rank(priority: 0, sender: bytes("list+carol=y.example@example.org")))
        #expect(Set((0..<10_000).map { Rank(priority: 0, sender: bytes("user\($0)@example.org")).sender }).count == 256)
    }

    @Test func whatIsUrgentWaitsForNoShareOfOthersAndOthersNotForIts() throws {
        for message in 0..<40 {
            try world.accept(1 + message, to: (0..<100).map { "u\($0)@slow.example" }, asking: [(.priority, "3")])
        }
        try world.accept(100, to: ["one@quick.example"])
        world.route()
        let assigned = world.assign()
        #expect(assigned.last?.recipient == "one@quick.example" && assigned.count == Queue.window / 2 + 1)
    }
}
