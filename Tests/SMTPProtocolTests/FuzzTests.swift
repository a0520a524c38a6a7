// Commands, paths and whole dialogues with chunks, from the corpus and mutated: no input ends the process, and what is taken prints itself.

import MailModel
import MailTestKit
import SMTPProtocol
import Testing

struct FuzzTests {
    private static let everything: ServerExtensions = {
        var offer = ServerExtensions()
        (offer.smtpUTF8, offer.dsn, offer.chunking, offer.binaryMIME, offer.requireTLS) = (true, true, true, true, true)
        offer.futureRelease = InternetTime(parsing: bytes("2036-01-01T00:00:00Z")).map { .init(interval: 1000, until: $0) }
        offer.deliverBy = .init(minimum: 0)
        offer.priority = .init(rawValue: "MIXER")
        return offer
    }()

    private static func isClean(_ wire: [UInt8]) -> Bool { wire.dropLast(2).allSatisfy { $0 >= 0x20 && $0 != 0x7F } && wire.suffix(2) == [13, 10] }

    @Test func commands() throws {
        let fuzz = try Fuzz("smtp-command", words: [
            "MAIL FROM:<", "RCPT TO:<", "<>", " SIZE=", " BODY=BINARYMIME", " AUTH=", "+0A", "+3D", " ENVID=", " ORCPT=utf-8;", "\\x{", "}", " NOTIFY=", " RET=FULL",
            " HOLDFOR=", " HOLDUNTIL=", " BY=", " MT-PRIORITY=", " SMTPUTF8", "BDAT ", " LAST", "99999999999999999999", "AUTH ", "\"", "\\", "@", "@a.example:", "[IPv6:",
        ])
        let failure = fuzz.failure { input in
            for offer in [ServerExtensions(), Self.everything] {
                guard let command = try? Command(parsing: input, offering: offer) else { continue }
                let wire = command.wire
                guard Self.isClean(wire) else { return "prints \(wire)" }
                guard let again = try? Command(parsing: wire.dropLast(2), offering: offer) else { return "\(wire.display) cannot be parsed" }
                if again != command { return "\(wire.display) is another command" }
            }
            return nil
        }
        #expect(failure == nil)
    }

    @Test func paths() throws {
        let fuzz = try Fuzz("smtp-path", words: ["<", ">", "@", "\"", "\\", ".", "..", "[", "]", "[IPv6:", "::1", "@a.example,", ":", "postmaster", "ü", "xn--", "%", "!"])
        let failure = fuzz.failure { input in
            guard let (path, rest) = PathParser.split(input[...]) else { return nil }
            guard path.count + rest.count + 2 == input.count else { return "bytes were lost" }
            if case .mailbox(let address)? = PathParser.forwardPath(path) {
                guard Self.isClean(address.wire + [13, 10]) else { return "prints \(address.wire)" }
                guard EmailAddress(parsing: address.wire) == address else { return "\(address) cannot be parsed" }
                guard PathParser.split((bytes("<") + address.wire + bytes(">"))[...])?.path.elementsEqual(address.wire) == true else { return "\(address) ends too early" }
                guard (1...64).contains(address.localPart.count), address.wire.count <= 386 else { return "\(address) is too long" }
                guard PathParser.reversePath(path) == .address(address) else { return "as a sender it is another" }
            }
            return nil
        }
        #expect(failure == nil)
    }

    private struct Outcome: Equatable {
        var output: [UInt8]
        var accepted: [AcceptedMessage]
        var isClosed: Bool
        var wantsTLS: Bool
    }

    /// Each input is a whole conversation; cut anywhere it must come to the same, and no message has nobody to go to.
    @Test func dialogues() throws {
        let fuzz = try Fuzz("smtp-dialogue", words: [
            "EHLO x\r\n", "MAIL FROM:<c@example.net>\r\n", "RCPT TO:<alice@example.org>\r\n", "DATA\r\n", "\r\n.\r\n", "\n.\n", "\r.\r", "BDAT 5\r\n", "BDAT 0 LAST\r\n",
            "BDAT 9223372036854775807\r\n", "RSET\r\n", "STARTTLS\r\n", "NOOP\r\n", "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "*\r\n", "\0", "GET / HTTP/1.1\r\n", "QUIT\r\n",
        ])
        var generator = SeededGenerator(seed: 1)
        let failure = try fuzz.failure(rounds: 1500) { input in
            for service in ["relay", "submission"] {
                let whole = try run([input[...]], service)
                let cut = Int.random(in: 0...input.count, using: &generator)
                var chopped = try run([input[..<cut], input[cut...]], service)
                // A handshake asked for before the rest came is ended by the rest.
                if whole.isClosed, cut > 0 { chopped.wantsTLS = whole.wantsTLS }
                guard whole == chopped else { return "cut at \(cut) as \(service): \(chopped)\ninstead of \(whole)" }
                guard whole.accepted.allSatisfy({ !$0.envelope.recipients.isEmpty }) else { return "a message for nobody" }
                guard whole.output.count < 400 + 200 * input.count else { return "\(whole.output.count) octets of replies" }
            }
            return nil
        }
        #expect(failure == nil)
    }

    private func run(_ pieces: [ArraySlice<UInt8>], _ service: String) throws -> Outcome {
        let settings = [("service", [service]), ("tls", []), ("plaintext", []), ("offer", ["CHUNKING"]), ("offer", ["BINARYMIME"]), ("offer", ["SMTPUTF8"]), ("offer", ["DSN"]),
                        ("limit", ["inline", "64"]), ("limit", ["size", "2000"])]
        var world = try SMTPWorld(settings.map { Transcript.Setting(key: $0.0, words: $0.1) })
        world.connected(1)
        for piece in pieces { world.received(piece, on: 1) }
        return Outcome(
            output: world.output(of: 1), accepted: world.accepted, isClosed: world.isClosed(1), wantsTLS: world.connections[1]?.awaitsHandshake ?? false)
    }
}
