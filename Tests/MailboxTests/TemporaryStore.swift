// A store of its own for each test, on the disk, removed when the test ends.

import Glibc
import Kernel
import MailModel
import Synchronization
import Testing

@testable import Mailbox

/// A folder under /tmp with a stage and one account.
final class TemporaryStore: Sendable {
    let root: Path
    let context: StoreContext
    private let isOwner: Bool
    static let account = AccountFolder(domain: Array("example.org".utf8), user: Array("ann".utf8))!

    init(boot: String = "boot-1") throws {
        let name = "martlet-store-\(try Randomness.uint64())"
        root = Path("/tmp/\(name)")
        context = StoreContext(host: Array("mx1".utf8), bootID: Array(boot.utf8))
        isOwner = true
        try DirectoryDescriptor(opening: "/tmp").makeDirectory(Path(name), mode: 0o700)
        _ = try StoreIdentity.create(store: root, context: context)
    }

    /// A store that another process made and will remove.
    init(reopening root: Path) {
        self.root = root
        context = StoreContext(host: Array("mx1".utf8), bootID: Array("boot-1".utf8))
        isOwner = false
    }

    deinit {
        guard isOwner else { return }
        do {
            try TemporaryStore.empty(DirectoryDescriptor(opening: root))
            try DirectoryDescriptor(opening: "/tmp").removeDirectory(root.lastComponent)
        } catch {
            writeToStandardError(Array("left behind: \(root): \(error)\n".utf8))
        }
    }

    private static func empty(_ folder: borrowing DirectoryDescriptor) throws {
        for entry in try folder.list() {
            let name = Path(entry.name)
            if entry.kind == .directory {
                try empty(try folder.openDirectory(name))
                try folder.removeDirectory(name)
            } else {
                try folder.unlink(name)
            }
        }
    }

    func stage() throws -> Stage { try Stage(store: root, expecting: nil, context: context) }

    /// The account, created where it is missing. Another `boot` is the machine after a power cut.
    func account(boot: String? = nil) throws -> Account {
        let delivery = try Delivery(stage: stage())
        _ = try delivery.createAccount(TemporaryStore.account)
        var context = context
        if let boot { context.bootID = Array(boot.utf8) }
        return try Account(store: root, folder: TemporaryStore.account, context: context)
    }

    func folder(_ path: String) throws -> DirectoryDescriptor {
        try DirectoryDescriptor(opening: root / TemporaryStore.account.path / Path(path))
    }

    /// The names in a folder of the account, sorted.
    func names(_ path: String) throws -> [String] {
        try folder(path).list().map { String(decoding: $0.name, as: UTF8.self) }.sorted()
    }

    /// What foreign software does: a file appears.
    func put(_ text: String, _ path: String, _ name: String) throws {
        try folder(path).create(Path(name), mode: 0o600).write(Array(text.utf8))
    }

    func move(_ path: String, _ name: String, to new: String, _ newName: String) throws {
        try folder(path).rename(Path(name), to: try folder(new), as: Path(newName))
    }
}

extension Folder {
    /// Looks again, however fresh the last look is.
    func look(since old: Generation = .beginning) throws -> FolderChanges {
        contents.withLock { $0.mustList = true }
        return try refresh(since: old)
    }

    var text: [UInt32: String] {
        Dictionary(uniqueKeysWithValues: messages.map { ($0.uid.rawValue, String(decoding: $0.flags.letters, as: UTF8.self)) })
    }
}

extension MessageUID: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt32) { self.init(value) }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
func mailbox(_ name: String) -> MailboxName { MailboxName(Array(name.utf8))! }

extension TemporaryStore {
    /// A symbolic link in the account's folder.
    func link(_ target: String, _ path: String, _ name: String) throws {
        let place = (root / TemporaryStore.account.path / Path(path) / Path(name)).description
        #expect(symlink(target, place) == 0)
    }
}
