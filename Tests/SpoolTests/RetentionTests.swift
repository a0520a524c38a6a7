// Old event segments go, and what they said stays as sums: durable before the first of them is gone, each fact counted once.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

struct RetentionTests {
    private let tree = TemporarySpool(["smtpd", "queued", "locald"])
    private let hour: Int64 = 3_600_000

    private func writer(_ owner: SpoolOwner) throws -> EventWriter {
        try whenUnlocked { try EventWriter(spool: try DirectoryDescriptor(opening: Path(tree.path)), owner, echoes: false) }
    }

    private func id(_ number: UInt32, _ origin: QueueOrigin = .smtpd) -> QueueID { QueueID(origin: origin, epoch: 1 << 40, sequence: number) }

    private func segments(_ owner: SpoolOwner) -> [UInt32] {
        tree.names("\(owner.rawValue)/events").compactMap { SegmentName.number($0.utf8) }.sorted()
    }

    /// Every record that a reader sees now, oldest first.
    private func seen(_ owner: SpoolOwner) throws -> [Record] {
        let follower = try LogFollower(spool: try DirectoryDescriptor(opening: Path(tree.path)), LogName(owner, .events), from: .start)
        var records: [Record] = []
        while true {
            let more = try follower.poll()
            if more.isEmpty { return records }
            records += more.map(\.record)
        }
    }

    private func checkpoint(_ owner: SpoolOwner) throws -> Checkpoint? { try seen(owner).compactMap { Checkpoint($0) }.last }

    /// Lets segments expire until nothing goes any more.
    private func expire(_ events: EventWriter, at moment: inout Int64, consumed: LogPosition? = nil) throws {
        let limit = WallTime.now().adding(seconds: 3600)
        for _ in 0..<20 {
            moment += hour
            try events.expire(before: limit, consumed: consumed, now: MonotonicTime(nanoseconds: 0).adding(milliseconds: moment))
        }
    }

    private func accept(_ numbers: ClosedRange<UInt32>, _ events: EventWriter) throws {
        for number in numbers { events.append(RecordLine(.accept, id(number)), at: WallTime(seconds: 1000 + Int64(number))) }
        try events.commit()
    }

    @Test func theSumsOfWhatIsGoneAreCarriedOn() throws {
        var moment: Int64 = 0
        for life in 0..<4 as Range<UInt32> {
            let events = try writer(.smtpd)
            try events.log.begin()
            events.append(RecordLine(.start), at: .now())
            try accept((life * 10 + 1)...(life * 10 + 10), events)
            try expire(events, at: &moment)
            #expect(segments(.smtpd) == [life + 1], "all but the newest are gone")
            let sums = try checkpoint(.smtpd)
            #expect(sums?[.accept] ?? 0 == Int(life) * 10)
            #expect(sums?.newest == (life == 0 ? nil : id(life * 10)))
            #expect(sums?.segment ?? 0 == life)
        }
    }

    @Test func anAcceptSaidAgainAtAStartIsCountedOnce() throws {
        var moment: Int64 = 0
        do {
            let before = try writer(.smtpd)
            try before.log.begin()
            try accept(1...10, before)
        }
        let events = try writer(.smtpd)
        try events.log.begin()
        // The mail log still has these: the first was said, the second was lost with its commit.
        try accept(10...11, events)
        events.append(RecordLine(.start), at: .now())
        try accept(12...12, events)
        events.log.rollOver()
        try expire(events, at: &moment)
        #expect(segments(.smtpd) == [3])
        #expect(try checkpoint(.smtpd)?[.accept] == 12)
    }

    @Test func whatAStateBlockRepeatsWasCountedBefore() throws {
        var moment: Int64 = 0
        let events = try writer(.queued)
        var block: [RecordLine] = []
        events.log.preamble = { [RecordLine(.state)] + block + [RecordLine(.stateEnd)] }
        try events.log.begin()
        let done = { (number: UInt32) in RecordLine(.done, id(number)).adding(.result, "delivered:2,bounced:1") }
        events.append(done(1), at: .now())
        events.append(done(2), at: .now())
        try events.commit()
        block = [RecordLine(.done, id(1)).adding(.upto, "00000001:5"), RecordLine(.done, id(2)).adding(.upto, "00000001:6"),
                 RecordLine(.done, id(3)).adding(.upto, "00000001:7")]
        events.log.rollOver()
        // As a tail that was kept: it stands in the block too.
        events.append(done(1), at: .now())
        events.append(done(4), at: .now())
        try events.commit()
        events.log.rollOver()
        events.log.rollOver()
        try expire(events, at: &moment)
        let sums = try #require(try checkpoint(.queued))
        #expect((sums[.doneSmtpd], sums[.taken], sums[.returned], sums[.untold]) == (4, 6, 3, 1))
        #expect(segments(.queued) == [4])
    }

