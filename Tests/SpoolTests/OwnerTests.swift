// Rule R1, the right owner: a segment or a content file that is not its program's is reported and never read.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

@Suite(.enabled(if: Identity.isRoot, "only root can give files away")) struct OwnerTests {
    let world = World()
    private let stranger: UInt32 = 12_345

    private func give(_ name: String, to owner: UInt32) throws { try world.spool().setOwner(of: Path(bytes(name)), uid: owner, gid: nil) }

    /// Nothing behind it is read either: given back, it is a segment again, and no message of it was passed over.
    @Test func aSegmentOfAnotherOwnerIsReportedAndWaitedFor() throws {
        do {
            let writer = try world.begun()
            try writer.commit("a")
            writer.rollOver()
            try writer.commit("b")
        }
        try give(world.segment(1), to: stranger)
        let follower = try world.follower()
        #expect(try follower.tokens().isEmpty)
        #expect(follower.isHindered)
        #expect(follower.hasFoundDamage)
        #expect(follower.damage.map(\.from.segment) == [1])
        try give(world.segment(1), to: Identity.userID)
        #expect(try follower.tokens() == ["a", "b"])
    }

    @Test func theOwnerIsThatOfTheProgramsFolder() throws {
        do { try world.begun().commit("a") }
        try give("smtpd", to: stranger)
        try give(world.segment(1), to: stranger)
        #expect(try world.seen() == ["a"])
        try give(world.segment(1), to: stranger + 1)
        #expect(try world.seen().isEmpty)
    }

    @Test func contentOfAnotherOwnerIsNotRead() throws {
        let id = QueueID(origin: .smtpd, epoch: 1, sequence: 1)
        let content = bytes("content")
        let location: ContentLocation
        do {
            let log = try world.mail()
            try log.begin()
            location = log.append(RecordLine(.accept, id), id: id, content: [content])
            try log.commit()
        }
        world.tree.write(bytes("one"), "\(world.folder)/big/\(id)")
        let big = ContentLocation(origin: .smtpd, position: nil, extent: ContentExtent(length: 3, checksum: 0))
        #expect(try ContentReader(spool: world.spool()).content(at: location, id: id) == content)
        _ = try ContentReader(spool: world.spool()).big(big, id: id)
        try give(world.segment(1), to: stranger)
        try give("\(world.folder)/big/\(id)", to: stranger)
        #expect(throws: ContentError.self) { try ContentReader(spool: world.spool()).content(at: location, id: id) }
        #expect(throws: ContentError.self) { _ = try ContentReader(spool: world.spool()).big(big, id: id) }
    }
}
