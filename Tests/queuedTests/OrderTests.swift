// What the administrator asks of a message: it holds through restarts, ends what no agent has, and what an agent has by its answer alone.

import Kernel
import MailModel
import SpoolFormat
import Testing

@testable import Spool
@testable import queued

@Suite struct OrderTests {
    let world = QueueWorld()

    init() throws {
        try world.accept(1, to: ["a@x.example", "b@x.example"])
    }

    /// What mailctl asks, as queued hears it.
    private func ask(_ command: String, _ number: Int? = 1, reason: String? = nil, in world: QueueWorld? = nil) throws {
        let world = world ?? self.world
        var line = RecordLine(.request).adding(.command, command).adding(.uid, 0)
        if let number { line.add(.target, messageID(number)) }
        if let reason { line.add(.reason, reason) }
        #expect(world.queue.hear(try placed(line), from: LogName(.mailctl, .events), now: world.now))
        world.takeLines()
    }

    /// The message's copies as its log says them once its notices are written.
    private func tell(_ world: QueueWorld) -> Int {
        var count = 0
        while let (message, failed) = world.queue.takeBounces().first {
            count += failed.filter { message.wants(.failure, about: message.copies[$0], fallback: true) }.count
            world.queue.bounced(message.id, covering: failed.map { (message.copies[$0].original, message.copies[$0].final) })
        }
        world.takeLines()
        return count
    }

    /// The newest records of each kind again, as a start hears those that no block repeats.
    private func restarted() throws -> QueueWorld {
        let next = QueueWorld(isStarting: true)
        next.now = world.now
        try next.accept(1, to: ["a@x.example", "b@x.example"])
        for (index, line) in world.said.enumerated() { next.queue.replay(try placed(line, at: Int64(index + 1) * 100)) }
        next.queue.rebuild(now: next.now)
        next.takeLines()
        return next
    }

    @Test func aHeldMessageIsRoutedAndNotHandedOut() throws {
        try ask("hold", reason: "looks strange")
        world.route()
        #expect(world.assign().isEmpty)
        #expect(try world.said(.ordered).map { $0.text(.command) } == ["hold"])
        for next in [try world.started(), try restarted()] {
            #expect(next.assign().isEmpty)
            #expect(next.queue.messages[messageID(1)]?.order?.reason == bytes("looks strange"))
            try ask("release", in: next)
            #expect(next.assign().count == 2)
        }
    }

    @Test func aHoldOutlivesRetryAndItsTime() throws {
        world.route()
        let assigned = world.assign()
        try ask("hold")
        for place in assigned { try world.answer(.temporary, 1, place.recipient, place.position) }
        world.now = world.now.adding(seconds: 7200)
        #expect(world.assign().isEmpty)
        try ask("retry")
        try ask("flush", nil)
        #expect(world.assign().isEmpty)
        try ask("release")
        #expect(world.assign().count == 2)
        #expect(world.assign().isEmpty)
        for recipient in ["a@x.example", "b@x.example"] { try world.answer(.sent, 1, recipient) }
        #expect(world.queue.finished == [messageID(1)])
    }

    @Test(arguments: [("delete", 0), ("bounce", 2)]) func whatWaitsEndsAtOnce(_ command: String, _ told: Int) throws {
        world.route()
        try ask(command, reason: "spam")
        #expect(world.assign().isEmpty)
        #expect(world.message(1)?.copies.map(\.answer.reason.display) == Array(repeating: "\(command == "bounce" ? "returned" : "deleted") by the administrator: spam", count: 2))
        #expect(tell(world) == told)
        #expect(world.queue.finished == [messageID(1)])
        #expect(try world.said(.done).first?.text(.result) == "delivered:0,bounced:2")
    }

    @Test(arguments: [("delete", 0), ("bounce", 2)]) func whatIsNotRoutedEndsAsRefused(_ command: String, _ told: Int) throws {
        try ask(command)
        world.route { _ in .unavailable(reason: "never asked") }
        #expect(try world.said(.route).map { $0.text(.status) } == ["5.7.1", "5.7.1"])
        #expect(tell(world) == told)
        #expect(world.queue.finished == [messageID(1)])
    }

