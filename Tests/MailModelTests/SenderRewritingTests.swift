// The Sender Rewriting Scheme: what is written is read, by whoever has the secret, in time, and by nobody else.

import MailModel
import Testing

struct SenderRewritingTests {
    /// A keyed function of the text; not a good one.
    private static func rewriting(_ key: UInt64 = 7) -> SenderRewriting {
        SenderRewriting { text in
            let hash = text.reduce(0xCBF2_9CE4_8422_2325 ^ key) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
            return (0..<8).map { UInt8(truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) >> (56 - 8 * UInt64($0))) }
        }
    }

    private let srs = rewriting()
    private let ours = Domain("ours.example")

    private func rewritten(_ sender: String, by srs: SenderRewriting? = nil, at domain: String? = nil, day: Int = 20000) throws -> EmailAddress? {
        try (srs ?? self.srs).rewritten(#require(EmailAddress(sender)), at: #require(domain.map { Domain($0) } ?? ours), day: day)
    }

    @Test(arguments: ["alice@elsewhere.example", "a=b=c@elsewhere.example", "\"odd one\"@elsewhere.example", "x+y@a.b.example", "srs@x.example", "SRS0@x.example"])
    func leadsBack(_ sender: String) throws {
        let address = try #require(try rewritten(sender))
        #expect(address.domain == ours)
        #expect(SenderRewriting.isRewritten(address))
        #expect(srs.original(of: address, day: 20000) == EmailAddress(sender))
        #expect(EmailAddress(parsing: address.wire) == address)
    }

    @Test func hasTheFormOthersKnow() throws {
        let text = try #require(try rewritten("alice@elsewhere.example")).description
        #expect(text.wholeMatch(of: /SRS0=[A-Z2-7]{6}=[A-Z2-7]{2}=elsewhere\.example=alice@ours\.example/) != nil)
    }

    @Test func hostsThatChangeCaseDoNoHarm() throws {
        let address = try #require(try rewritten("Alice@elsewhere.example"))
        let lower = try #require(EmailAddress(address.description.lowercased()))
        let upper = try #require(EmailAddress(address.description.uppercased()))
        #expect(srs.original(of: lower, day: 20000) == EmailAddress("alice@elsewhere.example"))
        #expect(srs.original(of: upper, day: 20000) == EmailAddress("alice@elsewhere.example"))
    }

    @Test func isGoodForThreeWeeks() throws {
        // 1023 and 1024: the stamp begins anew.
        for day in [0, 1, 1003, 1023, 1024, 20000, 20479, 20480] {
            let address = try #require(try rewritten("alice@elsewhere.example", day: day))
            for age in [0, 1, 21] { #expect(srs.original(of: address, day: day + age) != nil) }
            for age in [22, 30, 500, 1002] { #expect(srs.original(of: address, day: day + age) == nil) }
        }
    }

    @Test func anyOtherCharacterMakesItNobody() throws {
        let address = try #require(try rewritten("alice@elsewhere.example"))
        for index in address.localPart.indices {
            for byte in [UInt8(ascii: "a"), UInt8(ascii: "="), UInt8(ascii: "7")] {
                var local = address.localPart
                guard local[index] | 0x20 != byte | 0x20 else { continue }
                local[index] = byte
                guard let forged = EmailAddress(localPart: local, domain: address.domain) else { continue }
                // The first separator may be any of three, and is none of what is signed.
                #expect(index == 4 || srs.original(of: forged, day: 20000) == nil, "\(forged)")
            }
        }
        #expect(SenderRewritingTests.rewriting(8).original(of: address, day: 20000) == nil)
    }

    @Test func aForwarderBehindAForwarderLeadsBackToTheFirst() throws {
        let (first, second, third) = (SenderRewritingTests.rewriting(1), SenderRewritingTests.rewriting(2), SenderRewritingTests.rewriting(3))
        let one = try #require(try rewritten("alice@elsewhere.example", by: first, at: "first.example"))
        let two = try #require(try rewritten(one.description, by: second, at: "second.example"))
        #expect(two.localPart.starts(with: Array("SRS1=".utf8)))
        let three = try #require(try rewritten(two.description, by: third, at: "third.example"))
        #expect(three.localPart.starts(with: Array("SRS1=".utf8)))
        #expect(three.localPart.count == two.localPart.count)
        // Each that is asked sends it straight to the first, who knows whose it was.
        #expect(third.original(of: three, day: 20000) == one)
        #expect(second.original(of: two, day: 20000) == one)
        #expect(first.original(of: one, day: 20000) == EmailAddress("alice@elsewhere.example"))
        #expect(first.original(of: two, day: 20000) == nil)
    }

    @Test func othersSeparatorsAreKept() throws {
        let foreign = "SRS0+abc=XY=elsewhere.example=alice@first.example"
        let two = try #require(try rewritten(foreign))
        #expect(srs.original(of: two, day: 20000) == EmailAddress(foreign))
    }

    @Test func whatDoesNotFitStaysAsItIs() throws {
        let long = String(repeating: "a", count: 60) + "@elsewhere.example"
        #expect(try rewritten(long) == nil)
    }

    @Test(arguments: ["SRS0=@ours.example", "SRS0==@ours.example", "SRS0===@ours.example", "SRS0====@ours.example", "SRS1===@ours.example", "SRS1=a=b=c@ours.example",
        "SRS0=AAAAAA=AA=-bad-=x@ours.example", "srs1=@ours.example", "SRS0=a@ours.example"])
    func nonsenseIsNobody(_ text: String) throws {
        #expect(srs.original(of: try #require(EmailAddress(text)), day: 20000) == nil)
        _ = try rewritten(text)
    }
}
