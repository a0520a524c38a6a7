// Our client against our server, through the whole of both machines.

import MailModel
import MailTestKit
import SASLProtocol
import SMTPProtocol
import Testing

struct ClientServerTests {
    private func credentials(_ password: String) -> ClientConfiguration.Credentials {
        .init(name: bytes("alice"), password: bytes(password), hashes: hashes, nonce: bytes("clientnonce"))
    }

    private func world(_ settings: [String]) throws -> SMTPWorld {
        try SMTPWorld(
            settings.map { line in
                let words = line.split(separator: " ").map(String.init)
                return Transcript.Setting(key: words[0], words: Array(words.dropFirst()))
            })
    }

    @Test func relayOverTLS() throws {
        var server = try world(["tls"])
        var client = try ClientProbe(["alice@example.org", "nobody@example.org", "dave@example.com"])
        server.converse(&client)
        #expect(client.outcomes.map { $0.prefix(15) } == ["delivered", "permanent 5.1.1", "permanent 5.7.1"])
        #expect(server.accepted.first?.content == client.content)
        #expect(server.accepted.first?.facts.isTLS == true)
    }

    @Test(arguments: [["SCRAM-SHA-256", "PLAIN"], ["PLAIN"], ["LOGIN"]])
    func submissionWithAPassword(mechanisms: [String]) throws {
        for (password, outcome) in [("secret", "delivered"), ("wrong", "temporary 4.7.8 5.7.8 Authentication failed")] {
            var server = try world(["service submission", "tls", "mechanisms " + mechanisms.joined(separator: " ")])
            var client = try ClientProbe(["dave@example.com"]) {
                $0.tls = .required
                $0.credentials = credentials(password)
            }
            server.converse(&client)
            #expect(client.outcomes == [outcome])
            #expect(server.accepted.map(\.facts.identity) == (password == "secret" ? [bytes("alice@example.org")] : []))
        }
    }

    @Test func noPasswordIsSentInTheClear() throws {
        var server = try world(["service submission", "plaintext", "mechanisms PLAIN LOGIN"])
        var client = try ClientProbe(["dave@example.com"]) { $0.credentials = credentials("secret") }
        server.converse(&client)
        #expect(client.outcomes == ["temporary 4.7.0 no usable authentication mechanism"])
    }

    @Test func whateverTheContentOneMessageArrives() throws {
        var generator = SeededGenerator()
        for _ in 0..<100 {
            var server = try world([])
            var client = try ClientProbe()
            client.content = generator.bytes(Int.random(in: 0...200, using: &generator), from: bytes("ab.\r\n"))
            server.converse(&client)
            #expect(client.outcomes == ["delivered"] && server.accepted.count == 1)
        }
    }

    @Test func temporaryAnswersAreTemporary() throws {
        for setting in ["spool full", "spool failing", "directory unavailable"] {
            var server = try world([setting])
            var client = try ClientProbe()
            server.converse(&client)
            #expect(client.outcomes.first?.hasPrefix("temporary 4.3.") == true, "\(setting): \(client.outcomes)")
        }
    }

    /// A server that says anything at all: the client ends with one result a recipient, and never hangs on its own.
    @Test func randomServersGetNothingOverOnUs() throws {
        var generator = SeededGenerator()
        let lines = [
            "220 x", "250 x", "250-x", "250-STARTTLS", "250 AUTH PLAIN", "354 x", "421 x", "450 x", "550 5.1.1 x",
            "334 ", "235 x", "junk", "250", "250-CHUNKING", "250-DSN",
        ]
        var delivered = 0
        for _ in 0..<3000 {
            let size = Bool.random(using: &generator) ? 20 : nil
            var client = try ClientProbe(["alice@example.org", "bob@example.org"], size: size) {
                $0.usesChunking = Bool.random(using: &generator)
                $0.credentials = Bool.random(using: &generator) ? credentials("secret") : nil
                $0.dialect = Bool.random(using: &generator) ? .smtp : .lmtp
            }
            for _ in 0..<20 where !client.isClosed {
                client.hear((lines.randomElement(using: &generator) ?? "") + "\r\n")
                if client.handshakes > 0, Bool.random(using: &generator) { _ = client.tlsStarted() }
            }
            client.session.peerClosed()
            client.pump()
            #expect(client.isClosed && client.finished.count == 1 && client.finished[0].count == 2)
            if client.outcomes.contains("delivered") { delivered += 1 }
        }
        #expect(delivered < 3000)
    }
}
