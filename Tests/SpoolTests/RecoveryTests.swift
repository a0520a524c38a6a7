// How a log begins again: the valid tail is kept with its ids, wherever the file was cut, and nothing is seen twice.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

@Suite struct RecoveryTests {
    /// A log of three commits; the last one's records have content.
    private func log() throws -> (whole: [UInt8], ends: [(token: String, end: Int)], ids: [QueueID]) {
        let world = World()
        let writer = try world.begun()
        var ids: [QueueID] = []
        var ends: [(String, Int)] = []
        for (token, content) in [("a", nil), ("b", nil), ("c", bytes("content\nof c\n")), ("d", bytes("x"))] as [(String, [UInt8]?)] {
            ids.append(try #require(writer.add(token, content: content)))
            ends.append((token, Int(writer.end.offset)))
            if token != "c" { try writer.commit() }
        }
        return (world.tree.read(world.segment(1)), ends, ids)
    }

    @Test func cutAnywhereWholeRecordsSurviveAndNothingElse() throws {
        let (whole, ends, ids) = try log()
        let world = World()
        let begin = try #require(SegmentHeader.parse(whole[...], checksum: spoolChecksum)).length
        for length in begin...whole.count {
            for name in world.tree.names(world.folder) where name != "big" { world.tree.delete("\(world.folder)/\(name)") }
            world.tree.write(Array(whole.prefix(length)), world.segment(1))
            let early = try world.follower()
            let before = try early.tokens()
            do { try world.begun().commit("later") }
            let expected = ends.filter { $0.end <= length }.map(\.token)
            let records = try world.follower().poll().filter { $0.token != nil }
            #expect(records.compactMap(\.token) == expected + ["later"], "cut to \(length) of \(whole.count)")
            #expect(records.dropLast().compactMap(\.record.id) == Array(ids.prefix(expected.count)), "ids are kept")
            #expect(try before + early.tokens() == expected + ["later"], "live, cut to \(length) of \(whole.count)")
            #expect(early.damage.isEmpty, "a torn end is no damage: \(early.damage)")
        }
    }

    @Test func theTailStaysThroughManyRestarts() throws {
        let (whole, _, ids) = try log()
        let world = World()
        world.tree.write(whole.dropLast(5), world.segment(1))
        for _ in 0..<3 {
            let writer = try world.writer()
            try writer.begin()
        }
        let records = try world.follower().poll()
        #expect(Set(records.compactMap(\.record.id)) == Set(ids))
        #expect(records.compactMap(\.token) == ["a", "b", "c", "d"])
        #expect(world.numbers == [1, 2, 3, 4])
    }

    @Test func tornContentInTheTailIsNotKept() throws {
        let (whole, ends, _) = try log()
        let world = World()
        var torn = whole
        // A power cut may keep the line and lose the content's block. The last commit line is lost too.
        torn[ends[2].end - 3] = 0
        world.tree.write(Array(torn.prefix(ends[3].end)), world.segment(1))
        let writer = try world.writer()
        #expect(writer.recovered.count == 0, "nothing after it either: a route must stand before its assign")
        try writer.begin()
        #expect(try world.seen() == ["a", "b"])
    }

    @Test func aHoleInTheTailEndsIt() throws {
        let (whole, ends, _) = try log()
        let world = World()
        var torn = whole
        for index in ends[1].end + 45..<ends[1].end + 60 { torn[index] = 0 }
        world.tree.write(Array(torn.prefix(ends[3].end)), world.segment(1))
        let writer = try world.writer()
        #expect(writer.recovered.isEmpty)
        #expect(try writer.newestRecords().compactMap(\.token) == ["a", "b"], "a start must not believe what begin does not keep")
        try writer.begin()
        #expect(try world.seen() == ["a", "b"])
    }

    @Test func newestRecordsAreThoseThatBeginKeeps() throws {
        let (whole, ends, _) = try log()
        for length in [ends[0].end, ends[1].end, ends[2].end + 3, ends[3].end, whole.count] {
            let world = World()
            world.tree.write(Array(whole.prefix(length)), world.segment(1))
            let writer = try world.writer()
            let known = try writer.newestRecords().compactMap(\.token)
            try writer.begin()
            #expect(try world.seen() == known)
        }
    }

    @Test func anUnfinishedSegmentIsRemoved() throws {
        let world = World()
        do { try world.begun().commit("a") }
        world.tree.write(bytes("half"), "\(world.folder)/.new-00000002")
        do { try world.begun().commit("b") }
        #expect(world.tree.names(world.folder) == [".lock", ".spare", "00000001.log", "00000002.log", "big"])
        #expect(try world.seen() == ["a", "b"])
    }

    @Test func aSegmentWithoutItsFirstCommitIsATail() throws {
        let (whole, _, _) = try log()
        let world = World()
        world.tree.write(Array(whole.dropLast(3)), world.segment(1))
        let writer = try world.writer()
        // header, file sync, rename, folder sync; then the commit line fails.
        #expect(try FaultInjection.running(script("EIO@write:2")) { logFailure { try writer.begin() } } == .broken)
        #expect(world.numbers == [1, 2])
        try writer.begin()
        try writer.commit("e")
        #expect(try world.seen() == ["a", "b", "c", "d", "e"])
        #expect(world.numbers == [1, 2, 3])
    }

    /// What the preamble says in its own words stands once in the new segment (found by the laboratory: an `assign` that had
    /// two positions was answered at the wrong one, and its copy waited for ever).
    @Test func whatIsLeftOutOfTheTailStandsNowhereElse() throws {
        let (whole, _, _) = try log()
        let world = World()
        world.tree.write(Array(whole.dropLast(3)), world.segment(1))
        let writer = try world.writer()
        let left = try #require(writer.recovered.first?.placed.record.id)
        let kept = writer.recovered.count - 1
        writer.leaveOut { $0.id == left }
        #expect(writer.recovered.count == kept)
        try writer.begin()
        #expect(try !world.follower().poll().contains { $0.position.segment == 2 && $0.record.id == left })
    }

    /// An error of the disk proves nothing: no start, rather than a start without the tail.
    @Test(arguments: ["EIO@open:2", "EMFILE@open:2", "EIO@read:1", "EIO@read:2", "EIO@list:1", "EIO@examine:1"])
    func anErrorAtTheStartForgetsNothing(_ plan: String) throws {
        let (whole, _, _) = try log()
        let world = World()
        world.tree.write(Array(whole.dropLast(3)), world.segment(1))
        let faults = try script(plan)
        #expect(FaultInjection.running(faults) { logFailure { _ = try world.begun() } } == .failed)
        #expect(faults.count > 0)
        do { try world.begun().commit("e") }
        #expect(try world.seen() == ["a", "b", "c", "d", "e"])
    }

    /// ENOSPC cuts back and the next batch takes the same place: who read the refused bytes must read again.
    @Test(arguments: ["x", "a longer token", "same si"]) func aRefusedBatchIsNotSeenInPlaceOfTheNext(_ token: String) throws {
        let world = World()
        let writer = try world.begun()
        let follower = try world.follower()
        try writer.commit("a")
        #expect(try follower.tokens() == ["a"])
        let committed = world.tree.size(world.segment(1))
        let seed = try world.header(1).0.seed
        for _ in 0..<3 { world.tree.append(LogWriter.line("refused", nil).sealed(seed: seed, checksum: spoolChecksum), world.segment(1)) }
        #expect(try follower.tokens() == [])
        world.tree.resize(world.segment(1), to: committed)
        try writer.commit(token)
        #expect(try follower.tokens() == [token])
        #expect(follower.damage.isEmpty)
    }
}
