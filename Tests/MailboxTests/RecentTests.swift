// \Recent: told to the first session that may change the mailbox, whoever took the message up (RFC 3501 §2.3.2).

import MailModel
import Testing

@testable import Mailbox

@Suite struct RecentTests {
    let store: TemporaryStore
    let account: Account

    init() throws {
        store = try TemporaryStore()
        account = try store.account()
    }

    @Test func theFirstToTakeGetsItAndNobodyElse() throws {
        try store.put("x", "new", "1.a.h")
        try store.put("y", "cur", "2.b.h:2,S")
        let first = try account.open(.inbox)
        #expect(first.uids == [1, 2])
        #expect(first.recent == 1...1, "what lies in cur/ was seen by other software")
        let second = try account.open(.inbox)
        #expect(second.recent == 1...1 && second.recent == 1...1, "asking is not being told")
        #expect(second.takeRecent() == 1...1)
        #expect(first.takeRecent() == nil && first.recent == nil)
    }

    @Test func whatIsAppendedAndCopiedIsRecent() throws {
        try account.create(mailbox("Work"))
        let (inbox, work) = (try account.open(.inbox), try account.open(mailbox("Work")))
        _ = try inbox.append(bytes("a"), flags: .seen, seconds: 1)
        _ = try inbox.append(bytes("b"), flags: [], seconds: 1)
        #expect(try account.open(.inbox).takeRecent() == 1...2)
        _ = try inbox.copy([1], to: work)
        _ = try inbox.move([2], to: work)
        #expect(work.recent == 1...2 && inbox.recent == nil)
        try account.rename(mailbox("Work"), to: mailbox("Home"))
        #expect(try account.open(mailbox("Home")).takeRecent() == 1...2, "whatever its name")
    }

    @Test func whatCameSinceTheLastLookStaysRecent() throws {
        let session = try account.open(.inbox)
        let other = try account.open(.inbox)
        _ = try session.append(bytes("a"), flags: [], seconds: 1)
        _ = try other.append(bytes("b"), flags: [], seconds: 1)
        #expect(session.uids == [1] && session.takeRecent() == 1...1)
        _ = try session.look()
        #expect(session.takeRecent() == 2...2)
    }
}
