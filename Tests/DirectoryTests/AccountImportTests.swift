// Imports: all or nothing, in every scheme, ten thousand at once.

import Kernel
import MailModel
import Testing

@testable import Directory

struct AccountImportTests {
    @Test func readsLines() throws {
        let text = "# accounts\r\nalice@example.org:{PLAIN}a:b\r\n\nbob@example.org:\ncarol@example.org:$6$saltstring$x"
        let accounts = try AccountImport.parse(Array(text.utf8))
        #expect(accounts == [
            AccountImport(address: address("alice@example.org"), password: .stored(Array("{PLAIN}a:b".utf8))),
            AccountImport(address: address("bob@example.org"), password: nil),
            AccountImport(address: address("carol@example.org"), password: .stored(Array("$6$saltstring$x".utf8))),
        ])
        for (bad, line) in [("alice", 1), ("\nalice:x", 2), ("#\n#\n@example.org:x\n", 3)] {
            #expect(throws: DirectoryError.badLine(line)) { try AccountImport.parse(Array(bad.utf8)) }
        }
    }

    @Test func importsTenThousand() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer()
        let hash = Array("{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1".utf8)
        let accounts = (0..<10_000).map { number in
            AccountImport(address: address("user\(number)@d\(number % 50).example"), password: .stored(hash))
        }
        #expect(throws: DirectoryError.domainMissing(domain("d0.example"), for: "user0@d0.example")) {
            try writer.importAccounts(accounts)
        }
        #expect(try writer.accounts().isEmpty)
        #expect(try writer.importAccounts(accounts, creatingDomains: true) == ImportSummary(added: 10_000, skipped: 0, domains: 50))
        #expect(throws: DirectoryError.exists(.account, "user0@d0.example")) { try writer.importAccounts(accounts) }
        #expect(try writer.importAccounts(accounts, skippingExisting: true).skipped == 10_000)
        let snapshot = AddressSnapshot(folder: directory.path)
        snapshot.refresh(at: at(0))
        for number in stride(from: 0, to: 10_000, by: 97) {
            #expect(try snapshot.entry(address("User\(number)@d\(number % 50).example").canonical).account != nil)
        }
    }

    @Test func derivesInParallelAndInOrder() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer()
        let accounts = (0..<200).map { number in
            AccountImport(address: address("u\(number)@example.org"), password: .stored(Array("{PLAIN}secret\(number)".utf8)))
        }
        _ = try writer.importAccounts(accounts)
        #expect(try writer.accounts().allSatisfy { $0.credential == "scram-sha-256" })
        #expect(!(try directory.contents("directory.db").display.contains("secret1")))
        let authenticator = Authenticator(folder: directory.path, defaultDomain: nil, cache: LoginCache())
        for number in [0, 31, 32, 33, 199] {
            let name = Array("u\(number)@example.org".utf8)
            #expect(try authenticator.account(name: name, password: Array("secret\(number)".utf8), at: at(0)) != nil)
            #expect(try authenticator.account(name: name, password: Array("secret\(number + 1)".utf8), at: at(0)) == nil)
        }
    }

    @Test func oneBadSecretStopsAll() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer()
        var accounts = (0..<100).map { AccountImport(address: address("u\($0)@example.org"), password: nil) }
        accounts[77].password = .stored(Array("{ARGON2ID}x".utf8))
        #expect(throws: DirectoryError.badSecret(account: "u77@example.org")) { try writer.importAccounts(accounts) }
        #expect(try writer.accounts().isEmpty)
    }

    @Test func plainIsKeptOnlyOnDemand() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer()
        let text = Array("a@example.org:{PLAIN}readable".utf8)
        _ = try writer.importAccounts(AccountImport.parse(text, keepingPlain: true))
        #expect(try writer.account(address("a@example.org")).credential == "plain")
        let authenticator = Authenticator(folder: directory.path, defaultDomain: nil, cache: LoginCache())
        #expect(try authenticator.account(name: Array("a@example.org".utf8), password: Array("readable".utf8), at: at(0)) != nil)
    }
}
