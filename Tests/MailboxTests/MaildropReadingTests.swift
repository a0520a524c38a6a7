// INBOX as POP3 sees it, beside imapd and other software: sizes, twins, and what is no message.

import Glibc
import Kernel
import MailModel
import Testing

@testable import Mailbox

@Suite struct MaildropReadingTests {
    let store: TemporaryStore
    let account: Account
    let now = WallTime(seconds: 1_763_700_000)

    init() throws {
        store = try TemporaryStore()
        account = try store.account()
    }

    private func text(_ maildrop: Maildrop, _ index: Int) throws -> String {
        String(decoding: try maildrop.open(index).contents(), as: UTF8.self)
    }

    @Test(arguments: [("", 0, 0), ("a\n", 3, 3), ("a\nb", 4, 6), ("a\r\nb\r\n", 6, 6), ("a\r", 2, 4), ("\n", 2, 2)])
    func aLastLineWithoutEndGetsOne(_ content: String, imap: Int, pop3: Int) throws {
        try store.put(content, "new", "1.a.h")
        let file = try Maildrop(account).open(0)
        #expect(try file.wireSize() == imap && file.contents().count == imap)
        #expect(try file.maildropSize() == pop3)
    }

    @Test(arguments: [("a\r\n", true), ("a", false), ("", true), ("a\r", false)])
    func anAppendedNamePromisesItsSizeOnlyIfBothProtocolsSendIt(_ content: String, promises: Bool) throws {
        let inbox = try account.open(.inbox)
        let uid = try inbox.append(bytes(content), flags: [], seconds: 1)
        let size = try inbox.open(uid).maildropSize()
        let name = try #require(inbox.message(uid)?.name)
        #expect(name.wireSize == (promises ? size : nil) && name.fileSize == bytes(content).count)
    }

    @Test func aSyncedMessageTakesNoMore() throws {
        let incoming = try account.open(.inbox).beginAppend(seconds: 1)
        try incoming.write(bytes("a"))
        try incoming.sync()
        #expect(throws: StoreError.self) { try incoming.write(bytes("b")) }
    }

    @Test func aTwinIsNotTakenForTheMessageThatMoved() throws {
        try store.put("mine", "cur", "1.a.h,S=4:2,")
        try store.put("twin", "cur", "1.a.h,S=4,U=7:2,")
        let maildrop = try Maildrop(account)
        let index = try #require(try (0..<2).first { try text(maildrop, $0) == "mine" })
        try store.move("cur", "1.a.h,S=4:2,", to: "cur", "1.a.h,S=4:2,S")
        #expect(try text(maildrop, index) == "mine")
        #expect(try maildrop.delete([index], at: now) == 1)
        #expect(try store.names("cur") == ["1.a.h,S=4,U=7:2,"])
        #expect(try maildrop.delete([index], at: now) == 0)
        #expect(try store.names("cur").count == 1)
    }

    @Test func whatMovedBetweenTheListingsCountsOnce() throws {
        try store.put("x", "new", "2.twin.h")
        try store.put("y", "cur", "2.twin.h,S=1:2,S")
        let handles = try FolderHandles(account: account.directory, name: .inbox, context: store.context)
        func found(_ name: String, _ isNew: Bool) throws -> FoundFile {
            FoundFile(name: try #require(MessageName(parsing: bytes(name))), isNew: isNew)
        }
        let new = try [found("1.moved.h", true), found("2.twin.h", true)]
        let cur = try [found("1.moved.h,M=3.17:2,", false), found("2.twin.h,S=1:2,S", false)]
        #expect(try Maildrop.withoutMoved(new, beside: cur, handles) == [new[1]])
        #expect(try Maildrop(account).messages.count == 2)
    }

    @Test func uniqueIDsOfTwinsStayWhenIMAPNumbersThem() throws {
        try store.put("x", "new", "1.a.h,S=1")
        try store.put("y", "new", "1.a.h,S=1,U=7")
        let before = try Maildrop(account).uidls
        #expect(Set(before).count == 2)
        #expect(try account.open(.inbox).count == 2)
        #expect(try Set(Maildrop(account).uidls) == Set(before))
    }

    @Test func aPipeIsNoMessage() throws {
        try store.put("x", "new", "1.a.h")
        for sub in ["new", "cur"] {
            #expect(mkfifo((store.root / TemporaryStore.account.path / Path(sub + "/2.pipe.h")).description, 0o600) == 0)
        }
        #expect(try Maildrop(account).messages.map(\.bytes) == [bytes("1.a.h")])
        let inbox = try account.open(.inbox)
        #expect(inbox.count == 1)
        #expect(try store.names("new") == ["2.pipe.h"])
    }
}
