// A snapshot that is damaged in any way is an error, never "no such user"; and a good one heals it.

import Kernel
import MailModel
import MailTestKit
import Testing

@testable import Directory
@testable import DirectoryDatabase

struct SnapshotTests {
    /// What three questions find: the account, the alias, and an address that does not exist.
    private func answers(_ snapshot: AddressSnapshot) throws(DirectoryUnavailable) -> [String] {
        let alice = try snapshot.entry(address("Alice@example.org").canonical)
        let team = try snapshot.entry(address("team@example.org").canonical)
        let nobody = try snapshot.entry(address("nobody@example.org").canonical)
        let local = try snapshot.domain(domain("EXAMPLE.org")).isLocal
        return ["\(alice.account?.folder.description ?? "-")", "\(team.targets)", "\(nobody == .nothing)", "\(local)"]
    }

    private let expected = ["example.org/alice", "[far@example.net, alice@example.org]", "true", "true"]

    private func published() throws -> TestDirectory {
        let directory = try TestDirectory()
        let writer = try directory.writer("alice@example.org", "bob@example.org")
        try writer.addAlias(alias("team@example.org"), targets: [address("far@example.net"), address("alice@example.org")])
        return directory
    }

    @Test func readsWhatWasPublished() throws {
        let directory = try published()
        let snapshot = AddressSnapshot(folder: directory.path)
        #expect(throws: DirectoryUnavailable.self) { try answers(snapshot) }
        snapshot.refresh(at: at(0))
        #expect(try answers(snapshot) == expected)
        let mode = try directory.folder(of: "addresses.db").status(of: "addresses.db").mode
        #expect(mode & 0o777 == 0o640)
        #expect(try directory.folder(of: "credentials.db").status(of: "credentials.db").mode & 0o777 == 0o640)
        #expect(try directory.folder(of: "directory.db").status(of: "directory.db").mode & 0o777 == 0o600)
    }

    @Test func addressesHoldNoSecret() throws {
        let directory = try published()
        let content = try directory.contents("addresses.db").display
        #expect(!content.contains("SCRAM") && content.contains("alice@example.org"))
        #expect(try directory.contents("credentials.db").display.contains("SCRAM-SHA-256$4096"))
    }

    @Test func everyTruncationIsAnErrorAndIsHealed() throws {
        let directory = try published()
        let good = try directory.contents("addresses.db")
        let snapshot = AddressSnapshot(folder: directory.path)
        var second: Int64 = 0
        let lengths = Array(0..<130) + Array(stride(from: 130, to: good.count, by: 487)) + Array((good.count - 130)..<good.count)
        for length in lengths {
            try directory.replace("addresses.db", Array(good.prefix(length)))
            second += 2
            snapshot.refresh(at: at(second))
            #expect(throws: DirectoryUnavailable.self, "\(length) of \(good.count) bytes") { try answers(snapshot) }
        }
        try directory.replace("addresses.db", good)
        snapshot.refresh(at: at(second + 2))
        #expect(try answers(snapshot) == expected)
    }

    @Test func everyFlippedBitIsAnError() throws {
        let directory = try published()
        let good = try directory.contents("addresses.db")
        let snapshot = AddressSnapshot(folder: directory.path)
        var generator = SeededGenerator()
        for round in 0..<600 {
            var bad = good
            let bit = Int.random(in: 0..<good.count * 8, using: &generator)
            bad[bit / 8] ^= 1 << (bit % 8)
            try directory.replace("addresses.db", bad)
            snapshot.refresh(at: at(Int64(round) * 2))
            #expect(throws: DirectoryUnavailable.self, "bit \(bit)") { try answers(snapshot) }
        }
    }

