// Random dialogues with chunks: any chopping gives the same, no octet of a chunk is executed, and no message arrives in part.

import MailModel
import MailTestKit
import SMTPProtocol
import Testing

struct ChunkingPropertyTests {
    private static let settings = [
        Transcript.Setting(key: "offer", words: ["CHUNKING"]), .init(key: "offer", words: ["BINARYMIME"]), .init(key: "offer", words: ["DSN"]),
        .init(key: "offer", words: ["SMTPUTF8"]), .init(key: "limit", words: ["inline", "20"]), .init(key: "limit", words: ["size", "60"]),
        .init(key: "limit", words: ["errors", "50"]),
    ]

    private struct Outcome: Equatable {
        var output: String
        var accepted: [AcceptedMessage]
        var isClosed: Bool
    }

    private func run(_ pieces: [ArraySlice<UInt8>]) throws -> Outcome {
        var world = try SMTPWorld(Self.settings)
        world.connected(1)
        for piece in pieces { world.received(piece, on: 1) }
        return Outcome(output: world.output(of: 1).display, accepted: world.accepted, isClosed: world.isClosed(1))
    }

    private static let lines = [
        "EHLO x", "MAIL FROM:<carol@example.net>", "MAIL FROM:<> BODY=BINARYMIME RET=FULL", "MAIL FROM:<gr\u{FC}n@example.net> SMTPUTF8",
        "RCPT TO:<alice@example.org>", "RCPT TO:<bob@example.org> NOTIFY=DELAY ORCPT=rfc822;b", "RCPT TO:<nobody@example.org>", "DATA", "RSET", "NOOP",
        "BDAT 0", "BDAT 0 LAST", "BDAT", "BDAT 99999999999999999999", "x", ".",
    ]

    /// A line, or a chunk whose octets look like commands.
    private func step(_ generator: inout SeededGenerator) -> [UInt8] {
        if Bool.random(using: &generator) { return bytes((Self.lines.randomElement(using: &generator) ?? "") + "\r\n") }
        let content = generator.bytes(Int.random(in: 0...30, using: &generator), from: bytes("RSET\r\n.BDAT 1\0") + [0xFF])
        return bytes("BDAT \(content.count)" + (Bool.random(using: &generator) ? " LAST\r\n" : "\r\n")) + content
    }

    @Test func choppingChangesNothing() throws {
        var generator = SeededGenerator()
        var accepted = 0
        for _ in 0..<60 {
            var input = bytes("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\n")
            for _ in 0..<Int.random(in: 1...30, using: &generator) { input += step(&generator) }
            accepted += try run([input[...]]).accepted.count
            #expect(try Chop.difference(input, places: 20, seed: generator.seed) { try run($0) } == nil)
        }
        #expect(accepted > 20)
    }

    /// Against a model that knows nothing of framing: it is told where each chunk begins and ends.
    @Test func aMessageIsItsChunksOrNothing() throws {
        var generator = SeededGenerator()
        var accepted = 0
        for _ in 0..<400 {
            var world = try SMTPWorld(Self.settings)
            var model = ChunkModel()
            world.connected(1)
            world.received(bytes("EHLO x\r\n")[...], on: 1)
            _ = world.output(of: 1)
            for _ in 0..<30 where !world.isClosed(1) {
                guard let choice = [0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 5, 5, 6, 6].randomElement(using: &generator) else { continue }
                let content = generator.bytes(Int.random(in: 0...25, using: &generator), from: bytes("QUIT\r\n.x"))
                let isLast = choice == 6
                let line = ["MAIL FROM:<>", "RCPT TO:<alice@example.org>", "RCPT TO:<nobody@example.org>", "RSET", "DATA"]
                let sent: [UInt8]
                switch choice {
                // DATA that would be taken is the business of other tests.
                case 4 where model.takesData: continue
                case 0..<5: sent = bytes(line[choice] + "\r\n")
                default: sent = bytes("BDAT \(content.count)\(isLast ? " LAST" : "")\r\n") + content
                }
                let expected = choice < 5 ? model.command(line[choice].prefix(4) + (choice == 2 ? "!" : "")) : model.chunk(content, isLast)
                world.received(sent[...], on: 1)
                let output = world.output(of: 1).display
                guard output.prefix(3) != "421" && !output.contains("\r\n421") else { break }
                #expect(output.prefix(3) == expected && output.split(separator: "\r\n").count == 1, "\(sent.display) in \(model) gave \(output)")
            }
            #expect(world.accepted.map(\.content) == model.accepted)
            accepted += world.accepted.count
        }
        #expect(accepted > 50)
    }
}

/// RFC 3030 §2 in as few words as it can be said.
private struct ChunkModel {
    var hasSender = false
    var hasRecipient = false
    var hasTried = false
    var isSpoiled = false
    var chunks: [UInt8]?
    var accepted: [[UInt8]] = []

    var takesData: Bool { hasSender && hasRecipient && chunks == nil && !isSpoiled }

    mutating func reset() { self = ChunkModel(accepted: accepted) }

    mutating func command(_ name: String) -> String {
        switch name {
        case "MAIL":
            guard !hasSender else { return "503" }
            hasSender = true
            return "250"
        case "RSET":
            reset()
            return "250"
        case "DATA":
            if hasSender, chunks != nil || isSpoiled {
                (isSpoiled, chunks) = (true, nil)
                return "503"
            }
            return hasSender && hasTried ? "554" : "503"
        default:
            guard hasSender, chunks == nil, !isSpoiled else { return "503" }
            hasTried = true
            guard name == "RCPT" else { return "550" }
            hasRecipient = true
            return "250"
        }
    }

    mutating func chunk(_ content: [UInt8], _ isLast: Bool) -> String {
        var reply = "250"
        if !hasSender || isSpoiled {
            reply = "503"
        } else if !hasRecipient {
            (reply, isSpoiled) = (hasTried ? "554" : "503", true)
        } else if (chunks?.count ?? 0) + content.count > 60 {
            (reply, isSpoiled) = ("552", true)
        } else {
            chunks = (chunks ?? []) + content
        }
        if isSpoiled { chunks = nil }
        if isLast {
            if reply == "250" { accepted.append(chunks ?? []) }
            reset()
        }
        return reply
    }
}
