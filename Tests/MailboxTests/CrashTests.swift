// The process dies before its Nth system call, N = 1, 2, …, until it lives: whatever N, nothing is lost and no number is
// given twice. The dying process is this test program, started again with `CrashVictim` alone.

import Glibc
import Kernel
import MailModel
import Testing

@testable import Mailbox

enum Operation: String, CaseIterable, Sendable {
    case look, append, store, keyword, expunge, move, copy, create, delete, rename, purge, deliver, pop, account

    static let now = WallTime(seconds: 1_763_700_000)

    func run(_ store: TemporaryStore) throws {
        let account = try store.account()
        let inbox = mailbox("INBOX")
        switch self {
        case .look: _ = try account.open(inbox)
        case .append: _ = try account.open(inbox).append(bytes("appended"), flags: .seen, seconds: 1)
        case .store: _ = try account.open(inbox).store(.add, .flagged, on: [1, 2, 3])
        case .keyword: _ = try account.open(inbox).flags(forKeywords: [bytes("k")], creating: true)
        case .expunge: _ = try account.open(inbox).expunge([1, 3], at: Operation.now)
        case .move: _ = try account.open(inbox).move([1, 2], to: account.open(mailbox("Work")))
        case .copy: _ = try account.open(inbox).copy([2], to: account.open(mailbox("Work")))
        case .create: try account.create(mailbox("Fresh"))
        case .delete: try account.delete(mailbox("Work"), at: Operation.now)
        case .rename: try account.rename(mailbox("Work"), to: mailbox("Other"))
        case .purge: _ = try account.purge(before: Operation.now.adding(seconds: 1))
        case .deliver: try Operation.deliver(store)
        case .account: _ = try Delivery(stage: store.stage()).createAccount(Operation.bob)
        case .pop: _ = try Maildrop(account).delete([0, 1], at: Operation.now)
        }
    }

    static let bob = AccountFolder(domain: bytes("example.net"), user: bytes("bob"))!
    static let delivered = UniquePart(
        seconds: 7, message: QueueID(origin: .smtpd, epoch: 1, sequence: 1), finalAddress: EmailAddress("ann@example.org")!,
        host: [0x68])

    private static func deliver(_ store: TemporaryStore) throws {
        let stage = try store.stage()
        let content = bytes("delivered")
        let staged = try content.withUnsafeBytes { try stage.write(delivered, size: content.count, head: [], content: $0) }
        let name = staged.name
        try staged.sync()
        try stage.sync()
        let delivery = try Delivery(stage: stage)
        #expect(try delivery.release(name, to: TemporaryStore.account) == .released)
        #expect(delivery.syncNew().isEmpty)
    }
}

@Suite struct CrashVictim {
    static var order: (operation: Operation, root: String)? {
        guard let name = Identity.environment("MARTLET_CRASH"), let operation = Operation(rawValue: name),
            let root = Identity.environment("MARTLET_CRASH_ROOT")
        else { return nil }
        return (operation, root)
    }

    @Test(.enabled(if: order != nil)) func dies() throws {
        guard let order = CrashVictim.order else { return }
        try order.operation.run(TemporaryStore(reopening: Path(order.root)))
        // No test report: a victim that lives says so by its exit code.
        Identity.exit(0)
    }
}

