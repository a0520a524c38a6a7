// What an administrator does, what is refused, and with which words.

import Kernel
import MailModel
import Testing

@testable import Directory
@testable import DirectoryDatabase

struct DirectoryWriterTests {
    private func refusal(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "done"
        } catch let error as DirectoryError {
            return error.remedy.isEmpty ? "no remedy" : error.description
        } catch {
            return "\(error)"
        }
    }

    @Test func errorsNameTheObject() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("bob@example.org")
        let bob = address("bob@example.org")
        try writer.addAlias(alias("team@example.org"), targets: [bob])
        let cases: [(String, () throws -> Void)] = [
            ("account bob@example.org exists already", { try writer.addAccount(bob) }),
            ("account Bob@example.org exists already", { try writer.addAccount(address("Bob@example.org")) }),
            ("alias team@example.org exists already", { try writer.addAccount(address("team@example.org")) }),
            ("alias team@example.org exists already", { try writer.addAlias(alias("team@example.org"), targets: [bob]) }),
            ("domain example.org exists already", { try writer.addDomain(domain("EXAMPLE.ORG")) }),
            ("x@example.net: domain example.net is not one of ours", { try writer.addAccount(address("x@example.net")) }),
            ("@example.net: domain example.net is not one of ours", { try writer.addAlias(alias("@example.net"), targets: [bob]) }),
            ("there is no account x@example.org", { try writer.removeAccount(address("x@example.org")) }),
            ("there is no account x@example.org", { try writer.setEnabled(address("x@example.org"), false) }),
            ("there is no account x@example.org", { try writer.setPassword(address("x@example.org"), .password([0x61])) }),
            ("there is no alias x@example.org", { try writer.removeAlias(alias("x@example.org")) }),
            ("there is no alias x@example.org", { try writer.changeAlias(alias("x@example.org"), adding: [bob]) }),
            ("there is no domain example.net", { try writer.removeDomain(domain("example.net")) }),
            ("there is no route example.net", { try writer.removeRoute(.domain(domain("example.net"))) }),
            ("domain example.org still has 1 account and 1 alias", { try writer.removeDomain(domain("example.org")) }),
            ("alias none@example.org would have no target", { try writer.addAlias(alias("none@example.org"), targets: []) }),
            ("alias team@example.org would have no target", { try writer.changeAlias(alias("team@example.org"), removing: [bob]) }),
            ("account bob@example.org: the password is empty, too long, or not text without control characters",
             { try writer.setPassword(bob, .password([])) }),
            ("account bob@example.org: the password hash is of no kind that can be checked here",
             { try writer.setPassword(bob, .stored(Array("{MD4}x".utf8))) }),
        ]
        let before = try directory.contents("addresses.db")
        for (expected, body) in cases { #expect(refusal(body) == expected) }
        #expect(try directory.contents("addresses.db") == before)
    }

    @Test func aFolderIsNeverGivenTwice() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer()
        let bob = address("bob@example.org")
        #expect(try writer.addAccount(bob).description == "example.org/bob")
        #expect(try writer.removeAccount(bob).description == "example.org/bob")
        #expect(try writer.addAccount(bob).description == "example.org/bob~2")
        try writer.renameAccount(bob, to: address("robert@example.org"))
        #expect(try writer.account(address("robert@example.org")).folder.description == "example.org/bob~2")
        #expect(try DirectoryWriter(folder: directory.path).addAccount(bob).description == "example.org/bob~3")
    }

    @Test(arguments: [
        ("../../etc@example.org", nil), ("\"../../etc\"@example.org", "example.org/=2e.=2f..=2fetc"), ("Alice.B@EXAMPLE.org", "example.org/alice.b"),
        ("a+b@example.org", "example.org/a=2bb"), ("\".\"@example.org", "example.org/=2e"), ("a=2bb@example.org", "example.org/a=3d2bb"),
        ("é@example.org", "example.org/=c3=a9"), ("x@[192.0.2.1]", "=5b192.0.2.1=5d/x"),
    ]) func foldersAreSafe(_ text: String, _ folder: String?) {
        #expect(EmailAddress(text).map { FolderName.base(for: $0).display } == folder)
    }

    @Test func longFoldersStayBelowTheLimitAndApart() {
        let label = String(repeating: "é", count: 31)
        let names = ["a", "b"].compactMap { end in EmailAddress("x@\(label).\(label).\(label).\(end)") }.map { FolderName.base(for: $0) }
        #expect(names.count == 2 && Set(names).count == 2 && names.allSatisfy { $0.count <= 255 })
    }

    @Test func renamingMovesTheAddressAndTheTargetsThatNamedIt() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("bob@example.org", "eve@example.org")
        try writer.addDomain(domain("example.com"))
        try writer.addAlias(alias("team@example.org"), targets: [address("bob@example.org"), address("eve@example.org")])
        try writer.renameAccount(address("bob@example.org"), to: address("Robert@example.com"))
        #expect(try writer.aliases().first?.targets == [address("robert@example.com"), address("eve@example.org")])
        #expect(try writer.account(address("robert@example.com")).folder.description == "example.org/bob")
        #expect(refusal { try writer.renameAccount(address("robert@example.com"), to: address("eve@example.org")) }
            == "account eve@example.org exists already")
        // Only the spelling changes.
        try writer.renameAccount(address("robert@example.com"), to: address("ROBERT@example.com"))
        #expect(try writer.accounts(of: domain("example.com")).map(\.address.description) == ["ROBERT@example.com"])
    }

    @Test func aliasesAndRoutesAreListedAsGiven() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("bob@example.org")
        let targets = ["z@example.net", "a@example.net", "\"q q\"@example.net"].map { address($0) }
        try writer.addAlias(alias("team@example.org"), targets: targets + [address("Z@example.net")])
        try writer.addAlias(alias("@example.org"), targets: [address("bob@example.org")])
        #expect(try writer.aliases().map(\.name.description) == ["@example.org", "team@example.org"])
        #expect(try writer.aliases().last?.targets == targets)
        try writer.changeAlias(alias("Team@example.org"), adding: [address("b@example.net")], removing: [address("A@example.net")])
        #expect(try writer.aliases().last?.targets.map(\.description) == ["z@example.net", "\"q q\"@example.net", "b@example.net"])
        let hop = try #require(NextHop(parsing: Array("[192.0.2.1]:24".utf8)))
        try writer.addRoute(.domain(domain("example.net")), to: hop)
        #expect(try writer.routes() == [RouteListing(pattern: .domain(domain("example.net")), nextHop: hop)])
        let snapshot = AddressSnapshot(folder: directory.path)
        snapshot.refresh(at: at(0))
        #expect(try snapshot.domain(domain("example.net")) == DomainEntry(isLocal: false, route: hop))
        #expect(try snapshot.entry(Array("@example.org".utf8)).targets == [address("bob@example.org")])
        #expect(try snapshot.entry(address("TEAM@example.org").canonical).targets.map(\.description)
            == ["z@example.net", "\"q q\"@example.net", "b@example.net"])
    }

    /// An earlier version kept the names of routes as they were written.
    @Test func theNamesOfRoutesHaveALabelsFromNowOn() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("bob@example.org")
        for (key, host) in [("b\u{FC}cher.example", "a"), ("<.b\u{FC}cher.example", "b"), ("z\u{FC}.example", "c"), ("xn--z-eha.example", "d")] {
            let hop = try #require(NextHop(parsing: Array("\(host).example".utf8)))
            try writer.addRoute(RoutePattern(storedKey: Array(key.utf8)), to: hop)
        }
        try writer.change { try DirectorySchema.nameRoutes($0) }
        #expect(try writer.routes().map { "\($0.pattern) \($0.nextHop)" }
            == ["from .xn--bcher-kva.example b.example:25", "xn--bcher-kva.example a.example:25", "xn--z-eha.example d.example:25"])
        let snapshot = AddressSnapshot(folder: directory.path)
        snapshot.refresh(at: at(0))
        for name in ["b\u{FC}cher.example", "xn--bcher-kva.example"] {
            #expect(try snapshot.domain(domain(name)).route == NextHop(parsing: Array("a.example:25".utf8)))
        }
        try writer.removeRoute(try #require(RoutePattern(parsing: Array("b\u{FC}cher.example".utf8))))
    }

    @Test func anAliasUnderAnAccountIsBothInTheSnapshot() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("bob@example.org")
        try writer.addAlias(alias("bob@example.org"), targets: [address("bob@example.org"), address("bob@example.net")])
        let snapshot = AddressSnapshot(folder: directory.path)
        snapshot.refresh(at: at(0))
        let result = try Router(postmaster: nil).route(address("bob@example.org"), in: snapshot)
        #expect(result.summary == "=bob@example.org >bob@example.net")
    }

    @Test func removingADomainWorksWhenItIsEmpty() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("bob@example.org")
        try writer.removeAccount(address("bob@example.org"))
        try writer.removeDomain(domain("example.org"))
        #expect(try writer.domains().isEmpty)
    }

    @Test func anUnpublishedChangeIsPublishedByTheNextOpening() throws {
        let directory = try TestDirectory()
        let stale = try { () throws -> [UInt8] in
            let writer = try directory.writer("bob@example.org")
            let stale = try directory.contents("addresses.db")
            try writer.addAccount(address("eve@example.org"))
            return stale
        }()
        try directory.replace("addresses.db", stale)
        let writer = try DirectoryWriter(folder: directory.path)
        #expect(try writer.isPublished())
        let snapshot = AddressSnapshot(folder: directory.path)
        snapshot.refresh(at: at(0))
        #expect(try snapshot.entry(address("eve@example.org").canonical).account != nil)
    }

    @Test func aFolderThatDoesNotExistIsAStorageError() {
        #expect(throws: DirectoryError.self) { try DirectoryWriter(folder: "/tmp/martlet-there-is-no-such-folder") }
    }

    @Test func aQuotaTravelsToTheSnapshot() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("bob@example.org")
        try writer.setQuota(address("bob@example.org"), 1 << 40)
        let snapshot = AddressSnapshot(folder: directory.path)
        snapshot.refresh(at: at(0))
        #expect(try snapshot.entry(address("bob@example.org").canonical).account?.quota == 1 << 40)
        try writer.setQuota(address("bob@example.org"), nil)
        #expect(try writer.account(address("bob@example.org")).quota == nil)
    }
}
