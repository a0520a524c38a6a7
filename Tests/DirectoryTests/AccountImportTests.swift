// Imports: all or nothing, in every scheme, ten thousand at once.

import Kernel
import MailModel
import Testing

@testable import Directory
@testable import DirectoryDatabase

struct AccountImportTests {
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
        let plain = Array("{PLAIN}readable".utf8)
        let summary = try writer.importAccounts([
            AccountImport(address: address("a@example.org"), password: .stored(plain, keepingPlain: true)),
            AccountImport(address: address("b@example.org"), password: .stored(plain)),
        ])
        #expect(summary.readable == 1)
        #expect(try writer.account(address("a@example.org")).credential == "plain")
        #expect(try writer.account(address("b@example.org")).credential == "scram-sha-256")
        let authenticator = Authenticator(folder: directory.path, defaultDomain: nil, cache: LoginCache())
        #expect(try authenticator.account(name: Array("a@example.org".utf8), password: Array("readable".utf8), at: at(0)) != nil)
    }
}
