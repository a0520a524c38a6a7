import Kernel
import MailModel
import Testing

@testable import Mailbox

@Suite struct TransferTests {
    let store: TemporaryStore
    let account: Account
    let inbox: Folder
    let now = WallTime(seconds: 1_763_700_000)

    init() throws {
        store = try TemporaryStore()
        account = try store.account()
        inbox = try account.open(.inbox)
    }

    @Test func appendKeepsDateAndBytes() throws {
        let content = bytes("Subject: x\r\n\r\nbody\r\n")
        let uid = try inbox.append(content, flags: [.flagged], seconds: 1_600_000_000)
        let file = try inbox.open(uid)
        #expect(try file.contents() == content)
        #expect(try file.wireSize() == content.count && file.isWireForm())
        #expect(try file.arrivalSeconds() == 1_600_000_000)
        #expect(inbox.message(uid)?.wireSize == content.count)
        #expect(try store.names("tmp").isEmpty)
    }

    @Test func anAbandonedAppendLeavesNothing() throws {
        do {
            let incoming = try inbox.beginAppend(seconds: 1)
            try incoming.write(bytes("half"))
            #expect(try store.names("tmp").count == 1)
        }
        #expect(try store.names("tmp").isEmpty)
        #expect(inbox.count == 0)
    }

    @Test func severalAppendsAreOneCommit() throws {
        let messages = try (0..<3).map { index in
            let incoming = try inbox.beginAppend(seconds: Int64(index))
            try incoming.write(bytes("m\(index)"))
            return (message: incoming, flags: MessageFlags.seen)
        }
        #expect(try inbox.commit(messages) == [1, 2, 3])
        #expect(try inbox.open(2).contents() == bytes("m1"))
    }

    @Test func copyMakesNewMessages() throws {
        try account.create(mailbox("Work"))
        let work = try account.open(mailbox("Work"))
        let keyword = try inbox.flags(forKeywords: [bytes("first"), bytes("Later")], creating: true)
        _ = try work.flags(forKeywords: [bytes("other")], creating: true)
        let uid = try inbox.append(bytes("x\r\n"), flags: keyword.union(.seen), seconds: 1_500_000_000)
        let result = try inbox.copy([uid, 99], to: work)
        #expect(result.source == [uid] && result.destination == [1] && result.validity == work.validity)
        let copy = try #require(work.message(1))
        #expect(work.keywords.keywords(of: copy.flags) == [bytes("first"), bytes("Later")])
        #expect(copy.flags.contains(.seen))
        #expect(try work.open(1).arrivalSeconds() == 1_500_000_000)
        #expect(copy.name.unique != inbox.message(uid)?.name.unique)
        #expect(inbox.count == 1)
    }

    @Test func copyGivesLFFilesTheirWireForm() throws {
        try store.put("a\nb\n", "new", "1.a.h")
        _ = try inbox.look()
        let result = try inbox.copy([1], to: inbox)
        #expect(result.destination == [2])
        #expect(inbox.message(2)?.wireSize == 6)
        #expect(try inbox.open(2).contents() == bytes("a\r\nb\r\n"))
    }

    @Test func moveIsARenameThatKeepsTheUniquePart() throws {
        try account.create(mailbox("Work"))
        let work = try account.open(mailbox("Work"))
        let uids = try (0..<3).map { _ in try inbox.append(bytes("x"), flags: [.seen], seconds: 1) }
        let unique = inbox.messages.map { Array($0.name.unique) }
        let high = inbox.highestModSequence
        let generation = inbox.generation
        // Its flags change under our eyes, by other software.
        let name = inbox.messages[1].name
        try store.move("cur", name.description, to: "cur", name.description + "T")
        let result = try inbox.move([uids[0], uids[1]], to: work)
        #expect(result.source == [1, 2] && result.destination == [1, 2])
        #expect(work.messages.map { Array($0.name.unique) } == Array(unique[..<2]))
        #expect(inbox.uids == [3])
        #expect(try inbox.refresh(since: generation).vanished == [1, 2])
        #expect(try inbox.vanished(since: high).uids == [1, 2])
        #expect(try account.open(mailbox("Work")).uids == [1, 2])
    }

    @Test func moveWithinAFolderGivesANewUID() throws {
        _ = try inbox.append(bytes("x"), flags: [], seconds: 1)
        let result = try inbox.move([1], to: inbox)
        #expect(result.destination == [2])
        #expect(inbox.uids == [2])
        #expect(try account.open(.inbox).uids == [2])
    }

    @Test func expungeHidesWithAllFacts() throws {
        let uids = try (0..<3).map { _ in try inbox.append(bytes("x"), flags: [.seen, .deleted], seconds: 1) }
        let high = inbox.highestModSequence
        #expect(try inbox.expunge([uids[1], 77], at: now) == [uids[1]])
        #expect(inbox.uids == [1, 3])
        let hidden = try #require(try inbox.expungedMessages().first)
        #expect(hidden.tag == .init(uid: 2, validity: inbox.validity))
        #expect(hidden.flags == [.seen, .deleted])
        #expect(hidden.expunged?.seconds == now.seconds)
        #expect(try inbox.vanished(since: high).uids == [2])
        #expect(try inbox.vanished(since: inbox.highestModSequence).uids.allSatisfy { $0 == 2 })
        #expect(throws: StoreError.messageMissing) { try inbox.open(2) }
    }

