// The queue as a value: what it says of a message from its accept to its end, and what it must not forget or keep.

import Kernel
import MailModel
import SpoolFormat
import Testing

@testable import Spool
@testable import queued

@Suite struct QueueTests {
    let world = QueueWorld()

    @Test func aMessageIsRoutedAssignedAndDone() throws {
        try world.accept(1, to: ["a@x.example", "b@x.example"])
        world.route()
        let assigned = world.assign()
        #expect(assigned.map(\.recipient) == ["a@x.example", "b@x.example"])
        try world.answer(.sent, 1, "b@x.example")
        #expect(world.queue.messages.count == 1)
        try world.answer(.sent, 1, "a@x.example")
        #expect(world.queue.messages.isEmpty)
        #expect(world.queue.finished == [messageID(1)])
        #expect(try world.said(.done).count == 1)
    }

    @Test(arguments: [Verb.delivered, .withdrawn, .staged, .done, .assign]) func remotedEndsItsCopiesByItsOwnWordsAlone(_ verb: Verb) throws {
        try world.accept(1, to: ["a@x.example"])
        world.route()
        #expect(world.assign().count == 1)
        try world.answer(verb, 1, "a@x.example")
        #expect(world.message(1)?.failed.isEmpty == true)
        #expect(world.queue.finished.isEmpty)
        try world.answer(.sent, 1, "a@x.example")
        #expect(world.queue.finished == [messageID(1)])
    }

    @Test func aTemporaryAnswerCountsForItsAssignmentAlone() throws {
        try world.accept(1, to: ["a@x.example"])
        world.route()
        let place = try #require(world.assign().first).position
        try world.answer(.temporary, 1, "a@x.example", LogPosition(segment: 9, offset: 9))
        #expect(try world.said(.deferred).isEmpty)
        try world.answer(.temporary, 1, "a@x.example", place)
        #expect(try world.said(.deferred).count == 1)
        world.now = world.now.adding(seconds: 61)
        #expect(world.assign().count == 1)
    }

    @Test func answersInAnyOrderFindTheirCopies() throws {
        let recipients = (0..<50).map { "u\($0)@x.example" }
        try world.accept(1, to: recipients)
        world.route()
        #expect(world.assign().count == 50)
        for recipient in recipients.reversed().enumerated().sorted(by: { ($0.offset % 7, $0.offset) < ($1.offset % 7, $1.offset) }).map(\.element) {
            #expect(world.queue.messages[messageID(1)] != nil)
            try world.answer(.sent, 1, recipient)
        }
        #expect(world.queue.messages.isEmpty)
    }

    @Test func aWindowBoundsWhatIsOutstanding() throws {
        try world.accept(1, to: (0..<40).map { "u\($0)@x\($0).example" })
        world.route()
        #expect(world.assign(window: 16).count == 16)
        #expect(world.assign(window: 16).isEmpty)
        try world.answer(.sent, 1, "u0@x0.example")
        #expect(world.assign(window: 16).count == 1)
    }

    // MARK: What the remote host said

    @Test func theHostThatRefusedIsNamed() throws {
        try world.accept(1, to: ["a@x.example"])
        world.route()
        world.assign()
        try world.answer(.failed, 1, "a@x.example", reason: "no such user here")
        let started = try world.started()
        for queue in [world, started] {
            let (message, failed) = try #require(queue.bounce())
            #expect(message.copies[failed[0]].answer == Answer(status: bytes("5.1.1"), reason: bytes("no such user here"), host: bytes("mx.example.net")))
            let said = try record(.bounced(message, message.copies[failed[0]], child: nil))
            #expect(said.text(.host) == "mx.example.net")
        }
    }

