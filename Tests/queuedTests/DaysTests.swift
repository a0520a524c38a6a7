// Days of a host that puts everything off, minute by minute: when it is tried, when its sender hears, and when it is enough.

import Kernel
import MailModel
import SpoolFormat
import Testing

@testable import Spool
@testable import queued

/// A message to one recipient whose host says 451 to every attempt, under a clock of the test's own.
private struct Days {
    let world: QueueWorld
    let began: WallTime
    /// Minutes from the acceptance to each attempt, and to the notice of the delay.
    private(set) var attempts: [Int64] = []
    private(set) var notices: [Int64] = []
    private(set) var end: (minutes: Int64, answer: Answer)?

    /// Five minutes doubled up to four hours; enough after five days; a word to the sender after four hours.
    static let schedule = RetrySchedule(initial: 300, maximum: 14_400, giveUp: 432_000, jitter: 0, delayNotice: 14_400)

    init(_ schedule: RetrySchedule = Days.schedule, asking options: [(Key, String)] = []) throws {
        world = QueueWorld()
        world.queue.schedule = schedule
        began = world.now
        try world.accept(1, to: ["a@x.example"], asking: options)
        world.route()
    }

    private var minutes: Int64 { (world.now.seconds - began.seconds) / 60 }

    /// Runs until it is given up, or for so many days; `restarts`: at each attempt queued starts from its state block.
    mutating func run(days: Int64 = 10, restarts: Bool = false) throws {
        var world = self.world
        while end == nil, world.now.seconds - began.seconds < days * 86_400 {
            if restarts {
                let schedule = world.queue.schedule
                world = try world.started()
                world.queue.schedule = schedule
            }
            self.world.now = world.now
            for (recipient, position) in world.assign() {
                attempts.append(minutes)
                try world.answer(.temporary, 1, recipient, position, reason: "come back later")
            }
            for (message, notice, copies) in world.queue.takeNotices() {
                #expect(notice == .delayed)
                notices.append(minutes)
                world.queue.told(message.id, notice, of: copies.map { (message.copies[$0].original, message.copies[$0].final) })
            }
            if let (message, failed) = world.bounce() { end = (minutes, message.copies[failed[0]].answer) }
            let next = world.queue.nextDeadline
            world.now = max(world.now.adding(seconds: 1), next ?? world.now.adding(seconds: 3600))
        }
    }
}

@Suite struct DaysTests {
    /// 0, 5, 15, 35 min … and every four hours for five days.
    private static let times: [Int64] = [0, 5, 15, 35, 75, 155, 315] + (1...29).map { 315 + 240 * $0 }

    @Test(arguments: [false, true]) func fiveDaysOfABusyHost(_ restarts: Bool) throws {
        var days = try Days()
        try days.run(restarts: restarts)
        #expect(days.attempts == DaysTests.times)
        // RFC 5321 §4.5.4.1: two attempts in the first hour at least; four to five days at least.
        #expect(days.attempts.filter { $0 < 60 }.count >= 2)
        #expect(days.notices == [315], "the first attempt that fails after four hours, and once")
        let end = try #require(days.end)
        #expect(end.minutes == 315 + 240 * 29 && end.minutes > 5 * 1440)
        #expect(end.answer.status == bytes("5.4.7"))
        #expect(end.answer.reason == bytes("gave up after 36 attempts; last: come back later"))
        #expect(end.answer.host == bytes("mx.example.net"))
    }

    /// As many attempts as without, each wait up to a tenth longer: the end comes up to half a day later, and never earlier.
    @Test func withJitterTheEndComesNoEarlier() throws {
        var days = try Days(RetrySchedule(initial: 300, maximum: 14_400, giveUp: 432_000, jitter: 10, delayNotice: 14_400))
        try days.run()
        let end = try #require(days.end)
        #expect(days.attempts.count == DaysTests.times.count)
        #expect((7275...7275 * 11 / 10).contains(end.minutes), "\(end.minutes)")
        #expect(days.notices.count == 1)
    }

    @Test func whoAskedForNoDelayNoticeHearsTheEndAlone() throws {
        var days = try Days(asking: [(.notify, "1:FAILURE")])
        try days.run()
        #expect(days.notices.isEmpty)
        #expect(days.end != nil)
    }

    /// RFC 2852 §4.1: by its own time it goes back, not by ours.
    @Test func aMessageWithATimeOfItsOwnGoesBackThen() throws {
        var days = try Days(asking: [(.by, "7200;R")])
        try days.run()
        #expect(days.attempts == [0, 5, 15, 35, 75])
        #expect(days.end?.minutes == 120)
        #expect(days.end?.answer.status == bytes("5.4.7"))
    }

    /// What is held counts from when it may go: five days of trying are left.
    @Test func aHoldTakesNothingFromTheDaysOfTrying() throws {
        var days = try Days(asking: [(.holdfor, "864000")])
        try days.run(days: 20)
        #expect(days.attempts.first == 14_400)
        #expect(days.attempts.map { $0 - 14_400 } == DaysTests.times)
        #expect(days.notices == [14_400 + 315])
    }

    /// A host that is away for three days costs no mail: the next attempt brings it.
    @Test func afterThreeDaysItIsTakenAndNothingIsSaidOfIt() throws {
        let world = QueueWorld()
        world.queue.schedule = Days.schedule
        try world.accept(1, to: ["a@x.example"])
        world.route()
        let end = world.now.adding(seconds: 3 * 86_400)
        while world.now < end {
            for (recipient, position) in world.assign() { try world.answer(.temporary, 1, recipient, position) }
            let next = world.queue.nextDeadline
            world.now = try #require(next)
        }
        _ = world.queue.takeNotices()
        world.queue.told(messageID(1), .delayed, of: [(bytes("a@x.example"), bytes("a@x.example"))])
        #expect(world.assign().count == 1)
        try world.answer(.sent, 1, "a@x.example")
        #expect(world.queue.finished == [messageID(1)])
        #expect(world.bounce() == nil)
    }
}
