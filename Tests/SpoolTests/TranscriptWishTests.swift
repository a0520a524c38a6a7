// The lines by which mailctl asks for transcripts stand beside the log levels, and neither reader minds the other's.

import Testing

@testable import Spool

@Suite struct TranscriptWishTests {
    private let wishes = [
        TranscriptWish(service: "smtpd", subject: .address(Array("2001:db8::1".utf8)), until: 1_790_000_000),
        TranscriptWish(service: "submission", subject: .account(Array("alice@example.org".utf8)), until: 5),
    ]

    @Test func linesComeBackBesideLevels() {
        let text = Array(LogLevel.text([("smtpd", .debug)]).utf8) + TranscriptWish.text(wishes)
        #expect(TranscriptWish.wishes(in: text) == wishes)
        #expect(LogLevel.levels(in: text) == ["smtpd": .debug])
    }

    @Test func otherLinesAreNone() {
        for line in [
            "smtpd transcript address 192.0.2.1", "smtpd transcript folder x 5", "smtpd transcript address 192.0.2.1 x", "smtpd debug",
            "smtpd transcript address 192.0.2.1 -5", "smtpd transcript address 192.0.2.1 99999999999999999999999", "a b c d e",
        ] { #expect(TranscriptWish.wishes(in: Array(line.utf8)).isEmpty, "\(line)") }
    }

    @Test func nobodyIsFollowedUnaskedOrAfterItsTime() {
        let address = Array("192.0.2.1".utf8)
        #expect(!Transcripts.want(address: address, account: nil))
        Transcripts.become([TranscriptWish(service: "smtpd", subject: .address(address), until: 5)])
        #expect(!Transcripts.want(address: address, account: nil))
        Transcripts.become([TranscriptWish(service: "smtpd", subject: .account(Array("Alice@example.org".utf8)), until: .max)])
        #expect(Transcripts.want(address: address, account: Array("alice@Example.org".utf8)))
        #expect(!Transcripts.want(address: address, account: nil))
        Transcripts.become([])
    }
}
