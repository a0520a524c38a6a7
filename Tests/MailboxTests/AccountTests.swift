import Kernel
import MailModel
import Testing

@testable import Mailbox

@Suite struct AccountTests {
    let store: TemporaryStore
    let account: Account
    let now = WallTime(seconds: 1_763_700_000)

    init() throws {
        store = try TemporaryStore()
        account = try store.account()
    }

    @Test func createListDelete() throws {
        try account.create(mailbox("Work.2025"))
        try account.create(mailbox("Entwürfe"))
        #expect(try account.mailboxes() == [.inbox, mailbox("Entwürfe"), mailbox("Work.2025")])
        #expect(try store.names(".Entw&APw-rfe") == ["cur", "maildirfolder", "martlet", "new", "tmp"])
        #expect(throws: StoreError.folderExists) { try account.create(mailbox("Entwürfe")) }
        #expect(throws: StoreError.folderExists) { try account.create(.inbox) }
        try account.delete(mailbox("Work.2025"), at: now)
        #expect(throws: StoreError.folderMissing) { try account.delete(mailbox("Work.2025"), at: now) }
        #expect(throws: StoreError.nameRefused) { try account.delete(.inbox, at: now) }
        #expect(try account.mailboxes() == [.inbox, mailbox("Entwürfe")])
    }

    @Test func aNewMailboxHasANewAndGreaterUIDVALIDITY() throws {
        var last = try account.open(.inbox).validity
        for _ in 0..<3 {
            try account.create(mailbox("X"))
            let folder = try account.open(mailbox("X"))
            #expect(folder.validity > last)
            #expect(try folder.append([], flags: [], seconds: 1) == 1)
            last = folder.validity
            try account.delete(mailbox("X"), at: now)
        }
    }

    @Test func whoHasADeletedMailboxOpenAddsNothing() throws {
        try account.create(mailbox("X"))
        let folder = try account.open(mailbox("X"))
        try account.delete(mailbox("X"), at: now)
        #expect(throws: StoreError.folderMissing) { try folder.append([], flags: [], seconds: 1) }
        try account.create(mailbox("X"))
        #expect(throws: StoreError.folderMissing) { try folder.append([], flags: [], seconds: 1) }
        #expect(try account.open(mailbox("X")).append([], flags: [], seconds: 1) == 1)
    }

    @Test func deletedMailboxesStayForARetentionTime() throws {
        try account.create(mailbox("X"))
        _ = try account.open(mailbox("X")).append([], flags: [], seconds: 1)
        try account.delete(mailbox("X"), at: now)
        #expect(try account.purge(before: now) == 0)
        #expect(try store.names("martlet/deleted").count == 1)
        #expect(try account.purge(before: now.adding(seconds: 1)) == 1)
        #expect(try store.names("martlet/deleted").isEmpty)
    }

    @Test func renameTakesInferiorsAlong() throws {
        for name in ["a", "a.b", "a.b.c", "ab"] { try account.create(mailbox(name)) }
        let folder = try account.open(mailbox("a.b"))
        _ = try folder.append(bytes("x"), flags: [], seconds: 1)
        try account.rename(mailbox("a"), to: mailbox("z"))
        #expect(try account.mailboxes() == [.inbox] + ["ab", "z", "z.b", "z.b.c"].map(mailbox))
        let moved = try account.open(mailbox("z.b"))
        #expect(moved.validity == folder.validity && moved.uids == [1])
        #expect(throws: StoreError.folderExists) { try account.rename(mailbox("z"), to: mailbox("ab")) }
        #expect(throws: StoreError.nameRefused) { try account.rename(mailbox("z"), to: mailbox("z.q")) }
        #expect(throws: StoreError.nameRefused) { try account.rename(mailbox("z"), to: .inbox) }
        #expect(throws: StoreError.folderMissing) { try account.rename(mailbox("none"), to: mailbox("q")) }
        let deep = mailbox(String(repeating: "y", count: 198))
        #expect(throws: StoreError.nameRefused) { try account.rename(mailbox("z"), to: deep) }
        #expect(try account.exists(mailbox("z")))
    }

    @Test func renamingInboxMovesItsMessages() throws {
        let inbox = try account.open(.inbox)
        for _ in 0..<3 { _ = try inbox.append(bytes("x"), flags: [.seen], seconds: 1) }
        try account.create(mailbox("INBOX.sub"))
        try account.rename(.inbox, to: mailbox("Old"))
        #expect(try account.mailboxes() == [.inbox] + ["INBOX.sub", "Old"].map(mailbox))
        #expect(try account.open(mailbox("Old")).count == 3)
        #expect(try inbox.look().added.isEmpty)
        #expect(inbox.uidNext == 4)
    }

    @Test func subscriptionsOutliveMailboxes() throws {
        try account.setSubscribed(true, mailbox("gone"))
        try account.setSubscribed(true, .inbox)
        try account.setSubscribed(true, .inbox)
        #expect(try account.subscriptions() == [.inbox, mailbox("gone")])
        try account.setSubscribed(false, .inbox)
        #expect(try store.account().subscriptions() == [mailbox("gone")])
    }

