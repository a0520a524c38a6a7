import Kernel
import MailModel
import Testing

@testable import Mailbox

@Suite struct MigrationTests {
    let store: TemporaryStore
    let account: Account

    init() throws {
        store = try TemporaryStore()
        account = try store.account()
    }

    @Test func aMailboxKeepsTheNumbersItHad() throws {
        try store.put("a", "cur", "1.a.h,S=1,W=1:2,S")
        try store.put("b", "new", "2.b.h")
        try store.put("c", "cur", "3.c.h:2,")
        let numbers = MailboxNumbers(validity: UIDValidity(4_000_000_000), uidNext: 90, uids: [bytes("1.a.h"): 40, bytes("2.b.h"): 77])
        try account.adopt(numbers, for: .inbox)
        let inbox = try account.open(.inbox)
        #expect(inbox.validity == UIDValidity(4_000_000_000))
        #expect(inbox.uids.prefix(2) == [40, 77] && inbox.uids[2] >= 90)
        #expect(inbox.message(40)?.flags == .seen)
        #expect(throws: StoreError.folderExists) { try account.adopt(numbers, for: .inbox) }
        try account.create(mailbox("later"))
        #expect(try account.open(mailbox("later")).validity > inbox.validity)
    }

    @Test func impossibleNumbersAreLeftOut() throws {
        try store.put("a", "cur", "1.a.h:2,S")
        try store.put("b", "cur", "2.b.h:2,S")
        let numbers = MailboxNumbers(validity: UIDValidity(5), uidNext: 10, uids: [bytes("1.a.h"): 10, bytes("2.b.h"): 0])
        try account.adopt(numbers, for: .inbox)
        #expect(try account.open(.inbox).uids.allSatisfy { $0 >= 10 })
    }

    @Test func mbsyncsFieldLeavesOursAlone() throws {
        let inbox = try account.open(.inbox)
        _ = try inbox.append(bytes("x"), flags: [.seen], seconds: 1)
        // What mbsync 1.4 was seen to do: its field goes before the flags.
        let old = try store.names("cur")[0]
        let new = old.split(separator: ":")[0] + ",U=1:2,RS"
        try store.move("cur", old, to: "cur", String(new))
        _ = try inbox.look()
        #expect(inbox.text == [1: "RS"])
        _ = try inbox.store(.add, .flagged, on: [1])
        #expect(try store.names("cur")[0].hasSuffix(",U=1:2,FRS"))
    }

    @Test func usageIsWhatTheNamesSay() throws {
        let inbox = try account.open(.inbox)
        _ = try inbox.append([UInt8](repeating: 0x61, count: 100), flags: [], seconds: 1)
        _ = try inbox.append([UInt8](repeating: 0x61, count: 50), flags: [], seconds: 1)
        try account.create(mailbox("Work"))
        try store.put("12345", ".Work/new", "1.a.h")
        #expect(try account.usage() == MailboxUsage(messages: 3, bytes: 155))
        _ = try inbox.expunge([1], at: WallTime(seconds: 5))
        #expect(try account.usage() == MailboxUsage(messages: 2, bytes: 55))
    }

    @Test func abandonedFilesGoAfterADayAndAHalf() throws {
        try store.put("half", "tmp", "1.half")
        try store.put("half", "martlet", ".tmp-state-17")
        try store.put("whole", "martlet", "uidl")
        try store.folder("martlet").makeDirectory("creating-7", mode: 0o700)
        try store.folder("martlet").makeDirectory("creating-7/cur", mode: 0o700)
        let now = WallTime.now()
        try account.removeAbandoned(at: now.adding(seconds: 35 * 3600))
        #expect(try store.names("tmp") == ["1.half"])
        try account.removeAbandoned(at: now.adding(seconds: 37 * 3600))
        #expect(try store.names("tmp").isEmpty)
        #expect(try store.names("martlet") == ["uidl"])
    }

    @Test func createFinishesADeletionThatWasCutShort() throws {
        try account.create(mailbox("X"))
        let old = try account.open(mailbox("X"))
        _ = try old.append([], flags: [], seconds: 1)
        _ = try old.markDeleted()
        #expect(throws: StoreError.folderMissing) { try account.open(mailbox("X")) }
        try account.create(mailbox("X"))
        #expect(try account.open(mailbox("X")).count == 0)
        #expect(try store.names("martlet/deleted").count == 1)
    }
}

@Suite struct FolderListingTests {
    private func file(_ name: String) throws -> FoundFile {
        FoundFile(name: try #require(MessageName(parsing: bytes(name))), isNew: false)
    }

    @Test func oneOfTwoNamesOfARenamedFileIsLeft() throws {
        let files = [try file("1.a.h,M=7.9:2,"), try file("1.a.h,M=7.9:2,S"), try file("2.b.h,M=8.9:2,")]
        var listing = FolderListing(files, validity: UIDValidity(9), expunged: UIDRanges())
        listing.settle { $0 == files[0] ? nil : 1 }
        #expect(listing.tagged.map(\.uid) == [7, 8])
        #expect(listing.tagged[0].file == files[1] && listing.untagged.isEmpty)
        var racing = FolderListing(files, validity: UIDValidity(9), expunged: UIDRanges())
        racing.settle { _ in 5 }
        #expect(racing.tagged.map(\.uid) == [7, 8], "both names were there in turn: one inode, one message")
    }

    @Test func twoFilesOfOneUIDHaveNone() throws {
        let files = [try file("1.a.h,M=7.9:2,"), try file("1.c.h,M=7.9:2,S")]
        var listing = FolderListing(files, validity: UIDValidity(9), expunged: UIDRanges())
        listing.settle { UInt64($0.name.bytes.count) }
        #expect(listing.tagged.isEmpty && listing.untagged.count == 2)
        var gone = FolderListing(files, validity: UIDValidity(9), expunged: UIDRanges())
        gone.settle { _ in nil }
        #expect(gone.tagged.isEmpty && gone.untagged.isEmpty)
    }

    @Test func arrivalsAreInTheOrderOfTheirSeconds() throws {
        let names = ["10.b.h", "9.z.h", "10.a.h", "nonumber", "99999999999999.x"]
        let listing = FolderListing(try names.map(file), validity: UIDValidity(9), expunged: UIDRanges())
        #expect(listing.arrivals.map(\.name.description) == ["99999999999999.x", "nonumber", "9.z.h", "10.a.h", "10.b.h"])
    }

    @Test func lacksWhatIsNotThere() throws {
        let files = try ["1.a.h,M=3.9:2,", "1.b.h,M=5.9:2,"].map(file)
        let listing = FolderListing(files, validity: UIDValidity(9), expunged: UIDRanges([5]))
        #expect(listing.lacks([1, 3, 4, 5]) == [1, 4, 5])
        #expect(listing.untagged == [files[1]])
    }
}
