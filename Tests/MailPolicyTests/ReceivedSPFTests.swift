// The fields that say what was found: exact for the ordinary, and one field only whatever a stranger put into it.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct ReceivedSPFTests {
    private func outcome(
        _ result: SPFResult, hello: String = "mail.example.com", from: String = "alice@example.com", mechanism: [UInt8]? = nil,
        problem: [UInt8]? = nil
    ) throws -> SPFOutcome {
        var check = Check(testDescription: "", result: result)
        (check.hello, check.from) = (hello, from)
        return SPFOutcome(try #require(check.subject), result, mechanism: mechanism, problem: problem)
    }

    @Test func aPassIsWrittenAsTheRFCShowsIt() throws {
        let text = try outcome(.pass, mechanism: bytes("ip4:192.0.2.0/24")).receivedSPF.display
        #expect(
            text == """
                Received-SPF: pass (mx.receiver.example: domain of example.com designates\r
                \t192.0.2.1 as permitted sender) client-ip=192.0.2.1;\r
                \tenvelope-from="alice@example.com"; helo=mail.example.com;\r
                \tidentity=mailfrom; receiver=mx.receiver.example;\r
                \tmechanism="ip4:192.0.2.0/24"\r

                """)
    }

    @Test func theNullSenderIsPostmaster() throws {
        let text = try outcome(.fail, from: "", mechanism: bytes("-all")).receivedSPF.display
        #expect(text.contains("envelope-from=\"postmaster@mail.example.com\";"))
        #expect(text.contains("mechanism=-all\r\n"))
        #expect(
            try outcome(.fail, from: "").authenticationMethod == AuthenticationMethod("spf", "fail", [.init("smtp.helo", bytes("mail.example.com"))]))
    }

    @Test(arguments: SPFResult.allCases) func everyResultIsOneField(_ result: SPFResult) throws {
        let field = try outcome(result, mechanism: bytes("-all"), problem: bytes("bad macro: a:%{x}")).receivedSPF
        #expect(ReceivedSPFTests.isOneField(field))
        #expect(field.display.hasPrefix("Received-SPF: \(result.rawValue)"))
        #expect(field.display.contains("problem=\"bad macro: a:%{x}\""))
    }

    static let hostile = [
        "a\r\nBcc: x@example.com", "x\"; result=pass", "\\", "\\\"", "(((", ")", "a b", "\u{0}\u{7F}", "ü", ";", "\r\n\r\nbody",
        String(repeating: "\"", count: 2000), String(repeating: "(", count: 2000), "", ".", "\t",
    ]

    @Test(arguments: hostile) func whatStrangersSayStaysInItsQuotes(_ text: String) throws {
        let outcome = try outcome(.pass, hello: text, from: "", mechanism: bytes(text), problem: bytes(text))
        #expect(ReceivedSPFTests.isOneField(outcome.receivedSPF))
        let host = try domain("mx.receiver.example")
        #expect(ReceivedSPFTests.isOneField(AuthenticationResults.field(host: host, [outcome.authenticationMethod, outcome.authenticationMethod])))
    }

    @Test func authenticationResultsAreWrittenAsTheRFCShowsThem() throws {
        let host = try domain("mx.receiver.example")
        #expect(AuthenticationResults.field(host: host, []).display == "Authentication-Results: mx.receiver.example; none\r\n")
        let reverse = AuthenticationMethod("iprev", "pass", [.init("policy.iprev", bytes("2001:db8::1"))])
        let spf = try outcome(.permerror, problem: bytes("several \"policies\"")).authenticationMethod
        #expect(
            AuthenticationResults.field(host: host, [reverse, spf]).display == """
                Authentication-Results: mx.receiver.example; iprev=pass\r
                \tpolicy.iprev="2001:db8::1"; spf=permerror\r
                \treason="several \\"policies\\"" smtp.mailfrom=example.com\r

                """)
    }

    /// One header field by the grammar of RFC 5322 §2.2: printable ASCII, lines folded, quotes and comments closed.
    static func isOneField(_ field: [UInt8]) -> Bool {
        guard field.suffix(2) == [13, 10] else { return false }
        let lines = field.dropLast(2).split(separator: 13, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            if index > 0, line.prefix(2) != [10, 9] || line.count <= 2 { return false }
            let text = line.dropFirst(index > 0 ? 2 : 0)
            guard line.count <= 998, text.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return false }
        }
        var isQuoted = false
        var depth = 0
        var isEscaped = false
        for byte in field {
            if isEscaped { isEscaped = false; continue }
            if byte == UInt8(ascii: "\\"), isQuoted || depth > 0 { isEscaped = true; continue }
            if byte == UInt8(ascii: "\""), depth == 0 { isQuoted.toggle() }
            if byte == UInt8(ascii: "("), !isQuoted { depth += 1 }
            if byte == UInt8(ascii: ")"), !isQuoted { depth -= 1 }
            guard depth == 0 || depth == 1 else { return false }
        }
        return !isQuoted && depth == 0 && !isEscaped
    }

    /// The judge itself is no yes-man.
    @Test(arguments: [
        "X: a", "X: a\r\nb\r\n", "X: a\r\n\t\r\n", "X: \"\r\n", "X: (\r\n", "X: ((a))\r\n", "X: ü\r\n", "X: a\r\n\r\n", "X: \"\\\"\r\n",
    ])
    func noField(_ text: String) { #expect(!ReceivedSPFTests.isOneField(bytes(text))) }
}
