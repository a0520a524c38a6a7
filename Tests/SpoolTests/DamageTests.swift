// Bytes that are no record before a later commit: reported, skipped, and nothing else is lost with them.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

@Suite struct DamageTests {
    private struct Sample {
        let whole: [UInt8]
        /// Where the second batch begins, its record's line ends, its content ends, its commit line ends.
        let batch: Int, line: Int, content: Int, commit: Int
    }

    /// Three commits, `b` with content, in one segment.
    private func sample() throws -> Sample {
        let world = World()
        let writer = try world.begun()
        try writer.commit("a")
        let batch = Int(writer.end.offset)
        let content = bytes("some content\nof b")
        writer.add("b", content: content)
        let end = Int(writer.end.offset)
        try writer.commit()
        let commit = Int(writer.end.offset)
        try writer.commit("c")
        return Sample(whole: world.tree.read(world.segment(1)), batch: batch, line: end - content.count - 1, content: end, commit: commit)
    }

    @Test func everyFlippedBitOfABatchIsFoundAndCostsNoOther() throws {
        let sample = try sample()
        let world = World()
        for offset in sample.batch..<sample.commit {
            var damaged = sample.whole
            damaged[offset] ^= 1 << UInt8(offset % 8)
            world.tree.write(damaged, world.segment(1))
            let follower = try world.follower()
            let tokens = try follower.tokens()
            let inLine = offset < sample.line, inContent = offset >= sample.line && offset < sample.content
            // A line feed that is none makes two lines one: that is the only way in which damage costs a neighbour.
            let joined = offset == sample.commit - 1
            #expect(tokens == (inLine ? ["a", "c"] : joined ? ["a", "b"] : ["a", "b", "c"]), "byte \(offset - sample.batch)")
            #expect(follower.damage.isEmpty == inContent, "byte \(offset - sample.batch): content has a checksum of its own")
            for found in follower.damage {
                #expect(found.from.offset >= Int64(sample.batch) && (joined || found.to ?? .max <= Int64(sample.commit)))
            }
            let count = follower.damage.count
            _ = try follower.tokens()
            #expect(follower.damage.count == count, "reported once")
        }
    }

    @Test func aWriterThatOpensADamagedLogGoesOn() throws {
        let sample = try sample()
        for offset in [sample.batch + 3, sample.line + 2, sample.content + 4] {
            let world = World()
            var damaged = sample.whole
            damaged[offset] ^= 0x10
            world.tree.write(damaged, world.segment(1))
            let before = try world.seen()
            let writer = try world.writer()
            #expect(try writer.newestRecords().compactMap(\.token) == before)
            try writer.begin()
            try writer.commit("d")
            #expect(try world.seen() == before + ["d"])
            #expect(Array(world.tree.read(world.segment(1))) == damaged, "left where it is")
        }
    }

    /// The last commit line of a segment is damaged: the successor's word stands for it, and nothing is lost that anybody need hear of.
    @Test func theSealedLengthCountsAsTheLastCommit() throws {
        let world = World()
        do {
            let writer = try world.begun()
            let live = try world.follower()
            try writer.commit("first")
            #expect(try live.tokens() == ["first"])
            try writer.commit("a", "b")
            let damaged = Int(writer.end.offset) - 4
            writer.rollOver()
            world.tree.flip(bit: 2, at: damaged, world.segment(1))
            try writer.commit("c")
            #expect(try live.tokens() == ["a", "b", "c"] && live.damage.isEmpty)
        }
        #expect(try world.seen() == ["first", "a", "b", "c"])
        let mail = try world.mail()
        var reasons: [String] = []
        try mail.begin { reasons += [$0.text(.reason)].compactMap { $0 } }
        #expect(reasons == ["first", "a", "b", "c"])
    }

    @Test func twoDamagedPlacesInOneBatchStopNobody() throws {
        let world = World()
        let writer = try world.begun()
        try writer.commit("a")
        var places: [Int] = []
        for token in ["b", "c", "d", "e", "f"] {
            places.append(Int(writer.end.offset) + 30)
            writer.add(token)
        }
        try writer.commit()
        try writer.commit("g")
        world.tree.flip(bit: 0, at: places[1], world.segment(1))
        world.tree.flip(bit: 0, at: places[3], world.segment(1))
        let follower = try world.follower()
        #expect(try follower.tokens() == ["a", "b", "d", "f", "g"])
        #expect(follower.damage.count == 2)
        #expect(try writer.newestRecords().compactMap(\.token) == ["a", "b", "d", "f", "g"])
    }

