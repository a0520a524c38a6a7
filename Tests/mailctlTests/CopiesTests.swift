// What is done about a copy before its services start: what is delivered again, what is told, and what the logs forget.

import Kernel
import MailModel
import MailTestKit
import Spool
import SpoolFormat
import Testing

@testable import mailctl

@Suite struct CopiesTests {
    private let tree: CopyTree

    init() throws { tree = try CopyTree() }

    private func missing() throws -> Set<QueueID> { Set(try StoreCheck(tree.paths).missing.values.map(\.id)) }

    /// The tree was copied: its SPOOL-ID lies elsewhere than it says.
    private func makeCopy() throws {
        try tree.advance()
        tree.restore(tree.files.read(CopyTree.storeID), CopyTree.storeID)
        #expect(try tree.find() == .copied(.storeCopied))
    }

    // MARK: What the store lacks

    @Test(arguments: ["new", "cur", "martlet/expunged", ".Work/cur", "martlet/deleted/1.2.Work/cur"])
    func whatTheStoreHoldsIsNotMissing(_ folder: String) throws {
        let id = try tree.accept("hello")
        try tree.say(.locald, tree.delivered(id))
        #expect(try missing() == [id])
        var path = "mail/example.org/bob"
        for part in folder.split(separator: "/") {
            path += "/" + part
            if !tree.files.exists(path) { tree.files.makeFolder(path) }
        }
        tree.put(id, in: folder)
        #expect(try missing() == [])
    }

    @Test func whatIsOnTheStageIsNotMissing() throws {
        let id = try tree.accept("hello")
        try tree.say(.locald, tree.copy(.staged, id).adding(.file, tree.name(id) + Array(",S=5".utf8)))
        #expect(try missing() == [id])
        tree.files.write([1], "mail/.stage/\(tree.name(id).display),S=5")
        #expect(try missing() == [])
    }

    @Test(arguments: [SpoolOwner.pop3d, .imapd]) func whatItsOwnerRemovedIsNotMissing(_ program: SpoolOwner) throws {
        let (kept, gone) = (try tree.accept("kept"), try tree.accept("gone"))
        try tree.say(.locald, tree.delivered(kept), tree.delivered(gone))
        try tree.say(program, RecordLine(.delete).adding(.account, "bob@example.org").adding(.file, tree.name(gone)))
        #expect(try missing() == [kept])
    }

    /// locald's folder was copied before it spoke; queued's after it had heard.
    @Test func whatOnlyQueuedKnowsIsMissing() throws {
        let ids = try (0..<4).map { try tree.accept("\($0)") }
        let assign = { self.tree.copy(.assign, $0).adding(.agent, "locald").adding(.accepted, "1763683200") }
        try tree.say(
            .queued, assign(ids[0]), assign(ids[1]), assign(ids[2]), assign(ids[3]),
            RecordLine(.done, ids[0]).adding(.result, "delivered:1,bounced:0"),
            tree.copy(.bounced, ids[1]), RecordLine(.done, ids[1]).adding(.result, "delivered:0,bounced:1"),
            RecordLine(.done, ids[3]).adding(.result, "delivered:1,bounced:0"))
        tree.put(ids[3], in: "cur")
        #expect(try missing() == [ids[0]])
    }

    @Test func deliveriesOlderThanWhatIsKnownOfRemovalsProveNothing() throws {
        let id = try tree.accept("old")
        try tree.say(.locald, tree.delivered(id))
        pause(milliseconds: 5)
        try tree.say(.imapd, RecordLine(.start))
        try tree.say(.imapd, RecordLine(.start))
        #expect(try missing() == [id])
        tree.files.delete("imapd/events/00000001.log")
        #expect(try missing() == [])
        #expect(try StoreAudit.of(tree.paths).since != nil)
    }

    // MARK: What is delivered again

    @Test(arguments: [false, true]) func whatAMailLogStillHasIsDeliveredAgain(_ isBig: Bool) throws {
        let (id, lost) = (try tree.accept("the content", big: isBig), try tree.accept("other"))
        let unknown = QueueID(origin: .smtpd, epoch: 1 << 40, sequence: 1)
        try tree.say(.locald, tree.delivered(id), tree.delivered(unknown), tree.delivered(lost))
        tree.put(lost, in: "new")
        try makeCopy()
        let told = try tree.recognise()
        let drop = try #require(tree.drops.first)
        #expect(tree.drops.count == 1 && drop.content == Array("the content".utf8))
        #expect(drop.sender == Array("ann@example.net".utf8) && drop.recipients == [CopyTree.bob.wire])
        #expect(told.facts.count == 2 && told.facts[0].hasPrefix("recognised \(id) ") && told.facts[1].contains("counts=again:1,unknown:1"))
        #expect(told.facts[1].contains("generation=1:2"))
        #expect(told.notes.last?.contains("audit --store") == true)
        #expect(try tree.find() == .same)
    }

