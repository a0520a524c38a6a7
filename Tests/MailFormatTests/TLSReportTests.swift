// TLS reports: who asks for them, what they sum up, and that nothing a server says breaks their form.

import MailModel
import MailTestKit
import Testing

@testable import MailFormat

@Suite struct TLSReportTests {
    @Test(arguments: [
        ("v=TLSRPTv1; rua=mailto:reports@example.com", ["reports@example.com"]),
        ("v=TLSRPTv1;rua=mailto:a@example.com,https://example.com/x , MAILTO:b%2bc@example.net?subject=x;", ["a@example.com", "b+c@example.net"]),
        ("v=TLSRPTv1; ext=1; rua=https://example.com/x", []),
        ("v=TLSRPTv1; rua=mailto:%zz@example.com", []),
        ("v=TLSRPTv1; rua=", nil), ("v=TLSRPTv1", nil), ("v=TLSRPTv2; rua=mailto:a@example.com", nil), ("rua=mailto:a@example.com", nil), ("", nil),
    ] as [(String, [String]?)])
    func recordsAreRead(text: String, mailboxes: [String]?) {
        #expect(TLSReportingRecord(parsing: bytes(text))?.mailboxes.map(\.description) == mailboxes)
    }

    @Test func ofTwoRecordsNoneCounts() {
        let one = bytes("v=TLSRPTv1; rua=mailto:a@example.com")
        #expect(TLSReportingRecord(among: [bytes("v=spf1 -all"), one]) != nil)
        #expect(TLSReportingRecord(among: [one, one]) == nil)
        #expect(TLSReportingRecord(among: []) == nil)
    }

    private func report(_ sessions: [TLSSession]) throws -> TLSReport {
        var report = TLSReport(domain: try #require(Domain("example.com")), day: 20_605)
        for session in sessions { report.add(session) }
        return report
    }

    private func json(_ report: TLSReport) throws -> String {
        text(report.json(organization: try #require(Domain("mx.example.org")), contact: try #require(EmailAddress("postmaster@example.org")), id: bytes("r1")))
    }

    @Test func sumsAreThoseOfTheRFC() throws {
        let failed = TLSSession(policy: .sts, host: bytes("mx.example.com"), peer: bytes("192.0.2.9"), failure: bytes("certificate-expired"), reason: bytes("a \"quote\""))
        let good = TLSSession(policy: .sts, host: bytes("mx.example.com"), peer: bytes("192.0.2.9"))
        let plain = TLSSession(policy: .none, host: bytes("mx.example.com"), peer: bytes("192.0.2.9"))
        let text = try json(try report([good, failed, good, plain, failed]))
        let expected = """
            {
             "organization-name": "mx.example.org",
             "date-range": {
              "start-datetime": "2026-06-01T00:00:00Z",
              "end-datetime": "2026-06-01T23:59:59Z"
             },
             "contact-info": "postmaster@example.org",
             "report-id": "r1",
             "policies": [
              {
               "policy": {
                "policy-type": "sts",
                "policy-domain": "example.com"
               },
               "summary": {
                "total-successful-session-count": 2,
                "total-failure-session-count": 2
               },
               "failure-details": [
                {
                 "result-type": "certificate-expired",
                 "receiving-mx-hostname": "mx.example.com",
                 "receiving-ip": "192.0.2.9",
                 "failure-reason-code": "a \\"quote\\"",
                 "failed-session-count": 2
                }
               ]
              },
              {
               "policy": {
                "policy-type": "no-policy-found",
                "policy-domain": "example.com"
               },
               "summary": {
                "total-successful-session-count": 1,
                "total-failure-session-count": 0
               }
              }
             ]
            }

            """
        #expect(text.split(separator: "\r\n") == expected.split(separator: "\n"))
    }

    @Test func orderChangesNothingAndKindsAreBounded() throws {
        let sessions = (0..<2000).map { TLSSession(policy: .tlsa, host: bytes("mx\($0).example.com"), peer: [], failure: bytes("validation-failure")) }
        let some = Array(sessions.prefix(300))
        #expect(try report(some) == report(some.reversed()))
        let text = try json(try report(sessions))
        #expect(text.contains("\"total-failure-session-count\": 2000"))
        #expect(text.utf8.count < 200_000)
    }

    @Test func theMessageIsAReportWhateverAServerSaid() throws {
        var random = SeededGenerator()
        let domain = try #require(Domain("mx.example.org")), address = try #require(EmailAddress("reports@example.com"))
        for _ in 0..<200 {
            let noise = random.bytes(Int.random(in: 0...60, using: &random), from: Array(0...255))
            let sum = try report([TLSSession(policy: .sts, host: noise, peer: noise, failure: bytes("validation-failure"), reason: noise)])
            let raw = TLSReportMessage(sum, by: domain, contact: address, to: address, id: bytes("r1"), date: MailDate(secondsSince1970: 0)).bytes()
            let structure = MIMEStructure(of: raw)
            #expect(structure.parts.map { text($0.contentType.subtype) } == ["report", "plain", "tlsrpt+json"])
            #expect(raw.allSatisfy { $0 < 0x80 } && structure.header.value("TLS-Report-Domain", in: raw) == bytes("example.com"))
            #expect(raw.split(separator: 10).allSatisfy { $0.last == 13 && $0.count < 999 })
        }
    }
}
