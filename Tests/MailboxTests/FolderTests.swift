import Kernel
import MailModel
import Testing

@testable import Mailbox

@Suite struct FolderTests {
    let store: TemporaryStore
    let account: Account
    let now = WallTime(seconds: 1_763_700_000)

    init() throws {
        store = try TemporaryStore()
        account = try store.account()
    }

    @Test func newMailGetsItsUIDInItsName() throws {
        try store.put("x\n", "new", "2.b.h")
        try store.put("y\n", "new", "1.a.h")
        let inbox = try account.open(.inbox)
        #expect(inbox.uids == [1, 2])
        let validity = inbox.validity
        #expect(try store.names("cur") == ["1.a.h,M=1.\(validity):2,", "2.b.h,M=2.\(validity):2,"])
        #expect(try store.names("new").isEmpty)
        #expect(inbox.uidNext == 3)
        #expect(try account.open(.inbox).uids == [1, 2])
        #expect(try account.open(.inbox).validity == validity)
    }

    @Test func refreshTellsWhatIsNew() throws {
        let inbox = try account.open(.inbox)
        let start = inbox.generation
        try store.put("x\n", "new", "1.a.h")
        let first = try inbox.look(since: start)
        #expect(first.added.map(\.uid) == [1] && first.changed.isEmpty && first.vanished.isEmpty && !first.isComplete)
        #expect(try inbox.refresh(since: first.generation).isEmpty)
        _ = try inbox.store(.add, .seen, on: [1])
        let second = try inbox.refresh(since: first.generation)
        #expect(second.changed.map(\.uid) == [1])
        _ = try inbox.expunge([1], at: now)
        #expect(try inbox.refresh(since: second.generation).vanished == [1])
        #expect(try inbox.refresh(since: start).isEmpty, "came and went unseen")
        #expect(try inbox.refresh(since: .beginning).isComplete)
    }

    @Test func flagsAreInTheName() throws {
        let inbox = try account.open(.inbox)
        let uid = try inbox.append(bytes("a\r\n"), flags: [.seen], seconds: 1_700_000_000)
        let before = inbox.highestModSequence
        let result = try inbox.store(.add, [.flagged, .answered], on: [uid, 99])
        #expect(result.missing == [99])
        #expect(result.messages.map(\.flags) == [[.seen, .flagged, .answered]])
        #expect(result.messages[0].modSequence > before && inbox.highestModSequence == result.messages[0].modSequence)
        #expect(try store.names("cur")[0].hasSuffix(":2,FRS"))
        #expect(inbox.pendingSync)
        try inbox.syncFlags()
        #expect(!inbox.pendingSync)
        _ = try inbox.store(.remove, .seen, on: [uid])
        _ = try inbox.store(.replace, .draft, on: [uid])
        #expect(try store.names("cur")[0].hasSuffix(":2,D"))
        let high = inbox.highestModSequence
        #expect(try inbox.store(.add, .draft, on: [uid]).messages[0].modSequence == high, "no change, no MODSEQ")
    }

    @Test func unchangedSinceLeavesAlone() throws {
        let inbox = try account.open(.inbox)
        let uids = [try inbox.append([], flags: [], seconds: 1), try inbox.append([], flags: [], seconds: 1)]
        let since = inbox.highestModSequence
        _ = try inbox.store(.add, .seen, on: [uids[0]])
        let result = try inbox.store(.add, .deleted, on: uids, unchangedSince: since)
        #expect(result.modified == [uids[0]])
        #expect(result.messages.map(\.uid) == [uids[1]])
    }

    @Test func aStoreFindsWhatOthersRenamed() throws {
        let inbox = try account.open(.inbox)
        for _ in 0..<2 { _ = try inbox.append(bytes("x"), flags: [], seconds: 1) }
        let since = inbox.highestModSequence
        _ = try inbox.refresh()
        let name = inbox.messages[0].name.description
        try store.move("cur", name, to: "cur", name + "S")
        let result = try inbox.store(.add, .flagged, on: [1, 2])
        #expect(result.messages.map(\.flags) == [[.seen, .flagged], .flagged] && result.missing.isEmpty)
        try store.move("cur", String(name) + "FS", to: "cur", name + "S")
        let refused = try inbox.store(.add, .flagged, on: [1, 2], unchangedSince: since)
        #expect(refused.modified == [1, 2] && refused.messages.isEmpty)
    }

