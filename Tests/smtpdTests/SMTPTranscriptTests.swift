// What `mailctl debug` shows of a session: each command and reply, never a secret and never content.

import Testing

@testable import smtpd

@Suite struct SMTPTranscriptTests {
    /// `C` what the client sends, `S` what we do; the lines that are shown.
    private func shown(_ dialogue: [(Character, String)], by size: Int = 1 << 20) -> [String] {
        var transcript = SMTPTranscript()
        var out: [[UInt8]] = []
        for (who, text) in dialogue {
            let bytes = Array(text.utf8)
            if who == "S" { out += transcript.sent(bytes); continue }
            for start in stride(from: 0, to: bytes.count, by: size) { out += transcript.received(bytes[start..<min(start + size, bytes.count)]) }
        }
        return out.map { String(decoding: $0, as: UTF8.self) }
    }

    private let mail: [(Character, String)] = [
        ("S", "220 mx ESMTP\r\n"), ("C", "EHLO x\r\n"), ("S", "250-mx\r\n250 HELP\r\n"), ("C", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"),
        ("S", "250 OK\r\n"), ("S", "250 OK\r\n354 go\r\n"), ("C", "Subject: secret\r\n\r\nRCPT TO:<content@x>\r\n.\r\n"), ("S", "250 OK\r\n"),
        ("C", "QUIT\r\n"), ("S", "221 Bye\r\n"),
    ]

    @Test func aMessageIsShownWithoutItsContent() {
        for size in [1, 3, 1 << 20] {
            #expect(shown(mail, by: size) == [
                "S: 220 mx ESMTP", "C: EHLO x", "S: 250-mx", "S: 250 HELP", "C: MAIL FROM:<a@b>", "C: RCPT TO:<c@d>", "C: DATA", "S: 250 OK", "S: 250 OK",
                "S: 354 go", "C: (content, 43 octets)", "S: 250 OK", "C: QUIT", "S: 221 Bye",
            ])
        }
    }

    @Test func secretsAreNotShown() {
        let lines = shown([
            ("C", "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"), ("S", "535 no\r\n"), ("C", "auth login\r\n"), ("S", "334 VXNlcm5hbWU6\r\n"), ("C", "YWxpY2U=\r\n"),
            ("S", "334 UGFzc3dvcmQ6\r\n"), ("C", "c2VjcmV0\r\n"), ("S", "235 yes\r\n"), ("C", "NOOP\r\n"), ("S", "250 OK\r\n"),
        ])
        #expect(lines == [
            "C: AUTH PLAIN (secret)", "S: 535 no", "C: AUTH login", "S: 334 (challenge)", "C: (secret)", "S: 334 (challenge)", "C: (secret)", "S: 235 yes",
            "C: NOOP", "S: 250 OK",
        ])
    }

    @Test func aResponseThatDoesNotWaitIsASecretToo() {
        let lines = shown([("C", "AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n"), ("S", "334 \r\n"), ("S", "235 yes\r\n"), ("C", "NOOP\r\n")])
        #expect(!lines.joined().contains("AGFs") && lines.last == "C: NOOP")
    }

    @Test func contentThatDoesNotWaitIsNeverShown() {
        let lines = shown([
            ("C", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhidden words\r\n"), ("S", "250 OK\r\n"), ("S", "550 no\r\n"), ("C", "more words\r\n"),
            ("S", "554 no\r\n"), ("C", "even more words\r\n.\r\nQUIT\r\n"), ("S", "500 what\r\n"),
        ])
        #expect(!lines.joined().contains("words"))
    }

    @Test func aRefusedDataHidesNothingAfterIt() {
        let lines = shown([("C", "DATA\r\n"), ("S", "503 MAIL first\r\n"), ("C", "NOOP\r\n")])
        #expect(lines == ["C: DATA", "S: 503 MAIL first", "C: NOOP"])
    }

    @Test func chunksAreContent() {
        let lines = shown([("C", "BDAT 12\r\nhidden wordsBDAT 5 LAST\r\nwordsQUIT\r\n"), ("S", "250 OK\r\n250 OK\r\n221 Bye\r\n")])
        #expect(lines.filter { $0.hasPrefix("C") } == ["C: BDAT 12", "C: (content, 12 octets)", "C: BDAT 5 LAST", "C: (content, 5 octets)", "C: QUIT"])
        #expect(!shown([("C", "BDAT x\r\nhidden words\r\n")]).joined().contains("words"))
    }
}
