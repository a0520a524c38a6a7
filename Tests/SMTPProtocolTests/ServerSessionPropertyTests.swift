// Random sessions: any chopping gives the same dialogue, and no order of commands gets a message past the rules.

import MailModel
import MailTestKit
import SMTPProtocol
import Testing

struct ServerSessionPropertyTests {
    private static let settings = [
        Transcript.Setting(key: "tls", words: []), .init(key: "plaintext", words: []),
        .init(key: "limit", words: ["inline", "200"]),
        .init(key: "limit", words: ["size", "3000"]), .init(key: "limit", words: ["hops", "2"]),
    ]

    /// All that came of a session: output, messages, end.
    struct Outcome: Equatable {
        var output: String
        var accepted: [AcceptedMessage]
        var isClosed: Bool
    }

    private func run(_ pieces: [ArraySlice<UInt8>], service: String) throws -> Outcome {
        var world = try SMTPWorld(Self.settings + [.init(key: "service", words: [service])])
        world.connected(1)
        for piece in pieces { world.received(piece, on: 1) }
        return Outcome(
            output: String(decoding: world.output(of: 1), as: UTF8.self), accepted: world.accepted,
            isClosed: world.isClosed(1))
    }

    private static let lines = [
        "EHLO x", "HELO x", "MAIL FROM:<carol@example.net>", "MAIL FROM:<> SIZE=10", "MAIL FROM:<> SIZE=9999",
        "RCPT TO:<alice@example.org>",
        "RCPT TO:<bob@example.org>", "RCPT TO:<nobody@example.org>", "RCPT TO:<dave@example.com>", "DATA", "DATA",
        "RSET", "NOOP", "VRFY x",
        "AUTH PLAIN AGFsaWNlAHNlY3JldA==", "AUTH LOGIN", "YWxpY2U=", "c2VjcmV0", "*", "FOO", "Subject: x", "", ".", ".",
        "..", "a\nb", "a\rb", "\n.",
        "Received: x", String(repeating: "long ", count: 700), "BDAT 5", "Message-ID: <x@y>",
    ]

    private func randomDialogue(_ generator: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 1...40, using: &generator)).flatMap { _ in
            bytes((Self.lines.randomElement(using: &generator) ?? "") + "\r\n")
        }
    }

    @Test(arguments: ["relay", "submission"])
    func choppingChangesNothing(service: String) throws {
        var generator = SeededGenerator()
        for _ in 0..<40 {
            let input = randomDialogue(&generator)
            #expect(
                try Chop.difference(input, places: 20, seed: generator.seed) { try run($0, service: service) } == nil)
        }
    }

    @Test func aCommandFloodIsChopInvariantToo() throws {
        let input = bytes("EHLO x\r\n" + String(repeating: "NOOP\r\n", count: 120))
        #expect(try Chop.difference(input, places: 100) { try run($0, service: "relay") } == nil)
    }

    /// The rules, checked from outside against a model of a dozen lines.
    @Test func noMessageWithoutAnEnvelopeOfItsOwn() throws {
        var generator = SeededGenerator()
        var accepted = 0
        for _ in 0..<400 {
            var world = try SMTPWorld(Self.settings)
            world.connected(1)
            _ = world.output(of: 1)
            var model = EnvelopeModel()
            for _ in 0..<60 where !world.isClosed(1) {
                let line =
                    model.isInContent
                    ? [".", "a", "..b"].randomElement(using: &generator) : Self.simple.randomElement(using: &generator)
                guard let line else { continue }
                world.received(bytes(line + "\r\n")[...], on: 1)
                let reply = String(decoding: world.output(of: 1).prefix(3), as: UTF8.self)
                #expect(model.expects(line).contains(reply), "\(line) in \(model) gave \(reply)")
                model.happened(line, reply)
            }
            #expect(world.accepted.count == model.accepted.count)
            for (message, recipients) in zip(world.accepted, model.accepted) {
                #expect(message.envelope.recipients.map(\.description) == recipients)
            }
            accepted += world.accepted.count
        }
        #expect(accepted > 100)
    }

    private static let simple = [
        "HELO x", "MAIL FROM:<carol@example.net>", "MAIL FROM:<carol@example.net>", "RCPT TO:<alice@example.org>",
        "RCPT TO:<bob@example.org>",
        "RCPT TO:<nobody@example.org>", "DATA", "DATA", "RSET", "NOOP", "FOO",
    ]
}

/// RFC 5321 §4.1.4 in as few words as it can be said.
private struct EnvelopeModel {
    var saidHello = false
    var hasSender = false
    var recipients: [String] = []
    var isInContent = false
    var accepted: [[String]] = []

    func expects(_ line: String) -> Set<String> {
        if isInContent { return line == "." ? ["250"] : [""] }
        switch line.prefix(4) {
        case "MAIL": return saidHello && !hasSender ? ["250"] : ["503"]
        case "RCPT": return !hasSender ? ["503"] : line.contains("nobody") ? ["550"] : ["250"]
        case "DATA": return hasSender && !recipients.isEmpty ? ["354"] : ["503", "554"]
        case "FOO": return ["500"]
        default: return ["250", "421"]
        }
    }

    mutating func happened(_ line: String, _ reply: String) {
        if isInContent {
            guard line == "." else { return }
            accepted.append(recipients)
            (isInContent, hasSender, recipients) = (false, false, [])
        } else if reply == "354" {
            isInContent = true
        } else if reply == "250" {
            switch line.prefix(4) {
            case "HELO": (saidHello, hasSender, recipients) = (true, false, [])
            case "RSET": (hasSender, recipients) = (false, [])
            case "MAIL": hasSender = true
            case "RCPT":
                let address = String(line.dropFirst(9).dropLast())
                if !recipients.contains(address) { recipients.append(address) }
            default: break
            }
        }
    }
}