@Suite(.enabled(if: CrashVictim.order == nil)) struct CrashTests {
    /// What a mailbox held before: token by UID.
    typealias Contents = [UInt32: String]

    private func contents(_ folder: Folder) throws -> Contents {
        var found: Contents = [:]
        for message in folder.messages {
            found[message.uid.rawValue] = String(decoding: try folder.open(message.uid).contents(), as: UTF8.self)
        }
        return found
    }

    /// INBOX with three messages and one in `new/`, `Work` with one, one expunged.
    private func prepare() throws -> (store: TemporaryStore, before: Contents) {
        let store = try TemporaryStore()
        let account = try store.account()
        let inbox = try account.open(.inbox)
        for token in ["one", "two", "three", "expunged"] { _ = try inbox.append(bytes(token), flags: [], seconds: 1) }
        _ = try inbox.expunge([4], at: Operation.now)
        try account.create(mailbox("Work"))
        _ = try account.open(mailbox("Work")).append(bytes("work"), flags: [], seconds: 1)
        let before = try contents(inbox)
        try store.put("new", "new", "5.n.h")
        return (store, before)
    }

    /// Exit code 0 if the victim lived.
    private func victim(_ operation: Operation, _ store: TemporaryStore, dyingAt call: Int) throws -> Int32 {
        let library = Identity.environment("LD_LIBRARY_PATH").map { [bytes("LD_LIBRARY_PATH=\($0)")] } ?? []
        return try Spawn(
            program: Identity.executable,
            arguments: ["--testing-library", "swift-testing", "--filter", "CrashVictim"].map(bytes),
            environment: library + [
                bytes("MARTLET_FAULT=kill@\(call)"), bytes("MARTLET_CRASH=\(operation.rawValue)"),
                bytes("MARTLET_CRASH_ROOT=\(store.root)"), bytes("SWIFT_BACKTRACE=enable=no"),
            ]
        ).run()
    }

    /// Every token that is somewhere in the account, hidden ones included, with how often.
    private func tokens(_ account: Account, _ store: TemporaryStore) throws -> [String: Int] {
        var count: [String: Int] = [:]
        func look(_ path: String) throws {
            for name in try store.names(path) {
                let text = try store.folder(path).contents(of: Path(name), limit: 1000)
                count[String(decoding: text, as: UTF8.self), default: 0] += 1
            }
        }
        func lookIfThere(_ path: String) throws {
            do { try look(path) } catch let error as KernelError where error.isMissing { return }
        }
        var folders = ["."] + (try store.names(".").filter { $0.hasPrefix(".") })
        do { folders += try store.names("martlet/deleted").map { "martlet/deleted/" + $0 } } catch is KernelError {}
        for folder in folders {
            for sub in ["new", "cur", "martlet/expunged"] { try lookIfThere(folder + "/" + sub) }
        }
        return count
    }

    /// Every call with `MARTLET_CRASH_ALL` set; else every fifth, beginning elsewhere for each operation.
    @Test(arguments: Operation.allCases)
    func anyCallMayBeTheLast(_ operation: Operation) throws {
        let step = Identity.environment("MARTLET_CRASH_ALL") == nil ? 5 : 1
        var call = 1 + (step == 1 ? 0 : operation.rawValue.utf8.count % step)
        var lived = false
        while !lived {
            let (store, before) = try prepare()
            let code = try victim(operation, store, dyingAt: call)
            lived = code == 0
            #expect(lived || code == 137, "\(operation) at \(call) ended with \(code)")
            // The machine goes on, or starts again without what was never synced of our logs.
            let boot = call % 2 == 0 ? "boot-1" : "boot-2"
            try check(operation, lived: lived, store, before, boot: boot, "\(operation) at \(call), \(boot)")
            call += lived ? 0 : step
            try #require(call < 400, "\(operation) never ends")
        }
        #expect(call > 3, "\(operation) was killed nowhere")
    }

    private func check(
        _ operation: Operation, lived: Bool, _ store: TemporaryStore, _ before: Contents, boot: String, _ comment: Comment
    ) throws {
        let account = try store.account(boot: boot)
        let inbox = try account.open(.inbox)
        let now = try contents(inbox)
        // A UID names the message that it named, or none.
        for (uid, token) in now {
            if let old = before[uid] { #expect(old == token, comment) } else { #expect(uid > 4, comment) }
        }
        #expect(Set(now.values).count == now.count, comment)
        if boot == "boot-2" { #expect(inbox.uidNext > 1000, comment) }
        let later = try inbox.append(bytes("later"), flags: [], seconds: 1)
        #expect(try #require(inbox.uids.max()) == later, comment)
        if operation == .delete {
            // Deleted or not, and nothing between that would stand in the way of either.
            if try account.mailboxes().contains(mailbox("Work")) { try account.delete(mailbox("Work"), at: Operation.now) }
            try account.create(mailbox("Work"))
            #expect(try account.open(mailbox("Work")).count == 0, comment)
        }
        if operation == .account { try checkAccount(store, lived: lived, comment) }
        try checkTokens(operation, lived: lived, try tokens(account, store), comment)
        #expect(try Set(account.open(.inbox).uids) == Set(inbox.uids), "what is seen once is seen again; \(comment)")
    }

    /// Whole or not there, and nothing half made stays.
    private func checkAccount(_ store: TemporaryStore, lived: Bool, _ comment: Comment) throws {
        let delivery = try Delivery(stage: store.stage())
        try delivery.removeUnfinishedAccounts()
        let wasMissing = try delivery.createAccount(Operation.bob)
        #expect(!(lived && wasMissing), comment)
        let made = try DirectoryDescriptor(opening: store.root / Operation.bob.path).list().map(\.name)
        #expect(Set(made) == Set(["cur", "new", "tmp", "martlet"].map(bytes)), comment)
        let stage = try DirectoryDescriptor(opening: store.root / ".stage").list().map(\.name)
        #expect(stage == [bytes("STORE-ID")], comment)
    }

    private func checkTokens(
        _ operation: Operation, lived: Bool, _ count: [String: Int], _ comment: Comment
    ) throws {
        var count = count
        #expect(count.removeValue(forKey: "later") == 1, comment)
        let appended = count.removeValue(forKey: "appended")
        if operation == .append, lived { #expect(appended == 1, comment) }
        let delivered = count.removeValue(forKey: "delivered")
        if operation == .deliver, lived { #expect(delivered == 1, comment) }
        if operation == .copy, let two = count["two"] {
            #expect(lived ? two == 2 : two <= 2, comment)
            count["two"] = 1
        }
        let expunged = count.removeValue(forKey: "expunged")
        #expect(expunged == 1 || operation == .purge && expunged == nil, comment)
        #expect(count == ["one": 1, "two": 1, "three": 1, "work": 1, "new": 1], comment)
    }
}
