// A full disk and a start: the spare becomes the segment, and space for the next one is kept as soon as there is some.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

@Suite struct SpareTests {
    let world = World(LogName(.queued, .events))
    private var spare: String { "\(world.folder)/.spare" }
    private var hasSpare: Bool { world.tree.names(world.folder).contains(".spare") }

    private func lived() throws {
        let writer = try world.writer(reserve: 1 << 20)
        writer.preamble = { [RecordLine(.state), RecordLine(.stateEnd)] }
        try writer.begin()
        try writer.commit("a")
    }

    /// Nothing can be created and nothing allocated: only what is there can be written to.
    @Test(arguments: ["ENOSPC@create:1+", "ENOSPC@allocate:1+"])
    func aStartOnAFullDiskBeginsInTheSpare(_ fault: String) throws {
        try lived()
        #expect(hasSpare)
        try FaultInjection.running(script(fault)) {
            let writer = try world.writer(reserve: 1 << 20)
            writer.preamble = { [RecordLine(.state), RecordLine(.stateEnd)] }
            try writer.begin()
            try writer.commit("b")
            #expect(!hasSpare)
        }
        #expect(world.numbers == [1, 2])
        #expect(try world.seen() == ["a", "b"])
        try lived()
        #expect(hasSpare)
        #expect(try world.seen() == ["a", "b", "a"])
    }

    @Test func theTailGoesIntoTheSpareToo() throws {
        try lived()
        let bytes = world.tree.read(world.segment(1))
        // The last commit line is lost: its record is a tail.
        let (header, _) = try world.header(1)
        let commit = RecordLine(.commit).adding(.upto, 0).sealed(seed: header.seed, checksum: spoolChecksum)
        world.tree.resize(world.segment(1), to: bytes.count - commit.count - 2)
        try FaultInjection.running(script("ENOSPC@create:1+")) { try world.writer(reserve: 1 << 20).begin() }
        #expect(try world.seen() == ["a"])
    }

    @Test func aSpareThatWasBegunIsNoSpare() throws {
        try lived()
        world.tree.write(bytes("half a segment"), spare)
        #expect(throws: LogError.self) {
            try FaultInjection.running(script("ENOSPC@create:1+")) { try world.writer(reserve: 1 << 20).begin() }
        }
        #expect(!hasSpare)
        try lived()
        #expect(hasSpare)
        #expect(world.tree.size(spare) == 0)
    }

    @Test func aFullDiskWhileItRunsTakesNoSpareForANewSegment() throws {
        try lived()
        let writer = try world.writer(reserve: 1 << 20)
        try writer.begin()
        try FaultInjection.running(script("ENOSPC@create:1+")) {
            writer.rollOver()
            try writer.commit("b")
        }
        #expect(hasSpare)
        #expect(try world.seen() == ["a", "b"])
    }

    @Test func aLogWithoutReserveHasASpareToo() throws {
        let world = World()
        do { try world.begun().commit("a") }
        try FaultInjection.running(script("ENOSPC@create:1+")) { try world.begun().commit("b") }
        #expect(try world.seen() == ["a", "b"])
    }
}