    @Test(arguments: ["delete", "bounce"]) func whatAnAgentHasIsItsOwn(_ command: String) throws {
        world.route()
        let assigned = world.assign()
        try ask(command)
        #expect(world.queue.takeBounces().isEmpty)
        try world.answer(.sent, 1, "a@x.example")
        // A start that hears the request once more, and the answer after it.
        for next in [world, try world.started(), try restarted()] {
            try ask(command, in: next)
            let place = try #require(assigned.first { $0.recipient == "b@x.example" }).position
            if next !== world, next.queue.messages[messageID(1)]?.copies.first?.state != .delivered { try next.answer(.sent, 1, "a@x.example") }
            try next.answer(.temporary, 1, "b@x.example", place)
            #expect(next.assign().isEmpty)
            #expect(tell(next) == (command == "bounce" ? 1 : 0))
            #expect(next.queue.finished == [messageID(1)])
            #expect(try next.said(.done).first?.text(.result) == "delivered:1,bounced:1")
        }
    }

    /// Dead between the order and its end: a start carries it out.
    @Test(arguments: ["delete", "bounce"]) func aStartCarriesAnOrderOut(_ command: String) throws {
        world.route()
        try ask(command, reason: "again")
        for next in [try world.started(), try restarted()] {
            #expect(next.assign().isEmpty)
            #expect(tell(next) == (command == "bounce" ? 2 : 0))
            #expect(next.queue.finished == [messageID(1)])
        }
    }

    @Test func anOrderWaitsForAnAcceptThatCannotBeSeen() throws {
        world.route()
        try ask("hold")
        let next = QueueWorld(isStarting: true)
        for (index, line) in world.said.enumerated() { next.queue.replay(try placed(line, at: Int64(index + 1) * 100)) }
        next.queue.rebuild(now: next.now)
        let third = try next.started()
        var isOver = false
        for line in next.queue.stateBlock() {
            if isOver { third.queue.replay(try placed(line)) }
            isOver = isOver || line.verb == .stateEnd
        }
        try third.accept(1, to: ["a@x.example", "b@x.example"])
        #expect(third.assign().isEmpty)
        try ask("release", in: third)
        #expect(third.assign().count == 2)
    }

    /// A half of a routing that was said before counts no more (O4a).
    @Test func aRefusalByOrderIsAWholeRouting() throws {
        try ask("delete")
        #expect(try world.said(.route).map { $0.number(.count) } == [1, 1])
    }

    /// All that was said of it was heard before its accept showed.
    @Test func whatIsOverWhenItsAcceptShowsIsDone() throws {
        let next = QueueWorld()
        for (index, recipient) in ["a@x.example", "b@x.example"].enumerated() {
            let key = RecordLine(.route, messageID(1)).adding(.recipient, recipient).adding(.final, recipient).adding(.agent, "remoted")
            next.queue.replay(try placed(key, at: Int64(index + 1) * 100))
            let end = RecordLine(.bounced, messageID(1)).adding(.recipient, recipient).adding(.final, recipient).adding(.status, "5.1.1")
            next.queue.replay(try placed(end, at: Int64(index + 3) * 100))
        }
        try next.accept(1, to: ["a@x.example", "b@x.example"])
        #expect(next.queue.finished == [messageID(1)])
    }

    @Test func whatEndsAMessageStandsAndAHoldGivesWay() throws {
        world.route()
        world.assign()
        for command in ["hold", "bounce", "hold", "delete", "release", "bounce"] { try ask(command) }
        #expect(try world.said(.ordered).map { $0.text(.command) } == ["hold", "bounce"])
    }

    @Test func aRequestForWhatIsNotOpenSaysNothing() throws {
        for command in ["hold", "release", "delete", "bounce", "retry"] { try ask(command, 7) }
        #expect(try world.said(.ordered).isEmpty)
        #expect(world.queue.closed.known.isEmpty)
        let line = RecordLine(.request).adding(.command, "explode").adding(.target, messageID(1).text)
        #expect(!world.queue.hear(try placed(line), from: LogName(.mailctl, .events), now: world.now))
    }

    /// A request whose ids are all unreadable is not one for everything.
    @Test func aRetryOfNothingReadableRetriesNothing() throws {
        try world.putOff(2..<5)
        let line = RecordLine(.request).adding(.command, "retry").adding(.target, "nonsense")
        world.queue.hear(try placed(line), from: LogName(.mailctl, .events), now: world.now)
        #expect(world.assign().allSatisfy { $0.recipient.hasSuffix("@x.example") })
    }
}
