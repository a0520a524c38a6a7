// RFC 3339 date-times: days that are none are refused, and what is printed is what was meant.

import MailModel
import MailTestKit
import Testing

private func parsed(_ text: String) -> InternetTime? { InternetTime(parsing: Array(text.utf8)) }

@Suite struct InternetTimeTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:01z", 1), ("2026-01-02T03:04:05Z", 1_767_323_045), ("2026-01-02t03:04:05.999Z", 1_767_323_045),
        ("2026-01-02T04:04:05+01:00", 1_767_323_045), ("2026-01-01T21:34:05-05:30", 1_767_323_045), ("2000-02-29T00:00:00Z", 951_782_400),
        ("2000-03-01T00:00:00Z", 951_868_800), ("2016-12-31T23:59:60Z", 1_483_228_800), ("9999-12-31T23:59:59Z", 253_402_300_799),
    ] as [(String, Int64)])
    func isTaken(_ text: String, _ seconds: Int64) { #expect(parsed(text)?.seconds == seconds) }

    @Test(arguments: [
        "", "now", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60", "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01", "+026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.00000000000000000Z", "2026-1-01T00:00:00Z0",
    ])
    func isRefused(_ text: String) { #expect(parsed(text) == nil) }

    @Test func printedAndParsedIsTheSame() throws {
        var random = SeededGenerator()
        for _ in 0..<5000 {
            let time = try #require(InternetTime(seconds: Int64.random(in: 0...InternetTime.last, using: &random)))
            #expect(parsed(time.text) == time, "\(time.text)")
        }
    }

    /// Each day from 1970 to 2170 is the day after the one before it.
    @Test func daysFollowEachOther() throws {
        var last = ""
        for day in 0..<73_050 {
            let text = try #require(InternetTime(seconds: Int64(day) * 86400)).text
            #expect(text > last && parsed(text)?.seconds == Int64(day) * 86400)
            last = text
        }
        #expect(last.hasPrefix("2170-01-0"))
    }

    @Test func onlyFourDigitsOfYearsAreTimes() {
        #expect(InternetTime(seconds: -1) == nil && InternetTime(seconds: InternetTime.last + 1) == nil)
        #expect(InternetTime(seconds: .max) == nil && InternetTime(seconds: .min) == nil)
    }
}