    @Test func expungeFindsWhatOthersRenamed() throws {
        _ = try inbox.append(bytes("x"), flags: [.deleted], seconds: 1)
        _ = try inbox.refresh()
        let name = inbox.messages[0].name.description
        try store.move("cur", name, to: "cur", name.replacing(":2,T", with: ":2,ST"))
        #expect(try inbox.expunge([1], at: now) == [1])
        #expect(try inbox.expungedMessages().map(\.flags) == [[.seen, .deleted]])
        #expect(try account.open(.inbox).count == 0)
    }

    @Test func anExpungedMessageComesBackAsANewOne() throws {
        _ = try inbox.append(bytes("x"), flags: [.seen, .deleted], seconds: 1)
        _ = try inbox.expunge([1], at: now)
        let uid = try inbox.restore(try #require(try inbox.expungedMessages().first))
        #expect(uid == 2 && inbox.message(2)?.flags == .seen)
        #expect(try inbox.expungedMessages().isEmpty)
        #expect(try account.open(.inbox).uids == [2])
    }

    @Test func purgeRemembersTheUIDs() throws {
        for _ in 0..<3 { _ = try inbox.append(bytes("x"), flags: [], seconds: 1) }
        _ = try inbox.expunge([1], at: now)
        _ = try inbox.expunge([2], at: now.adding(seconds: 100))
        let name = try #require(inbox.expungedMessages().first { $0.tag?.uid == 1 })
        #expect(try account.purge(before: now.adding(seconds: 50)) == 1)
        #expect(try inbox.expungedMessages().compactMap { $0.tag?.uid } == [2])
        let later = try account.open(.inbox)
        #expect(try later.vanished(since: ModSequence(1)).uids.contains(1))
        try store.put("x", "cur", try #require(name.with(tag: name.tag)).description)
        #expect(try later.look().added.map(\.uid) == [3, 4], "UID 1 does not come back")
    }

    @Test func anOpenFileOutlivesItsExpunge() throws {
        _ = try inbox.append(bytes("still here"), flags: [], seconds: 1)
        let file = try inbox.open(1)
        _ = try inbox.expunge([1], at: now)
        _ = try account.purge(before: now.adding(seconds: 1))
        #expect(try file.contents() == bytes("still here"))
    }
}

@Suite struct MessageFileTests {
    let store: TemporaryStore
    let inbox: Folder

    init() throws {
        store = try TemporaryStore()
        inbox = try store.account().open(.inbox)
    }

    @Test(arguments: [
        ("a\nb\n", "1.a.h", "a\r\nb\r\n"), ("a\r\nb\r\n", "1.a.h", "a\r\nb\r\n"), ("", "1.a.h", ""),
        ("a\nb\n", "1.a.h,S=4,W=6", "a\r\nb\r\n"), ("a\nb\n", "1.a.h,S=9,W=9", "a\r\nb\r\n"),
        ("a\nb", "1.a.h,S=3,W=3", "a\nb"), ("\n", "1.a.h,W=99", "\r\n"),
    ])
    func sizesAreWhatIsSent(_ content: String, name: String, wire: String) throws {
        try store.put(content, "new", name)
        _ = try inbox.look()
        let file = try inbox.open(1)
        #expect(try file.contents() == bytes(wire))
        #expect(try file.wireSize() == bytes(wire).count)
        var chunks: [UInt8] = []
        try file.forEachChunk { chunks += $0 }
        #expect(chunks == bytes(wire))
    }

    @Test func anyPartOfAConvertedFile() throws {
        // Line ends fall on both sides of the edges of blocks.
        let line = String(repeating: "x", count: 61) + "\n"
        let text = String(repeating: line, count: 3300) + "\r\n\n"
        try store.put(text, "new", "1.big.h")
        _ = try inbox.look()
        let file = try inbox.open(1)
        let whole = bytes(text.unicodeScalars.reduce(into: ("", false)) { out, scalar in
            if scalar == "\n", !out.1 { out.0 += "\r" }
            out.0.unicodeScalars.append(scalar)
            out.1 = scalar == "\r"
        }.0)
        #expect(try file.contents() == whole)
        for start in stride(from: 0, to: whole.count, by: 997) {
            for length in [1, 70, 65_536, 140_000] {
                let end = min(whole.count, start + length)
                #expect(try file.read(start..<(start + length)) == Array(whole[start..<end]))
            }
        }
        #expect(try file.read(whole.count..<(whole.count + 5)).isEmpty)
        #expect(try file.read(0..<Int.max) == whole)
    }

    @Test func aFileThatMovedIsFound() throws {
        _ = try inbox.append(bytes("x"), flags: [], seconds: 1)
        let name = inbox.messages[0].name.description
        try store.move("cur", name, to: "cur", name + "S")
        #expect(try inbox.open(1).contents() == bytes("x"))
        try store.folder("cur").unlink(Path(name + "S"))
        #expect(throws: StoreError.messageMissing) { try inbox.open(1) }
    }
}
