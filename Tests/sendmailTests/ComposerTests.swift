// What -t reads from the header: everybody who is named there, or nobody.

import MailModel
import Testing

@testable import sendmail

@Suite struct ComposerTests {
    private func recipients(_ header: String) throws -> (found: [String], wrong: String?, message: String) {
        let host = try #require(Domain("host.example"))
        var composer = Composer(message: Array((header + "\r\n\r\nbody\r\n").utf8), host: host)
        let (found, wrong) = composer.takeRecipients()
        return (found.map { $0.wire.display }, wrong?.display, composer.bytes.display)
    }

    @Test(arguments: [
        ("To: a@x.example", ["a@x.example"]),
        ("To: a@x.example, B <b@x.example>\r\nCc: c@x.example\r\nBcc: d@x.example", ["a@x.example", "b@x.example", "c@x.example", "d@x.example"]),
        ("To: a@x.example\r\nCc: a@x.example", ["a@x.example"]),
        ("To: root", ["root@host.example"]),
        ("To: root, a@x.example", ["root@host.example", "a@x.example"]),
        ("To: <root> (who else)", ["root@host.example"]),
        ("To: team: a@x.example, b;", ["a@x.example", "b@host.example"]),
        ("To: undisclosed-recipients:;", []),
        ("Subject: none", []),
    ] as [(String, [String])])
    func everybodyWhoIsNamedIsARecipient(_ header: String, _ expected: [String]) throws {
        let read = try recipients(header)
        #expect(read.found == expected)
        #expect(read.wrong == nil)
    }

    @Test(arguments: ["To: a@x.example, b@x..example", "To: a@x.example\r\nCc: @"])
    func whoCannotBeReachedIsNamed(_ header: String) throws {
        let read = try recipients(header)
        #expect(read.wrong != nil)
    }

    @Test func hiddenRecipientsStayHidden() throws {
        let message = try recipients("Bcc: d@x.example\r\nTo: a@x.example\r\nbcc: e@x.example").message
        #expect(!message.lowercased().contains("bcc"))
        #expect(!message.contains("d@x.example") && !message.contains("e@x.example"))
    }
}
