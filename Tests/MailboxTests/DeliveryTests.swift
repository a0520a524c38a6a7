import Glibc
import Kernel
import MailModel
import Testing

@testable import Mailbox

@Suite struct DeliveryTests {
    let store: TemporaryStore
    let stage: Stage
    let delivery: Delivery
    let ann = TemporaryStore.account

    init() throws {
        store = try TemporaryStore()
        stage = try store.stage()
        delivery = try Delivery(stage: stage)
    }

    private func unique(_ sequence: UInt32) -> UniquePart {
        UniquePart(
            seconds: 1_763_683_200, message: QueueID(origin: .smtpd, epoch: 1, sequence: sequence),
            finalAddress: EmailAddress("ann@example.org")!, host: bytes("mx1"))
    }

    private func put(_ sequence: UInt32, _ text: String) throws -> MessageName {
        let head = TraceHeader.lines(returnPath: bytes("b@example.net"), deliveredTo: bytes("ann@example.org"), received: [])
        let content = bytes(text)
        let staged = try content.withUnsafeBytes {
            try stage.write(unique(sequence), size: head.count + content.count, head: head, content: $0)
        }
        let name = staged.name
        try staged.sync()
        try stage.sync()
        return name
    }

    @Test func stagedThenReleased() throws {
        #expect(try delivery.createAccount(ann))
        #expect(try !delivery.createAccount(ann))
        let name = try put(1, "Subject: x\r\n\r\nhello\r\n")
        #expect(try stage.list() == [name] && stage.holds(name))
        #expect(try delivery.release(name, to: ann) == .released)
        #expect(delivery.syncNew().isEmpty)
        #expect(try stage.list().isEmpty)
        #expect(try delivery.release(name, to: ann) == .notStaged)
        let inbox = try store.account().open(.inbox)
        let text = String(decoding: try inbox.open(1).contents(), as: UTF8.self)
        #expect(text == "Return-Path: <b@example.net>\r\nDelivered-To: ann@example.org\r\nSubject: x\r\n\r\nhello\r\n")
        #expect(inbox.messages[0].wireSize == text.utf8.count)
        #expect(try inbox.open(1).arrivalSeconds() == 1_763_683_200)
    }

    @Test func anOlderAttemptIsReplaced() throws {
        _ = try delivery.createAccount(ann)
        let first = try put(1, "x\r\n")
        #expect(try put(1, "y\r\n") == first)
        #expect(try delivery.release(first, to: ann) == .released)
        // Staged once more although it was delivered: the second copy is not kept.
        let again = try put(1, "y\r\n")
        #expect(try delivery.release(again, to: ann) == .alreadyThere)
        #expect(try stage.list().isEmpty)
        #expect(try store.names("new").count == 1)
    }