    /// What is brought by a message of its own is missing no more; what is gone is named for ever.
    @Test func theReportNamesWhatCannotBeKnown() throws {
        let id = try tree.accept("content")
        let gone = QueueID(origin: .smtpd, epoch: 1 << 40, sequence: 1)
        try tree.say(.locald, tree.delivered(id), tree.delivered(gone))
        try makeCopy()
        let facts = try Redelivery(tree.paths).redeliver(
            Array(StoreCheck(tree.paths).missing.values), AcceptedContent(of: [id, gone], in: tree.spool()))
        #expect(facts.count == 1)
        try tree.say(.supervisor, facts[0])
        let audit = try StoreAudit.of(tree.paths)
        #expect(audit.missing.map(\.copy.id) == [gone] && audit.status == .data)
        #expect(audit.json.description.contains("\"id\": \"\(gone)\"") && audit.missing[0].hasContent == false)
    }

    /// Of a spool that was copied while queued took drops over, some may be nowhere: since when is told, and only of such a copy.
    @Test func aCopiedSpoolSaysSinceWhenASubmissionMayBeMissing() throws {
        let writer = try tree.unlocked { try MailLog(spool: try tree.spool(), .queued, origin: .queued) }
        try writer.begin()
        try tree.advance()
        tree.restore(tree.files.read(CopyTree.spoolID), CopyTree.spoolID)
        let since = try DropGap(in: tree.spool()).since
        let told = try tree.recognise()
        let time = Timestamp.text(try #require(since)).display
        #expect(told.facts.last?.contains("since=\(time)") == true)
        #expect(told.notes.last?.contains("took over from sendmail after \(time)") == true)
        try tree.advance()
        try makeCopy()
        let other = try tree.recognise()
        #expect(other.facts.last?.contains("since=") == false && other.notes.last?.contains("sendmail") == false)
    }

    /// A start that dies at any call leaves a copy that is recognised again, and delivers each message once.
    @Test func aStartThatDiesBeginsAgain() throws {
        var number = 1
        while try died(at: number) { number += 5 }
        #expect(number > 50)
    }

    /// Whether a start that fails from this call on ends; the next one finishes its work.
    private func died(at number: Int) throws -> Bool {
        let test = try CopiesTests()
        let ids = [try test.tree.accept("one"), try test.tree.accept("two", big: true)]
        try test.tree.say(.locald, test.tree.delivered(ids[0]), test.tree.delivered(ids[1]))
        try test.makeCopy()
        let script = try #require(FaultScript("EIO@\(number)+"))
        let died = FaultInjection.running(script) { (try? test.tree.recognise()) == nil }
        _ = try test.tree.recognise()
        #expect(test.tree.drops.count == 2, "after call \(number)")
        #expect(Set(test.tree.drops.map(\.content)) == [Array("one".utf8), Array("two".utf8)])
        #expect(try test.tree.find() == .same)
        return died
    }

    @Test func contentThatIsNotWhatWasAcceptedIsNotDelivered() throws {
        let id = try tree.accept("the content", big: true)
        try tree.say(.locald, tree.delivered(id))
        tree.files.flip(bit: 0, at: 3, "smtpd/mail/big/\(id)")
        try makeCopy()
        #expect(try tree.recognise().facts.last?.contains("again:0,unknown:1") == true)
        #expect(tree.files.names("drop") == [])
    }

    // MARK: UIDs

    @Test func onlyAStoreThatMayLackUIDsIsNumberedAnew() throws {
        try tree.advance()
        tree.restore(tree.files.read(CopyTree.spoolID), CopyTree.spoolID)
        _ = try tree.recognise()
        #expect(!tree.files.read(CopyTree.storeID).display.contains("numbering"))
        tree.restore(tree.files.read(CopyTree.storeID), CopyTree.storeID)
        _ = try tree.recognise()
        #expect(tree.files.read(CopyTree.storeID).display.contains("generation 3\nnumbering 3\n"))
    }
}
