// The process dies before its Nth system call, N = 1, 2, …, until it lives: what it said is durable is there exactly once.
// The dying process is this test program, started again with `SpoolVictim` alone.

import Glibc
import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

@Suite struct SpoolVictim {
    static let root = Identity.environment("MARTLET_SPOOL_VICTIM")

    /// Messages inline and big, a rollover, an erasure; each reply is a line in `replies`, written past the fault point.
    @Test(.enabled(if: root != nil)) func dies() throws {
        guard let root = SpoolVictim.root else { return }
        let world = World(tree: TemporarySpool(reopening: root))
        let replies = Glibc.open(root + "/replies", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let log = try MailLog(spool: world.spool(), .smtpd, origin: .smtpd)
        try log.begin()
        var released: [QueueID] = []
        for number in 0..<6 {
            let id = try #require(log.log.newID(.smtpd))
            let content = bytes("content of \(number)")
            let line = RecordLine(.accept, id).adding(.reason, "\(number)")
            if number % 2 == 0 {
                _ = log.append(line, id: id, content: [content])
            } else {
                let file = try log.createBig(id)
                try file.write(content)
                try file.sync()
                _ = log.append(line, id: id, big: ContentExtent(length: content.count, checksum: CRC32C.checksum(content)))
            }
            try log.commit()
            let reply = bytes("\(id)\n")
            _ = Glibc.write(replies, reply, reply.count)
            if number < 2 { released.append(id) }
            if number == 1 { log.log.rollOver() }
            if number == 3 {
                // As if queued had said so: these two may go, and their replies with them.
                let gone = bytes("released\n")
                _ = Glibc.write(replies, gone, gone.count)
                log.release(released, now: MonotonicTime(nanoseconds: 0))
                try log.erase(now: MonotonicTime(nanoseconds: 0))
            }
        }
        // No test report: a victim that lives says so by its exit code.
        Identity.exit(0)
    }
}

@Suite(.enabled(if: SpoolVictim.root == nil)) struct CrashTests {
    /// Exit code 0 if the victim lived.
    private func victim(_ world: World, dyingAt call: Int) throws -> Int32 {
        let library = Identity.environment("LD_LIBRARY_PATH").map { [bytes("LD_LIBRARY_PATH=\($0)")] } ?? []
        var spawn = Spawn(
            program: Identity.executable,
            arguments: ["--testing-library", "swift-testing", "--filter", "SpoolVictim"].map(bytes),
            environment: library + [
                bytes("MARTLET_FAULT=kill@\(call)"), bytes("MARTLET_SPOOL_VICTIM=\(world.tree.path)"), bytes("SWIFT_BACKTRACE=enable=no"),
            ])
        spawn.diesWithParent = false
        return try spawn.run()
    }

    @Test func anyCallMayBeTheLast() throws {
        var call = 1
        var lived = false
        while !lived {
            let world = World()
            let code = try victim(world, dyingAt: call)
            lived = code == 0
            #expect(lived || code == 137, "at \(call) it ended with \(code)")
            try check(world, lived: lived, "at \(call)")
            call += 1
            try #require(call < 1000, "it never ends")
        }
        #expect(call > 50, "it was killed nowhere")
    }

    private func check(_ world: World, lived: Bool, _ comment: Comment) throws {
        let replies = world.tree.exists("replies") ? world.tree.read("replies").display.split(separator: "\n").map(String.init) : []
        let mayBeGone = replies.firstIndex(of: "released").map { _ in Set(replies.prefix(2)) } ?? []
        let durable = replies.filter { $0 != "released" }
        #expect(!lived || durable.count == 6, comment)
        let log = try world.mail()
        var live: [QueueID] = []
        try log.begin { live += [$0.id].compactMap { $0 } }
        let placed = try world.follower().poll().filter { $0.record.verb == .accept }
        let seen = placed.compactMap(\.record.id).map(\.description)
        #expect(Set(seen).count == Set(placed.compactMap(\.token)).count, comment)
        #expect(Set(durable).subtracting(mayBeGone).isSubset(of: seen), "lost; \(comment)")
        #expect(Set(live.map(\.description)) == Set(seen), "the owner and its followers see the same; \(comment)")
        #expect(seen.count <= durable.count + 1, "at most the one in flight beside them; \(comment)")
        let reader = try ContentReader(spool: world.spool())
        for record in placed {
            guard let id = record.record.id, let token = record.token else { continue }
            if mayBeGone.contains(id.description) { continue }
            #expect(try content(of: record, id, reader) == bytes("content of \(token)"), comment)
        }
        let files = Set(world.tree.names(world.folder + "/big"))
        #expect(files.isSubset(of: seen), "an orphan; \(comment)")
    }

    private func content(of placed: PlacedRecord, _ id: QueueID, _ reader: ContentReader) throws -> [UInt8] {
        if let extent = placed.record.extent(.big) {
            return try reader.big(ContentLocation(origin: .smtpd, position: nil, extent: extent), id: id).read(extent.length, at: 0)
        }
        let extent = try #require(placed.record.extent(.content))
        let position = LogPosition(segment: placed.position.segment, offset: placed.contentOffset)
        return try reader.content(at: ContentLocation(origin: .smtpd, position: position, extent: extent), id: id)
    }
}
