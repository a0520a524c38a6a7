// Parameters of the extensions: taken where they are offered, unknown where they are not, and printing undoes parsing.

import MailModel
import MailTestKit
import SMTPProtocol
import Testing

extension ServerExtensions {
    /// All of them, with bounds that are wide.
    static var all: ServerExtensions {
        var all = ServerExtensions()
        (all.smtpUTF8, all.dsn, all.chunking, all.binaryMIME, all.requireTLS, all.limits) = (true, true, true, true, true, true)
        all.futureRelease = InternetTime(seconds: InternetTime.last).map { .init(interval: 999_999_999, until: $0) }
        all.deliverBy = .init()
        all.priority = .mixer
        return all
    }
}

struct ExtensionParameterTests {
    private func outcome(_ line: String, _ offer: ServerExtensions) -> CommandFault? {
        do {
            _ = try Command(parsing: bytes(line), offering: offer)
            return nil
        } catch { return error }
    }

    /// What a good value is without and with the extension's offer, and what a bad value is with it.
    @Test(arguments: [
        ("MAIL FROM:<>", "SMTPUTF8", "SMTPUTF8=1"), ("MAIL FROM:<>", "REQUIRETLS", "REQUIRETLS="), ("MAIL FROM:<>", "RET=FULL", "RET=HALF"),
        ("MAIL FROM:<>", "ENVID=a+3D", "ENVID=a="), ("MAIL FROM:<>", "HOLDFOR=5", "HOLDFOR=0"),
        ("MAIL FROM:<>", "HOLDUNTIL=2026-01-01T00:00:00Z", "HOLDUNTIL=2026"), ("MAIL FROM:<>", "BY=5;R", "BY=5"),
        ("MAIL FROM:<>", "MT-PRIORITY=5", "MT-PRIORITY=55"), ("RCPT TO:<a@b.example>", "NOTIFY=NEVER", "NOTIFY=SOMETIMES"),
        ("RCPT TO:<postmaster>", "ORCPT=rfc822;a", "ORCPT=a"),
    ])
    func threeOutcomes(command: String, good: String, bad: String) {
        #expect(outcome("\(command) \(good)", ServerExtensions()) == .unknownParameter)
        #expect(outcome("\(command) \(bad)", ServerExtensions()) == .unknownParameter)
        #expect(outcome("\(command) \(good)", .all) == nil)
        #expect(outcome("\(command) \(good.lowercased())", .all) == (good.hasPrefix("ENVID") ? .badArguments : nil), "xtext has its case")
        #expect(outcome("\(command) \(bad)", .all) == .badArguments)
        #expect(outcome("\(command) \(good) \(good)", .all) == .badArguments, "once")
        let other = command.hasPrefix("MAIL") ? "RCPT TO:<a@b.example>" : "MAIL FROM:<>"
        #expect(outcome("\(other) \(good)", .all) == .unknownParameter, "of the other command")
    }

