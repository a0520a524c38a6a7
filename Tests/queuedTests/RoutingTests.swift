// Routing: bounded work for one message, and never silence about a recipient that cannot be routed.

import Kernel
import MailModel
import SpoolFormat
import Testing

@testable import Spool
@testable import queued

@Suite struct RoutingTests {
    let world = QueueWorld()

    /// An alias of a thousand members, addressed by a thousand tags.
    @Test func oneMessageIsExpandedSoFarAndEachRecipientHasItsAnswer() throws {
        let members = try (0..<1000).map { member -> (destination: Destination, path: [UInt8]) in
            (.remote(try #require(EmailAddress("member\(member)@y.example"))), [])
        }
        let recipients = (0..<1000).map { "list+\($0)@example.org" }
        try world.accept(1, to: recipients)
        var lookUps = 0
        world.route { _ in
            lookUps += 1
            return .routed(members, refusal: nil)
        }
        #expect(lookUps == Queue.maximumExpansion / 1000)
        let message = try #require(world.message(1))
        #expect(message.unrouted.isEmpty)
        #expect(message.copies.filter { $0.agent == .remoted }.count == 1000)
        #expect(message.failed.count == 1000 - lookUps)
        #expect(message.failed.allSatisfy { message.copies[$0].answer.status == bytes("5.5.3") })
        #expect(Set(try world.said(.route).compactMap { $0.text(.recipient) }) == Set(recipients))
    }

    @Test func manyRecipientsOfTheirOwnAreNoExpansion() throws {
        try world.accept(1, to: (0..<30_000).map { "u\($0)@x.example" })
        world.route()
        #expect(world.message(1)?.failed.isEmpty == true)
    }

    @Test func whatCannotBeRoutedIsSaidOnceAndTriedLater() throws {
        var lookUps = 0
        func held(_ recipient: [UInt8]) -> Routed {
            lookUps += 1
            return .unavailable(reason: "alias loop")
        }
        try world.accept(1, to: ["loop@example.org"])
        for _ in 0..<600 {
            world.now = world.now.adding(seconds: 1)
            world.route(held)
        }
        // At once, then after pauses that grow to half a minute.
        #expect((20...40).contains(lookUps))
        #expect(try world.said(.deferred).map { $0.text(.reason) } == ["alias loop"])
        let found = world.queue.nextDeadline
        let deadline = try #require(found)
        #expect(deadline > world.now)
        world.now = deadline
        world.route()
        #expect(world.assign().map(\.recipient) == ["loop@example.org"])
    }

    @Test func whatCannotBeRoutedForDaysIsReturned() throws {
        try world.accept(1, to: ["loop@example.org"])
        for _ in 0..<32 {
            world.route { _ in .unavailable(reason: "alias loop") }
            world.now = world.now.adding(seconds: 20_000)
        }
        let (message, failed) = try #require(world.bounce())
        #expect(message.copies[failed[0]].answer.reason == bytes("gave up looking for its destination: alias loop"))
    }

    @Test func aPortionIsRoutedAtATime() throws {
        for number in 1...10 { try world.accept(number, to: ["a@x.example"]) }
        world.queue.route(now: world.now, limit: 4) { recipient, _ in QueueWorld.itself(recipient) }
        #expect(world.assign().count == 4)
        world.queue.route(now: world.now, limit: 4) { recipient, _ in QueueWorld.itself(recipient) }
        world.queue.route(now: world.now, limit: 4) { recipient, _ in QueueWorld.itself(recipient) }
        #expect(world.assign().count == 6)
    }
}
