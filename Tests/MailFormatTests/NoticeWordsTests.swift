// What a notice says to people, and in which letters it says it to programs.

import MailModel
import Testing

@testable import MailFormat

@Suite struct NoticeWordsTests {
    private static let day = MailDate(secondsSince1970: 880_127_706)

    private func notice(
        _ action: BounceMessage.Action, _ status: String, _ reason: String = "550 no", to recipient: String = "bob@example.net",
        _ change: (inout ReportedRecipient) -> Void = { _ in }
    ) throws -> BounceMessage {
        let address = try #require(EmailAddress(recipient))
        var reported = ReportedRecipient(original: address, final: address, status: try #require(EnhancedStatus(parsing: bytes(status))), reason: bytes(reason))
        reported.remoteHost = bytes("mx.example.net")
        reported.attempts = 1
        reported.firstAttempt = Self.day
        reported.lastAttempt = Self.day
        change(&reported)
        return BounceMessage(
            action: action, sender: try #require(EmailAddress("alice@example.org")), host: try #require(Domain("mx.example.org")),
            messageID: bytes("<n@mx.example.org>"), date: Self.day, arrival: Self.day, originalID: QueueID(origin: .smtpd, epoch: 5, sequence: 7),
            recipients: [reported], original: wire("Subject: x\n\nbody\n"), boundary: bytes("B"))
    }

    private func words(_ notice: BounceMessage) -> String {
        let raw = notice.bytes()
        return text(raw[MIMEStructure(of: raw).parts[1].body]).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    @Test(arguments: [
        ("5.1.1", FailureKind.unknownUser), ("5.1.10", .noSuchDomain), ("5.1.2", .noSuchDomain), ("5.2.2", .mailboxFull), ("5.2.1", .mailboxClosed),
        ("5.3.4", .tooLarge), ("5.4.1", .unreachable), ("5.4.4", .noSuchDomain), ("5.4.6", .loop), ("5.4.7", .expired), ("5.6.3", .content),
        ("5.6.7", .alphabet), ("5.7.1", .refused), ("5.7.26", .unauthenticated), ("5.7.30", .unprotected), ("5.3.0", .theirTrouble), ("5.0.0", .unknown),
    ])
    func statusesAreSaidInWords(status: String, kind: FailureKind) throws {
        #expect(FailureKind(try #require(EnhancedStatus(parsing: bytes(status)))) == kind)
        let said = words(try notice(.failed, status))
        #expect(said.contains(kind.happened(at: "example.net")) && said.contains("What you can do: " + kind.advice(domain: "example.net")))
        #expect(said.contains("The host mx.example.net said: 550 no (\(status))"))
    }

    @Test func whatOurAdministratorSentBackIsNoFaultOfTheHost() throws {
        var notice = try notice(.failed, "5.7.1")
        notice.recipients[0].kind = .returned
        #expect(words(notice).contains("The administrator of this mail system stopped the message") && !words(notice).contains("refuses the message"))
    }

    @Test func howOftenAndWhenIsSaid() throws {
        #expect(words(try notice(.failed, "5.1.1")).contains("It was tried once, on Fri, 21 Nov 1997 15:55:06 +0000."))
        let often = try notice(.failed, "5.4.7") {
            $0.attempts = 31
            $0.lastAttempt = MailDate(secondsSince1970: 880_127_706 + 5 * 86_400)
        }
        #expect(words(often).contains("It was tried 31 times in 5 days, first on Fri, 21 Nov 1997 15:55:06 +0000 and last on Wed, 26 Nov 1997 15:55:06 +0000."))
        #expect(!words(try notice(.failed, "5.1.1") { $0.attempts = 0 }).contains("tried once"))
    }

    @Test func whatWaitsSaysUntilWhen() throws {
        let late = try notice(.delayed, "4.2.0") { $0.retryUntil = MailDate(secondsSince1970: 880_127_706 + 86_400) }
        #expect(words(late).contains("It is tried again by itself until Sat, 22 Nov 1997 15:55:06 +0000; if that is in vain you are told."))
        #expect(text(late.bytes()).contains("Will-Retry-Until: Sat, 22 Nov 1997 15:55:06 +0000\r\n"))
        #expect(!text(try notice(.failed, "5.1.1") { $0.retryUntil = Self.day }.bytes()).contains("Will-Retry-Until"))
    }

    @Test func ourOwnWordsAreNotTheOtherHosts() throws {
        let own = try notice(.failed, "5.6.3", "the server takes 7-bit content only") { $0.isOurWord = true }
        #expect(words(own).contains("In the words of this mail system: the server takes 7-bit content only (5.6.3)"))
        let raw = text(own.bytes())
        #expect(raw.contains("Remote-MTA: dns; mx.example.net\r\n") && raw.contains("Diagnostic-Code: x-martlet; the server takes 7-bit"))
    }

    /// RFC 6533 §3: UTF-8 for whoever wrote in it, and a form in ASCII for everybody else.
    @Test func lettersBeyondASCIIAreForWhoReadsThem() throws {
        var notice = try notice(.failed, "5.6.7", to: "δ@example.net")
        let plain = text(notice.bytes())
        #expect(plain.contains("Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: 7bit\r\n"))
        #expect(plain.contains("Final-Recipient: utf-8; \\x{3B4}@example.net\r\n") && plain.contains("Content-Type: text/rfc822-headers; charset=utf-8\r\n"))
        notice.isUTF8 = true
        let full = text(notice.bytes())
        #expect(full.contains("Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n"))
        #expect(full.contains("Final-Recipient: utf-8; δ@example.net\r\n") && full.contains("Content-Type: message/global-headers\r\n"))
    }

    /// A notice for a server without 8BITMIME has a form too: nobody is left without one.
    @Test func everyNoticeCanBeSaidInSevenBits() throws {
        for isUTF8 in [false, true] {
            for returned in [BounceMessage.Returned.nothing, .header, .message] {
                var notice = try notice(.failed, "5.1.1", "550 nön", to: "δ@example.net")
                notice.isUTF8 = isUTF8
                notice.returned = returned
                notice.original = wire("Subject: ü\n\nüü\n")
                var survey = EightBitSurvey()
                survey.append(notice.bytes()[...])
                guard case .failure(let error) = survey.finish() else { continue }
                // Only a message that is returned whole, with a header that nothing explains, stands in the way.
                #expect(error.obstacle == .header && !isUTF8)
                guard case .message = returned else {
                    Issue.record("\(returned)")
                    continue
                }
            }
        }
    }
}
