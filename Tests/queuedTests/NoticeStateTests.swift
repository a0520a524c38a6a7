// What a notice needs to know survives a start: when a copy was tried, whose words an answer is, and which notice a message is.

import Kernel
import MailModel
import Spool
import SpoolFormat
import Testing

@testable import queued

@Suite struct NoticeStateTests {
    private func hear(_ world: QueueWorld, _ verb: Verb, _ position: LogPosition?) throws {
        var line = RecordLine(verb, messageID(1)).adding(.at, Timestamp.text(world.now)).adding(.recipient, "bob@example.net").adding(.final, "bob@example.net")
        if let position { line.add(.answers, position.text) }
        line = line.adding(.host, "mx.example.net [192.0.2.9]:25").adding(.status, "4.2.0").adding(.reason, "450 4.2.0 come back later")
        world.queue.hear(try placed(line), from: LogName(.remoted, .events), now: world.now)
        world.takeLines()
    }

    @Test func whenACopyWasTriedIsKnownAfterAStart() throws {
        let world = QueueWorld()
        try world.accept(1, to: ["bob@example.net"])
        world.route()
        let first = world.now.seconds
        try hear(world, .temporary, try #require(world.assign().first).position)
        world.now = world.now.adding(seconds: 100)
        try hear(world, .temporary, try #require(world.assign().first).position)
        let expected = bytes("\(first)-\(first + 100)")
        #expect(world.message(1)?.copies[0].tried.text == expected)
        #expect(try world.started().message(1)?.copies[0].tried.text == expected)
    }

    @Test(arguments: ["", "1-", "-1", "0-5", "5", "1-2-3", "99999999999-5"])
    func whatIsNoPairOfTimesIsNone(text: String) { #expect(TriedTimes(parsing: bytes(text)) == nil) }

    @Test func aReplyIsKnownByItsCode() {
        let reply = Answer(status: bytes("4.2.0"), reason: bytes("450 4.2.0 later"), host: bytes("mx.example.net"))
        let given = Answer.givenUp(after: 12, last: reply)
        #expect(given.reason == bytes("gave up after 12 attempts; last: 450 4.2.0 later") && given.status == bytes("5.4.7"))
        #expect(given.lastWords == reply.reason && given.isReply && reply.isReply)
        for reason in ["server takes 7-bit content only", "4500 x", "45", "", "gave up after x attempts; last: 450 y"] {
            #expect(!Answer(reason: bytes(reason), host: bytes("mx")).isReply, "\(reason)")
        }
        #expect(!Answer(reason: bytes("450 x")).isReply, "nobody said it")
    }

    @Test func whichNoticeAMessageIsDecidesWhoHearsOfItsFailure() throws {
        for (number, kind) in ["bounce", "notice", "double-bounce", "report", "drop"].enumerated() {
            let world = QueueWorld()
            let id = QueueID(origin: .queued, epoch: 1 << 40, sequence: UInt32(number + 1))
            let line = RecordLine(.accept, id).adding(.at, Timestamp.text(world.now)).adding(.kind, kind).adding(.from, "")
                .adding(.to, "bob@example.net").adding(.content, "10:00000000")
            world.queue.hear(try placed(line, at: 100), from: LogName(.queued, .mail), now: world.now)
            for queue in [world, try world.started()] {
                let message = try #require(queue.queue.messages[id])
                #expect(message.kind?.rawValue == kind)
                #expect(message.isForPostmaster == (kind == "bounce"))
            }
        }
        // smtpd may not say it.
        let world = QueueWorld()
        try world.accept(1, to: ["bob@example.net"], from: "", asking: [(.kind, "bounce")])
        #expect(world.message(1)?.isForPostmaster == false)
    }

    @Test func thePostmasterHasSoManyADay() {
        var limit = DoubleBounceLimit()
        var taken: [Bool] = []
        for second in 0..<Int64(DoubleBounceLimit.most + 1) { taken.append(limit.take(at: 1_800_000_000 + second)) }
        taken.append(limit.take(at: 1_800_000_000 + DoubleBounceLimit.span))
        #expect(taken == Array(repeating: true, count: DoubleBounceLimit.most) + [false, true])
    }
}
