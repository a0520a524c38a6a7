// As whom an account may send: decided in memory, granted in the database, read from the snapshot.

import Kernel
import MailModel
import Testing

@testable import Directory
@testable import DirectoryDatabase

/// A book with grants in a set.
private struct GrantingBook: AddressBook, GrantBook {
    var book = MemoryBook()
    var grants: Set<[UInt8]> = []

    mutating func grant(_ account: String, _ name: String) { grants.insert(address(account).canonical + [0x0A] + alias(name).key) }
    func domain(_ domain: Domain) throws(DirectoryUnavailable) -> DomainEntry { try book.domain(domain) }
    func entry(_ key: [UInt8]) throws(DirectoryUnavailable) -> AddressEntry { try book.entry(key) }
    func isGranted(_ name: AliasName, to account: EmailAddress) throws(DirectoryUnavailable) -> Bool {
        if book.isUnavailable { throw DirectoryUnavailable("test") }
        return grants.contains(account.canonical + [0x0A] + name.key)
    }
}

struct SendingRightsTests {
    private let alice = "alice@example.org"

    private func allows(_ sender: String, _ account: String, _ book: some AddressBook & GrantBook, _ separators: [UInt8] = [0x2B]) throws -> Bool {
        try SendingRights(separators: separators).allows(address(sender), to: address(account), in: book)
    }

    @Test func itselfItsTagsAndWhatWasGranted() throws {
        var book = GrantingBook()
        book.book.account(alice)
        book.book.account("alice+boss@example.org")
        book.book.alias("team@example.org", alice)
        book.grant(alice, "sales@example.org")
        book.grant(alice, "@example.net")
        for sender in [alice, "ALICE@EXAMPLE.ORG", "alice+x@example.org", "sales@example.org", "Sales+y@example.org", "who@example.net"] {
            #expect(try allows(sender, alice, book), "\(sender)")
        }
        for sender in ["bob@example.org", "alice@example.com", "alice+boss@example.org", "team@example.org", "who@sub.example.net", "alic@example.org"] {
            #expect(try !allows(sender, alice, book), "\(sender)")
        }
        #expect(try !allows("sales@example.org", "bob@example.org", book))
        #expect(try allows("alice+boss@example.org", "alice+boss@example.org", book))
        #expect(try !allows("alice+x@example.org", alice, book, []))
    }

    @Test func aDirectoryThatCannotBeReadIsNoAnswer() throws {
        var book = GrantingBook()
        book.book.isUnavailable = true
        #expect(throws: DirectoryUnavailable.self) { try allows("bob@example.org", alice, book) }
        // One's own address needs no look-up.
        #expect(try allows(alice, alice, book))
    }

    @Test func grantsAreMadeListedPublishedAndTakenBack() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer(alice, "bob@example.org")
        let snapshot = AddressSnapshot(folder: directory.path)
        func allows(_ sender: String) throws -> Bool {
            snapshot.refresh(at: at(0))
            return try self.allows(sender, alice, snapshot)
        }
        #expect(try !allows("sales@example.org"))
        try writer.grant(address(alice), [alias("sales@example.org"), alias("@example.net"), alias("sales@example.org")])
        #expect(try allows("sales@example.org") && allows("x@example.net"))
        #expect(try writer.grants(of: address(alice)).map { "\($0.name)" } == ["@example.net", "sales@example.org"])
        try writer.renameAccount(address(alice), to: address("al@example.org"))
        #expect(try self.allows("sales@example.org", "al@example.org", { snapshot.refresh(at: at(1)); return snapshot }()))
        try writer.renameAccount(address("al@example.org"), to: address(alice))
        #expect(throws: DirectoryError.self) { try writer.revoke(address(alice), [alias("sales@example.org"), alias("never@example.org")]) }
        #expect(try allows("sales@example.org"))
        try writer.revoke(address(alice), [alias("sales@example.org")])
        #expect(try !allows("sales@example.org"))
        #expect(throws: DirectoryError.self) { try writer.grant(address("nobody@example.org"), [alias("a@example.org")]) }
    }

    @Test func aSnapshotOfAnEarlierVersionHasNoGrantsAndNoAppPasswords() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer(alice)
        try writer.grant(address(alice), [alias("sales@example.org")])
        let old = SnapshotFile(
            folder: directory.path, kind: .addresses, queries: ["SELECT 1 FROM address WHERE key = ?"],
            later: [LaterQuery(table: "of_a_later_version", text: "SELECT 1 FROM of_a_later_version WHERE key = ?")])
        old.refresh(at: at(0))
        #expect(try old.ask { (database) throws(DirectoryUnavailable) in try database.first(0, address(alice).canonical) { $0.integer(0) } } == 1)
        #expect(try old.ask { (database) throws(DirectoryUnavailable) in try database.first(1, address(alice).canonical) { $0.integer(0) } } == nil)
    }
}