    @Test func otherFilesUnderTheNameAreErrors() throws {
        let directory = try published()
        let credentials = try directory.contents("credentials.db")
        let snapshot = AddressSnapshot(folder: directory.path)
        for (index, content) in [[], credentials, Array("x".utf8), [UInt8](repeating: 0, count: 8192)].enumerated() {
            try directory.replace("addresses.db", content)
            snapshot.refresh(at: at(Int64(index) * 2))
            #expect(throws: DirectoryUnavailable.self) { try answers(snapshot) }
        }
        try directory.folder(of: "addresses.db").unlink("addresses.db")
        snapshot.refresh(at: at(100))
        #expect(throws: DirectoryUnavailable.self) { try answers(snapshot) }
        try directory.folder(of: "addresses.db").makeDirectory("addresses.db", mode: 0o700)
        snapshot.refresh(at: at(102))
        #expect(throws: DirectoryUnavailable.self) { try answers(snapshot) }
        try directory.folder(of: "addresses.db").removeDirectory("addresses.db")
        try DirectoryWriter(folder: directory.path).publish()
        snapshot.refresh(at: at(104))
        #expect(try answers(snapshot) == expected)
    }

    @Test func aReplacementIsSeenAtTheNextUse() throws {
        let directory = try published()
        let writer = try DirectoryWriter(folder: directory.path)
        let snapshot = AddressSnapshot(folder: directory.path)
        snapshot.refresh(at: at(10))
        try writer.addAccount(address("new@example.org"))
        let key = address("new@example.org").canonical
        #expect(try snapshot.entry(key) == .nothing)
        snapshot.refresh(at: at(10))
        #expect(try snapshot.entry(key).account?.folder == AccountFolder(Array("example.org/new".utf8)))
    }

    @Test func aFileCutWhileItIsOpenIsAnErrorAndNotAMiss() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer()
        let accounts = (0..<3000).map { AccountImport(address: address("user\($0)@example.org"), password: nil) }
        _ = try writer.importAccounts(accounts)
        let snapshot = AddressSnapshot(folder: directory.path)
        snapshot.refresh(at: at(0))
        try directory.folder(of: "addresses.db").open("addresses.db", .readWrite).truncate(to: 4096)
        // Pages that SQLite holds in memory may still answer, and rightly; none may say "nothing".
        for number in 0..<3000 {
            let found = Result { () throws(DirectoryUnavailable) in try snapshot.entry(address("user\(number)@example.org").canonical) }
            if case .success(let entry) = found { #expect(entry.account != nil) }
        }
        snapshot.refresh(at: at(2))
        #expect(throws: DirectoryUnavailable.self) { try snapshot.entry(address("user1@example.org").canonical) }
    }

    @Test func aRandomDirectoryReadsAsItWasWritten() throws {
        var generator = SeededGenerator()
        let directory = try TestDirectory()
        let writer = try directory.writer()
        var accounts: [EmailAddress: AccountFolder] = [:]
        let alphabet = Array("ab.Z+-_%/'\"\\ =~".utf8) + Array("é".utf8)
        for _ in 0..<60 {
            let length = Int.random(in: 1...12, using: &generator)
            let local = generator.bytes(length, from: alphabet)
            guard let address = EmailAddress(localPart: local, domain: domain("example.org")), accounts[address] == nil else { continue }
            accounts[address] = try writer.addAccount(address, isEnabled: Bool.random(using: &generator))
        }
        let snapshot = AddressSnapshot(folder: directory.path)
        snapshot.refresh(at: at(0))
        #expect(Set(accounts.values).count == accounts.count)
        for (address, folder) in accounts {
            let entry = try snapshot.entry(address.canonical)
            #expect(entry.account?.folder == folder && entry.account?.address == address)
            #expect(entry.account?.address.localPart == address.localPart)
            #expect(folder.bytes.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "-_./=~".utf8.contains($0) })
            #expect(!folder.bytes.display.contains("/.") && folder.bytes.filter { $0 == UInt8(ascii: "/") }.count == 1)
        }
        #expect(try writer.accounts().count == accounts.count)
    }
}
