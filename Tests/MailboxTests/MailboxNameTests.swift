import MailTestKit
import Testing

@testable import Mailbox

@Suite struct MailboxNameTests {
    @Test(arguments: [
        ("INBOX", "INBOX", ""), ("inbox", "INBOX", ""), ("InBoX", "INBOX", ""),
        ("Sent", "Sent", ".Sent"), ("Work.2025", "Work.2025", ".Work.2025"),
        ("inbox.Old", "INBOX.Old", ".INBOX.Old"), ("Inboxes", "Inboxes", ".Inboxes"),
        ("Entwürfe", "Entwürfe", ".Entw&APw-rfe"), ("A & B", "A & B", ".A &- B"),
        ("日本", "日本", ".&ZeVnLA-"), ("😀", "😀", ".&2D3eAA-"), ("martlet", "martlet", ".martlet"),
        ("~ann", "~ann", ".~ann"), (" a ", " a ", ". a "),
    ])
    func isAFolder(_ name: String, shown: String, folder: String) throws {
        let parsed = try #require(MailboxName(bytes(name)))
        #expect(parsed.bytes == bytes(shown))
        #expect(parsed.folder == bytes(folder))
        #expect(MailboxName(modifiedUTF7: parsed.modifiedUTF7) == parsed)
        if !parsed.isInbox { #expect(MailboxName(folder: parsed.folder) == parsed) }
    }

    @Test(arguments: [
        "", ".", "..", "...", "a..b", ".a", "a.", "../x", "a/b", "/etc/passwd", "a/../b", "a\0b", "a\nb", "a\r", "\u{7F}",
        "a*", "a%", "\u{85}", "\u{2028}", String(repeating: "x", count: 201), String(repeating: "a.", count: 33) + "a",
        String(repeating: "ü", count: 60) + String(repeating: "x", count: 100),
    ])
    func isRefused(_ name: String) { #expect(MailboxName(bytes(name)) == nil) }

    @Test(arguments: [[0xFF], [0x61, 0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xC0, 0xAE, 0xC0, 0xAE]] as [[UInt8]])
    func isNoUTF8(_ name: [UInt8]) { #expect(MailboxName(name) == nil) }

    /// Two spellings of one name would be two folders, or one folder under two names.
    @Test(arguments: ["&AC8-", "&AC4-", "a&-&-b&", "&AGE-", "&APw", "&ZeVnLA", "&2D0-", "&APx-", "&APw-&APw-", "Entw\u{FC}rfe"])
    func isNotCanonical(_ name: String) {
        #expect(MailboxName(modifiedUTF7: bytes(name)) == nil)
        #expect(MailboxName(folder: bytes("." + name)) == nil)
    }

    @Test(arguments: ["", ".", "..", "Sent", ".inbox", ".Sent/cur", ".inbox.x"])
    func isNoFolder(_ name: String) { #expect(MailboxName(folder: bytes(name)) == nil) }

    @Test func modifiedUTF7IsOneToOne() {
        var random = SeededGenerator(seed: 99)
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 0..<8, using: &random)).map { _ -> Character in
                let scalar = Unicode.Scalar(UInt32.random(in: 0...0x2FFFF, using: &random)) ?? "&"
                return Character(scalar)
            }
            let utf8 = bytes(String(text))
            let encoded = ModifiedUTF7.encode(utf8)
            #expect(encoded.flatMap(ModifiedUTF7.decode) == utf8, "seed 99, \(utf8)")
            #expect(encoded?.allSatisfy { $0 >= 0x20 && $0 < 0x7F } == true)
        }
    }

    @Test func movesWithItsParent() {
        #expect(mailbox("a.b.c").moved(from: mailbox("a.b"), to: mailbox("x")) == mailbox("x.c"))
        #expect(mailbox("a.b").isInferior(to: mailbox("a")))
        #expect(!mailbox("ab").isInferior(to: mailbox("a")))
        #expect(mailbox("a.b").parent == mailbox("a"))
        #expect(mailbox("a").parent == nil)
    }

    @Test(arguments: ["", ".a", "a/b", "..", "a b", "ü", String(repeating: "x", count: 201)])
    func isNoAccountFolder(_ user: String) {
        #expect(AccountFolder(domain: bytes("example.org"), user: bytes(user)) == nil)
        #expect(AccountFolder(domain: bytes(user), user: bytes("ann")) == nil)
    }
}