    @Test func eachExtensionIsOfferedForItself() {
        let rows: [(String, (inout ServerExtensions) -> Void)] = [
            ("SMTPUTF8", { $0.smtpUTF8 = false }), ("REQUIRETLS", { $0.requireTLS = false }), ("RET=FULL", { $0.dsn = false }),
            ("HOLDFOR=5", { $0.futureRelease = nil }), ("BY=5;R", { $0.deliverBy = nil }), ("MT-PRIORITY=5", { $0.priority = nil }),
        ]
        for (word, withdraw) in rows {
            var offer = ServerExtensions.all
            withdraw(&offer)
            for (other, _) in rows { #expect(outcome("MAIL FROM:<> " + other, offer) == (other == word ? .unknownParameter : nil), "\(word) \(other)") }
        }
        var offer = ServerExtensions.all
        offer.binaryMIME = false
        #expect(outcome("MAIL FROM:<> BODY=BINARYMIME", offer) == .badArguments && outcome("MAIL FROM:<> BODY=BINARYMIME", .all) == nil)
    }

    @Test(arguments: [
        ("BDAT 0", Command.bdat(octets: 0, isLast: false)), ("bdat 12 last", .bdat(octets: 12, isLast: true)), ("BDAT  7  LAST ", .bdat(octets: 7, isLast: true)),
        ("BDAT 999999999999999999", .bdat(octets: 999_999_999_999_999_999, isLast: false)),
    ])
    func chunks(line: String, command: Command) throws {
        #expect(try Command(parsing: bytes(line), offering: .all) == command)
        #expect(try Command(parsing: command.wire.dropLast(2), offering: .all) == command)
        #expect(outcome(line, ServerExtensions()) == .notImplemented)
    }

    @Test(arguments: ["BDAT", "BDAT x", "BDAT -1", "BDAT 1 2", "BDAT LAST", "BDAT 1 LAST LAST", "BDAT 1000000000000000000", "BDAT 0x10", "BDAT 1,2"])
    func whatIsNoChunkEndsTheSession(line: String) {
        #expect(outcome(line, .all) == .badChunk && CommandFault.badChunk.endsSession && CommandFault.badChunk.reply.code == 501)
    }

    @Test(arguments: ["MAIL FROM:<\u{212A}@b.example> SMTPUTF8", "MAIL FROM:<a@b\u{FC}.example> SMTPUTF8", "RCPT TO:<\u{FC}@b.example>"])
    func addressesMayBeUTF8(line: String) { #expect(outcome(line, .all) == nil) }

    /// U+017F and U+212A are equal to S and K somewhere; here only to themselves.
    @Test(arguments: ["\u{17F}IZE=1", "BY\u{301}=1;R", "SMTPUTF\u{FF18}", "RET\u{0}=FULL"])
    func keywordsAreASCII(word: String) { #expect(outcome("MAIL FROM:<> " + word, .all) != nil) }

    @Test func printingUndoesParsing() throws {
        var generator = SeededGenerator()
        let text = bytes("aZ09 +=\\;<>@.%~!") + [0xC3, 0xA9]
        var (asked, originals) = (0, 0)
        for _ in 0..<5000 {
            var options = MessageOptions()
            options.isUTF8 = Bool.random(using: &generator)
            options.requiresTLS = Bool.random(using: &generator)
            options.returnContent = ReturnContent.allCases.randomElement(using: &generator)
            options.envelopeID = EnvelopeID(generator.bytes(Int.random(in: 0...8, using: &generator), from: text))
            options.hold = InternetTime(seconds: Int64.random(in: -1_000_000...InternetTime.last, using: &generator)).map { .until($0) }
            options.deliverBy = DeliverBy(
                seconds: Int.random(in: -99...99, using: &generator), mode: DeliverBy.Mode.allCases.randomElement(using: &generator) ?? .notify,
                isTraced: Bool.random(using: &generator))
            options.priority = Priority(Int.random(in: -12...12, using: &generator))
            let parameters = MailParameters(size: 7, body: BodyType.allCases.randomElement(using: &generator), options: options)
            let notify = Bool.random(using: &generator) ? NotifyOptions(rawValue: UInt8.random(in: 0...7, using: &generator)) : nil
            let original = OriginalRecipient(
                type: bytes(Bool.random(using: &generator) ? "utf-8" : "rfc822"),
                address: generator.bytes(Int.random(in: 0...8, using: &generator), from: text))
            let recipient = RecipientOptions(notify: notify, originalRecipient: original)
            for command in [Command.mail(.null, parameters), .rcpt(.mailbox(try address("a@b.example")), recipient), .rcpt(.postmaster, recipient)] {
                #expect(try Command(parsing: command.wire.dropLast(2), offering: .all) == command, "\(command.wire.display)")
                #expect(command.wire.allSatisfy { $0 < 0x80 }, "what a server without SMTPUTF8 can take too")
                #expect(!command.wire.dropLast(2).contains { $0 < 0x20 })
            }
            if options != MessageOptions() { asked += 1 }
            if original != nil { originals += 1 }
        }
        #expect(asked > 4000 && originals > 500)
    }

    /// RFC 6533 §3.
    @Test(arguments: [
        ("gr\\x{FC}n", "gr\u{FC}n"), ("\\x{1F600}", "\u{1F600}"), ("a\\x{2B}\\x{3D}\\x{5C}", "a+=\\"), ("\\x{20}", " "),
    ])
    func unicodeText(encoded: String, decoded: String) {
        #expect(UnicodeText.decode(bytes(encoded), allowsUTF8: false) == bytes(decoded))
        #expect(UnicodeText.encode(bytes(decoded)) == bytes(encoded))
    }

    @Test(arguments: ["+", "=", "\\", "\\x", "\\x{", "\\x{}", "\\x{F}", "\\x{fc}", "\\x{FC", "\\x{D800}", "\\x{110000}", "\\x{0000FC0}", "\\y{FC}", "a b", "\u{7F}"])
    func noUnicodeText(text: String) { #expect(UnicodeText.decode(bytes(text), allowsUTF8: true) == nil) }

    @Test func rawUTF8NeedsPermission() {
        #expect(UnicodeText.decode(bytes("\u{FC}"), allowsUTF8: true) == bytes("\u{FC}") && UnicodeText.decode(bytes("\u{FC}"), allowsUTF8: false) == nil)
        #expect(UnicodeText.decode([0xFF], allowsUTF8: true) == nil)
    }

    @Test func anyLineHasAnAnswer() {
        var generator = SeededGenerator()
        var taken = 0
        let words = ["RET=", "ENVID=", "NOTIFY=", "ORCPT=", "SMTPUTF8", "HOLDFOR=", "HOLDUNTIL=", "BY=", "MT-PRIORITY=", "REQUIRETLS", "BODY="]
        for _ in 0..<20000 {
            var line = bytes(Bool.random(using: &generator) ? "MAIL FROM:<>" : "RCPT TO:<a@b.example>")
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                line += bytes(" " + (words.randomElement(using: &generator) ?? ""))
                line += generator.bytes(Int.random(in: 0...6, using: &generator), from: bytes("19;,+=RNTx\\{}-") + [0xC3, 0xA9])
            }
            do {
                _ = try Command(parsing: line, offering: .all)
                taken += 1
            } catch { #expect(error.reply.replyClass == .permanent) }
        }
        #expect(taken > 1000)
    }
}
