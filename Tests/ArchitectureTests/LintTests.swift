// The rules of the architecture hold here, and each of them would notice if it did not.

import Testing

@Suite struct LintTests {
    @Test func thisCheckoutKeepsEveryRule() throws {
        let run = try LintRun(on: LintRun.checkout)
        #expect(run.lines == [])
        #expect(run.verdict == "lint: 0 violations")
        #expect(run.status == 0)
    }

    /// A file that breaks one rule: the rule, the path, the text.
    struct Breach: CustomTestStringConvertible, Sendable {
        let claim: String
        let rule: String
        let path: String
        let text: String

        var testDescription: String { claim }
    }

    @Test(arguments: breaches) func isNoticed(_ breach: Breach) throws {
        let run = try LintRun.on([breach.path: breach.text])
        #expect(run.status == 1)
        #expect(run.violations(of: breach.rule).contains { $0.hasPrefix(breach.path) })
    }

    /// Texts that look like a breach and are none.
    @Test(arguments: innocents) func isLeftAlone(_ innocent: Breach) throws {
        let run = try LintRun.on([innocent.path: innocent.text])
        #expect(run.verdict.hasPrefix("lint: "))
        #expect(run.violations(of: innocent.rule).filter { $0.hasPrefix(innocent.path) } == [])
    }

    @Test func aVerbThatThePageDoesNotListIsNoticed() throws {
        let source = "package enum Verb: String {\n    case accept\n    case stateEnd = \"state-end\"\n}\npackage enum Key: String {\n    case at, from\n}\n"
        let page = "## Verbs\n\n| `accept` | x |\n| `leave` | x |\n\n## Keys\n\n| `at` | x |\n| `from` | x |\n| `from` | x |\n"
        let run = try LintRun.on(["Sources/SpoolFormat/Verb.swift": source, "docs/events.md": page])
        let said = run.violations(of: "events")
        #expect(said.contains { $0.contains("verb state-end is not listed") })
        #expect(said.contains { $0.contains("verb leave is listed and not in") })
        #expect(said.contains { $0.contains("key from is listed twice") })
        #expect(said.count == 3)
    }

    @Test func anRFCThatTheIndexDoesNotListIsNoticed() throws {
        let run = try LintRun.on([
            "Sources/MailModel/A.swift": "// RFC 5321 §4.1.4, RFC 5322 §3.4\n",
            "etc/dev/rfc-index.txt": "5321  yes      SMTP\n1939  yes      POP3\n3461  no       DSN\nnonsense\n",
        ])
        let said = run.violations(of: "standards")
        #expect(said.contains { $0.contains("RFC 5322 is not in") })
        #expect(said.contains { $0.contains("RFC 1939 is said to be kept") })
        #expect(said.contains { $0.hasPrefix("etc/dev/rfc-index.txt:4") })
        #expect(said.count == 3)
    }

    @Test func aHeaderWithoutAKeyIsNoticed() throws {
        let header = """
            // sendmail: leaves a file.
            //
            // Runs as     the caller
            // Reads       stdin
            // Writes      a file
            // Talks to    nobody
            // Never       more
            // If captured nothing
            // Standards   RFC 5322

            """
        let path = "Sources/sendmail/Main.swift"
        #expect(try LintRun.on([path: header]).violations(of: "headers").contains { $0.hasPrefix(path) })
        let whole = header.replacing("// If captured", with: "// Trusts      nobody\n// If captured")
        #expect(try LintRun.on([path: whole]).violations(of: "headers").contains { $0.hasPrefix(path) } == false)
        let long = whole.replacing("// Standards", with: String(repeating: "//             more\n", count: 5) + "// Standards")
        #expect(try LintRun.on([path: long]).violations(of: "headers").contains { $0.hasPrefix(path + ":15") })
    }
}
