// Logging in: by every mechanism, wrongly in every way, and while the directory cannot be read.

import Kernel
import MailModel
import SASLProtocol
import Testing

@testable import Directory
@testable import DirectoryDatabase

struct AuthenticatorTests {
    private func authenticator(_ directory: TestDirectory, cache: LoginCache = LoginCache()) -> Authenticator {
        Authenticator(folder: directory.path, defaultDomain: domain("example.org"), cache: cache)
    }

    /// A whole dialogue as a client that knows `password`; whether the client believes the server, too.
    private func login(
        _ authenticator: Authenticator, _ mechanism: Mechanism, _ name: String, _ password: String, at now: MonotonicTime = at(0)
    ) throws -> (AuthenticationStep, believed: Bool) {
        let nonce = Array("clientnonce".utf8)
        var client = try #require(
            ClientExchange(mechanism: mechanism, name: Array(name.utf8), password: Array(password.utf8), hashes: .crypto, nonce: nonce))
        var (authentication, step) = try #require(authenticator.begin(mechanism.name, initial: client.initialResponse, at: now))
        while case .challenge(let challenge) = step {
            // A server's final message is answered by an empty one.
            let answer: [UInt8] = if case .respond(let answer) = client.challenge(challenge) { answer } else { [] }
            step = authenticator.respond(answer, to: &authentication, at: now)
        }
        return (step, client.acceptsSuccess)
    }

    private let alice = AuthenticatedAccount(address: address("alice@example.org"), folder: AccountFolder(Array("example.org/alice".utf8)))

    @Test(arguments: [Mechanism.plain, .login, .scramSHA256]) func provesAnAccount(_ mechanism: Mechanism) throws {
        let directory = try TestDirectory()
        _ = try directory.writer("alice@example.org", "bob@example.org")
        let authenticator = authenticator(directory)
        for name in ["alice@example.org", "alice", "Alice@EXAMPLE.org", "ALICE"] {
            let (step, believed) = try login(authenticator, mechanism, name, "pw-alice")
            #expect(step == .authenticated(alice), "\(name)")
            #expect(believed)
        }
        for (name, password) in [
            ("alice@example.org", "pw-alicE"), ("alice@example.org", "pw-bob"), ("bob", "pw-alice"), ("nobody", "pw-alice"),
            ("alice@example.net", "pw-alice"), ("alice+x@example.org", "pw-alice"), ("@example.org", "x"), ("a b@c d", "x"), ("@", "@"),
        ] {
            let (step, _) = try login(authenticator, mechanism, name, password)
            #expect(step == .rejected, "\(name)")
        }
    }

    @Test func importedHashesServePlainAndNotScram() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("alice@example.org")
        try writer.setPassword(alice.address, .stored(Array("{CRYPT}rl.3StKT.4T8M".utf8)))
        let authenticator = authenticator(directory)
        #expect(try login(authenticator, .plain, "alice", "rasmuslerdorf").0 == .authenticated(alice))
        #expect(try login(authenticator, .plain, "alice", "pw-alice").0 == .rejected)
        #expect(try login(authenticator, .scramSHA256, "alice", "rasmuslerdorf").0 == .rejected)
    }

    @Test(arguments: [Mechanism.plain, .scramSHA256]) func aDisabledAccountIsRejectedEvenAfterASuccess(_ mechanism: Mechanism) throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("alice@example.org")
        let authenticator = authenticator(directory)
        #expect(try login(authenticator, mechanism, "alice", "pw-alice").0 == .authenticated(alice))
        try writer.setEnabled(alice.address, false)
        #expect(try login(authenticator, mechanism, "alice", "pw-alice", at: at(2)).0 == .rejected)
        try writer.setEnabled(alice.address, true)
        #expect(try login(authenticator, mechanism, "alice", "pw-alice", at: at(4)).0 == .authenticated(alice))
    }

    @Test func theCacheForgetsAnOldPassword() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("alice@example.org")
        let cache = LoginCache()
        let authenticator = authenticator(directory, cache: cache)
        let name = Array("alice@example.org".utf8)
        for _ in 0..<3 { #expect(try authenticator.account(name: name, password: Array("pw-alice".utf8), at: at(0)) == alice) }
        let proof = cache.proof(name: name, password: Array("pw-alice".utf8))
        let snapshot = CredentialSnapshot(folder: directory.path)
        snapshot.refresh(at: at(0))
        #expect(cache.contains(proof, under: snapshot.digest))
        try writer.setPassword(alice.address, .password(Array("other".utf8)))
        #expect(try authenticator.account(name: name, password: Array("pw-alice".utf8), at: at(2)) == nil)
        #expect(try authenticator.account(name: name, password: Array("other".utf8), at: at(2)) == alice)
        #expect(!cache.contains(proof, under: snapshot.digest))
    }

    @Test func theCacheIsBoundedAndKeepsNoFailure() throws {
        let cache = LoginCache(limit: 8)
        let proofs = (0..<50).map { cache.proof(name: [UInt8($0)], password: []) }
        for proof in proofs { cache.insert(proof, under: [1]) }
        #expect(proofs.filter { cache.contains($0, under: [1]) }.count == 8)
        #expect(cache.proof(name: [1], password: [2, 3]) != cache.proof(name: [1, 2], password: [3]))
        #expect(cache.proof(name: [1], password: []) != LoginCache().proof(name: [1], password: []))
    }

    @Test func nobodyLogsInAsSomebodyElse() throws {
        let directory = try TestDirectory()
        _ = try directory.writer("alice@example.org", "bob@example.org")
        let authenticator = authenticator(directory)
        let password = Array("pw-alice".utf8)
        for (authorization, isRight) in [("", true), ("alice", true), ("ALICE@example.org", true), ("bob", false), ("bob@example.org", false)] {
            let found = try authenticator.account(
                authorization: Array(authorization.utf8), name: Array("alice".utf8), password: password, at: at(0))
            #expect((found == alice) == isRight, "\(authorization)")
        }
    }

    @Test func anUnknownNameHasTheSaltOfARealOneAndKeepsIt() throws {
        let directory = try TestDirectory()
        let writer = try directory.writer("alice@example.org")
        let authenticator = authenticator(directory)
        let first = try authenticator.scramVerifier(of: Array("nobody".utf8), at: at(0))
        let known = try authenticator.scramVerifier(of: Array("alice".utf8), at: at(0))
        #expect(first.account == nil && known.account == alice)
        #expect(first.verifier.salt.count == known.verifier.salt.count && first.verifier.iterations == known.verifier.iterations)
        try writer.addAccount(address("more@example.org"))
        let again = try Authenticator(folder: directory.path, defaultDomain: domain("example.org"), cache: LoginCache())
            .scramVerifier(of: Array("NOBODY@example.org".utf8), at: at(2))
        #expect(again.verifier.salt == first.verifier.salt)
        #expect(try authenticator.scramVerifier(of: Array("other".utf8), at: at(0)).verifier.salt != first.verifier.salt)
    }

    @Test func anEmptyDirectoryRejects() throws {
        let directory = try TestDirectory()
        _ = try directory.writer()
        #expect(try login(authenticator(directory), .plain, "alice", "x").0 == .rejected)
        #expect(try login(authenticator(directory), .scramSHA256, "alice", "x").0 == .rejected)
    }

    @Test(arguments: [Mechanism.plain, .scramSHA256]) func troubleIsUnavailableAndNeverRejected(_ mechanism: Mechanism) throws {
        let directory = try TestDirectory()
        _ = try directory.writer("alice@example.org")
        let good = try directory.contents("credentials.db")
        let authenticator = authenticator(directory)
        var second: Int64 = 0
        for length in [nil, 0, 100, 4096, good.count - 200, good.count - 1] {
            if let length { try directory.replace("credentials.db", Array(good.prefix(length))) } else { try directory.folder(of: "credentials.db").unlink("credentials.db") }
            second += 2
            for name in ["alice", "nobody"] {
                guard case .unavailable = try login(authenticator, mechanism, name, "pw-alice", at: at(second)).0 else {
                    Issue.record("\(name) with \(length ?? -1) bytes")
                    continue
                }
            }
        }
        try directory.replace("credentials.db", good)
        #expect(try login(authenticator, mechanism, "alice", "pw-alice", at: at(second + 2)).0 == .authenticated(alice))
    }

    @Test func garbageIsMalformed() throws {
        let directory = try TestDirectory()
        _ = try directory.writer("alice@example.org")
        let authenticator = authenticator(directory)
        #expect(authenticator.begin(Array("CRAM-MD5".utf8), initial: nil, at: at(0)) == nil)
        #expect(authenticator.begin(Array("SCRAM-SHA-256-PLUS".utf8), initial: nil, at: at(0)) == nil)
        for (mechanism, message) in [("PLAIN", "x"), ("plain", ""), ("SCRAM-SHA-256", "n,,x"), ("PLAIN", "\u{0}alice\u{0}")] {
            let begun = try #require(authenticator.begin(Array(mechanism.utf8), initial: Array(message.utf8), at: at(0)))
            #expect(begun.step == .malformed)
            var authentication = begun.authentication
            #expect(authenticator.respond(Array("\u{0}alice\u{0}pw-alice".utf8), to: &authentication, at: at(0)) == .malformed)
        }
    }
}
