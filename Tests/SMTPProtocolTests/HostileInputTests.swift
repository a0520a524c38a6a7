// Attacks that are known by name, each tried wherever the network may cut it (docs/security.md, "Attacks on SMTP").

import MailModel
import MailTestKit
import SMTPProtocol
import Testing

struct HostileInputTests {
    private static let smuggled = "MAIL FROM:<mallory@example.net>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nboo\r\n.\r\n"
    private static let opening = "EHLO x\r\nMAIL FROM:<carol@example.net>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n"

    private struct Outcome: Equatable {
        var output: String
        var accepted: [AcceptedMessage]
        var isClosed: Bool
        var wantsTLS: Bool
    }

    private func run(_ pieces: [ArraySlice<UInt8>], _ settings: [Transcript.Setting] = []) throws -> Outcome {
        var world = try SMTPWorld(settings)
        world.connected(1)
        for piece in pieces { world.received(piece, on: 1) }
        return Outcome(
            output: world.output(of: 1).display, accepted: world.accepted, isClosed: world.isClosed(1),
            wantsTLS: world.connections[1]?.awaitsHandshake ?? false)
    }

    /// CVE-2023-51764, -51765, -51766: what other servers take for the end of a message, with a second one behind it.
    @Test(arguments: ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\n\r.\r\n", "\r\n\0.\r\n"])
    func nothingIsSmuggledWhereverTheInputIsCut(end: String) throws {
        let input = bytes(Self.opening + "Subject: one\r\n\r\nbody" + end + Self.smuggled)
        let whole = try run([input[...]])
        // The NUL is content like any other octet, so the whole of it is one message of carol's.
        #expect(whole.accepted.count == (end.utf8.contains(0) ? 1 : 0), "\(whole.output)")
        #expect(whole.accepted.allSatisfy { $0.envelope.recipients.map(\.description) == ["alice@example.org"] })
        if !end.utf8.contains(0) { #expect(whole.output.contains("554 5.6.0") && whole.isClosed) }
        #expect(try Chop.difference(input) { try run($0) } == nil)
    }

    /// CVE-2011-0411: in one segment, or between the 220 and the handshake.
    @Test(arguments: ["RSET\r\n", "EHLO mallory\r\nMAIL FROM:<m@example.net>\r\n", "\r\n", "x", "STARTTLS\r\n", "QUIT\r\n"])
    func nothingBehindStartTLSIsAnswered(injected: String) throws {
        let input = bytes("EHLO x\r\nMAIL FROM:<carol@example.net>\r\nSTARTTLS\r\n" + injected)
        let tls = [Transcript.Setting(key: "tls", words: [])]
        let whole = try run([input[...]], tls)
        #expect(whole.isClosed && !whole.wantsTLS && whole.output.hasSuffix("220 2.0.0 Ready to start TLS\r\n"), "\(whole.output)")
        // Cut just behind STARTTLS, the handshake was asked for before the rest came and ended the connection.
        for cut in 1..<input.count {
            let cutThere = try run([input[..<cut], input[cut...]], tls)
            #expect(cutThere.isClosed && cutThere.output == whole.output, "cut at \(cut): \(cutThere.output)")
        }
    }

    /// RFC 3207 §4.2: whatever was said in the clear, what follows the handshake goes as in a session that began with it.
    @Test(arguments: ["relay", "submission"])
    func everythingSaidBeforeTLSIsForgotten(service: String) throws {
        let plain = "AUTH PLAIN AGFsaWNlAHNlY3JldA=="
        let lines = [
            "EHLO x", "HELO y", "MAIL FROM:<carol@example.net>", "RCPT TO:<alice@example.org>", "RCPT TO:<nobody@example.org>", plain, "RSET", "NOOP",
            "FOO", "AUTH LOGIN", "*", "DATA", "VRFY x", "BDAT 3", "abc", "BDAT 0 LAST",
        ]
        let settings = [("tls", []), ("plaintext", []), ("service", [service]), ("offer", ["CHUNKING"]), ("limit", ["errors", "12"]), ("limit", ["commands", "40"])]
            .map { Transcript.Setting(key: $0.0, words: $0.1) }
        var generator = SeededGenerator()
        var compared = 0
        for _ in 0..<300 {
            func some() -> [UInt8] { (0..<Int.random(in: 0...8, using: &generator)).flatMap { _ in bytes((lines.randomElement(using: &generator) ?? "") + "\r\n") } }
            let (before, after) = (some(), some())
            var upgraded = try SMTPWorld(settings)
            upgraded.connected(1)
            upgraded.received(before[...], on: 1)
            _ = upgraded.output(of: 1)
            upgraded.received(bytes("STARTTLS\r\n")[...], on: 1)
            guard upgraded.connections[1]?.awaitsHandshake == true else { continue }
            _ = upgraded.output(of: 1)
            let earlier = upgraded.accepted.count
            upgraded.happened(.tls, on: 1)
            upgraded.received(after[...], on: 1)
            var fresh = try SMTPWorld(settings + [Transcript.Setting(key: "tls", words: ["active"])])
            fresh.connected(1)
            _ = fresh.output(of: 1)
            fresh.received(after[...], on: 1)
            let (one, other) = (upgraded.output(of: 1).display, fresh.output(of: 1).display)
            #expect(one == other, "\(before.display) then \(after.display)")
            #expect(upgraded.accepted.count - earlier == fresh.accepted.count)
            compared += 1
        }
        #expect(compared > 100)
    }

    /// ALPACA: a browser's POST whose body is a whole mail transaction.
    @Test(arguments: ["GET / HTTP/1.1", "POST /x HTTP/1.1", "CONNECT mx:25 HTTP/1.1", "PUT / HTTP/1.0", "options * HTTP/1.1", "Host: mx", "User-Agent: x", "{", "\u{16}\u{3}\u{1}"])
    func nothingBehindHTTPIsExecuted(line: String) throws {
        let input = bytes(line + "\r\nContent-Length: 99\r\n\r\n" + Self.opening + "Subject: x\r\n\r\nx\r\n.\r\n")
        let whole = try run([input[...]])
        #expect(whole.isClosed && whole.accepted.isEmpty)
        #expect(whole.output.split(separator: "\r\n").dropFirst().map { $0.prefix(3) } == ["554"], "\(whole.output)")
        #expect(try Chop.difference(input, places: 40) { try run($0) } == nil)
    }

    /// A NUL anywhere in a command refuses it, and it has no effect.
    @Test(arguments: ["HELO x", "MAIL FROM:<a@example.net>", "RCPT TO:<alice@example.org>", "NOOP and more", "RSET", "DATA", "VRFY alice"])
    func aNULAnywhereIsRefused(line: String) throws {
        for at in 0...line.utf8.count {
            var text = bytes(line)
            text.insert(0, at: at)
            let outcome = try run([(bytes("EHLO x\r\nMAIL FROM:<c@example.net>\r\nRCPT TO:<bob@example.org>\r\n") + text + bytes("\r\n"))[...]])
            let last = outcome.output.split(separator: "\r\n").last ?? ""
            #expect(last.hasPrefix("5"), "\(text.display) gave \(last)")
        }
    }

    /// RFC 1870 §6: numbers that no integer holds, and what is no number.
    @Test(arguments: [
        ("9223372036854775807", "552"), ("9223372036854775808", "552"), ("18446744073709551616", "552"), ("99999999999999999999", "552"),
        ("-1", "501"), ("+1", "501"), ("0x10", "501"), ("", "501"), ("1e3", "501"), ("100000000000000000000000000000", "501"),
    ])
    func aSizeOfAnyLengthIsANumberOrNone(size: String, code: String) throws {
        let outcome = try run([bytes("EHLO x\r\nMAIL FROM:<c@example.net> SIZE=\(size)\r\n")[...]])
        #expect(outcome.output.split(separator: "\r\n").last?.prefix(3) ?? "" == code, "\(size): \(outcome.output)")
    }

    /// RFC 3030 §2: what is too large at once is read, refused and never a message, not an empty one either.
    @Test(arguments: [3001, 4000, 70_000, Int.max]) func aFirstChunkAboveTheLimitIsNoMessage(octets: Int) throws {
        let settings = [("offer", ["CHUNKING"]), ("limit", ["size", "3000"])].map { Transcript.Setting(key: $0.0, words: $0.1) }
        let opening = "EHLO x\r\nMAIL FROM:<carol@example.net>\r\nRCPT TO:<alice@example.org>\r\nBDAT \(octets) LAST\r\n"
        let content = String(repeating: "RSET\r\n", count: 20_000).utf8.prefix(octets)
        let outcome = try run([(bytes(opening) + content + bytes(octets < 100_000 ? "NOOP\r\n" : ""))[...]], settings)
        #expect(outcome.accepted.isEmpty)
        let replies = outcome.output.split(separator: "\r\n").map { $0.prefix(3) }.suffix(2)
        #expect(replies == (octets < 100_000 ? ["552", "250"] : replies), "\(outcome.output)")
    }

    /// Who sends and does not read gets a few replies ready, and the rest when these are taken; all of them come, in order.
    @Test(arguments: ["NOOP", "HELP", "VRFY x", "FOO", "RSET", "HELO x", "RCPT TO:<>", "DATA"])
    func repliesThatNobodyTakesAreNotMade(line: String) throws {
        var probe = try ServerProbe {
            $0.limits.commandsWithoutMail = .max
            $0.limits.errors = .max
        }
        _ = probe.send("HELO x\r\n")
        _ = probe.send("MAIL FROM:<>\r\n")
        _ = probe.answer(.sender(.accepted))
        probe.session.received(bytes(String(repeating: line + "\r\n", count: 3000) + "QUIT\r\n"))
        // The last line has not even been looked at.
        #expect(!probe.session.wantsInput && !probe.session.isClosed)
        let all = codes(probe.take())
        // Each line, refused or not, has one reply.
        #expect(all.count == 3002 && all.suffix(2) == ["221", "close"], "\(all.count)")
    }
}
