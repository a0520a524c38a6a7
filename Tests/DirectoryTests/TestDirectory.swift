// A directory in a folder of its own, gone with the value; and short ways to write addresses.

import Kernel
import MailModel
@testable import Directory
@testable import DirectoryDatabase

final class TestDirectory {
    let path: Path

    init() throws {
        path = Path("/tmp/martlet-directory-\(String(try Randomness.uint64(), radix: 36))")
        try DirectoryDescriptor(opening: "/tmp").makeDirectory(path.lastComponent, mode: 0o755)
        let folder = try DirectoryDescriptor(opening: path)
        for kind in SnapshotKind.allCases { try folder.makeDirectory(Path(kind.rawValue), mode: 0o755) }
    }

    /// A writer with `example.org` and the given accounts; every password is `pw-<local part>`.
    func writer(_ accounts: String...) throws -> DirectoryWriter {
        let writer = try DirectoryWriter(folder: path)
        try writer.addDomain(domain("example.org"))
        for account in accounts {
            let address = address(account)
            try writer.addAccount(address, password: .password(Array("pw-".utf8) + address.localPart))
        }
        return writer
    }

    /// The folder in which a file of this name belongs.
    func folder(of name: Path) throws -> DirectoryDescriptor {
        let kind = SnapshotKind.allCases.first { $0.fileName == name }
        return try DirectoryDescriptor(opening: kind?.folder(in: path) ?? path)
    }

    func contents(_ name: Path) throws -> [UInt8] { try folder(of: name).contents(of: name, limit: 1 << 28) }

    /// Replaces a file by another inode, as the writer does, but without the syncs.
    func replace(_ name: Path, _ content: [UInt8]) throws {
        let folder = try folder(of: name)
        let file = try folder.create(".test", mode: 0o640)
        try file.write(content)
        try folder.rename(".test", to: name)
    }

    deinit {
        do {
            let folder = try DirectoryDescriptor(opening: path)
            for kind in SnapshotKind.allCases {
                let inner = try folder.openDirectory(Path(kind.rawValue))
                for entry in try inner.list() { try inner.unlink(Path(entry.name)) }
                try folder.removeDirectory(Path(kind.rawValue))
            }
            for entry in try folder.list() { try folder.unlink(Path(entry.name)) }
            try DirectoryDescriptor(opening: "/tmp").removeDirectory(path.lastComponent)
        } catch {
            print("left behind: \(path): \(error)")
        }
    }
}

/// The address, or `invalid@invalid` for a mistake in a test, which then fails on its own.
func address(_ text: String) -> EmailAddress {
    let fallback = Domain("invalid").flatMap { EmailAddress(localPart: Array("invalid".utf8), domain: $0) }
    guard let address = EmailAddress(text) ?? fallback else { preconditionFailure() }
    return address
}

func domain(_ text: String) -> Domain { address("x@" + text).domain }

func alias(_ text: String) -> AliasName {
    AliasName(parsing: Array(text.utf8)) ?? .address(address("invalid@invalid"))
}

/// Seconds of a clock that only the test moves.
func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

/// An address book in dictionaries.
struct MemoryBook: AddressBook {
    var domains: [String: DomainEntry] = ["example.org": DomainEntry(isLocal: true)]
    var entries: [[UInt8]: AddressEntry] = [:]
    var isUnavailable = false

    mutating func account(_ text: String, isEnabled: Bool = true) {
        let address = address(text)
        entries[address.canonical, default: .nothing].account = AccountEntry(
            address: address, folder: AccountFolder(FolderName.base(for: address)), isEnabled: isEnabled)
    }

    mutating func alias(_ name: String, _ targets: String...) {
        entries[DirectoryTests.alias(name).key, default: .nothing].targets = targets.map { address($0) }
    }

    func domain(_ domain: Domain) throws(DirectoryUnavailable) -> DomainEntry {
        if isUnavailable { throw DirectoryUnavailable("test") }
        return domains[domain.description] ?? DomainEntry(isLocal: false)
    }

    func entry(_ key: [UInt8]) throws(DirectoryUnavailable) -> AddressEntry {
        if isUnavailable { throw DirectoryUnavailable("test") }
        return entries[key] ?? .nothing
    }
}

extension RouteResult {
    /// The final addresses, in short: `=` account, `>` remote, `!` refused, `~` held.
    var summary: String {
        switch self {
        case .held(let refusal): return "~\(refusal.reason)"
        case .routed(let route):
            let parts =
                route.accounts.map { "=\($0.account.address)" } + route.remotes.map { "\($0.nextHop?.description ?? "")>\($0.address)" }
                + route.refusals.map { "!\($0.address) \($0.reason)" }
            return parts.sorted().joined(separator: " ")
        }
    }
}
