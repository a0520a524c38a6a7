// What a client asks of the queue: holds, deadlines, priorities and notices, in one life and across a start.

import Kernel
import MailModel
import SpoolFormat
import Testing

@testable import Spool
@testable import queued

@Suite struct AskedOptionsTests {
    @Test func aMessageIsHeldUntilItsTimeAlsoAcrossAStart() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example"], asking: [(.holdfor, "7200")])
        world.route()
        #expect(world.assign().isEmpty)
        world.now = world.now.adding(seconds: 7199)
        #expect(world.assign().isEmpty)
        let next = try world.started()
        #expect(next.assign().isEmpty)
        #expect(next.queue.retry(nil) == 0)
        next.now = next.now.adding(seconds: 1)
        #expect(next.assign().map(\.recipient) == ["a@x.example"])
    }

    @Test func whoNamesAHeldMessageSendsIt() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example"], asking: [(.holduntil, "2100-01-01T00:00:00Z")])
        world.route()
        #expect(world.queue.retry([messageID(1)]) == 1)
        #expect(world.assign().count == 1)
    }

    @Test func theMoreUrgentGoesFirstWhateverItsDestination() throws {
        let world = QueueWorld()
        for (number, priority) in ["0", "-3", "9", "4", "9"].enumerated() {
            try world.accept(number, to: ["u\(number)@x\(number % 2).example"], asking: [(.priority, priority)])
        }
        try world.accept(5, to: ["u5@x.example"])
        world.route()
        let order = world.assign().map(\.recipient)
        #expect(Set(order[0...1]) == ["u2@x0.example", "u4@x0.example"])
        #expect(order[2] == "u3@x1.example")
        #expect(Set(order[3...4]) == ["u0@x0.example", "u5@x.example"])
        #expect(order[5] == "u1@x1.example")
    }

    @Test func aMessageThatIsLateGoesBackWithoutAnotherAttempt() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example"], asking: [(.by, "100;R")])
        world.route()
        try world.answer(.temporary, 1, "a@x.example", world.assign()[0].position)
        world.now = world.now.adding(seconds: 100)
        #expect(world.assign().isEmpty)
        let bounce = try #require(world.bounce())
        #expect(bounce.message.copies[0].answer.status == bytes("5.4.7"))
    }

    @Test func theNextAttemptIsNotAfterTheDeadline() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example"], asking: [(.by, "70;N")])
        world.route()
        world.now = world.now.adding(seconds: 20)
        try world.answer(.temporary, 1, "a@x.example", world.assign()[0].position)
        #expect(world.message(1)?.copies[0].state == .waiting(until: world.now.adding(seconds: 50)))
    }

    @Test func whoAskedIsToldOnceThatItIsLate() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example"], asking: [(.by, "50;N")])
        world.route()
        for round in 0..<3 {
            world.now = world.now.adding(seconds: 3601)
            try world.answer(.temporary, 1, "a@x.example", world.assign()[0].position)
            let due = world.queue.takeNotices()
            #expect(due.map(\.notice) == (round == 0 ? [.delayed] : []))
            if round == 0 { world.queue.told(messageID(1), .delayed, of: [(bytes("a@x.example"), bytes("a@x.example"))]) }
        }
        let next = try world.started()
        #expect(next.message(1)?.copies[0].isDelayTold == true)
    }

    /// Old by the clock is not enough: it must have been tried as often as that takes.
    @Test func aClockThatJumpedTellsNobodyOfADelay() throws {
        let world = QueueWorld()
        world.queue.schedule.delayNotice = 240
        try world.accept(1, to: ["a@x.example"])
        world.route()
        world.now = world.now.adding(seconds: 315_360_000)
        var told = 0
        for _ in 0..<4 {
            try world.answer(.temporary, 1, "a@x.example", world.assign()[0].position)
            told += world.queue.takeNotices().count
            world.now = world.now.adding(seconds: 3600)
            if told > 0 { break }
        }
        // 60, 120 and 240 seconds lie between the first four attempts.
        #expect(world.message(1)?.copies[0].attempts == 4)
        #expect(told == 1)
    }

    /// Waiting alone does not mend a certificate: who sent the mail hears after the second attempt, unless nobody is ever told.
    @Test(arguments: [("dane", 240, 2), ("sts", 240, 2), (nil, 240, 4), ("dane", 0, nil)] as [(String?, Int64, Int?)])
    func whatAPolicyKeepsIsToldEarly(_ policy: String?, _ notice: Int64, _ told: Int?) throws {
        let world = QueueWorld()
        world.queue.schedule.delayNotice = notice
        try world.accept(1, to: ["a@x.example"])
        world.route()
        var first: Int?
        for attempt in 1...4 {
            try world.answer(.temporary, 1, "a@x.example", world.assign()[0].position, policy: policy)
            if first == nil, world.queue.takeNotices().map(\.notice) == [.delayed] { first = attempt }
            world.now = world.now.adding(seconds: 3600)
        }
        #expect(first == told)
    }

    @Test func aNoticeThatIsOwedKeepsTheMessageOpenAcrossAStart() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example", "b@x.example"], asking: [(.notify, "2:SUCCESS"), (.orcpt, "2:rfc822;first@x.example"), (.envid, "one")])
        world.route()
        world.assign()
        try world.answer(.sent, 1, "a@x.example", relayed: true)
        try world.answer(.sent, 1, "b@x.example", relayed: true)
        #expect(world.message(1)?.copies.map(\.owes) == [nil, .relayed])
        let next = try world.started()
        #expect(next.block == world.block)
        let due = next.queue.takeNotices()
        #expect(due.map(\.notice) == [.relayed])
        #expect(due[0].message.options(for: bytes("b@x.example")).originalRecipient?.address == bytes("first@x.example"))
        #expect(due[0].message.asked?.message.envelopeID?.bytes == bytes("one"))
        next.queue.told(messageID(1), .relayed, of: [(bytes("b@x.example"), bytes("b@x.example"))])
        #expect(next.message(1) == nil)
    }

    /// The agent says it again after a start; the notice was accepted, and queued's own record of it says so.
    @Test func whoWasToldIsNotToldAgain() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["b@x.example"], asking: [(.notify, "1:SUCCESS")])
        world.route()
        world.assign()
        let block = try world.started()
        try block.answer(.sent, 1, "b@x.example", relayed: true)
        let copy = try #require(block.message(1)?.copies[0])
        let again = try world.started()
        again.queue.replay(try placed(.notified(messageID(1), copy, .relayed, child: nil), at: 5000))
        try again.answer(.sent, 1, "b@x.example", relayed: true)
        #expect(again.queue.takeNotices().isEmpty)
    }

    /// Nothing but NOTIFY was asked, so that the message's own line in the block says nothing of options.
    @Test func whatOnlyARecipientAskedIsKnownAfterAStart() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example", "b@x.example"], asking: [(.notify, "1:NEVER"), (.notify, "2:SUCCESS")])
        world.route()
        let next = try world.started()
        #expect(next.block == world.block)
        let copies = try #require(next.message(1)?.copies)
        #expect(next.message(1)?.wants(.failure, about: copies[0], fallback: true) == false)
        #expect(next.message(1)?.wants(.success, about: copies[1], fallback: false) == true)
    }

    /// The notice about A was accepted, and a crash took queued's own record of it; B's result comes with A's at the start.
    @Test func anAcceptedNoticeIsTheTellingWhateverElseACrashTook() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example", "b@x.example"], asking: [(.notify, "1:SUCCESS"), (.notify, "2:SUCCESS")])
        world.route()
        world.assign()
        let next = QueueWorld(isStarting: true)
        for line in world.queue.stateBlock() { if next.queue.loadBlock(try record(line)) { break } }
        var notice = RecordLine(.accept, QueueID(origin: .queued, epoch: 1 << 40, sequence: 9)).adding(.parent, messageID(1).text).adding(.from, "").adding(.to, "alice@example.org")
        notice = notice.adding(.told, "relayed").adding(.covers, "a@x.example").adding(.final, "a@x.example").adding(.content, "1:00000000")
        #expect(next.queue.hear(try placed(notice), from: LogName(.queued, .mail), now: next.now))
        for line in world.said { next.queue.replay(try placed(line, at: 7000)) }
        next.queue.rebuild(now: next.now)
        try next.answer(.sent, 1, "a@x.example", relayed: true)
        try next.answer(.sent, 1, "b@x.example", relayed: true)
        let due = next.queue.takeNotices()
        #expect(due.map(\.notice) == [.relayed])
        #expect(due.first?.copies == [1])
    }

    @Test func aBounceThatWasAcceptedEndsItsCopiesThoughItsRecordIsLost() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example", "b@x.example"])
        world.route()
        world.assign()
        let next = QueueWorld(isStarting: true)
        try next.accept(1, to: ["a@x.example", "b@x.example"])
        var bounce = RecordLine(.accept, QueueID(origin: .queued, epoch: 1 << 40, sequence: 9)).adding(.parent, messageID(1).text).adding(.from, "").adding(.to, "alice@example.org")
        bounce = bounce.adding(.covers, "a@x.example").adding(.final, "a@x.example").adding(.content, "1:00000000")
        #expect(next.queue.hear(try placed(bounce), from: LogName(.queued, .mail), now: next.now))
        for line in world.said { next.queue.replay(try placed(line, at: 7000)) }
        next.queue.rebuild(now: next.now)
        try next.answer(.failed, 1, "a@x.example")
        try next.answer(.failed, 1, "b@x.example")
        #expect(next.bounce()?.failed == [1])
    }

    @Test func oneCopyForTwoRecipientsTellsWhatEitherWants() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example", "b@x.example"], asking: [(.notify, "1:NEVER")])
        let target = try #require(EmailAddress("one@y.example"))
        world.route { _ in .routed([(.remote(target), [])], refusal: nil) }
        for next in [world, try world.started()] {
            let copies = try #require(next.message(1)?.copies)
            #expect(copies.count == 1)
            #expect(next.message(1)?.wants(.failure, about: copies[0], fallback: true) == true)
        }
        let replayed = QueueWorld()
        try replayed.accept(1, to: ["a@x.example", "b@x.example"], asking: [(.notify, "1:NEVER")])
        for line in world.said { replayed.queue.replay(try placed(line)) }
        let copy = try #require(replayed.message(1)?.copies.first)
        #expect(replayed.message(1)?.wants(.failure, about: copy, fallback: true) == true)
    }

    @Test func aHoldBeyondWhatAClockHoldsIsNoTrap() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example"], asking: [(.holduntil, "9999-12-31T00:00:00Z")])
        world.route()
        #expect(world.assign().isEmpty)
        #expect(try world.started().assign().isEmpty)
    }

    @Test func whoWantsNoNoticeGetsNone() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["a@x.example", "b@x.example"], asking: [(.notify, "1:NEVER")])
        world.route()
        let copies = try #require(world.message(1)?.copies)
        #expect(world.message(1)?.wants(.failure, about: copies[0], fallback: true) == false)
        #expect(world.message(1)?.wants(.failure, about: copies[1], fallback: true) == true)
        #expect(world.message(1)?.wants(.success, about: copies[1], fallback: false) == false)
    }

    @Test func anOptionThatIsNoneMakesNoMessageOfARecord() throws {
        let world = QueueWorld()
        for (key, value) in [(Key.requiretls, "perhaps"), (.notify, "2:NEVER"), (.holdfor, "-1"), (.charset, "latin-1")] {
            let line = RecordLine(.accept, messageID(1)).adding(.from, "").adding(.to, "a@x.example").adding(key, value).adding(.content, "1:00000000")
            #expect(try placed(line).acceptedMessage(in: LogName(.smtpd, .mail)) == nil)
        }
        #expect(world.queue.messages.isEmpty)
    }
}
