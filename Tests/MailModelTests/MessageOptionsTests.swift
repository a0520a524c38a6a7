// What SMTP's extensions may ask, as values: each grammar's yes and no, and that printing undoes parsing.

import MailModel
import MailTestKit
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct MessageOptionsTests {
    @Test(arguments: [
        ("NEVER", NotifyOptions.never, "NEVER"), ("never", .never, "NEVER"), ("SUCCESS", .success, "SUCCESS"),
        ("delay,Failure", [.failure, .delay], "FAILURE,DELAY"), ("DELAY,FAILURE,SUCCESS", [.success, .failure, .delay], "SUCCESS,FAILURE,DELAY"),
    ] as [(String, NotifyOptions, String)])
    func notifications(_ text: String, _ options: NotifyOptions, _ printed: String) {
        #expect(NotifyOptions(parsing: bytes(text)) == options && options.text == printed)
        #expect(NotifyOptions(parsing: bytes(printed)) == options)
    }

    @Test(arguments: ["", ",", "SUCCESS,", ",SUCCESS", "NEVER,SUCCESS", "SUCCESS,SUCCESS", "ALL", "SUCCESS DELAY", "SUCCESS,FAILURE,DELAY,", "NEVERX"])
    func noNotifications(_ text: String) { #expect(NotifyOptions(parsing: bytes(text)) == nil) }

    @Test func bitsThatMeanNothingAreNotKept() { #expect(NotifyOptions(rawValue: 0xF8) == .never && NotifyOptions(rawValue: 0xFF).rawValue == 7) }

    @Test(arguments: [
        ("120;R", 120, DeliverBy.Mode.return, false, "120;R"), ("+120;rt", 120, .return, true, "120;RT"), ("-5;N", -5, .notify, false, "-5;N"),
        ("0;nT", 0, .notify, true, "0;NT"), ("999999999;R", 999_999_999, .return, false, "999999999;R"), ("007;N", 7, .notify, false, "7;N"),
    ] as [(String, Int, DeliverBy.Mode, Bool, String)])
    func deliverBy(_ text: String, _ seconds: Int, _ mode: DeliverBy.Mode, _ isTraced: Bool, _ printed: String) throws {
        let value = try #require(DeliverBy(parsing: bytes(text)))
        #expect(value.seconds == seconds && value.mode == mode && value.isTraced == isTraced && value.text == printed)
        #expect(DeliverBy(parsing: bytes(printed)) == value)
    }

    @Test(arguments: ["", ";", "1", "1;", ";R", "0;R", "-1;R", "1;X", "1;RN", "1;RTT", "1;R;", "1 ;R", "--1;N", "+;N", "1000000000;N", "1.5;N", "\u{661};N"])
    func noDeliverBy(_ text: String) { #expect(DeliverBy(parsing: bytes(text)) == nil) }

    @Test func secondsOfAnySizeAreBounded() {
        for seconds in [Int.max, .min + 1, 1_000_000_000, -1_000_000_000] { #expect(DeliverBy(seconds: seconds, mode: .notify) == nil) }
    }

    @Test func prioritiesAreOneDigit() {
        for value in -9...9 { #expect(Priority(parsing: bytes(String(value))) == Priority(value) && Priority(value)?.text == String(value)) }
        for text in ["", "-", "-0", "+1", "10", "-10", "01", "a", "1 ", "\u{661}"] { #expect(Priority(parsing: bytes(text)) == nil, "\(text)") }
        #expect(Priority(10) == nil && Priority(-10) == nil && Priority(.min) == nil && Priority(0) == .ordinary)
        #expect(Priority(1).map { $0 > .ordinary } == true)
    }

    @Test func aHoldEndsAtATime() throws {
        #expect(HoldRelease(interval: bytes("1")) == .interval(1) && HoldRelease(interval: bytes("999999999")) == .interval(999_999_999))
        for text in ["", "0", "01", "-1", "+1", "1000000000", "1h"] { #expect(HoldRelease(interval: bytes(text)) == nil, "\(text)") }
        #expect(HoldRelease.interval(60).releaseTime(accepted: 1000) == 1060)
        #expect(try #require(HoldRelease(until: bytes("1970-01-01T00:01:00Z"))).releaseTime(accepted: 1000) == 60)
    }

    @Test func anEnvelopeIDIsPrintable() {
        #expect(EnvelopeID(bytes("a b"))?.bytes == bytes("a b") && EnvelopeID([UInt8](repeating: 0x7E, count: 100)) != nil)
        for text in ["", "a\n", "a\r", "\0", "\u{7F}", "\u{E9}", String(repeating: "a", count: 101)] { #expect(EnvelopeID(bytes(text)) == nil) }
    }

    @Test(arguments: [
        ("rfc822;alice@example.org", "rfc822", "alice@example.org"), ("RFC822;a;b", "RFC822", "a;b"), ("utf-8;gr\u{FC}n@example.org", "utf-8", "gr\u{FC}n@example.org"),
        ("x400; /C=de/", "x400", " /C=de/"),
    ])
    func originalRecipients(_ text: String, _ type: String, _ address: String) throws {
        let original = try #require(OriginalRecipient(parsing: bytes(text)))
        #expect(original.type == bytes(type) && original.address == bytes(address) && original.text == bytes(text))
    }

    @Test(arguments: [
        "", ";", "a", "a;", ";a", "a b;c", "a\n;c", "a;\n", "a;\u{7F}", "rfc822;gr\u{FC}n", "a@b;c", String(repeating: "t", count: 33) + ";a",
        "a;" + String(repeating: "a", count: 497),
    ])
    func noOriginalRecipient(_ text: String) { #expect(OriginalRecipient(parsing: bytes(text)) == nil) }

    @Test func whatIsNoUTF8IsNoOriginalRecipient() { #expect(OriginalRecipient(type: bytes("utf-8"), address: [0xFF]) == nil) }

    @Test func anAddressIsItsOwnOriginal() throws {
        let ascii = try #require(EmailAddress("Alice@example.org")), unicode = try #require(EmailAddress("gr\u{FC}n@example.org"))
        #expect(OriginalRecipient(ascii)?.text == bytes("rfc822;Alice@example.org"))
        #expect(OriginalRecipient(unicode)?.text == bytes("utf-8;gr\u{FC}n@example.org"))
        #expect(OriginalRecipient(parsing: bytes("RFC822;a")) == OriginalRecipient(parsing: bytes("rfc822;a")))
        #expect(OriginalRecipient(parsing: bytes("rfc822;a")) != OriginalRecipient(parsing: bytes("rfc822;A")))
    }

    @Test func bodyTypesPrintThemselves() {
        for type in BodyType.allCases { #expect(BodyType(parsing: type.text.lowercased().utf8.map { $0 }) == type) }
        #expect(BodyType(parsing: bytes("9BIT")) == nil && BodyType(parsing: []) == nil)
        for value in ReturnContent.allCases { #expect(ReturnContent(parsing: bytes(value.text)) == value) }
        #expect(ReturnContent(parsing: bytes("ALL")) == nil)
    }

    @Test func whatWasNotAskedIsNotKept() throws {
        let address = try #require(EmailAddress("a@example.org"))
        let plain = Envelope(sender: .null, recipients: [address])
        #expect(Envelope(sender: .null, recipients: [address], recipientOptions: [address: RecipientOptions()]) == plain)
        let asked = Envelope(sender: .null, recipients: [address], recipientOptions: [address: RecipientOptions(notify: .never)])
        #expect(asked != plain && asked.options(for: address).notify == .never && plain.options(for: address) == RecipientOptions())
    }
}
