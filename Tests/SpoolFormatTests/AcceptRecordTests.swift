// Envelopes in accept records: what is written is read, what was not asked leaves no trace, and no forged value is believed.

import MailModel
import MailTestKit
import SpoolFormat
import Testing

@Suite struct AcceptRecordTests {
    private static func line(_ envelope: Envelope) -> RecordLine {
        var line = RecordLine(.accept, RecordTests.id)
        line.add(pathsOf: envelope)
        line.add(envelope.body)
        line.add(optionsOf: envelope)
        return line
    }

    private static func read(_ text: String) -> Envelope? { RecordParser.fields(bytes(text)[...]).flatMap { Envelope($0) } }

    private func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }

    /// Records of before the extensions: read as they were meant, and written to the byte as they were.
    @Test(arguments: [
        ("", BodyType.sevenBit), (" body=8bitmime", .eightBitMIME),
    ])
    func aRecordWithoutOptionsIsWhatItAlwaysWas(_ body: String, _ type: BodyType) throws {
        let text = "accept \(RecordTests.id) from=alice@example.org to=bob@example.org to=carol@example.org" + body
        let envelope = try #require(Self.read(text))
        let recipients = [try address("bob@example.org"), try address("carol@example.org")]
        #expect(envelope == Envelope(sender: .address(try address("alice@example.org")), recipients: recipients, body: type))
        var line = RecordLine(.accept, RecordTests.id)
        line.add(pathsOf: envelope)
        line.add(envelope.body)
        line.add(optionsOf: envelope)
        #expect(line.bytes.display == text)
    }

    /// The second and the third are of the first tree (Tests/Golden), the first says all that could be said then, and one thing that cannot be yet.
    @Test(arguments: [
        "from= to=bob@example.org size=812 peer=192.0.2.1 helo=x tls=TLS1.3 auth=a@b msgid=<x@y> hops=0 policy=authenticated later=1",
        "from= to=bob@example.org size=34 peer=127.0.0.1 helo=[127.0.0.1] hops=0 at=1795227344.979 content=191:6f791393",
        "from= to=bob@example.org size=200246 peer=127.0.0.1 helo=[127.0.0.1] hops=0 at=1795227345.008 big=200246:c6666761",
    ])
    func otherKeysOfTheRecordChangeNothing(fields: String) throws {
        #expect(try #require(Self.read("accept \(RecordTests.id) " + fields)) == Envelope(sender: .null, recipients: [try address("bob@example.org")]))
    }

    @Test func everyOptionHasItsKey() throws {
        var options = MessageOptions()
        options.isUTF8 = true
        options.requiresTLS = true
        options.returnContent = .headers
        options.envelopeID = EnvelopeID(bytes("a =b"))
        options.hold = .until(try #require(InternetTime(seconds: 1_800_000_000)))
        options.deliverBy = DeliverBy(seconds: -5, mode: .notify, isTraced: true)
        options.priority = Priority(-3)
        let (bob, carol) = (try address("bob@example.org"), try address("gr\u{FC}n@example.org"))
        let envelope = Envelope(
            sender: .null, recipients: [bob, carol], body: .binaryMIME, options: options,
            recipientOptions: [
                carol: RecipientOptions(notify: .never, originalRecipient: OriginalRecipient(carol)),
                bob: RecipientOptions(notify: [.delay, .success]),
            ])
        let line = Self.line(envelope)
        #expect(
            line.bytes.display
                == "accept \(RecordTests.id) from= to=bob@example.org to=gr\u{FC}n@example.org body=binarymime charset=utf-8 requiretls=yes ret=HDRS"
                + " envid=a%20=b holduntil=2027-01-15T08:00:00Z by=-5;NT priority=-3 notify=1:SUCCESS,DELAY notify=2:NEVER"
                + " orcpt=2:utf-8;gr\u{FC}n@example.org")
        #expect(RecordParser.fields(line.bytes[...]).flatMap { Envelope($0) } == envelope)
    }

    @Test func randomEnvelopesComeBack() throws {
        var random = SeededGenerator()
        var asked = 0
        for _ in 0..<3000 {
            let envelope = try Self.envelope(&random)
            let sealed = Self.line(envelope).sealed(seed: 7, checksum: plainChecksum)
            guard case .record(let record, _) = RecordParser.parse(sealed[...], seed: 7, checksum: plainChecksum) else {
                Issue.record("no record: \(sealed.display)")
                continue
            }
            #expect(Envelope(record) == envelope, "\(sealed.display)")
            if envelope.options != MessageOptions() { asked += 1 }
        }
        #expect(asked > 1000)
    }

    private static func envelope(_ random: inout SeededGenerator) throws -> Envelope {
        var options = MessageOptions()
        options.isUTF8 = Bool.random(using: &random)
        options.requiresTLS = Bool.random(using: &random)
        options.returnContent = [nil, .full, .headers].randomElement(using: &random) ?? nil
        options.envelopeID = EnvelopeID(random.bytes(Int.random(in: 0...5, using: &random), from: bytes("a =%+#:;~")))
        options.hold = HoldRelease(interval: bytes(String(Int.random(in: 0...2_000_000_000, using: &random))))
        if options.hold == nil { options.hold = InternetTime(seconds: Int64.random(in: -9...InternetTime.last, using: &random)).map { .until($0) } }
        options.deliverBy = DeliverBy(
            seconds: Int.random(in: -100...100, using: &random), mode: Bool.random(using: &random) ? .return : .notify,
            isTraced: Bool.random(using: &random))
        options.priority = Priority(Int.random(in: -19...19, using: &random))
        let recipients = try (0..<Int.random(in: 1...4, using: &random)).map { try #require(EmailAddress("r\($0)@example.org")) }
        var recipientOptions: [EmailAddress: RecipientOptions] = [:]
        for recipient in recipients where Bool.random(using: &random) {
            recipientOptions[recipient] = RecipientOptions(
                notify: Bool.random(using: &random) ? NotifyOptions(rawValue: UInt8.random(in: 0...7, using: &random)) : nil,
                originalRecipient: OriginalRecipient(
                    type: bytes("x-a"), address: random.bytes(Int.random(in: 0...5, using: &random), from: bytes("a:; %=+@"))))
        }
        return Envelope(
            sender: .null, recipients: recipients, body: BodyType.allCases.randomElement(using: &random) ?? .sevenBit, options: options,
            recipientOptions: recipientOptions)
    }

    /// With a right checksum, and wrong all the same: the writer of a folder may be captured.
    @Test(arguments: [
        "charset=latin1", "charset=", "charset=utf-8 charset=utf-8", "requiretls=no", "requiretls=", "ret=ALL", "ret=FULL ret=HDRS", "envid=",
        "envid=a%0Ab", "envid=%FF", "holdfor=0", "holdfor=-1", "holdfor=9999999999", "holdfor=1 holdfor=1",
        "holdfor=1 holduntil=2026-01-01T00:00:00Z", "holduntil=soon", "holduntil=2026-02-30T00:00:00Z", "by=0;R", "by=1", "by=1;R by=1;R",
        "priority=10", "priority=x", "priority=1 priority=1", "notify=NEVER", "notify=0:NEVER", "notify=3:NEVER", "notify=-1:NEVER",
        "notify=99999999999999999999:NEVER", "notify=1:", "notify=1:ALWAYS", "notify=1:NEVER notify=1:DELAY", "orcpt=1:a", "orcpt=1:;a",
        "orcpt=1:rfc822;", "orcpt=1:rfc822;a%0D%0Ab", "orcpt=3:rfc822;a", "orcpt=1:rfc822;%C3%A9", "orcpt=1:a;b orcpt=1:a;b", "body=9bit",
        "body=8bitmime body=8bitmime", "to=", "to=nobody",
    ])
    func isDamage(_ field: String) {
        #expect(Self.read("accept - from= to=a@example.org to=b@example.org") != nil)
        #expect(Self.read("accept - from= to=a@example.org to=b@example.org \(field)") == nil)
    }

    @Test(arguments: ["accept - to=a@b", "accept - from=a@b", "accept - from=a to=a@b", "accept -", "done - from= to=a@b"])
    func isNoEnvelope(_ text: String) { #expect(Self.read(text) == nil) }

    @Test func randomFieldsAreAnEnvelopeOrNone() {
        var random = SeededGenerator()
        var taken = 0
        for _ in 0..<20_000 {
            var text = "accept - from= to=a@example.org"
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let key = Key.options.randomElement(using: &random) ?? .by
                text += " \(key.rawValue)=" + random.bytes(Int.random(in: 0...6, using: &random), from: bytes("12:;,RNHDSFUL-yes")).display
            }
            if let envelope = Self.read(text) {
                taken += 1
                #expect(Self.read(Self.line(envelope).bytes.display) == envelope, "\(text)")
            }
        }
        #expect(taken > 1000)
    }

    /// A recipient's options cost it three times their octets at most: the session's bound on recipients holds for the record.
    @Test func theLongestOptionsFitTheirRecord() throws {
        let original = try #require(OriginalRecipient(type: bytes("x"), address: [UInt8](repeating: UInt8(ascii: "%"), count: 496)))
        let recipients = try (0..<500).map { try #require(EmailAddress("r\($0)@example.org")) }
        let envelope = Envelope(
            sender: .null, recipients: recipients,
            recipientOptions: Dictionary(uniqueKeysWithValues: recipients.map { ($0, RecipientOptions(notify: .never, originalRecipient: original)) }))
        let line = Self.line(envelope)
        #expect(line.bytes.count < RecordParser.maximumLine)
        #expect(RecordParser.fields(line.bytes[...]).flatMap { Envelope($0) } == envelope)
    }
}