    @Test func keywordsHaveLettersAndSurvive() throws {
        let inbox = try account.open(.inbox)
        let uid = try inbox.append([], flags: [], seconds: 1)
        let other = try account.open(.inbox)
        let flags = try inbox.flags(forKeywords: [bytes("$Junk"), bytes("Later")], creating: true)
        #expect(try other.flags(forKeywords: [bytes("none")], creating: false) == [])
        _ = try inbox.store(.add, flags, on: [uid])
        #expect(try store.names("cur")[0].hasSuffix(":2,ab"))
        _ = try other.look()
        #expect(other.keywords.keywords(of: try #require(other.message(uid)).flags) == [bytes("$Junk"), bytes("Later")])
        #expect(try account.open(.inbox).keywords.keyword(at: 1) == bytes("Later"))
    }

    @Test func foreignFlagsChangeTheMODSEQ() throws {
        let inbox = try account.open(.inbox)
        _ = try inbox.append(bytes("x"), flags: [], seconds: 1)
        let before = inbox.highestModSequence
        let generation = inbox.generation
        let name = try store.names("cur")[0]
        try store.move("cur", name, to: "cur", name + "S")
        let changes = try inbox.look(since: generation)
        #expect(changes.changed.map(\.flags) == [[.seen]])
        #expect(changes.changed[0].modSequence > before)
        // While nobody looked:
        try store.move("cur", name + "S", to: "cur", name + "FS")
        let later = try account.open(.inbox)
        #expect(try #require(later.message(1)).modSequence > changes.changed[0].modSequence)
        #expect(try account.open(.inbox).message(1) == later.message(1), "and then it stays")
    }

    @Test func foreignRemovalIsAnExpunge() throws {
        let inbox = try account.open(.inbox)
        for _ in 0..<3 { _ = try inbox.append(bytes("x"), flags: [], seconds: 1) }
        let high = inbox.highestModSequence
        let generation = inbox.generation
        let name = inbox.messages[1].name
        try store.folder("cur").unlink(Path(name.bytes))
        #expect(try inbox.look(since: generation).vanished == [2])
        #expect(inbox.highestModSequence > high)
        #expect(try inbox.vanished(since: high).contains(2))
        // The file comes back from a backup: a client that saw UID 2 go must not meet it again.
        try store.put("x", "cur", name.description)
        _ = try inbox.look()
        #expect(inbox.uids == [1, 3, 4])
        #expect(try account.open(.inbox).uids == [1, 3, 4])
    }

    @Test func removalThatNobodySawIsFoundAtTheNextStart() throws {
        let high: ModSequence
        do {
            let inbox = try account.open(.inbox)
            for _ in 0..<3 { _ = try inbox.append(bytes("x"), flags: [], seconds: 1) }
            high = inbox.highestModSequence
            try store.folder("cur").unlink(Path(inbox.messages[1].name.bytes))
        }
        let inbox = try account.open(.inbox)
        #expect(inbox.uids == [1, 3])
        #expect(inbox.highestModSequence > high)
        #expect(try inbox.vanished(since: high).uids == [2])
    }

    @Test func tagsOfOtherFoldersAndDoubledTagsCountAsNone() throws {
        let inbox = try account.open(.inbox)
        for _ in 0..<2 { _ = try inbox.append(bytes("x"), flags: [], seconds: 1) }
        let validity = inbox.validity
        try store.put("a", "cur", "9.foreign.h,M=1.77:2,S")
        try store.put("b", "cur", "9.copy.h,M=2.\(validity):2,S")
        try store.put("c", "cur", "9.twice.h,M=2.\(validity),M=2.\(validity):2,S")
        _ = try inbox.look()
        #expect(inbox.uids == [1, 3, 4, 5, 6], "both files with UID 2 get new ones")
        #expect(try store.names("cur").allSatisfy { $0.contains(",M=") && $0.contains(".\(validity):2,") })
        #expect(try account.open(.inbox).uids == [1, 3, 4, 5, 6])
    }