    @Test func aFileOfTheWrongSizeIsNeverSynced() throws {
        let content = bytes("12345")
        #expect(throws: StoreError.self) {
            let staged = try content.withUnsafeBytes { try stage.write(unique(1), size: 6, head: [], content: $0) }
            try staged.sync()
        }
        let staged = try content.withUnsafeBytes { try stage.write(unique(1), size: 10, head: [], content: $0) }
        try content.withUnsafeBytes { try staged.write($0) }
        try staged.sync()
    }

    @Test func withdrawnIsGone() throws {
        let name = try put(1, "x")
        try stage.withdraw(name)
        #expect(try stage.list().isEmpty)
        try stage.withdraw(name)
    }

    @Test func noAccountNoMailbox() throws {
        let name = try put(1, "x")
        #expect(throws: StoreError.accountMissing) { try delivery.release(name, to: ann) }
        _ = try delivery.createAccount(ann)
        #expect(throws: StoreError.folderMissing) { try delivery.release(name, to: ann, mailbox: mailbox("Junk")) }
        try store.account().create(mailbox("Junk"))
        #expect(try delivery.release(name, to: ann, mailbox: mailbox("Junk")) == .released)
        #expect(try store.names(".Junk/new").count == 1)
    }

    @Test func aMailboxThatWasReplacedIsFoundAgain() throws {
        let account = try store.account()
        try account.create(mailbox("Junk"))
        let names = try (1...3).map { try put($0, "x") }
        #expect(try delivery.release(names[0], to: ann, mailbox: mailbox("Junk")) == .released)
        try account.delete(mailbox("Junk"), at: WallTime(seconds: 5))
        _ = try account.purge(before: WallTime(seconds: 6))
        #expect(throws: StoreError.folderMissing) { try delivery.release(names[1], to: ann, mailbox: mailbox("Junk")) }
        try account.create(mailbox("Junk"))
        #expect(try delivery.release(names[2], to: ann, mailbox: mailbox("Junk")) == .released)
        #expect(try store.names(".Junk/new").count == 1)
    }

    @Test func recoveryFindsACopyWhereverItsOwnerPutIt() throws {
        _ = try delivery.createAccount(ann)
        let names = try (1...6).map { try put($0, "x\($0)") }
        for name in names[1...] { _ = try delivery.release(name, to: ann) }
        let account = try store.account()
        let inbox = try account.open(.inbox)
        try account.create(mailbox("Work"))
        _ = try inbox.move([inbox.uids[1]], to: try account.open(mailbox("Work")))
        _ = try inbox.expunge([inbox.uids[1]], at: WallTime(seconds: 5))
        try store.folder("cur").unlink(Path(inbox.messages[1].name.bytes))
        let uniques = names.map { Array($0.unique) }
        let found = try delivery.find(Set(uniques), of: ann)
        #expect(found[uniques[0]] == .stage)
        #expect(found.values.filter { $0 == .mailbox(.inbox) }.count == 2)
        #expect(found.values.filter { $0 == .mailbox(mailbox("Work")) }.count == 1)
        #expect(found.values.filter { $0 == .expunged(.inbox) }.count == 1)
        #expect(found.count == 5, "one is nowhere")
    }

    @Test func anotherStoreIsNoticed() throws {
        #expect(try Stage(store: store.root, expecting: stage.identity, context: store.context).identity == stage.identity)
        let other = try TemporaryStore()
        #expect(throws: StoreError.self) { try Stage(store: other.root, expecting: stage.identity, context: store.context) }
        let next = try #require(stage.identity.next)
        try StoreIdentity.replace(store: store.root, with: next)
        #expect(throws: StoreError.self) { try stage.verify() }
        #expect(throws: StoreError.self) { try delivery.find([], of: ann) }
        try DirectoryDescriptor(opening: store.root / ".stage").unlink("STORE-ID")
        #expect(throws: StoreError.self) { try store.stage() }
        #expect(throws: StoreError.self) { try Stage(store: store.root / "none", expecting: nil, context: store.context) }
    }

    @Test func noAccountIsMadeInPlaceOfAStoreThatWent() throws {
        let parent = try DirectoryDescriptor(opening: "/tmp")
        let name = store.root.lastComponent
        let away = Path(name.bytes + bytes(".away"))
        try parent.rename(name, to: away)
        try parent.makeDirectory(name, mode: 0o700)
        #expect(throws: StoreError.self) { try delivery.createAccount(ann) }
        #expect(try DirectoryDescriptor(opening: store.root).list().isEmpty)
        try parent.removeDirectory(name)
        try parent.rename(away, to: name)
        #expect(try delivery.createAccount(ann))
    }

    @Test func aLinkIsNoAccount() throws {
        _ = try delivery.createAccount(ann)
        #expect(symlink("ann", (store.root / "example.org" / "eve").description) == 0)
        let eve = try #require(AccountFolder(parsing: bytes("example.org/eve")))
        #expect(throws: StoreError.self) { try Account(store: store.root, folder: eve, context: store.context) }
    }

    @Test func unfinishedAccountsGo() throws {
        let folder = try DirectoryDescriptor(opening: store.root / ".stage")
        try folder.makeDirectory(".account-7", mode: 0o700)
        try folder.makeDirectory(".account-7/cur", mode: 0o700)
        try delivery.removeUnfinishedAccounts()
        #expect(try folder.list().map(\.name) == [bytes("STORE-ID")])
    }

    @Test func openFoldersAreBounded() throws {
        let small = try Delivery(stage: stage, openFolders: 4)
        for index in 0..<20 {
            let account = try #require(AccountFolder(domain: bytes("example.org"), user: bytes("u\(index)")))
            _ = try small.createAccount(account)
            #expect(try small.release(try put(UInt32(index), "x"), to: account) == .released)
        }
        #expect(small.openFolderCount <= 4)
        #expect(small.syncNew().isEmpty)
    }
}
