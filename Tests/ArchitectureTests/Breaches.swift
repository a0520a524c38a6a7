// One breach a rule, and what resembles one. Forbidden words are put together here, so that this file keeps the rules itself.

typealias Breach = LintTests.Breach

private let openQuestion = "TO" + "DO"
private let longBody = String(repeating: "    a += 1\n", count: 60)

let breaches = [
    Breach(claim: "a pure target imports the C library", rule: "imports", path: "Sources/MailModel/A.swift", text: "import Glibc\n"),
    Breach(claim: "a pure target imports Foundation", rule: "imports", path: "Sources/MailFormat/A.swift", text: "import Foundation\n"),
    Breach(claim: "a lower layer imports a higher one", rule: "imports", path: "Sources/Kernel/A.swift", text: "package import Spool\n"),
    Breach(claim: "another library than Connection imports NIO", rule: "imports", path: "Sources/Daemon/A.swift", text: "import NIOCore\n"),
    Breach(claim: "locald imports the network", rule: "imports", path: "Sources/locald/A.swift", text: "import Connection\n"),
    Breach(claim: "an import hides behind an attribute", rule: "imports", path: "Sources/SMTPProtocol/A.swift", text: "@preconcurrency internal import Glibc\n"),
    Breach(claim: "an import of one declaration", rule: "imports", path: "Sources/SMTPProtocol/A.swift", text: "import struct Foundation.Data\n"),
    Breach(claim: "a target is in no layer", rule: "imports", path: "Sources/Extras/A.swift", text: "let a = 1\n"),
    Breach(claim: "a daemon is linked with the database's writer, by way of a library", rule: "closures", path: "Package.swift", text: """
        let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
        let targets = [
            library("DirectoryDatabase", [grdb]),
            library("Login", ["DirectoryDatabase"]),
            program("pop3d", ["Login"]),
        ]

        """),
    Breach(claim: "a file is too long", rule: "file-size", path: "Sources/MailModel/A.swift", text: String(repeating: "\n", count: 501)),
    Breach(claim: "a function is too long", rule: "function-size", path: "Sources/MailModel/A.swift",
           text: "func f(_ x: [Int] = []) {\n\(longBody)}\n"),
    Breach(claim: "an initializer is too long", rule: "function-size", path: "Sources/MailModel/A.swift",
           text: "struct A {\n    package init(a: Int)\n        throws\n    {\n\(longBody)    }\n}\n"),
    Breach(claim: "a try that traps", rule: "words", path: "Sources/MailModel/A.swift", text: "let a = try" + "! f()\n"),
    Breach(claim: "a cast that traps", rule: "words", path: "Sources/MailModel/A.swift", text: "let a = b as" + "! Int\n"),
    Breach(claim: "a trap by name", rule: "words", path: "Sources/MailModel/A.swift", text: "fatal" + "Error(\"x\")\n"),
    Breach(claim: "an open question", rule: "words", path: "Tests/ATests/A.swift", text: "// \(openQuestion): more\n"),
    Breach(claim: "a promise to the compiler without a reason", rule: "sendable", path: "Sources/Kernel/A.swift",
           text: "/// A box.\nfinal class Box: @unchecked Sendable {}\n"),
    Breach(claim: "a name that says nothing", rule: "names", path: "Sources/MailModel/A.swift", text: "struct Queue" + "Manager {}\n"),
    Breach(claim: "a file name that says nothing", rule: "names", path: "Sources/MailModel/String" + "Utils.swift", text: "\n"),
    Breach(claim: "a program without its header", rule: "headers", path: "Sources/queued/Main.swift", text: "import Kernel\n"),
    Breach(claim: "a registry in a page", rule: "hosts", path: "docs/a.md", text: "see https://py" + "pi.org/\n"),
    Breach(claim: "a path of one machine", rule: "hosts", path: "docs/a.md", text: "in /wo" + "rk/main\n"),
    Breach(claim: "a citation in another form", rule: "standards", path: "Sources/MailModel/A.swift", text: "// as RFC" + "5321 says\n"),
]

let innocents = [
    Breach(claim: "the administrator's tool is linked with the writer", rule: "closures", path: "Package.swift", text: """
        let targets = [
            library("DirectoryDatabase", [.product(name: "GRDB", package: "GRDB.swift")]),
            program("mailctl", ["DirectoryDatabase"]), program("pop3d", ["Login"]),
        ]

        """),
    Breach(claim: "a lower layer is imported", rule: "imports", path: "Sources/Spool/A.swift",
           text: "import Kernel\npackage import MailModel\nimport Synchronization\n"),
    Breach(claim: "an import in a comment", rule: "imports", path: "Sources/MailModel/A.swift", text: "// import Glibc\n"),
    Breach(claim: "sixty lines are allowed", rule: "function-size", path: "Sources/MailModel/A.swift",
           text: "func f() {\n\(String(repeating: "    a += 1\n", count: 58))}\n"),
    Breach(claim: "a requirement has no body", rule: "function-size", path: "Sources/MailModel/A.swift",
           text: "protocol P {\n    func f()\n    func g() -> Int\n}\n" + longBody),
    Breach(claim: "braces in a literal", rule: "function-size", path: "Sources/MailModel/A.swift",
           text: "func f() {\n    a = \"{\"\n    // {\n}\n" + longBody),
    Breach(claim: "a word in a comment is no trap", rule: "words", path: "Sources/MailModel/A.swift", text: "// never fatal" + "Error here\n"),
    Breach(claim: "a reason above the promise", rule: "sendable", path: "Sources/Kernel/A.swift",
           text: "/// A box.\n///\n/// Sendable: it never changes.\nfinal class Box: @unchecked Sendable {}\n"),
    Breach(claim: "the name of IMAP's items", rule: "standards", path: "Sources/MailModel/A.swift", text: "// `RFC822.SIZE`\n"),
]