    @Test func aMessageThatWentBackToNewKeepsItsUID() throws {
        let inbox = try account.open(.inbox)
        _ = try inbox.append(bytes("x"), flags: [], seconds: 1)
        let name = try store.names("cur")[0]
        try store.move("cur", name, to: "new", String(name.dropLast(3)))
        let generation = inbox.generation
        _ = try inbox.look(since: generation)
        #expect(inbox.uids == [1])
        #expect(try store.names("new").isEmpty && store.names("cur").count == 1)
        #expect(try inbox.open(1).contents() == bytes("x"))
    }

    @Test func twoInstancesAgree() throws {
        let a = try account.open(.inbox)
        let b = try account.open(.inbox)
        let first = try a.append(bytes("x"), flags: [], seconds: 1)
        let second = try b.append(bytes("y"), flags: [], seconds: 1)
        #expect(first == 1 && second == 2)
        _ = try a.store(.add, .seen, on: [1])
        _ = try b.store(.add, .flagged, on: [1])
        _ = try a.look()
        _ = try b.look()
        #expect(a.messages == b.messages)
        #expect(a.text == [1: "FS", 2: ""])
        #expect(a.highestModSequence == b.highestModSequence)
        _ = try b.expunge([1], at: now)
        let generation = a.generation
        #expect(try a.look(since: generation).vanished == [1])
        #expect(try a.append([], flags: [], seconds: 1) == 3)
    }

    @Test func manyThreadsGiveEachMessageItsOwnUID() async throws {
        try await withThrowingTaskGroup(of: [MessageUID].self) { group in
            for worker in 0..<4 {
                let account = account
                let store = store
                group.addTask {
                    let inbox = try account.open(.inbox)
                    var uids: [MessageUID] = []
                    for index in 0..<25 {
                        try store.put("z", "new", "5.w\(worker)i\(index).h")
                        uids.append(try inbox.append(bytes("x"), flags: [], seconds: 1))
                        _ = try inbox.store(.add, .seen, on: Array(inbox.uids.suffix(3)))
                    }
                    return uids
                }
            }
            var all: [MessageUID] = []
            for try await uids in group {
                #expect(uids == uids.sorted())
                all += uids
            }
            #expect(Set(all).count == 100)
        }
        let inbox = try account.open(.inbox)
        #expect(inbox.count == 200)
        #expect(Set(inbox.messages.map { Array($0.name.unique) }).count == 200)
        #expect(inbox.uids == (1...200).map { MessageUID($0) })
    }

    /// What readdir shows of a file that is being renamed: both names, or none.
    @Test func otherSoftwareRenamesWhileWeLook() async throws {
        let inbox = try account.open(.inbox)
        for index in 0..<2000 { try store.put("", "new", "7.m\(index).h") }
        _ = try inbox.look()
        let bases = inbox.messages.map { String(decoding: $0.name.base, as: UTF8.self) }
        let store = store
        let foreign = Task.detached {
            let cur = try store.folder("cur")
            var flagged = false
            while !Task.isCancelled {
                for base in bases {
                    do { try cur.rename(Path(base + (flagged ? ":2,F" : ":2,")), to: Path(base + (flagged ? ":2," : ":2,F"))) }
                }
                flagged.toggle()
            }
        }
        var generation = inbox.generation
        for _ in 0..<25 {
            let changes = try inbox.look(since: generation)
            generation = changes.generation
            #expect(changes.vanished.isEmpty && changes.added.isEmpty)
        }
        foreign.cancel()
        try await foreign.value
        _ = try inbox.look()
        #expect(inbox.uids == (1...2000).map { MessageUID($0) })
        #expect(try Set(inbox.messages.map(\.name.description)) == Set(store.names("cur")))
    }

    @Test func aMailboxOfTenThousandOpens() throws {
        let new = try store.folder("new")
        for index in 0..<10_000 { _ = try new.create(Path("\(1000 + index).m\(index).h,S=0,W=0"), mode: 0o600) }
        let inbox = try account.open(.inbox)
        #expect(inbox.count == 10_000 && inbox.uidNext == 10_001)
        let again = try account.open(.inbox)
        #expect(again.uids == inbox.uids)
        #expect(again.messages.map(\.modSequence) == inbox.messages.map(\.modSequence))
        _ = try again.store(.add, .seen, on: again.uids)
        let generation = inbox.generation
        let changes = try inbox.look(since: generation)
        #expect(changes.isComplete, "more changes than are remembered one by one")
        #expect(changes.added.count == 10_000 && changes.added.allSatisfy { $0.flags == .seen })
    }
}
