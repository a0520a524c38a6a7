// Fields that claim our name are taken out, whatever their dress; everything else comes out as it went in.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct ForeignResultsTests {
    private let host = Domain("mx.example.org")!

    private func removed(_ content: String) -> String {
        String(decoding: ForeignResults.removed(from: Array(content.utf8), host: host), as: UTF8.self)
    }

    static let ours = [
        "Authentication-Results: mx.example.org; spf=pass\r\n",
        "authentication-RESULTS:MX.Example.ORG;\r\n\tspf=pass\r\n",
        "Authentication-Results:\r\n mx.example.org;\r\n spf=pass\r\n",
        "Authentication-Results : (a (nested) \\) comment) \"mx.example.org\" 1; none\r\n",
        "Authentication-Results: mx.example.org. ; none\r\n",
        "Authentication-Results: mx.example.org(comment); none\r\n",
        "Authentication-Results: mx.example.org\n",
        // Who hides the name behind much else is taken to mean ours.
        "Authentication-Results: (" + String(repeating: "x", count: 20_000) + ") mx.example.org; spf=pass\r\n",
        "Authentication-Results:\r\n" + String(repeating: " (x)\r\n", count: 4000) + " mx.example.org; spf=pass\r\n",
    ]

    static let theirs = [
        "Authentication-Results: mx.example.com; spf=pass\r\n",
        "Authentication-Results: mx.example.org.example.com; spf=pass\r\n",
        "Authentication-Results: \"a;mx.example.org\"; spf=pass\r\n",
        "X-Authentication-Results: mx.example.org; spf=pass\r\n",
        "Authentication-Results-Old: mx.example.org; spf=pass\r\n",
        "Authentication-Results\r\n",
        "Authentication-Results:\r\n",
        "Subject: x\r\n Authentication-Results: mx.example.org; spf=pass\r\n",
    ]

    @Test(arguments: ours) func whatIsOursIsTakenOut(_ field: String) {
        #expect(removed("To: a\r\n" + field + "Subject: b\r\n\r\n" + field) == "To: a\r\nSubject: b\r\n\r\n" + field)
        #expect(removed(field) == "")
    }

    @Test(arguments: theirs) func whatIsNotOursStays(_ field: String) {
        let content = "To: a\r\n" + field + "Subject: b\r\n\r\nbody\r\n"
        #expect(removed(content) == content)
        #expect(removed(field) == field)
    }

    @Test func anySplitGivesTheSame() {
        for field in ForeignResultsTests.ours + ForeignResultsTests.theirs where field.utf8.count < 200 {
            let content = Array(("To: a\r\n" + field + "Subject: b\r\n\r\nbody\r\n" + field).utf8)
            let whole = ForeignResults.removed(from: content, host: host)
            for at in 0...content.count {
                var results = ForeignResults(host: host)
                #expect(results.pass(Array(content[..<at])) + results.pass(Array(content[at...])) + results.finish() == whole, "\(field) at \(at)")
            }
            var results = ForeignResults(host: host)
            #expect(content.flatMap { results.pass([$0]) } + results.finish() == whole)
        }
    }

    @Test func aLongLineOfAnotherFieldStays() {
        let content = "Subject: " + String(repeating: "x", count: 50_000) + "\r\nAuthentication-Results: mx.example.org; none\r\nTo: a\r\n\r\n"
        #expect(removed(content) == "Subject: " + String(repeating: "x", count: 50_000) + "\r\nTo: a\r\n\r\n")
    }
}