    @Test func anAgentsAnswersAreCountedWhereTheyWereSaidFirst() throws {
        var moment: Int64 = 0
        let events = try writer(.locald)
        let line = { (number: UInt32) in RecordLine(.delivered, id(number)).adding(.recipient, "a@d").adding(.final, "a@d") }
        var block: [RecordLine] = []
        events.log.preamble = { [RecordLine(.state)] + block + [RecordLine(.stateEnd)] }
        try events.log.begin()
        events.append(line(1), at: .now())
        events.append(line(1), at: .now())
        try events.commit()
        block = [line(1)]
        events.log.rollOver()
        events.append(line(1), at: .now())
        events.append(line(2), at: .now())
        try events.commit()
        events.log.rollOver()
        try expire(events, at: &moment, consumed: LogPosition(segment: 2, offset: 0))
        #expect(segments(.locald) == [2, 3], "what queued has not read stays")
        #expect(try checkpoint(.locald)?[.delivered] == 1)
        try expire(events, at: &moment, consumed: LogPosition(segment: 3, offset: 0))
        #expect(segments(.locald) == [3])
        #expect(try checkpoint(.locald)?[.delivered] == 2)
    }

    /// A crash after the checkpoint and before the segment is gone: it is not counted again.
    @Test func aSegmentThatIsCountedAndStillThereIsNotCountedTwice() throws {
        var moment: Int64 = 0
        var second: [UInt8] = []
        do {
            let events = try writer(.smtpd)
            try events.log.begin()
            try accept(1...5, events)
            events.log.rollOver()
            try accept(6...7, events)
            events.log.rollOver()
            second = tree.read("smtpd/events/00000002.log")
            try expire(events, at: &moment)
            #expect(try checkpoint(.smtpd)?[.accept] == 7)
            #expect(segments(.smtpd) == [3])
            tree.write(second, "smtpd/events/00000002.log")
            events.log.rollOver()
            try expire(events, at: &moment)
            #expect(segments(.smtpd) == [4])
            #expect(try checkpoint(.smtpd)?[.accept] == 7)
        }
        // The same by a process that has to look for its checkpoint.
        tree.write(second, "smtpd/events/00000002.log")
        let again = try writer(.smtpd)
        try again.log.begin()
        try expire(again, at: &moment)
        #expect(segments(.smtpd) == [5])
        #expect(try checkpoint(.smtpd)?[.accept] == 7)
        #expect(try checkpoint(.smtpd)?[.unreadable] == 0)
    }

    @Test func theCheckpointIsDurableBeforeItsSegmentIsGone() throws {
        let events = try writer(.smtpd)
        try events.log.begin()
        try accept(1...5, events)
        events.log.rollOver()
        let limit = WallTime.now().adding(seconds: 3600)
        let moment = MonotonicTime(nanoseconds: 0).adding(milliseconds: hour)
        // At each call that fails: the segment is there, or its sums are.
        for call in 1...40 {
            let faults = try script("EIO@\(call)")
            try? FaultInjection.running(faults) { try events.expire(before: limit, now: moment.adding(milliseconds: Int64(call) * hour)) }
            let isThere = segments(.smtpd).contains(1)
            #expect(try isThere || checkpoint(.smtpd)?[.accept] == 5, "call \(call)")
        }
    }

    @Test func segmentsThatWentUncountedAreSaidToBe() throws {
        var moment: Int64 = 0
        let events = try writer(.smtpd)
        try events.log.begin()
        for number in 1...3 as ClosedRange<UInt32> {
            try accept(number...number, events)
            events.log.rollOver()
        }
        tree.delete("smtpd/events/00000001.log")
        try expire(events, at: &moment)
        #expect(try checkpoint(.smtpd)?[.unreadable] == 1)
    }

    @Test func aCheckpointReadsAsItWasWritten() throws {
        var sums = Checkpoint()
        sums.segment = 17
        for (index, fact) in Checkpoint.Fact.allCases.enumerated() { sums.add(fact, index * 3) }
        sums.newest = id(9, .submission)
        sums.newestAccepted = 1_795_225_858_076
        let line = sums.line.sealed(seed: 1, checksum: spoolChecksum)
        guard case .record(let record, _) = RecordParser.parse(line[...], seed: 1, checksum: spoolChecksum) else { throw KernelError(.read, code: 74) }
        #expect(Checkpoint(record) == sums)
    }
}