    @Test(arguments: [
        ("mx.example.net [192.0.2.9]:25", "mx.example.net [192.0.2.9]:25: cannot connect: connection refused"),
        ("example.net", "the domain does not exist"),
    ])
    func ourOwnWordsAreNotPutIntoTheMouthOfAHost(_ host: String, _ reason: String) throws {
        try world.accept(1, to: ["a@x.example"])
        world.route()
        world.assign()
        try world.answer(.failed, 1, "a@x.example", host: host, reason: reason)
        let (message, failed) = try #require(world.bounce())
        #expect(message.copies[failed[0]].answer.host.isEmpty)
        #expect(message.copies[failed[0]].answer.reason == bytes(reason))
    }

    @Test func theLastHostIsNamedWhenItIsGivenUp() throws {
        try world.accept(1, to: ["a@x.example"])
        world.route()
        for _ in 0..<30 {
            world.now = world.now.adding(seconds: 90_000)
            let place = try #require(world.assign().first).position
            try world.answer(.temporary, 1, "a@x.example", place, reason: "come back later")
        }
        let (message, failed) = try #require(world.bounce())
        let answer = message.copies[failed[0]].answer
        #expect(answer.host == bytes("mx.example.net"))
        #expect(answer.reason == bytes("gave up after 30 attempts; last: come back later"))
    }

    /// A clock that jumps ten years ahead makes no mail old: it is tried as often as five days of trying take.
    @Test func aClockThatJumpedGivesNothingUp() throws {
        try world.accept(1, to: ["a@x.example"])
        world.route()
        world.now = world.now.adding(seconds: 10 * 365 * 86_400)
        for _ in 0..<29 {
            let place = try #require(world.assign().first).position
            try world.answer(.temporary, 1, "a@x.example", place)
            let deadline = world.queue.nextDeadline
            world.now = try #require(deadline)
        }
        #expect(world.bounce() == nil)
    }

    /// A record must stay below a line's limit, however many copies failed while no notice could be written.
    @Test func aNoticeTellsOfABoundedNumberOfCopies() throws {
        let recipients = (0..<1300).map { "user\($0)@x.example" }
        try world.accept(1, to: recipients)
        world.route { _ in .routed([], refusal: (EnhancedStatus(.permanent, 1, 1), bytes("no such user"))) }
        var told: [Int] = []
        while let (message, failed) = world.bounce() {
            told.append(failed.count)
            let keys = failed.map { (original: message.copies[$0].original, final: message.copies[$0].final) }
            world.queue.bounced(message.id, covering: keys)
        }
        #expect(told == [500, 500, 300])
        #expect(world.queue.messages.isEmpty)
    }

    // MARK: Memory

    /// A copy that is tried before its time leaves an entry behind, and nobody may grow the queue by asking again and again.
    @Test func retriesLeaveNothingBehind() throws {
        try world.putOff(0..<1000)
        for _ in 0..<60 {
            world.now = world.now.adding(seconds: 1)
            #expect(world.queue.retry(nil) == 1000)
            let assigned = world.assign()
            #expect(assigned.count == 1000)
            for (id, message) in world.queue.messages {
                guard case .assigned(let position) = message.copies[0].state else { continue }
                try world.answer(.temporary, Int(id.sequence), message.copies[0].original.display, position)
            }
        }
        #expect(world.queue.ready.timers.count < 10_000)
    }

    @Test func whatIsDoneIsForgottenOnceTheCursorHasPassedIt() throws {
        for number in 1...100 {
            try world.accept(number, to: ["a@x.example"])
            world.route()
            world.assign()
            try world.answer(.sent, number, "a@x.example")
            world.queue.note(cursor: LogPosition(segment: 1, offset: Int64(number) * 100), of: LogName(.smtpd, .mail))
        }
        #expect(world.queue.closed.known.count == 1)
    }

    @Test func equalTextsAreHeldOnce() {
        var texts = SharedTexts()
        let first: [UInt8] = texts(bytes("mx.example.net"))
        let second: [UInt8] = texts(bytes("mx.example.net"))
        #expect(first.withUnsafeBytes { $0.baseAddress } == second.withUnsafeBytes { $0.baseAddress })
    }
}
