// Finished content leaves the disk though its neighbour stays, and never before a power cut can no longer ask for it.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

@Suite struct ErasureTests {
    let world = World()

    private func later(_ seconds: Int64) -> MonotonicTime { .now().adding(milliseconds: seconds * 1000) }

    private func accept(_ log: MailLog, _ content: [UInt8]) throws -> (QueueID, ContentLocation) {
        let id = try #require(log.log.newID(.smtpd))
        let location = log.append(RecordLine(.accept, id), id: id, content: [content])
        try log.commit()
        return (id, location)
    }

    private func isErased(_ location: ContentLocation) throws -> Bool {
        let position = try #require(location.position)
        let start = Int(position.offset)
        return world.tree.read(world.segment(position.segment))[start..<(start + location.extent.length)].allSatisfy { $0 == 0 }
    }

    @Test func contentLeavesTheSegmentThatIsStillWritten() throws {
        let first: QueueID
        let done: ContentLocation
        let open: ContentLocation
        do {
            let log = try world.mail()
            try log.begin()
            (first, done) = try accept(log, [UInt8](repeating: 0x61, count: 50_000))
            (_, open) = try accept(log, [UInt8](repeating: 0x62, count: 50_000))
            log.release([first], now: .now())
            try log.erase(now: later(1))
            #expect(try !isErased(done), "who has begun to read it may end")
            try log.erase(now: later(10))
        }
        #expect(try isErased(done))
        #expect(try !isErased(open))
        #expect(world.numbers == [1])
        let next = try world.mail()
        var count = 0
        try next.begin { _ in count += 1 }
        #expect(count == 2)
    }

    /// The last commit line is not durable: what it covers is repeated after a power cut, with its content.
    @Test func theLastCommitIsCoveredFirst() throws {
        let log = try world.mail()
        try log.begin()
        let (first, done) = try accept(log, [UInt8](repeating: 0x61, count: 50_000))
        try FaultInjection.running(script("EIO@sync:1+")) {
            log.release([first], now: .now())
            #expect(throws: KernelError.self) { try log.erase(now: later(10)) }
        }
        #expect(try !isErased(done))
    }

    @Test func idleErasureSyncsOnce() throws {
        let log = try world.mail()
        try log.begin()
        let (first, done) = try accept(log, [UInt8](repeating: 0x61, count: 50_000))
        let (_, _) = try accept(log, [])
        log.release([first], now: .now())
        let faults = try script("EIO@sync:2+")
        try FaultInjection.running(faults) {
            for _ in 0..<5 { try log.erase(now: later(10)) }
        }
        #expect(try isErased(done))
    }

    /// Were the name of this segment lost and its successor's kept, nobody would say how far the one before it counts.
    @Test func aStartBuildsOnlyOnNamesThatStay() throws {
        do { try world.mail().begin() }
        #expect(throws: LogError.self) {
            try FaultInjection.running(script("EIO@sync:1")) { _ = try world.mail() }
        }
        try world.mail().begin()
    }

    /// A power cut takes the last commit line of a segment with open mail. Its successor alone says that it counted, so an empty one stays too.
    @Test func theWordForALiveSegmentStays() throws {
        let id: QueueID
        do {
            let log = try world.mail()
            try log.begin()
            (id, _) = try accept(log, bytes("open"))
        }
        for _ in 0..<3 {
            let log = try world.mail()
            try log.begin()
            try log.erase(now: .now())
        }
        #expect(world.numbers == [1, 2, 4])
        let whole = world.tree.read(world.segment(1))
        let line = try #require(whole.dropLast().lastIndex(of: 0x0A)) + 1
        world.tree.resize(world.segment(1), to: line)
        #expect(try world.follower().poll().compactMap(\.record.id) == [id])
        let log = try world.mail()
        var live: [QueueID] = []
        try log.begin { live += [$0.id].compactMap { $0 } }
        #expect(live == [id])
        log.release([id], now: .now())
        try log.erase(now: .now())
        #expect(world.numbers == [5])
    }
}