    @Test func otherSoftwaresFoldersAreTakenUp() throws {
        let root = try store.folder(".")
        for folder in [".Sent", ".Sent/cur", ".Sent/new", ".Entw\u{FC}rfe", ".Entw\u{FC}rfe/cur", ".git", "plain", "plain/cur"] {
            try root.makeDirectory(Path(folder), mode: 0o700)
        }
        try store.put("0 $Forwarded\n1 Junk\n", ".Sent", "dovecot-keywords")
        try store.put("x\n", ".Sent/cur", "1.M2P3.h,S=2,W=3:2,Sab")
        #expect(try account.mailboxes() == [.inbox, mailbox("Sent")])
        #expect(try account.foreignFolders() == [bytes(".Entw\u{FC}rfe")])
        let sent = try account.open(mailbox("Sent"))
        let message = try #require(sent.messages.first)
        #expect(message.wireSize == 3 && message.flags.contains(.seen))
        #expect(sent.keywords.keywords(of: message.flags) == [bytes("$Forwarded"), bytes("Junk")])
        #expect(throws: StoreError.folderMissing) { try account.open(mailbox("plain")) }
    }

    @Test func aLinkIsNoMailboxAndNoMessage() throws {
        // Made by hand, since the store makes none: /etc as a mailbox, a link as a message.
        try store.link("/etc", "", ".Etc")
        try store.link("/etc/passwd", "cur", "1.evil.h:2,")
        #expect(try account.mailboxes() == [.inbox])
        #expect(throws: StoreError.self) { try account.open(mailbox("Etc")) }
        #expect(try account.open(.inbox).count == 0)
    }

    @Test func damagedStateIsAnErrorAndNotAFreshStart() throws {
        let validity = try account.open(.inbox).validity
        try store.folder("martlet").replace("state", with: bytes("martlet-folder 1\nuidv"), mode: 0o600)
        #expect(throws: StoreError.self) { try account.open(.inbox) }
        try store.folder("martlet").replace("state", with: FolderState(validity: validity).text, mode: 0o600)
        #expect(try account.open(.inbox).validity == validity)
    }

    @Test func noMaildirIsSaidSo() throws {
        let other = try #require(AccountFolder(domain: bytes("example.org"), user: bytes("bob")))
        #expect(throws: StoreError.accountMissing) {
            try Account(store: store.root, folder: other, context: store.context)
        }
    }
}

@Suite struct MaildropTests {
    let store: TemporaryStore
    let account: Account
    let now = WallTime(seconds: 1_763_700_000)

    init() throws {
        store = try TemporaryStore()
        account = try store.account()
    }

    @Test func listsWithoutRenaming() throws {
        try store.put("one\n", "new", "1.a.h")
        try store.put("two\n", "cur", "2.b.h:2,S")
        let drop = try Maildrop(account)
        #expect(drop.uidls == [bytes("1.a.h"), bytes("2.b.h")])
        #expect(try drop.open(0).contents() == bytes("one\r\n"))
        #expect(try drop.open(1).wireSize() == 5)
        #expect(throws: StoreError.messageMissing) { try drop.open(2) }
        #expect(try store.names("new") == ["1.a.h"])
    }

    @Test func deletionsAreHiddenAndSeenByIMAP() throws {
        let inbox = try account.open(.inbox)
        for _ in 0..<3 { _ = try inbox.append(bytes("x"), flags: [], seconds: 1) }
        try store.put("n", "new", "9.n.h")
        let high = inbox.highestModSequence
        let drop = try Maildrop(account)
        #expect(drop.messages.count == 4)
        // Another program changes the flags of one meanwhile.
        _ = try inbox.store(.add, .seen, on: [2])
        let gone = drop.messages.indices.filter { drop.messages[$0].tag?.uid != 1 }
        #expect(try drop.delete(gone + [99], at: now) == 3)
        #expect(try store.names("martlet/expunged").count == 3)
        _ = try inbox.look()
        #expect(inbox.uids == [1])
        #expect(try inbox.vanished(since: high).uids == [2, 3, 4])
        #expect(try drop.delete(gone, at: now) == 0)
    }

    @Test func deletionsWithNobodyLookingAreInTheNextMODSEQ() throws {
        let high: ModSequence
        do {
            let inbox = try account.open(.inbox)
            for _ in 0..<2 { _ = try inbox.append(bytes("x"), flags: [], seconds: 1) }
            high = inbox.highestModSequence
        }
        let drop = try Maildrop(account)
        #expect(try drop.delete([0], at: now) == 1)
        let inbox = try account.open(.inbox)
        #expect(inbox.count == 1 && inbox.highestModSequence > high)
        #expect(try inbox.vanished(since: high).count == 1)
    }

    @Test func oldUIDLsAreKeptAndNoTwoAreAlike() throws {
        try account.adopt(uidls: [(bytes("1.a.h"), bytes("OLD-17"))])
        try store.put("x", "cur", "1.a.h:2,S")
        try store.put("x", "cur", "2.b.h,S=1:2,")
        try store.put("x", "cur", "2.b.h,S=2:2,")
        let uidls = try Maildrop(account).uidls
        #expect(uidls.contains(bytes("OLD-17")) && uidls.contains(bytes("2.b.h")))
        #expect(Set(uidls).count == 3)
    }
}
