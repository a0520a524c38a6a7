// Segments: when a new one begins, what its header says of the old one, and followers that are behind or in between.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Synchronization
import Testing

@testable import Spool

@Suite struct RolloverTests {
    let world = World()

    @Test func aFullSegmentIsFollowedByAnother() throws {
        let writer = try world.begun()
        let follower = try world.follower()
        let content = [UInt8](repeating: 0x61, count: 1 << 20)
        var seen: [String] = []
        for number in 0..<36 {
            writer.add("\(number)", content: content)
            try writer.commit()
            if number % 5 == 0 { seen += try follower.tokens() }
        }
        seen += try follower.tokens()
        #expect(seen == (0..<36).map { "\($0)" })
        #expect(world.numbers == [1, 2, 3])
        for number in [1, 2] as [UInt32] {
            #expect(world.tree.size(world.segment(number)) >= Int(LogWriter.segmentSize))
            #expect(try world.header(number + 1).0.predecessor == LogPosition(segment: number, offset: Int64(world.tree.size(world.segment(number)))))
        }
        #expect(follower.damage.isEmpty)
    }

    /// A mail log's owner unlinks segments whose messages are all done, wherever they stand.
    @Test func aSegmentMissingInTheMiddleStopsNoFollower() throws {
        let live = try world.follower()
        let writer = try world.begun()
        try writer.commit("a")
        #expect(try live.tokens() == ["a"])
        for token in ["b", "c", "d"] {
            writer.rollOver()
            try writer.commit(token)
        }
        try writer.dropSegment(2)
        try writer.dropSegment(3)
        #expect(try live.tokens() == ["d"])
        #expect(try world.seen() == ["a", "d"])
        try writer.commit("e")
        #expect(try live.tokens() == ["e"])
    }

    @Test func whatCameBeforeTheGapIsSeenBeforeIt() throws {
        let live = try world.follower()
        let writer = try world.begun()
        try writer.commit("a")
        #expect(try live.tokens() == ["a"])
        try writer.commit("b")
        writer.rollOver()
        writer.rollOver()
        try writer.dropSegment(2)
        try writer.commit("c")
        #expect(try live.tokens() == ["b", "c"])
    }

