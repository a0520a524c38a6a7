// Drops are written by anybody: a whole one is read, and no part of one and nothing else is.

import MailTestKit
import SpoolFormat
import Testing

@Suite struct DropFileTests {
    static let drop = DropFile(
        sender: bytes("alice@example.org"), recipients: [bytes("bob@example.net"), bytes("\"c d\"@example.net")], content: bytes("Subject: x\r\n\r\nfrom=evil\n"))

    @Test func printedAndParsedIsTheSame() {
        #expect(DropFile(parsing: DropFileTests.drop.bytes) == DropFileTests.drop)
        for sender in [nil, []] as [[UInt8]?] {
            let drop = DropFile(sender: sender, recipients: [bytes("a@b")], content: [])
            #expect(DropFile(parsing: drop.bytes) == drop)
        }
    }

    @Test func cutAnywhereItIsNothing() {
        let whole = DropFileTests.drop.bytes
        for length in 0..<whole.count { #expect(DropFile(parsing: Array(whole.prefix(length))) == nil, "\(length)") }
        #expect(DropFile(parsing: whole + [0x0A]) == nil, "nor with something behind it")
    }

    @Test(arguments: [
        "", "\n", "martlet-drop 2\nto=a@b\nsize=0\n\n", "martlet-drop 1\nsize=0\n\n", "martlet-drop 1\nto=a@b\n\n", "martlet-drop 1\nto=\nsize=0\n\n",
        "martlet-drop 1\nto=nobody\nsize=0\n\n", "martlet-drop 1\nfrom=x y\nto=a@b\nsize=0\n\n", "martlet-drop 1\nto=a@b\nsize=-0\n\n",
        "martlet-drop 1\nto=a@b\nsize=1e1\n\n", "martlet-drop 1\nto=a@b\nuid=0\nsize=0\n\n", "martlet-drop 1\nto\nsize=0\n\n",
        "martlet-drop 1\nto=a%0ab@c\nsize=0\n\n", "martlet-drop 1\nto=%zz\nsize=0\n\n", "martlet-drop 1\r\nto=a@b\r\nsize=0\r\n\r\n",
    ])
    func isRefused(_ text: String) { #expect(DropFile(parsing: bytes(text)) == nil) }

    @Test func recipientsAreBounded() {
        let many = { DropFile(sender: nil, recipients: Array(repeating: bytes("a@b"), count: $0), content: []) }
        #expect(DropFile(parsing: many(1000).bytes) != nil)
        #expect(DropFile(parsing: many(1001).bytes) == nil)
    }

    @Test func hostileBytesAreNothingOrADrop() {
        var random = SeededGenerator()
        let whole = DropFileTests.drop.bytes
        for _ in 0..<5000 {
            var mutated = whole
            for _ in 0..<3 { mutated[Int.random(in: mutated.indices, using: &random)] = UInt8(truncatingIfNeeded: random.next()) }
            if let drop = DropFile(parsing: mutated) { #expect(!drop.recipients.isEmpty && drop.content.count == DropFileTests.drop.content.count) }
        }
    }
}
