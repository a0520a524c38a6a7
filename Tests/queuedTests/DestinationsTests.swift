// A destination that is down costs one question now and then, whatever waits for it, and all that waits goes when it is back.

import Kernel
import MailModel
import SpoolFormat
import Testing

@testable import Spool
@testable import queued

@Suite struct DestinationsTests {
    let world = QueueWorld()

    /// A hundred messages for one domain, so many copies in all.
    private func pour(_ count: Int, to domain: String, from number: Int = 1) throws {
        for message in 0..<100 { try world.accept(number + message, to: (0..<(count / 100)).map { "u\(message)-\($0)@\(domain)" }) }
        world.route()
    }

    private func number(of recipient: String, from number: Int = 1) throws -> Int { number + (try #require(Int(recipient.dropFirst().prefix { $0.isNumber }))) }

    private func sayNobodyAnswers(_ copies: [(recipient: String, position: LogPosition)], from first: Int = 1) throws {
        for copy in copies {
            let reason = "mx.example.net [192.0.2.9]:25: cannot connect: connection refused"
            try world.answer(.temporary, number(of: copy.recipient, from: first), copy.recipient, copy.position, reason: reason, unreached: true)
        }
    }

    /// Lets the queue go on to its next deadline, at most to `end`; what it assigned there.
    private func next(until end: WallTime) -> [(recipient: String, position: LogPosition)] {
        let deadline = world.queue.nextDeadline ?? end
        world.now = min(end, max(world.now.adding(seconds: 1), deadline))
        let assigned = world.assign()
        world.takeLines()
        return assigned
    }

    /// Copies; hours that pass; how often the host is asked meanwhile: after 1, 2, 4, 8, 16, 32 minutes, then each hour.
    @Test(arguments: [(10_000, 0.2, 2...4), (1000, 20, 20...27)]) func aHostThatIsDownIsAskedByOneCopyAtATime(_ count: Int, _ hours: Double, _ expected: ClosedRange<Int>) throws {
        try pour(count, to: "dead.example")
        try sayNobodyAnswers(world.assign())
        while case let more = world.assign(), !more.isEmpty { try sayNobodyAnswers(more) }
        // What was handed out before anything was known of it, half of the window, and not ten thousand.
        #expect(try world.said(.assign).count == min(count, Queue.window / 2))
        let end = world.now.adding(seconds: Int64(hours * 3600))
        var probes: [WallTime] = []
        while world.now < end {
            let assigned = next(until: end)
            #expect(assigned.count <= 1)
            if !assigned.isEmpty { probes.append(world.now) }
            try sayNobodyAnswers(assigned)
        }
        #expect(expected ~= probes.count, "\(probes.count)")
        #expect(zip(probes, probes.dropFirst()).allSatisfy { $1.seconds - $0.seconds >= 60 })
    }

    @Test func whatWaitsGoesWhenTheHostIsThereAgain() throws {
        try pour(1000, to: "dead.example")
        try sayNobodyAnswers(world.assign())
        world.takeLines()
        let end = world.now.adding(seconds: 3600)
        try pour(100, to: "dead.example", from: 1000)
        #expect(world.assign().isEmpty)
        world.takeLines()
        var probe: (recipient: String, position: LogPosition)?
        while probe == nil, world.now < end { probe = next(until: end).first }
        let asked = try #require(probe)
        #expect(world.assign().isEmpty)
        let message = try number(of: asked.recipient, from: world.message(1000 + number(of: asked.recipient, from: 0))?.copies.contains { $0.final == bytes(asked.recipient) } == true ? 1000 : 1)
        try world.answer(.sent, message, asked.recipient)
        // All that was never tried, at once and long before its own time; what was tried keeps that.
        let woken = world.assign()
        #expect(woken.count >= 99, "\(woken.count)")
    }

    @Test func oneFailureIsAnAccident() throws {
        for number in 1...3 { try world.accept(number, to: ["u\(number)@x.example"]) }
        world.route()
        let copies = world.assign(window: 4)
        #expect(copies.count == 2)
        try world.answer(.temporary, 1, "u1@x.example", copies[0].position, unreached: true)
        #expect(world.assign(window: 4).map(\.recipient) == ["u3@x.example"])
    }

    @Test(arguments: ["sent", "refused by the host", "greylisted", "our own trouble"]) func anyWordOfAServerEndsTheRest(_ word: String) throws {
        try pour(300, to: "dead.example")
        try sayNobodyAnswers(world.assign())
        world.takeLines()
        try world.accept(500, to: ["late@dead.example"])
        try world.accept(501, to: ["later@dead.example"])
        world.route()
        #expect(world.assign().isEmpty)
        let end = world.now.adding(seconds: 59 + 6)
        var probe: (recipient: String, position: LogPosition)?
        while probe == nil, world.now < end { probe = next(until: end).first { $0.recipient.hasPrefix("late") } }
        let asked = try #require(probe)
        let number = asked.recipient == "late@dead.example" ? 500 : 501
        switch word {
        case "sent": try world.answer(.sent, number, asked.recipient)
        case "refused by the host": try world.answer(.failed, number, asked.recipient)
        case "greylisted": try world.answer(.temporary, number, asked.recipient, asked.position)
        default: try world.answer(.temporary, number, asked.recipient, asked.position, host: "dead.example")
        }
        // After our own trouble the next one asks, and no other.
        let next = world.assign()
        #expect(word == "our own trouble" ? next.count == 1 : next.contains { $0.recipient.hasPrefix("late") }, "\(next.count)")
    }

    @Test func mailForADeadHostIsGivenUpInTimeAllTheSame() throws {
        try pour(300, to: "dead.example")
        let end = world.now.adding(seconds: 2 * 86_400)
        try sayNobodyAnswers(world.assign())
        while world.now < end { try sayNobodyAnswers(next(until: end)) }
        #expect((1...100).allSatisfy { world.message($0)?.failed.count == 3 })
        let answer = try #require(world.message(7)?.copies[0].answer)
        #expect(answer.reason.display.hasPrefix("gave up after 30 attempts; last: mx.example.net"), "\(answer.reason.display)")
    }

    @Test func whatWasPutOffWithoutAnAttemptIsSoAfterAStart() throws {
        try pour(300, to: "dead.example")
        try sayNobodyAnswers(world.assign())
        try world.accept(500, to: ["late@dead.example"])
        world.route()
        #expect(world.assign().isEmpty)
        world.takeLines()
        let line = try #require(world.said.last)
        #expect(line.verb == .deferred)
        // As the log tells it, without the block.
        let started = QueueWorld(isStarting: true)
        try started.accept(500, to: ["late@dead.example"])
        for said in world.said where said.id == messageID(500) { started.queue.replay(try placed(said)) }
        started.queue.rebuild(now: world.now)
        let copy = try #require(started.message(500)?.copies.first)
        #expect(copy.attempts == 1 && copy.state == .waiting(until: world.now.adding(seconds: 60)))
        #expect(copy.answer.reason.display.contains("connection refused"))
    }

    private func ask(_ command: String, _ number: Int) throws {
        let line = RecordLine(.request).adding(.command, command).adding(.target, messageID(number).text)
        world.queue.hear(try placed(line), from: LogName(.mailctl, .events), now: world.now)
        world.takeLines()
    }

    /// Two that wait at a destination that rests.
    private func rested() throws {
        try pour(300, to: "dead.example")
        try sayNobodyAnswers(world.assign())
        for number in 500...501 { try world.accept(number, to: ["late\(number)@dead.example"]) }
        world.route()
        #expect(world.assign().isEmpty)
        world.takeLines()
    }

    @Test func aRetryOfOneWakesTheOthersThatWaitThere() throws {
        try rested()
        try ask("retry", 500)
        #expect(world.assign().map(\.recipient).sorted() == ["late500@dead.example", "late501@dead.example"])
    }

    @Test func whatWasHeldAndReleasedWaitsThereAgain() throws {
        try rested()
        try ask("hold", 500)
        try ask("release", 500)
        #expect(world.message(500)?.copies.first?.isParked == false)
        #expect(world.message(501)?.copies.first?.isParked == true)
    }

    /// The one that was to ask is deleted before it is handed out: another asks at once.
    @Test func aProbeThatAnOrderEndsLetsTheNextAsk() throws {
        try rested()
        world.now = world.now.adding(seconds: 61)
        world.queue.wakeProbes(now: world.now)
        let probe = try #require((500...501).first { world.message($0)?.copies.first?.state == .ready })
        try ask("delete", probe)
        #expect(world.assign().contains { $0.recipient == "late\(1001 - probe)@dead.example" })
    }

    /// Of its agent nothing is heard: after a quarter of an hour another asks.
    @Test func aProbeThatIsNeverAnsweredHindersNoOther() throws {
        try rested()
        world.now = world.now.adding(seconds: 61)
        #expect(world.assign().count == 1)
        world.now = world.now.adding(seconds: 899)
        #expect(world.assign().isEmpty)
        world.now = world.now.adding(seconds: 2)
        #expect(world.assign().count == 1)
    }

    @Test func whatWasPutOffWithoutAnAttemptWasNotTried() throws {
        try rested()
        let next = QueueWorld(isStarting: true)
        try next.accept(500, to: ["late500@dead.example"])
        for line in world.said where line.id == messageID(500) {
            let parsed = try record(line)
            next.queue.replay(try placed(parsed.verb == .deferred ? line.adding(.at, Timestamp.text(world.now)) : line))
        }
        next.queue.rebuild(now: world.now)
        #expect(next.message(500)?.copies.first?.tried.text == nil)
    }

    @Test func theAdministratorsRetryAsksAnew() throws {
        try pour(300, to: "dead.example")
        try sayNobodyAnswers(world.assign())
        #expect(world.assign().isEmpty)
        #expect(world.queue.retry(nil) == 300)
        #expect(world.assign().count == 300)
    }

    @Test func aProbeOfWhichNothingIsHeardHindersNotForEver() throws {
        try pour(300, to: "dead.example")
        try sayNobodyAnswers(world.assign())
        let end = world.now.adding(seconds: 4000)
        var asked = 0
        while world.now < end { asked += next(until: end).count }
        #expect(3...10 ~= asked, "\(asked)")
    }

    @Test func domainsBehindOneHopRestTogether() throws {
        world.queue.smarthost = bytes("smart.example:587")
        for number in 1...50 { try world.accept(number, to: ["u@host\(number).example"]) }
        world.route()
        let copies = world.assign(window: 3)
        for copy in copies.prefix(2) {
            let number = try #require(Int(copy.recipient.dropFirst("u@host".count).prefix { $0.isNumber }))
            try world.answer(.temporary, number, copy.recipient, copy.position, unreached: true)
        }
        #expect(world.assign().isEmpty)
    }
}
