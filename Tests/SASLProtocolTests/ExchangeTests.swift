// Client and server of each mechanism against each other, and the server against clients that lie.

import MailTestKit
import SASLProtocol
import Testing

struct ExchangeTests {
    @Test(arguments: [Mechanism.plain, .login, .scramSHA256])
    func rightPasswordSucceeds(mechanism: Mechanism) throws {
        let (result, clientAccepts) = try play(mechanism, name: "alice", password: "secret")
        #expect(result == .success(identity: bytes("alice@example.org")))
        #expect(clientAccepts)
    }

    @Test(arguments: [Mechanism.plain, .login, .scramSHA256], [("alice", "wrong"), ("nobody", "secret")])
    func wrongNameAndWrongPasswordLookAlike(mechanism: Mechanism, login: (String, String)) throws {
        let (result, _) = try play(mechanism, name: login.0, password: login.1)
        #expect(result == .failure(.rejected))
    }

    @Test func namesAreFoundWithoutCase() {
        #expect(Mechanism(name: bytes("plain")) == .plain)
        #expect(Mechanism(name: bytes("Scram-Sha-256")) == .scramSHA256)
        #expect(Mechanism(name: bytes("CRAM-MD5")) == nil)
        #expect(Mechanism(name: bytes("")) == nil)
        #expect(ServerExchange(mechanism: bytes("GSSAPI"), hashes: hashes, nonce: []) == nil)
        #expect(ServerExchange(mechanism: bytes("SCRAM-SHA-256-PLUS"), hashes: hashes, nonce: bytes("n")) == nil)
    }

    @Test(arguments: [
        "", "\0", "\0\0", "\0alice", "\0alice\0", "\0\0secret", "alice\0secret", "\0alice\0secret\0",
        "\0alice\0sec\0ret", "bob",
    ])
    func malformedPlainIsMalformed(message: String) throws {
        var server = try #require(ServerExchange(mechanism: bytes("PLAIN"), hashes: hashes, nonce: []))
        #expect(server.start(initialResponse: bytes(message)) == .failure(.malformed))
        #expect(server.response(bytes("\0alice\0secret")) == .failure(.malformed), "an exchange that failed is over")
    }

    @Test func invalidUTF8IsMalformed() throws {
        var server = try #require(ServerExchange(mechanism: bytes("PLAIN"), hashes: hashes, nonce: []))
        #expect(server.start(initialResponse: [0, 0xC0, 0xAF, 0, 0x61]) == .failure(.malformed))
    }

    @Test func nobodyActsForAnother() throws {
        for (authorization, expected) in [
            ("bob", ServerExchange.Result.failure(.rejected)),
            ("alice", .success(identity: bytes("alice@example.org"))),
        ] {
            var server = try #require(ServerExchange(mechanism: bytes("PLAIN"), hashes: hashes, nonce: []))
            #expect(
                settled(server.start(initialResponse: bytes(authorization + "\0alice\0secret")), &server) == expected)
        }
    }

    @Test(arguments: ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
    func overlongResponsesAreMalformed(mechanism: String) throws {
        var server = try #require(ServerExchange(mechanism: bytes(mechanism), hashes: hashes, nonce: bytes("n")))
        #expect(server.start(initialResponse: Array(repeating: 0x61, count: 8193)) == .failure(.malformed))
    }

    /// The limit itself, where nothing else is wrong with the message.
    @Test func aLongAuthorizationIdentityIsMalformedAndNotCompared() throws {
        for (length, expected) in [(8192 - 13, ServerExchange.Failure.rejected), (8192, .malformed)] {
            var server = try #require(ServerExchange(mechanism: bytes("PLAIN"), hashes: hashes, nonce: []))
            let message = Array(repeating: UInt8(ascii: "x"), count: length) + bytes("\0alice\0secret")
            #expect(server.start(initialResponse: message) == .failure(expected))
        }
    }

    @Test(arguments: ["al\0ice", "\0", "alice\0"]) func aNULInALoginIsMalformed(name: String) throws {
        var server = try #require(ServerExchange(mechanism: bytes("LOGIN"), hashes: hashes, nonce: []))
        _ = server.start(initialResponse: nil)
        #expect(server.response(bytes(name)) == .failure(.malformed))
        _ = server.start(initialResponse: nil)
        #expect(server.response(bytes("alice")) == .failure(.malformed), "an exchange that failed is over")
    }

    @Test func unavailableIsNotRejected() throws {
        var server = try #require(ServerExchange(mechanism: bytes("PLAIN"), hashes: hashes, nonce: []))
        _ = server.start(initialResponse: bytes("\0alice\0secret"))
        #expect(server.unavailable() == .failure(.unavailable))
    }

    @Test func loginPromptsInTurn() throws {
        var server = try #require(ServerExchange(mechanism: bytes("login"), hashes: hashes, nonce: []))
        #expect(server.start(initialResponse: nil) == .challenge(bytes("Username:")))
        #expect(server.response(bytes("alice")) == .challenge(bytes("Password:")))
        #expect(settled(server.response(bytes("secret")), &server) == .success(identity: bytes("alice@example.org")))
    }

    @Test func answersToTheWrongQuestionFail() throws {
        var server = try #require(ServerExchange(mechanism: bytes("PLAIN"), hashes: hashes, nonce: []))
        _ = server.start(initialResponse: bytes("\0alice\0secret"))
        #expect(server.credential(aliceVerifier, known: true, identity: bytes("x")) == .failure(.malformed))
        var scram = try #require(ServerExchange(mechanism: bytes("SCRAM-SHA-256"), hashes: hashes, nonce: bytes("n")))
        _ = scram.start(initialResponse: bytes("n,,n=alice,r=c"))
        #expect(scram.verified(identity: bytes("alice")) == .failure(.malformed))
    }

    /// Whatever comes, in whatever order, the exchange ends or goes on; it never succeeds without the secret.
    @Test(arguments: Mechanism.allCases)
    func randomResponsesNeverSucceed(mechanism: Mechanism) throws {
        var generator = SeededGenerator()
        let alphabet = bytes("npy,a=rcsi\0alice=2C=3DbiwsvAB") + [0xFF]
        let binding = ChannelBinding(type: bytes("tls-exporter"), data: [1, 2, 3])
        for _ in 0..<2000 {
            var server = try #require(
                ServerExchange(mechanism: mechanism.name, hashes: hashes, nonce: bytes("n"), channelBinding: binding))
            for _ in 0..<4 {
                let message = generator.bytes(Int.random(in: 0...24, using: &generator), from: alphabet)
                if case .success = settled(server.response(message), &server) {
                    Issue.record("succeeded with \(message)")
                }
            }
        }
    }
}
