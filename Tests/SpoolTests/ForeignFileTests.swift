// What else may stand in a log's folder: reported once, never read, never waited for, and never the end of the mail flow.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

@Suite struct ForeignFileTests {
    enum Thing: String, CaseIterable, Sendable {
        case link, dangling, fifo, folder, sparse, empty, otherLog, otherNumber, flippedHeader, text

        func make(_ number: UInt32, in world: World) throws {
            let name = world.segment(number)
            let header = { (log: String, number: UInt32) in
                SegmentHeader(log: bytes(log), number: number, random: 5, salt: 6, predecessor: nil).line(checksum: spoolChecksum)
            }
            let record = LogWriter.line("foreign", nil)
            switch self {
            case .link:
                world.tree.write(header(world.folder, number), "elsewhere")
                world.tree.link(name, to: world.tree.path + "/elsewhere")
            case .dangling: world.tree.link(name, to: "/nonexistent/file")
            case .fifo: world.tree.makeFIFO(name)
            case .folder: world.tree.makeFolder(name)
            case .sparse:
                world.tree.write([], name)
                world.tree.resize(name, to: 1 << 42)
            case .empty: world.tree.write([], name)
            case .otherLog: world.tree.write(header("submission/mail", number) + record.sealed(seed: 0, checksum: spoolChecksum), name)
            case .otherNumber: world.tree.write(header(world.folder, number + 1), name)
            case .flippedHeader:
                world.tree.write(header(world.folder, number), name)
                world.tree.flip(bit: 3, at: 40, name)
            case .text: world.tree.write(bytes("hello\nworld\n"), name)
            }
        }
    }

    /// In the place of the next segment, while the log is written and followed.
    @Test(arguments: Thing.allCases) func inThePlaceOfTheNextSegment(_ thing: Thing) throws {
        let world = World()
        let live = try world.follower()
        do {
            let writer = try world.begun()
            try writer.commit("a")
            #expect(try live.tokens() == ["a"])
            try thing.make(2, in: world)
            try writer.commit("b")
            #expect(try live.tokens() == ["b"])
            for _ in 0..<3 { #expect(try live.tokens() == []) }
        }
        // The next writer passes over it, and knows the tail of the segment before.
        let file = world.segment(1)
        world.tree.resize(file, to: world.tree.size(file) - 2)
        do {
            let writer = try world.begun()
            #expect(writer.end.segment == 3)
            try writer.commit("c")
        }
        #expect(try Set(world.seen()) == ["a", "b", "c"])
        #expect(try live.tokens().last == "c")
        #expect(live.damage.count == 1, "reported once: \(live.damage)")
        #expect(live.damage.first?.from == LogPosition(segment: 2, offset: 0) && live.damage.first?.to == nil)
    }

    @Test(arguments: Thing.allCases) func asTheOnlyFile(_ thing: Thing) throws {
        let world = World()
        try thing.make(7, in: world)
        let follower = try world.follower()
        for _ in 0..<3 { #expect(try follower.tokens() == []) }
        #expect(follower.damage.count == 1)
        do { try world.begun().commit("a") }
        #expect(try follower.tokens() == ["a"] && world.seen() == ["a"])
        #expect(follower.damage.count == 1)
        #expect(try LogFollower.newestSegment(spool: world.spool(), world.log) == LogPosition(segment: 8, offset: 0))
    }

    @Test func namesThatAreNoSegmentsAreNothing() throws {
        let world = World()
        for name in ["4294967295.log", "99999999999.log", "00000000.log", "1.log", "README", "00000009.log~"] {
            world.tree.write(bytes("x"), "\(world.folder)/\(name)")
        }
        let follower = try world.follower()
        do { try world.begun().commit("a") }
        #expect(try follower.tokens() == ["a"] && follower.damage.isEmpty && world.numbers == [1])
    }

    /// The greatest number: the log ends, and nobody traps.
    @Test func afterTheLastNumberThereIsNone() throws {
        let world = World()
        world.tree.write(bytes("x"), world.segment(SegmentName.maximum))
        let writer = try world.writer()
        #expect(logFailure { try writer.begin() } == .broken)
        #expect(try world.seen() == [])
    }

    /// A valid header and then a hole of terabytes: what a captured program would write to keep others busy.
    @Test func aHoleOfTerabytesKeepsNobodyBusy() throws {
        let world = World()
        let live = try world.follower()
        do { try world.begun().commit("a") }
        world.tree.resize(world.segment(1), to: 1 << 42)
        for _ in 0..<20 { _ = try live.tokens() }
        let huge = LogWriter.line("huge", nil).adding(.content, ContentExtent(length: 1 << 41, checksum: 0).text)
        let world2 = World()
        do { try world2.begun().commit("a") }
        world2.tree.append(huge.sealed(seed: try world2.header(1).0.seed, checksum: spoolChecksum), world2.segment(1))
        world2.tree.resize(world2.segment(1), to: 1 << 42)
        #expect(try world2.seen() == ["a"])
        do { try world2.begun().commit("b") }
        #expect(try world2.seen() == ["a", "b"])
    }

    @Test func aFileOfAnotherOwnerIsNotRead() throws {
        let world = World()
        do { try world.begun().commit("a") }
        let follower = try LogFollower(spool: world.spool(), world.log, from: .start, owner: Identity.userID + 1)
        #expect(try follower.tokens() == [] && follower.damage.count == 1)
        #expect(try LogFollower(spool: world.spool(), world.log, from: .start, owner: Identity.userID).tokens() == ["a"])
    }

    @Test func aFolderThatIsALinkIsNotOpened() throws {
        let world = World()
        world.tree.makeFolder("remoted")
        world.tree.link("remoted/events", to: world.tree.path + "/smtpd/mail")
        #expect(throws: KernelError.self) { _ = try LogFollower(spool: world.spool(), LogName(.remoted, .events), from: .start) }
        #expect(logFailure { _ = try LogWriter(spool: world.spool(), LogName(.remoted, .events)) } == .failed)
    }
}