    /// A thousand recipients make a line longer than what is read at once; it is whole wherever it begins.
    @Test(arguments: [3000, 5000, 70_000, 300_000]) func longLinesAreReadWhole(_ length: Int) throws {
        let world = World()
        let writer = try world.begun()
        var expected: [String] = []
        for number in 0..<40 {
            let token = "\(number)" + String(repeating: "x", count: length + number * 113)
            expected.append(token)
            try writer.commit(token)
        }
        let follower = try world.follower()
        #expect(try follower.tokens() == expected)
        #expect(follower.damage.isEmpty)
        #expect(try writer.newestRecords().compactMap(\.token) == expected)
    }

    @Test func aLongLineAfterDamageIsFound() throws {
        let world = World()
        let writer = try world.begun()
        let place = Int(writer.end.offset) + 20
        writer.add("a")
        let long = String(repeating: "x", count: 200_000)
        writer.add(long)
        try writer.commit()
        world.tree.flip(bit: 0, at: place, world.segment(1))
        #expect(try world.seen() == [long])
    }

    /// A stranger knows the epoch from the id in the reply, and writes lines of the log into his message.
    @Test func contentIsNeverSearchedForRecords() throws {
        let world = World()
        let writer = try world.begun()
        try writer.commit("a")
        let (header, _) = try world.header(1)
        let line = LogWriter.line("b", writer.newID(.smtpd))
        // Even with the seed, which he does not know: a record, and a commit line that is right for its place.
        let forged = LogWriter.line("forged", nil).sealed(seed: header.seed, checksum: spoolChecksum)
        let content = forged + forged
        let extent = ContentExtent(length: 100_000, checksum: 0)
        let whole = line.adding(.content, extent.text).sealed(seed: header.seed, checksum: spoolChecksum)
        let place = Int64(writer.end.offset) + Int64(whole.count + content.count)
        let commit = RecordLine(.commit).adding(.upto, place).sealed(seed: header.seed, checksum: spoolChecksum)
        world.tree.append(whole + content + commit, world.segment(1))
        #expect(try world.seen() == ["a"], "the content is still being written")
        #expect(try writer.newestRecords().compactMap(\.token) == ["a"])
        // Without the salt even damage gives him nothing.
        let guessed = SegmentHeader(log: header.log, number: 1, random: header.epoch, salt: 0, predecessor: nil)
        #expect(guessed.epoch == header.epoch && guessed.seed != header.seed)
    }

    @Test func aCommitLineOfAnotherPlaceCommitsNothing() throws {
        let world = World()
        let writer = try world.begun()
        try writer.commit("a")
        let seed = try world.header(1).0.seed
        world.tree.append(
            LogWriter.line("b", nil).sealed(seed: seed, checksum: spoolChecksum)
                + RecordLine(.commit).adding(.upto, 12345).sealed(seed: seed, checksum: spoolChecksum), world.segment(1))
        #expect(try world.seen() == ["a"])
    }

    /// What was read before the error is handed out: the position is past it.
    @Test func anErrorOfTheDiskLosesNoRecordThatWasRead() throws {
        let world = World()
        let writer = try world.begun()
        for token in ["a", "b"] {
            for number in 0..<3 { try writer.commit("\(token)\(number)") }
            writer.rollOver()
        }
        let expected = ["a0", "a1", "a2", "b0", "b1", "b2"]
        var call = 1
        while true {
            let faults = try script("EIO@\(call)")
            let follower = try world.follower()
            var seen: [String] = []
            FaultInjection.running(faults) { for _ in 0..<5 { seen += (try? follower.poll())?.compactMap(\.token) ?? [] } }
            seen += try follower.tokens()
            #expect(seen == expected, "call \(call)")
            if faults.count < call { break }
            call += 1
        }
        #expect(call > 10)
    }
}
