// Messages from their acceptance to their erasure: what is live is known after any restart, and nothing live is erased.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

@Suite struct MailLogTests {
    let world = World()

    private func begun() throws -> (MailLog, [Record]) {
        let log = try world.mail()
        var records: [Record] = []
        try log.begin { records.append($0) }
        return (log, records)
    }

    private func inline(_ log: MailLog, _ token: String, _ content: [UInt8]) throws -> (QueueID, ContentLocation) {
        let id = try #require(log.log.newID(.smtpd))
        let half = content.count / 2
        let location = log.append(
            RecordLine(.accept, id).adding(.reason, token), id: id, content: [Array(content[..<half]), Array(content[half...])])
        return (id, location)
    }

    private func big(_ log: MailLog, _ token: String, _ content: [UInt8]) throws -> (QueueID, ContentLocation) {
        let id = try #require(log.log.newID(.smtpd))
        let file = try log.createBig(id)
        try file.write(content)
        try file.sync()
        let extent = ContentExtent(length: content.count, checksum: CRC32C.checksum(content))
        return (id, log.append(RecordLine(.accept, id).adding(.reason, token), id: id, big: extent))
    }

    private static let later = MonotonicTime(nanoseconds: 60_000_000_000), now = MonotonicTime(nanoseconds: 0)
    private func content(_ letter: String, _ count: Int) -> [UInt8] { [UInt8](repeating: Array(letter.utf8)[0], count: count) }

    @Test func whatIsAcceptedIsReadBack() throws {
        let (log, _) = try begun()
        let (one, place) = try inline(log, "one", bytes("Subject: x\r\n\r\nbody\r\n"))
        let (two, file) = try big(log, "two", content("b", 200_000))
        try log.commit()
        let reader = try ContentReader(spool: world.spool())
        #expect(try reader.content(at: place, id: one) == bytes("Subject: x\r\n\r\nbody\r\n"))
        #expect(try reader.big(file, id: two).read(300_000, at: 0) == content("b", 200_000))
        #expect(log.holds(one) && log.holds(two) && log.liveCount == 2)
        // The location that a follower derives is the one that was given.
        let placed = try #require(world.follower().poll().first { $0.record.id == one })
        #expect(place.position == LogPosition(segment: 1, offset: placed.contentOffset) && placed.record.extent(.content) == place.extent)
    }

    @Test func aRestartKnowsWhatIsLive() throws {
        var ids: [QueueID] = []
        do {
            let (log, _) = try begun()
            ids.append(try inline(log, "a", content("a", 5000)).0)
            ids.append(try big(log, "b", content("b", 10)).0)
            try log.commit()
            log.log.rollOver()
            ids.append(try inline(log, "c", []).0)
            try log.commit()
        }
        // The last commit line is lost: the message is ours all the same.
        world.tree.resize(world.segment(2), to: world.tree.size(world.segment(2)) - 3)
        let (log, records) = try begun()
        #expect(records.compactMap(\.id) == ids && records.compactMap { $0.text(.reason) } == ["a", "b", "c"])
        #expect(log.liveCount == 3 && ids.allSatisfy { log.holds($0) })
        #expect(world.tree.names(world.folder + "/big") == [ids[1].description])
    }

    @Test func aSegmentGoesWhenAllOfItIsReleased() throws {
        let (log, _) = try begun()
        let one = try inline(log, "a", content("a", 100)).0, two = try big(log, "b", content("b", 100)).0
        try log.commit()
        log.log.rollOver()
        let three = try inline(log, "c", content("c", 100)).0
        try log.commit()
        log.release([one], now: MailLogTests.now)
        try log.erase(now: MailLogTests.later)
        #expect(world.numbers == [1, 2], "one of its messages is open")
        log.release([two], now: MailLogTests.now)
        #expect(world.tree.names(world.folder + "/big").isEmpty)
        try log.erase(now: MailLogTests.later)
        #expect(world.numbers == [2])
        log.release([three, three, one], now: MailLogTests.now)
        try log.erase(now: MailLogTests.later)
        #expect(world.numbers == [2], "the segment that is written stays")
        #expect(log.liveCount == 0)
    }

    @Test func contentBesideOpenMessagesIsPunchedOutAndNothingElseIs() throws {
        let (log, _) = try begun()
        let (done, _) = try inline(log, "done", content("d", 40_000))
        let (open, place) = try inline(log, "open", content("o", 40_000))
        try log.commit()
        let before = world.tree.read(world.segment(1))
        log.release([done], now: MailLogTests.now)
        try log.erase(now: MailLogTests.later)
        #expect(world.tree.read(world.segment(1)) == before, "not in the segment that is written")
        log.log.rollOver()
        try log.erase(now: MonotonicTime(nanoseconds: 1))
        #expect(world.tree.read(world.segment(1)) == before, "not at once")
        try log.erase(now: MailLogTests.later)
        let after = world.tree.read(world.segment(1))
        #expect(after.count == before.count)
        #expect(zip(before, after).filter { $0 != $1 }.allSatisfy { $0 == UInt8(ascii: "d") && $1 == 0 })
        #expect(zip(before, after).filter { $0 != $1 }.count == 40_000, "no byte of it stays")
        #expect(try ContentReader(spool: world.spool()).content(at: place, id: open) == content("o", 40_000))
        #expect(try world.seen() == ["done", "open"], "offsets never move")
    }

