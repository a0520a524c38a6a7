// Every class of error: what it is, and that it names the line on which a person finds it.

import Configuration
import Kernel
import Testing

@Suite struct ConfigurationErrorTests {
    private func problems(_ text: String) -> [ConfigurationProblem] {
        do throws(ConfigurationError) {
            _ = try Configuration.parse(text, file: "etc/martlet.toml")
            return []
        } catch {
            return error.problems
        }
    }

    struct Case: Sendable {
        let text: String
        let kind: ConfigurationProblem.Kind
        let line: Int
        let key: String?
        /// What the message must contain.
        let says: [String]
    }

    static let cases: [Case] = [
        Case(text: "hostname = \n", kind: .syntax, line: 1, key: nil, says: ["https://toml.io"]),
        Case(text: "\n[limits\n", kind: .syntax, line: 2, key: nil, says: []),
        Case(text: "[limits]\nhops = 20\nhops = 30\n", kind: .syntax, line: 3, key: nil, says: []),
        Case(
            text: "# c\n[limits]\nmesage_size = 5\n", kind: .unknownKey, line: 3, key: "limits.mesage_size",
            says: ["did you mean limits.message_size?", "recipients"]),
        Case(text: "host_name = \"a\"\n", kind: .unknownKey, line: 1, key: "host_name", says: ["did you mean hostname?", "[limits]"]),
        Case(
            text: "message_size = 5\n", kind: .unknownKey, line: 1, key: "message_size", says: ["did you mean limits.message_size?"]),
        Case(text: "\n[limts]\nhops = 3\n", kind: .unknownKey, line: 2, key: "limts", says: ["did you mean limits?"]),
        Case(text: "[limits.deep]\nx = 1\n", kind: .unknownKey, line: 1, key: "limits.deep", says: ["unknown key"]),
        Case(text: "limits = 4\n", kind: .wrongType, line: 1, key: "limits", says: ["[limits]"]),
        Case(text: "[limits]\n\nhops = \"many\"\n", kind: .wrongType, line: 3, key: "limits.hops", says: ["\"many\" is not a whole number", "hops = 50"]),
        Case(text: "[limits]\nhops = 5.5\n", kind: .wrongType, line: 2, key: "limits.hops", says: ["a floating-point number"]),
        Case(
            text: "[limits]\nmessage_size = \"50 apples\"\n", kind: .wrongType, line: 2, key: "limits.message_size",
            says: ["\"50 apples\" is not a size", "message_size = \"50 MiB\""]),
        Case(
            text: "[limits]\nmessage_size = \"999999999999 GiB\"\n", kind: .wrongType, line: 2, key: "limits.message_size", says: ["is not a size"]),
        Case(text: "[limits]\nmessage_size = 1\n", kind: .badValue, line: 2, key: "limits.message_size", says: ["64 KiB to 1 GiB", "50 MiB"]),
        Case(text: "[limits]\nhops = 1000000\n", kind: .badValue, line: 2, key: "limits.hops", says: ["10 to 1000"]),
        Case(text: "[retry]\ninitial = \"0 s\"\n", kind: .badValue, line: 2, key: "retry.initial", says: ["1 s to 1 d"]),
        Case(text: "[auth]\nallow_plaintext = \"yes\"\n", kind: .wrongType, line: 2, key: "auth.allow_plaintext", says: ["\"never\", \"loopback\", \"always\""]),
        Case(text: "[auth]\nmechanisms = []\n", kind: .badValue, line: 2, key: "auth.mechanisms", says: ["at least one entry"]),
        Case(text: "[listen]\nsmtp = [\n  \"127.0.0.1\",\n]\n", kind: .wrongType, line: 2, key: "listen.smtp", says: ["an address and port"]),
        Case(text: "[listen]\nsmtp = [\"localhost:25\"]\n", kind: .badValue, line: 2, key: "listen.smtp", says: ["numeric"]),
        Case(text: "listen.imap = [\"*:70000\"]\n", kind: .wrongType, line: 1, key: "listen.imap", says: []),
        Case(
            text: "[listen]\nsmtp = [\n \"127.0.0.1:25\" ] # ]\nimap = [\"127.0.0.1:25\"]\n", kind: .contradiction, line: 4, key: "listen.imap",
            says: ["127.0.0.1:25 is already taken by listen.smtp"]),
        Case(text: "[retry]\ninitial = \"5 h\"\nmaximum = \"4 h\"\n", kind: .contradiction, line: 2, key: "retry.initial", says: ["retry.maximum"]),
        Case(text: "hostname = \"-bad-\"\n", kind: .wrongType, line: 1, key: "hostname", says: ["a domain name"]),
        Case(text: "[paths]\nspool = \"\"\n", kind: .wrongType, line: 2, key: "paths.spool", says: ["a path"]),
        Case(text: "[paths]\nspool = \"a\\u0001b\"\n", kind: .wrongType, line: 2, key: "paths.spool", says: ["a path"]),
        Case(text: "[paths]\nspool = \"a\\u0000b\"\n", kind: .syntax, line: 2, key: nil, says: ["NUL"]),
        Case(text: "[limits]\nhops = 60\n\0nonsense = 1\n", kind: .syntax, line: 3, key: nil, says: ["NUL"]),
        Case(text: "[users]\nprefix = \"Root \"\n", kind: .badValue, line: 2, key: "users.prefix", says: ["a letter first"]),
    ]

    @Test(arguments: cases) func aFaultIsNamedWithItsLine(_ fault: Case) {
        let found = problems(fault.text)
        #expect(found.count == 1)
        #expect(found.first?.kind == fault.kind)
        #expect(found.first?.line == fault.line)
        #expect(found.first?.key == fault.key)
        let message = found.first?.description ?? ""
        #expect(message.hasPrefix("etc/martlet.toml:\(fault.line): " + (fault.key.map { $0 + ": " } ?? "")))
        for part in fault.says { #expect(message.contains(part), "\(message)") }
        #expect(found.first.map { !$0.remedy.isEmpty } == true)
    }

    @Test func allFaultsAreToldAtOnceInTheOrderOfLines() {
        let found = problems("""
            [limits]
            hops = "x"
            nonsense = 1
            [auth]
            upgrade_hashes = 3
            [retry]
            jitter = 99
            """)
        #expect(found.map(\.line) == [2, 3, 5, 7])
        #expect(found.map(\.kind) == [.wrongType, .unknownKey, .wrongType, .badValue])
    }

    @Test func linesAreRightAfterStringsAndListsThatSpanLines() {
        let found = problems(#"""
            postmaster = """
            # no comment
            [limits]
            """
            hostname = '''
            \'''
            [listen] # a comment with "quotes' and [brackets
            smtp = [ # one
               "127.0.0.1:25", # "]
               "[::1]:25",
            ]
            limits = 5
            "imap" = ["x"]
            """#)
        #expect(found.map(\.line) == [1, 5, 12, 13])
        #expect(found.map(\.key) == ["postmaster", "hostname", "listen.limits", "listen.imap"])
    }

    @Test func aMissingFileIsNotAnEmptyOne() {
        #expect { try Configuration.load(path: "/nonexistent/etc/martlet.toml") } throws: { error in
            guard let error = error as? ConfigurationError else { return false }
            return error.unreadable?.isMissing == true && error.description.contains("mailctl init")
        }
    }

    @Test func aFolderIsNoFile() {
        #expect { try Configuration.load(path: "/usr/bin") } throws: { ($0 as? ConfigurationError)?.unreadable != nil }
    }
}
