// Command lines: what each is, what each is not, and that printing undoes parsing.

import MailModel
import MailTestKit
import SMTPProtocol
import Testing

func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }

func parsed(_ line: some Collection<UInt8>) -> Result<Command, CommandFault> {
    do { return .success(try Command(parsing: line)) } catch { return .failure(error) }
}

struct CommandTests {
    @Test func commandsAreRecognised() throws {
        let carol = ReversePath.address(try address("carol@example.net"))
        let rows: [(String, Command)] = [
            ("HELO mx.example.net", .helo(bytes("mx.example.net"))),
            ("ehlo [IPv6:2001:db8::1]", .ehlo(bytes("[IPv6:2001:db8::1]"))),
            ("EHLO  under_score", .ehlo(bytes("under_score"))), ("DATA", .data), ("data  ", .data), ("RSET", .rset),
            ("NOOP", .noop),
            ("NOOP with words", .noop), ("QUIT", .quit), ("VRFY alice", .vrfy), ("HELP", .help), ("HELP MAIL", .help),
            ("StartTLS", .startTLS), ("AUTH PLAIN", .auth(mechanism: bytes("PLAIN"), initial: nil)),
            ("AUTH PLAIN =", .auth(mechanism: bytes("PLAIN"), initial: bytes("="))),
            ("MAIL FROM:<>", .mail(.null, MailParameters())),
            ("MAIL FROM:<carol@example.net>", .mail(carol, MailParameters())),
            ("MAIL FROM: <carol@example.net>", .mail(carol, MailParameters())),
            ("mail from:<@a.example,@b.example:carol@example.net>", .mail(carol, MailParameters())),
            ("MAIL FROM:<carol@example.net> size=5 body=7bit", .mail(carol, MailParameters(size: 5, body: .sevenBit))),
            ("MAIL FROM:<> SIZE=99999999999999999999", .mail(.null, MailParameters(size: .max))),
            ("MAIL FROM:<> AUTH=<>", .mail(.null, MailParameters(submitter: .null))),
            ("MAIL FROM:<> AUTH=carol@example.net", .mail(.null, MailParameters(submitter: carol))),
            ("RCPT TO:<postmaster>", .rcpt(.postmaster)), ("RCPT TO:<POSTMASTER>", .rcpt(.postmaster)),
            ("RCPT TO:<carol@example.net>", .rcpt(.mailbox(try address("carol@example.net")))),
            ("RCPT TO:<\"a>b\"@example.net>", .rcpt(.mailbox(try address("\"a>b\"@example.net")))),
        ]
        for (line, command) in rows { #expect(parsed(bytes(line)) == .success(command), "\(line)") }
    }

    @Test(arguments: [
        ("", CommandFault.unrecognised), ("   ", .unrecognised), ("FOO", .unrecognised),
        ("MAILFROM:<a@b.example>", .unrecognised),
        ("EXPN list", .notImplemented), ("BDAT 10 LAST", .notImplemented), ("XCLIENT NAME=x", .notImplemented),
        ("GET / HTTP/1.1", .notMail), ("connect x:25 HTTP/1.1", .notMail), ("Host: x", .notMail),
        ("User-Agent: x", .notMail),
        ("{\"json\": 1}", .notMail), ("\u{16}\u{3}", .notMail), (" NOOP", .notMail), ("220 hello", .notMail),
        ("HELO", .badArguments), ("EHLO a b", .badArguments), ("EHLO \u{7F}", .badArguments),
        ("NOOP\tx", .badArguments),
        ("VRFY", .badArguments), ("AUTH", .badArguments), ("AUTH a b c", .badArguments), ("MAIL", .badArguments),
        ("MAIL TO:<a@b.example>", .badArguments),
        ("RCPT FROM:<a@b.example>", .badArguments), ("DATA now", .takesNoArguments), ("STARTTLS x", .takesNoArguments),
        ("MAIL FROM:a@b.example", .badSender), ("MAIL FROM:<a@b.example", .badSender), ("MAIL FROM:", .badSender),
        ("MAIL FROM:<\"a@b.example>", .badSender),
        ("MAIL FROM:<@a.example>", .badSender), ("MAIL FROM:<@:a@b.example>", .badSender),
        ("MAIL FROM:<postmaster>", .badSender),
        ("RCPT TO:<>", .badRecipient), ("RCPT TO:<a@b.example>NOTIFY=NEVER", .badRecipient),
        ("RCPT TO:<a@b.example> X=1", .unknownParameter),
        ("MAIL FROM:<a@b.example>SIZE=1", .badArguments), ("MAIL FROM:<a@b.example> SIZE=", .badArguments),
        ("MAIL FROM:<a@b.example> SIZE=1x", .badArguments),
        ("MAIL FROM:<a@b.example> SIZE=999999999999999999999", .badArguments),
        ("MAIL FROM:<a@b.example> SIZE=1 SIZE=2", .badArguments),
        ("MAIL FROM:<a@b.example> BODY=BINARYMIME", .badArguments),
        ("MAIL FROM:<a@b.example> AUTH=a+0Ab@c.example", .badArguments),
        ("MAIL FROM:<a@b.example> AUTH=a+0", .badArguments),
        ("MAIL FROM:<a@b.example> AUTH=a=b@c.example", .badArguments),
        ("MAIL FROM:<a@b.example> RET=FULL", .unknownParameter),
        ("MAIL FROM:<gr\u{FC}n@b.example>", .needsUTF8), ("RCPT TO:<a@b\u{FC}.example>", .needsUTF8),
    ])
    func faultsAreNamed(line: String, fault: CommandFault) { #expect(parsed(bytes(line)) == .failure(fault)) }

    @Test func printingUndoesParsing() throws {
        var generator = SeededGenerator()
        let alphabet = bytes("abAB.+=\"\\ @<>,:z")
        var printed = 0
        for _ in 0..<20000 {
            let local = generator.bytes(Int.random(in: 1...6, using: &generator), from: alphabet)
            guard let domain = Domain("example.net"), let address = EmailAddress(localPart: local, domain: domain)
            else { continue }
            let parameters = MailParameters(
                size: Bool.random(using: &generator) ? Int.random(in: 0...999_999, using: &generator) : nil,
                body: Bool.random(using: &generator) ? .eightBitMIME : nil,
                submitter: Bool.random(using: &generator) ? .address(address) : nil)
            for command in [Command.mail(.address(address), parameters), .rcpt(.mailbox(address)), .helo(bytes("x"))] {
                #expect(parsed(command.wire.dropLast(2)) == .success(command), "\(command.wire.display)")
                #expect(!command.wire.dropLast(2).contains { $0 == 13 || $0 == 10 })
            }
            printed += 1
        }
        #expect(printed > 1000)
    }

    @Test func xtextDecodesWhatItEncodes() {
        let all = Array(UInt8.min ... .max)
        #expect(XText.decode(XText.encode(all)) == all)
        for bad in ["a b", "+", "+4", "+4g", "+4a", "a=b", "\u{7F}"] {
            #expect(XText.decode(bytes(bad)) == nil, "\(bad)")
        }
    }

    @Test func anyLineHasAnAnswer() {
        var generator = SeededGenerator()
        for _ in 0..<20000 {
            var line = bytes(["MAIL FROM:<", "RCPT TO:<", "AUTH ", "EHLO ", ""].randomElement(using: &generator) ?? "")
            line += generator.bytes(
                Int.random(in: 0...30, using: &generator), from: bytes("a@.<>\":, =+\\\0\u{FC}SIZE"))
            if case .failure(let fault) = parsed(line) { #expect(fault.reply.replyClass == .permanent) }
        }
    }
}