    @Test func anIdleLogBeginsANewSegmentWhenNothingIsOpen() throws {
        let (log, _) = try begun()
        let ids = try (0..<12).map { try inline(log, "\($0)", content("x", 100_000)).0 }
        try log.commit()
        log.release(ids, now: MailLogTests.now)
        try log.erase(now: MailLogTests.later)
        try log.erase(now: MailLogTests.later)
        #expect(world.numbers == [2])
    }

    @Test func filesThatNoRecordNamesAreRemoved() throws {
        let kept: QueueID
        do {
            let (log, _) = try begun()
            kept = try big(log, "kept", content("k", 10)).0
            try log.commit()
            // Written and never committed, or foreign.
            _ = try log.createBig(try #require(log.log.newID(.smtpd)))
        }
        world.tree.write(bytes("x"), world.folder + "/big/core")
        world.tree.link(world.folder + "/big/link", to: "/etc/passwd")
        world.tree.makeFolder(world.folder + "/big/folder")
        _ = try begun()
        #expect(world.tree.names(world.folder + "/big") == ["folder", kept.description].sorted())
    }

    /// A record that cannot be read may name a file.
    @Test(arguments: [20, 0]) func noFileIsRemovedWhileSomethingCannotBeRead(_ distance: Int) throws {
        let id: QueueID
        do {
            let (log, _) = try begun()
            id = try big(log, "kept", content("k", 10)).0
            try log.commit()
            _ = try inline(log, "x", [])
            try log.commit()
        }
        let header = try world.header(1).length
        // In the record's line, or in the header's.
        let line = Array("reason=kept".utf8)
        let text = world.tree.read(world.segment(1))
        let place = try #require((0..<text.count - line.count).first { text[$0..<$0 + line.count].elementsEqual(line) })
        world.tree.flip(bit: 1, at: distance == 0 ? header - 5 : place, world.segment(1))
        _ = try begun()
        #expect(world.tree.names(world.folder + "/big") == [id.description])
    }

    @Test(arguments: ["EIO@read:2", "EMFILE@open:4", "EIO@read:4", "EIO@examine:3", "EIO@open:8"]) func anErrorAtTheStartRemovesNothing(_ plan: String) throws {
        let id: QueueID
        do {
            let (log, _) = try begun()
            id = try big(log, "kept", content("k", 10)).0
            try log.commit()
        }
        let faults = try script(plan)
        let result = FaultInjection.running(faults) { logFailure { _ = try begun() } }
        #expect(world.tree.names(world.folder + "/big") == [id.description])
        #expect(result == .failed || result == .broken)
        let (log, records) = try begun()
        #expect(log.holds(id) && records.count == 1)
    }

    @Test func whatIsRefusedIsNotOursNeitherNowNorLater() throws {
        var kept: QueueID?
        do {
            let (log, _) = try begun()
            let one = try inline(log, "refused", content("r", 100)).0, two = try big(log, "refused", content("b", 100)).0
            #expect(try FaultInjection.running(script("EIO@sync:2")) { logFailure { try log.commit() } } == .failed)
            log.forget([one, two])
            #expect(log.liveCount == 0 && world.tree.names(world.folder + "/big").isEmpty)
            kept = try inline(log, "kept", content("k", 100)).0
            try log.commit()
            // The successor that stated the sealed length goes; the record beyond it comes to nothing all the same.
            log.log.rollOver()
            log.release([try #require(kept)], now: MailLogTests.now)
            try log.erase(now: MailLogTests.later)
        }
        let (log, records) = try begun()
        #expect(records.isEmpty && log.liveCount == 0)
    }

    @Test func theFolderOfBigFilesIsSyncedBeforeTheRecord() throws {
        let (log, _) = try begun()
        let id = try big(log, "b", content("b", 100)).0
        let counting = try script("EIO@sync:1")
        #expect(FaultInjection.running(counting) { logFailure { try log.commit() } } == .failed)
        log.forget([id])
        #expect(try world.seen() == [] && !log.log.hasPending)
        let (other, _) = (try big(log, "c", content("c", 100)), 0)
        let second = try script("EIO@sync:0")
        try FaultInjection.running(second) { try log.commit() }
        #expect(second.count == 2 && log.holds(other.0))
    }

    /// Nobody was told anything: the record may count, so its file stays until the next opening knows.
    @Test func aMessageInDoubtKeepsItsFile() throws {
        let id: QueueID
        do {
            let (log, _) = try begun()
            id = try big(log, "in doubt", content("b", 100)).0
            #expect(try FaultInjection.running(script("EIO@sync:2+")) { logFailure { try log.commit() } } == .broken)
            log.forget([id])
        }
        let (log, records) = try begun()
        #expect(log.holds(id) && records.count == 1, "its record was whole")
        let extent = try #require(records.first?.extent(.big))
        let file = ContentLocation(origin: .smtpd, position: nil, extent: extent)
        #expect(try ContentReader(spool: world.spool()).big(file, id: id).read(200, at: 0) == content("b", 100))
    }
}

@Suite struct ContentReaderTests {
    let world = World()

    private func refusal<R: ~Copyable>(_ body: () throws -> R) -> String? {
        do { _ = try body() } catch {
            switch error as? ContentError {
            case .missing?: return "missing"
            case .corrupt?: return "corrupt"
            case .kernel?: return "kernel"
            case nil: return "\(error)"
            }
        }
        return nil
    }

    private func accepted(_ content: [UInt8]) throws -> (QueueID, ContentLocation) {
        let log = try world.mail()
        try log.begin()
        let id = try #require(log.log.newID(.smtpd))
        let location = log.append(RecordLine(.accept, id), id: id, content: [content])
        try log.commit()
        return (id, location)
    }

    @Test func everyFlippedBitIsRefused() throws {
        let content = bytes("Subject: hello\r\n\r\nworld\r\n")
        let (id, location) = try accepted(content)
        let start = Int(try #require(location.position).offset)
        let reader = try ContentReader(spool: world.spool())
        for index in content.indices {
            world.tree.flip(bit: index, at: start + index, world.segment(1))
            #expect(refusal { try reader.content(at: location, id: id) } == "corrupt")
            world.tree.flip(bit: index, at: start + index, world.segment(1))
        }
        #expect(try reader.content(at: location, id: id) == content)
    }

    @Test func aLocationThatIsNotThereIsRefusedAndNothingIsAllocatedForIt() throws {
        let (id, location) = try accepted(bytes("content"))
        let reader = try ContentReader(spool: world.spool())
        let at = { (segment: UInt32, offset: Int64, length: Int) in
            ContentLocation(origin: .smtpd, position: LogPosition(segment: segment, offset: offset), extent: ContentExtent(length: length, checksum: 1))
        }
        #expect(refusal { try reader.content(at: at(1, 0, 7), id: id) } == "corrupt")
        #expect(refusal { try reader.content(at: at(1, 1 << 40, 7), id: id) } == "missing")
        #expect(refusal { try reader.content(at: at(1, 0, 999_999_999_999_999_999), id: id) } == "corrupt")
        #expect(refusal { try reader.content(at: at(9, 0, 7), id: id) } == "missing")
        #expect(refusal { try reader.content(at: ContentLocation(origin: .smtpd, position: nil, extent: location.extent), id: id) } == "missing")
    }

    /// A power cut took the commit line back and tore what it covered; the next segment may state the length or not yet be there.
    @Test(arguments: [false, true]) func contentAboveTheLastCommitIsMissingAndNotDamaged(_ hasSuccessor: Bool) throws {
        let (first, kept) = try accepted(bytes("kept"))
        let (id, torn) = try accepted(bytes("torn by the cut"))
        let begins = Int(try #require(torn.position).offset)
        world.tree.resize(world.segment(2), to: begins + 4)
        if hasSuccessor { try world.mail().begin() }
        let reader = try ContentReader(spool: world.spool())
        #expect(refusal { try reader.content(at: torn, id: id) } == "missing")
        #expect(try reader.content(at: kept, id: first) == bytes("kept"))
        world.tree.flip(bit: 0, at: Int(try #require(kept.position).offset), world.segment(1))
        #expect(refusal { try reader.content(at: kept, id: first) } == "corrupt")
    }

    @Test func aBigFileIsARegularFileOfItsLength() throws {
        _ = try accepted([])
        let reader = try ContentReader(spool: world.spool())
        let id = QueueID(origin: .smtpd, epoch: 1, sequence: 1)
        let name = "\(world.folder)/big/\(id)"
        let location = { ContentLocation(origin: $0, position: nil, extent: ContentExtent(length: 3, checksum: 0)) }
        #expect(refusal { try reader.big(location(.smtpd), id: id) } == "missing")
        world.tree.write(bytes("four"), name)
        #expect(refusal { try reader.big(location(.smtpd), id: id) } == "kernel")
        world.tree.write(bytes("one"), name)
        #expect(refusal { try reader.big(location(.smtpd), id: id) } == nil)
        world.tree.delete(name)
        world.tree.link(name, to: "/etc/passwd")
        #expect(refusal { try reader.big(location(.smtpd), id: id) } == "kernel")
    }

    @Test func manySegmentsAreReadInTurn() throws {
        let log = try world.mail()
        try log.begin()
        var places: [(QueueID, ContentLocation)] = []
        for number in 0..<40 {
            let id = try #require(log.log.newID(.smtpd))
            places.append((id, log.append(RecordLine(.accept, id), id: id, content: [bytes("content \(number)")])))
            try log.commit()
            log.log.rollOver()
        }
        let reader = try ContentReader(spool: world.spool())
        for round in 0..<2 {
            for (number, place) in places.enumerated() {
                #expect(try reader.content(at: place.1, id: place.0) == bytes("content \(number)"), "round \(round)")
            }
        }
    }
}
