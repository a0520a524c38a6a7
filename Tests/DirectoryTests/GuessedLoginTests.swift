// Guesses against the directory: what is counted, what is not looked at, and that the answers are the same. App passwords.

import Kernel
import MailModel
import SASLProtocol
import Testing

@testable import Directory
@testable import DirectoryDatabase

struct GuessedLoginTests {
    private func plain(
        _ authenticator: Authenticator, _ name: String, _ password: String, from peer: String = "192.0.2.1"
    ) throws -> (AuthenticationStep, LoginAttempt) {
        let initial = Array("\0\(name)\0\(password)".utf8)
        let (exchange, step) = try #require(authenticator.begin(Array("PLAIN".utf8), initial: initial, from: Array(peer.utf8), at: at(0)))
        return (step, exchange.attempt)
    }

    private func isIn(_ step: AuthenticationStep) -> Bool {
        if case .authenticated = step { return true }
        return false
    }

    @Test func aBlockedAttemptFailsAsEveryOtherAndIsNotCounted() throws {
        let directory = try TestDirectory()
        _ = try directory.writer("alice@example.org")
        let guesses = GuessWatch(GuessLimits(perAddress: 3, perAccount: 100))
        let authenticator = Authenticator(folder: directory.path, defaultDomain: nil, cache: LoginCache(), guesses: guesses)
        for number in 0..<3 { #expect(try plain(authenticator, "nobody-\(number)", "x").0 == .rejected) }
        let (step, attempt) = try plain(authenticator, "alice@example.org", "pw-alice")
        #expect(step == .rejected && attempt.isBlocked && attempt.known == address("alice@example.org"))
        #expect(try isIn(plain(authenticator, "alice@example.org", "pw-alice", from: "192.0.2.2").0))
    }

    @Test func aMarkIsOfTheNameAndOfNothingElse() throws {
        let directory = try TestDirectory()
        _ = try directory.writer("alice@example.org")
        let authenticator = Authenticator(folder: directory.path, defaultDomain: domain("example.org"), cache: LoginCache())
        let marks = try ["alice@example.org", "ALICE", "nobody", "nobody@EXAMPLE.org", "secret of mine"].map { name in
            try #require(try plain(authenticator, name, "x").1.mark)
        }
        #expect(marks[0] == marks[1] && marks[2] == marks[3] && Set(marks).count == 3 && marks.allSatisfy { $0.count == 16 })
        #expect(try plain(authenticator, "nobody", "x").1.known == nil)
    }

    @Test func aBlockedScramClientSeesTheSaltThatItAlwaysSees() throws {
        let directory = try TestDirectory()
        _ = try directory.writer("alice@example.org")
        let guesses = GuessWatch(GuessLimits(perAddress: 1, perAccount: 100))
        let authenticator = Authenticator(folder: directory.path, defaultDomain: nil, cache: LoginCache(), guesses: guesses)
        func salt(_ name: String) throws -> [UInt8] {
            let (_, step) = try #require(authenticator.begin(
                Array("SCRAM-SHA-256".utf8), initial: Array("n,,n=\(name),r=abc".utf8), from: Array("192.0.2.9".utf8), at: at(0)))
            guard case .challenge(let text) = step else { return [] }
            return Array(text.split(separator: UInt8(ascii: ",")).first { $0.starts(with: Array("s=".utf8)) } ?? [])
        }
        let before = try ["alice@example.org", "nobody@example.org"].map(salt)
        guesses.failed(from: Array("192.0.2.9".utf8), as: nil, at: 0)
        #expect(try ["alice@example.org", "nobody@example.org"].map(salt) == before && !before.contains([]))
    }

    @Test func appPasswordsProveTheirAccountUntilTheyAreTakenBack() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("alice@example.org", "bob@example.org")
        let alice = address("alice@example.org")
        for label in ["phone", "tablet"] { try writer.addAppPassword(alice, label: label, password: Array("app-\(label)".utf8)) }
        let authenticator = Authenticator(folder: directory.path, defaultDomain: nil, cache: LoginCache())
        func works(_ password: String, _ name: String = "alice@example.org") throws -> Bool { try isIn(plain(authenticator, name, password).0) }
        #expect(try works("app-phone") && works("app-tablet") && works("pw-alice"))
        #expect(try !works("app-phone", "bob@example.org") && !works("app-phone", "nobody@example.org") && !works("app"))
        #expect(try writer.appPasswords(of: alice).map(\.label) == ["phone", "tablet"])
        #expect(throws: DirectoryError.exists(.appPassword, "phone")) { try writer.addAppPassword(alice, label: "phone", password: [1]) }
        #expect(throws: DirectoryError.badLabel(account: "alice@example.org")) { try writer.addAppPassword(alice, label: "a\n", password: [1]) }
        try writer.revokeAppPassword(alice, label: "phone")
        #expect(try !works("app-phone") && works("app-tablet"))
        try writer.setEnabled(alice, false)
        #expect(try !works("app-tablet"))
    }
}