    @Test func aFollowerBehindRetentionGoesOnWithWhatIsThere() throws {
        let writer = try world.begun()
        let follower = try world.follower()
        for token in ["a", "b", "c", "d"] {
            try writer.commit(token)
            if token == "a" { #expect(try follower.poll(limit: 1).compactMap(\.token) == ["a"]) }
            writer.rollOver()
        }
        try writer.dropSegments(below: 4)
        #expect(world.numbers == [4, 5])
        #expect(try follower.tokens() == ["d"])
        #expect(try world.follower(from: LogPosition(segment: 2, offset: 50)).tokens() == ["d"])
        try writer.dropSegments(below: 99)
        #expect(world.numbers == [5], "the one that is written stays")
        try writer.commit("e")
        #expect(try follower.tokens() == ["e"])
    }

    /// A writer that commits, rolls over and erases while a follower looks: whatever the interleaving, all of it is seen in order.
    @Test func aFollowerKeepsUpWithARacingWriter() throws {
        let follower = try world.follower()
        let race = Race()
        let world = world
        startThread {
            race.run {
                let writer = try world.begun()
                for number in 0..<400 {
                    try writer.commit("\(number)")
                    // An empty segment between two, gone at once.
                    writer.rollOver()
                    writer.rollOver()
                    try writer.dropSegment(writer.end.segment - 1)
                }
            }
        }
        var seen: [String] = []
        while !race.isDone { seen += try follower.tokens() }
        seen += try follower.tokens()
        #expect(race.failure == nil)
        #expect(seen == (0..<400).map { "\($0)" })
    }

    /// Work on another thread, and how it ended.
    private final class Race: Sendable {
        private let end = Mutex<(isDone: Bool, failure: String?)>((false, nil))
        var isDone: Bool { end.withLock { $0.isDone } }
        var failure: String? { end.withLock { $0.failure } }

        func run(_ body: () throws -> Void) {
            var failure: String?
            do { try body() } catch { failure = "\(error)" }
            end.withLock { $0 = (true, failure) }
        }
    }

    /// The sync failed, the client heard 4xx, the successor states the sealed length: a commit line beyond it counts for nothing.
    @Test func nothingBeyondTheSealedLengthIsSeen() throws {
        let live = try world.follower()
        let writer = try world.begun()
        try writer.commit("a")
        writer.add("refused")
        #expect(try FaultInjection.running(script("EIO@sync:1")) { logFailure { try writer.commit() } } == .failed)
        #expect(world.numbers == [1, 2])
        let size = world.tree.size(world.segment(1))
        #expect(try #require(world.header(2).0.predecessor).offset < Int64(size))
        let seed = try world.header(1).0.seed
        world.tree.append(RecordLine(.commit).adding(.upto, size).sealed(seed: seed, checksum: spoolChecksum), world.segment(1))
        try writer.commit("b")
        #expect(try live.tokens() == ["a", "b"] && world.seen() == ["a", "b"])
        #expect(live.damage.isEmpty)
        do { _ = consume writer }
    }

    @Test func aFailedSegmentIsNeverSyncedAgain() throws {
        let writer = try world.begun()
        writer.add("refused")
        // The sync of the segment fails; the file and the folder of the next one are synced.
        let counting = try script("EIO@sync:1")
        #expect(FaultInjection.running(counting) { logFailure { try writer.commit() } } == .failed)
        #expect(counting.count == 3)
    }

    /// At each of its calls: the old segment goes on, or nobody reads it any more; what is committed later is seen either way.
    @Test(arguments: ["EIO", "ENOSPC"]) func aFailedRolloverLosesNothing(_ code: String) throws {
        var call = 1
        while true {
            let world = World()
            let follower = try world.follower()
            var acknowledged: [String] = []
            do {
                let writer = try world.begun()
                try writer.commit("a")
                acknowledged.append("a")
                let faults = try script("\(code)@\(call)")
                FaultInjection.running(faults) { writer.rollOver() }
                let early = try follower.tokens()
                #expect(early == ["a"])
                for token in ["b", "c", "d"] {
                    writer.add(token)
                    if logFailure({ try writer.commit() }) == nil { acknowledged.append(token) }
                }
                #expect(acknowledged.count >= 3, "at most one batch is refused")
                #expect(try early + follower.tokens() == acknowledged, "\(code) at call \(call), live")
                #expect(try world.seen() == acknowledged, "\(code) at call \(call)")
                if faults.count < call { break }
            }
            try world.begun().commit("later")
            #expect(try world.seen() == acknowledged + ["later"], "\(code) at call \(call), after a restart")
            call += 1
        }
        #expect(call > 5)
    }

    /// The name was given and the folder's sync failed: a follower may have opened that file, so no other gets its name.
    @Test func aNameIsGivenOnce() throws {
        let writer = try world.begun()
        let follower = try world.follower()
        try writer.commit("a")
        // The syncs of the segment, of the next one's file and of the folder: the last two of three fail or the first and last.
        writer.add("in doubt")
        #expect(try FaultInjection.running(script("EIO@sync:1+")) { logFailure { try writer.commit() } } == .broken)
        #expect(try follower.tokens() == ["a"])
        #expect(try FaultInjection.running(script("EIO@sync:2")) { logFailure { try writer.commit() } } == .broken)
        #expect(world.numbers == [1, 2], "a segment that may have its name")
        let epoch = try world.header(2).0.epoch
        #expect(try follower.tokens() == [])
        #expect(logFailure { try writer.commit() } == .failed, "healed, and the batch refused")
        #expect(world.numbers == [1, 2, 3])
        #expect(try world.header(2).0.epoch == epoch)
        try writer.commit("b")
        #expect(try follower.tokens() == ["b"] && world.seen() == ["a", "b"])
    }

    /// A state block of a million lines is one commit: a follower has it in portions, each line once, and is not behind for it.
    @Test(arguments: [1, 7, 1024, 4096])
    func aLargeCommitComesInPortions(limit: Int) throws {
        let writer = try world.begun()
        try writer.commit("first")
        for number in 0..<5000 { writer.add("\(number)") }
        try writer.commit()
        try writer.commit("last")
        let follower = try world.follower()
        var seen: [String] = []
        while case let records = try follower.poll(limit: limit), !records.isEmpty {
            #expect(records.count <= max(limit, 1024) + 1)
            seen += records.compactMap(\.token)
        }
        #expect(seen == ["first"] + (0..<5000).map { "\($0)" } + ["last"])
        #expect(follower.safePosition < follower.position)
        #expect(try world.follower(from: follower.safePosition).tokens() == ["last"])
    }

    @Test func anUncommittedRestOfALargeSegmentIsNotHandedOut() throws {
        let follower = try world.follower()
        let writer = try world.begun()
        for number in 0..<3000 { writer.add("\(number)") }
        try writer.commit()
        #expect(try follower.poll(limit: 10).count >= 10)
        writer.rollOver()
        try writer.commit("next")
        #expect(try follower.tokens().count > 1900)
        #expect(try world.seen().count == 3001)
    }
}
