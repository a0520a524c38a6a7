// A log from both ends: what is committed is seen once and in order, what is not is not seen, and one writer holds it.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

@Suite struct LogWriterTests {
    let world = World()

    @Test func whatIsCommittedIsSeenOnceAndInOrder() throws {
        let writer = try world.begun()
        let follower = try world.follower()
        #expect(try follower.tokens() == [])
        try writer.commit("a", "b")
        #expect(try follower.tokens() == ["a", "b"])
        #expect(try follower.tokens() == [])
        try writer.commit("c")
        #expect(try follower.tokens() == ["c"] && world.seen() == ["a", "b", "c"])
        #expect(follower.damage.isEmpty)
    }

    @Test func nothingIsSeenBeforeItsCommitLine() throws {
        let writer = try world.begun()
        let follower = try world.follower()
        writer.add("a")
        #expect(try follower.tokens() == [], "appended in memory")
        try writer.commit()
        let whole = world.tree.read(world.segment(1))
        // Every length that the file can have while the batch is written.
        let begin = try world.header(1).length
        for length in begin..<whole.count {
            let other = World(tree: TemporarySpool())
            other.tree.write(Array(whole.prefix(length)), other.segment(1))
            let follower = try other.follower()
            #expect(try follower.tokens() == [], "\(length) of \(whole.count)")
            other.tree.append(Array(whole[length...]), other.segment(1))
            #expect(try follower.tokens() == ["a"], "\(length) of \(whole.count)")
            #expect(follower.damage.isEmpty)
        }
    }

    @Test func contentIsSkippedAndFound() throws {
        var random = SeededGenerator()
        let writer = try world.begun()
        let follower = try world.follower()
        // Content that looks like records, and none at all.
        let forged = RecordLine(.accept).adding(.reason, "forged").sealed(seed: try world.header(1).0.seed, checksum: spoolChecksum)
        let contents: [[UInt8]] = [bytes("one\n"), forged + forged, [], random.bytes(100_000, from: [0x0A, 0x20, 0x00]), [0x0A]]
        for (number, content) in contents.enumerated() { writer.add("\(number)", content: content) }
        try writer.commit()
        let records = try follower.poll()
        #expect(records.compactMap(\.token) == ["0", "1", "2", "3", "4"])
        for (placed, content) in zip(records, contents) {
            #expect(try follower.file?.descriptor.read(placed.contentLength, at: placed.contentOffset) == content)
        }
        #expect(follower.damage.isEmpty)
    }

    @Test func idsAreGivenOnce() throws {
        var ids: Set<QueueID> = []
        var last: QueueID?
        for _ in 0..<5 {
            let writer = try world.begun()
            for _ in 0..<3 {
                let id = try #require(writer.add("x"))
                #expect(ids.insert(id).inserted)
                if let last { #expect(last < id, "ids of one program sort by age") }
                last = id
            }
            try writer.commit()
        }
    }

    @Test func aSecondWriterIsLockedOut() throws {
        let writer = try world.begun()
        #expect(logFailure { try LogWriter(spool: world.spool(), world.log) } == .locked)
        try writer.commit("a")
        #expect(world.numbers == [1])
    }

    @Test func theLockEndsWithItsWriter() throws {
        do { try world.begun().commit("a") }
        do { try world.begun().commit("b") }
        #expect(try world.seen() == ["a", "b"])
    }

    @Test func aWriterNeverAppendsToASegmentOfAnother() throws {
        do { try world.begun().commit("a") }
        let before = world.tree.read(world.segment(1))
        let epoch = try world.header(1).0.epoch
        do { try world.begun().commit("b") }
        #expect(world.tree.read(world.segment(1)) == before)
        let header = try world.header(2).0
        #expect(header.predecessor == LogPosition(segment: 1, offset: Int64(before.count)) && header.epoch != epoch)
    }

    /// One write, one sync, one write (W4); nothing else, whatever waits.
    @Test(arguments: [1, 10, 1000]) func aCommitIsThreeCalls(_ count: Int) throws {
        let writer = try world.begun()
        for (plan, calls) in [("EIO@0", 3), ("EIO@write:0", 2), ("EIO@sync:0", 1)] {
            for number in 0..<count { writer.add("\(number)", content: bytes("content")) }
            let counting = try script(plan)
            try FaultInjection.running(counting) { try writer.commit() }
            #expect(counting.count == calls)
        }
        let counting = try script("EIO@0")
        try FaultInjection.running(counting) { try writer.commit() }
        #expect(counting.count == 0, "nothing waits: nothing to do")
    }

    @Test func droppedRecordsAreNotWritten() throws {
        let writer = try world.begun()
        writer.add("a")
        writer.dropPending()
        #expect(!writer.hasPending)
        try writer.commit("b")
        #expect(try world.seen() == ["b"])
    }

    @Test func aRecordThatNoReaderWouldBelieveIsRefused() throws {
        let writer = try world.begun()
        writer.add("a")
        writer.append(RecordLine(.problem).adding(.reason, [UInt8](repeating: 0x61, count: RecordParser.maximumLine)))
        #expect(logFailure { try writer.commit() } == .failed)
        try writer.commit("b")
        #expect(try world.seen() == ["b"], "the whole batch was refused")
        writer.append(LogWriter.line(String(repeating: "x", count: RecordParser.maximumLine - 200), nil))
        try writer.commit("c")
        #expect(try world.seen().count == 3)
    }

    @Test func thePreambleBeginsEachSegment() throws {
        let writer = try world.writer()
        writer.preamble = { [RecordLine(.state), LogWriter.line("block", nil), RecordLine(.stateEnd)] }
        try writer.begin()
        try writer.commit("a")
        writer.rollOver()
        try writer.commit("b")
        #expect(try world.seen() == ["block", "a", "block", "b"])
        #expect(try writer.newestRecords().compactMap(\.token) == ["block", "b"])
    }

    @Test func theReserveIsBeyondTheEnd() throws {
        let writer = try world.writer(reserve: 1 << 20)
        try writer.begin()
        try writer.commit("a")
        #expect(world.tree.allocated(world.segment(1)) >= 1 << 20)
        #expect(world.tree.size(world.segment(1)) < 4096)
        #expect(try world.seen() == ["a"])
        // A cut back frees what was allocated: it is allocated again.
        writer.add("b")
        #expect(try FaultInjection.running(script("ENOSPC@write:2")) { logFailure { try writer.commit() } } == .noSpace)
        try writer.commit("c")
        #expect(world.tree.allocated(world.segment(1)) >= 1 << 20)
        #expect(try world.seen() == ["a", "c"])
    }

    @Test func aPositionIsAPlaceToGoOnFrom() throws {
        let writer = try world.begun()
        for number in 0..<5 {
            try writer.commit("\(number)")
            if number == 2 { writer.rollOver() }
        }
        let follower = try world.follower()
        for number in 0..<5 {
            let records = try follower.poll(limit: 1)
            #expect(records.compactMap(\.token) == ["\(number)"])
            let rest = ((number + 1)..<5).map { "\($0)" }
            #expect(try world.follower(from: follower.position).tokens() == rest)
        }
    }
}
