// What retention takes away, and what it leaves alone, in accounts that IMAP never opened too.

import Kernel
import MailModel
import Testing

@testable import Mailbox

@Suite struct RetentionTests {
    let store: TemporaryStore
    let account: Account
    let now = WallTime(seconds: 1_763_700_000)

    init() throws {
        store = try TemporaryStore()
        account = try store.account()
    }

    private func put(_ count: Int) throws {
        for number in 1...count { try store.put("\(number)", "new", "\(number).a.h") }
    }

    @Test func whatPOP3DeletedGoesWithoutANumberBeingGiven() throws {
        try put(3)
        #expect(try Maildrop(account).delete([0], at: now) == 1)
        #expect(try Maildrop(account).delete([0], at: now.adding(seconds: 100)) == 1)
        #expect(try account.purge(before: now) == 0)
        #expect(try account.purge(before: now.adding(seconds: 50)) == 1)
        #expect(try store.names("martlet/expunged").map { String($0.prefix(5)) } == ["2.a.h"])
        #expect(try account.purge(before: now.adding(seconds: 101)) == 1)
        #expect(try store.names("martlet/expunged").isEmpty)
        #expect(try store.names("new") == ["3.a.h"])
        #expect(try account.readState().lastValidity == 0, "the first IMAP login must find an unused account")
        #expect(try !store.names("martlet").contains("state"))
    }

    @Test func mailThatWaitsIsNotTakenUp() throws {
        let inbox = try account.open(.inbox)
        _ = try inbox.append(bytes("x"), flags: [], seconds: 1)
        _ = try inbox.expunge([1], at: now)
        try put(1)
        #expect(try account.purge(before: now.adding(seconds: 1)) == 1)
        #expect(try store.names("new") == ["1.a.h"])
        #expect(try account.open(.inbox).uids == [2])
    }

    @Test func whatPOP3TookIsToldToIMAPAfterItsFileWent() throws {
        let inbox = try account.open(.inbox)
        for _ in 0..<2 { _ = try inbox.append(bytes("x"), flags: [], seconds: 1) }
        let seen = inbox.highestModSequence
        #expect(try Maildrop(account).delete([0], at: now) == 1)
        #expect(try account.purge(before: now.adding(seconds: 1)) == 1)
        let later = try account.open(.inbox)
        #expect(later.count == 1)
        #expect(try later.vanished(since: seen).count == 1)
        #expect(later.highestModSequence > seen)
    }

    @Test func foldersOfOtherSoftwareInADeletedMailboxGoToo() throws {
        try account.create(mailbox("X"))
        try store.folder(".X").makeDirectory("courierimapkeywords", mode: 0o700)
        try store.put("k", ".X/courierimapkeywords", "1.a.h")
        try store.link("../../cur", ".X/cur", "link")
        try store.folder(".X/cur").makeDirectory("folder", mode: 0o700)
        try store.put("m", ".X/cur", "1.a.h:2,")
        try store.put("mine", "cur", "9.b.h:2,")
        try account.delete(mailbox("X"), at: now)
        #expect(try account.purge(before: now.adding(seconds: 1)) == 1)
        #expect(try store.names("martlet/deleted").isEmpty)
        #expect(try store.names("cur") == ["9.b.h:2,"], "a link is removed, not followed")
    }
}
