// A power cut takes back every rename that no sync covered, and every file that was never synced: any subset of them.

import Kernel
import MailModel
import MailTestKit
import Testing

@testable import Mailbox

@Suite struct PowerCutTests {
    let store: TemporaryStore

    init() throws { store = try TemporaryStore() }

    /// UIDs that were shown, by the unique part that they named.
    typealias Shown = [UInt32: [UInt8]]

    private func shown(_ folder: Folder) -> Shown {
        Dictionary(uniqueKeysWithValues: folder.messages.map { ($0.uid.rawValue, Array($0.name.unique)) })
    }

    private func expectNoReuse(_ folder: Folder, _ shown: Shown, _ comment: Comment) {
        for message in folder.messages {
            if let before = shown[message.uid.rawValue] { #expect(Array(message.name.unique) == before, comment) }
        }
    }

    @Test func noUIDIsGivenTwice() throws {
        var random = SeededGenerator(seed: 7)
        var everShown: Shown = [:]
        var everModSequence: UInt64 = 0
        var validity: UIDValidity?
        for boot in 1...8 {
            let comment: Comment = "seed 7, boot \(boot)"
            let inbox = try store.account(boot: "boot-\(boot)").open(.inbox)
            #expect(validity == nil || validity == inbox.validity, comment)
            validity = inbox.validity
            expectNoReuse(inbox, everShown, comment)
            #expect(inbox.messages.allSatisfy { $0.modSequence.rawValue > everModSequence }, comment)
            for index in 0..<5 { try store.put("x", "new", "\(boot).m\(index).h") }
            _ = try inbox.look()
            _ = try inbox.store(.add, .seen, on: inbox.uids)
            expectNoReuse(inbox, everShown, comment)
            everShown.merge(shown(inbox)) { old, _ in old }
            everModSequence = inbox.highestModSequence.rawValue
            #expect(inbox.uidNext.rawValue > everShown.keys.max() ?? 0, comment)
            try cutPower(&random)
        }
        #expect(everShown.count >= 40)
    }

    /// Takes back renames of this boot at random, and leaves of the log any beginning, or nothing.
    private func cutPower(_ random: inout SeededGenerator) throws {
        for name in try store.names("cur") where Bool.random(using: &random) {
            let old = try #require(MessageName(parsing: bytes(name))?.with(tag: nil))
            try store.move("cur", name, to: "new", String(decoding: old.base, as: UTF8.self))
        }
        let state = try store.folder("martlet")
        let log = try state.contents(of: "changes", limit: 1 << 20)
        try state.unlink("changes")
        guard Bool.random(using: &random) else { return }
        var rest = Array(log[..<Int.random(in: 0...log.count, using: &random)])
        for index in rest.indices where Int.random(in: 0..<50, using: &random) == 0 { rest[index] = 0 }
        try state.create("changes", mode: 0o600).write(rest)
    }

    @Test func nothingIsShownThatIsNotReservedOnTheDisk() throws {
        let account = try store.account()
        let new = try store.folder("new")
        let inbox = try account.open(.inbox)
        for round in 1...3 {
            for index in 0..<1100 { _ = try new.create(Path("\(round).m\(index).h"), mode: 0o600) }
            _ = try inbox.look()
            let text = try store.folder("martlet").contents(of: "state", limit: 1 << 20)
            let state = try #require(FolderState(parsing: text))
            #expect(inbox.uids.last == MessageUID(UInt32(1100 * round)))
            #expect(UInt64(inbox.uidNext.rawValue) <= state.reservedUID)
            #expect(inbox.highestModSequence.rawValue <= state.reservedModSequence)
        }
    }

    @Test func aLogWithinABootMayBeDamagedToo() throws {
        let account = try store.account()
        var given: [MessageUID] = []
        for damage in [[], [0x0A], bytes("m 1"), bytes("rubbish\n"), bytes("n 99999999 99999999\n"), [0, 0, 0]] as [[UInt8]] {
            let inbox = try account.open(.inbox)
            given.append(try inbox.append(bytes("x"), flags: [], seconds: 1))
            try store.folder("martlet").open("changes", .append).write(damage)
            given.append(try inbox.append(bytes("x"), flags: [], seconds: 1))
        }
        #expect(given == Set(given).sorted())
        #expect(try account.open(.inbox).uids == given)
    }

    @Test func aLostStateIsANewUIDVALIDITY() throws {
        let account = try store.account()
        let inbox = try account.open(.inbox)
        _ = try inbox.append(bytes("x"), flags: [.seen], seconds: 1)
        let validity = inbox.validity
        try store.folder("martlet").unlink("state")
        #expect(throws: StoreError.folderMissing) { try inbox.append([], flags: [], seconds: 1) }
        let again = try account.open(.inbox)
        #expect(again.validity > validity)
        #expect(again.messages.map(\.flags) == [.seen])
    }

    @Test func anOlderStateDoesNotTakeUIDsThatAreInUse() throws {
        let account = try store.account()
        let validity = try account.open(.inbox).validity
        try store.put("x", "cur", "1.restored.h,M=5000.\(validity):2,S")
        let inbox = try account.open(.inbox)
        #expect(inbox.uids == [5000])
        #expect(try inbox.append([], flags: [], seconds: 1) == 5001)
        #expect(try store.account(boot: "later").open(.inbox).append([], flags: [], seconds: 1) > 5001)
    }

    @Test func theLastUIDIsTheLast() throws {
        let account = try store.account()
        let validity = try account.open(.inbox).validity
        try store.put("x", "cur", "1.restored.h,M=4294967294.\(validity):2,S")
        let inbox = try account.open(.inbox)
        #expect(try inbox.append([], flags: [], seconds: 1) == 4_294_967_295)
        #expect(throws: StoreError.numbersExhausted) { try inbox.append([], flags: [], seconds: 1) }
        #expect(inbox.count == 2)
    }

    @Test func theLogStaysShort() throws {
        let inbox = try store.account().open(.inbox)
        _ = try inbox.append([], flags: [], seconds: 1)
        for _ in 0..<6000 {
            _ = try inbox.store(.add, .seen, on: [1])
            _ = try inbox.store(.remove, .seen, on: [1])
        }
        let high = inbox.highestModSequence
        let text = try store.folder("martlet").contents(of: "state", limit: 1 << 20)
        #expect(try high.rawValue <= #require(FolderState(parsing: text)).reservedModSequence && high.rawValue > 12_000)
        _ = try inbox.look()
        #expect(try store.folder("martlet").contents(of: "changes", limit: 1 << 30).count < 262_144)
        #expect(try store.account().open(.inbox).highestModSequence == high)
    }
}
