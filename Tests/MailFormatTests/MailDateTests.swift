// Dates: read in all forms of RFC 5322 §3.3 and §4.3, and print∘parse is identity.

import MailTestKit
import Testing

@testable import MailFormat

@Suite struct MailDateTests {
    static let readable: [(String, Int64, Int)] = [
        ("Fri, 21 Nov 1997 09:55:06 -0600", 880_127_706, -360),
        ("21 Nov 97 09:55:06 GMT", 880_106_106, 0),
        ("Thu, 1 Jan 1970 00:00:00 +0000", 0, 0),
        ("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)", -27_723_480, -210),
        ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880_127_706, -360),
        ("1 Jan 00 00:00 EST", 946_702_800, -300),
        ("29 Feb 2000 12:00:00 +0100", 951_822_000, 60),
        ("Sat, 01-Jan-2000 00:00:00 +0000", 946_684_800, 0),
        ("1 Jan 2000 00:00:00", 946_684_800, 0),
        ("1 Jan 2000 00:00:00 XYZ", 946_684_800, 0),
        ("1 January 2000 00:00:00 Z", 946_684_800, 0),
        ("1 Jan 100 00:00:00 Z", 946_684_800, 0),
    ]

    @Test(arguments: readable)
    func dateIsRead(_ text: String, _ seconds: Int64, _ zone: Int) {
        #expect(MailDate(parsing: Array(text.utf8)[...]) == MailDate(secondsSince1970: seconds, zoneMinutes: zone))
    }

    @Test(arguments: [
        "", "Fri", "Fri, 21", "21 Nov 1997", "21 Nov 1997 09", "21 Nov 1997 09:", "31 Apr 2000 00:00:00 +0000", "29 Feb 1900 00:00:00 +0000",
        "1 Jan 2000 24:00:00 +0000", "1 Jan 2000 00:60:00 +0000", "1 Jan 2000 00:00:61 +0000", "1 Foo 2000 00:00:00 +0000",
        "1 Jan 99999 00:00:00 +0000", "1 Jan 2000 00:00:00 +9999999999", "1 Jan 2000 00:00:00 +0060", "0 Jan 2000 00:00:00 +0000",
    ])
    func nonsenseIsNoDate(_ text: String) {
        #expect(MailDate(parsing: Array(text.utf8)[...]) == nil)
    }

    @Test func printedDatesReadBack() {
        var generator = SeededGenerator()
        for _ in 0..<5000 {
            let date = MailDate(
                secondsSince1970: .random(in: -62_135_000_000...253_390_000_000, using: &generator),
                zoneMinutes: .random(in: -1439...1439, using: &generator))
            #expect(MailDate(parsing: date.text[...]) == date, "\(date.text.map { $0 })")
        }
    }

    @Test func dateIsPrintedAsTheRFCShows() {
        #expect(MailDate(secondsSince1970: 880_127_706, zoneMinutes: -360).text == Array("Fri, 21 Nov 1997 09:55:06 -0600".utf8))
    }
}
