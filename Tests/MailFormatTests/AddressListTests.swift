// Address lists: the examples of RFC 5322 appendix A, what other software writes, and garbage.

import MailModel
import MailTestKit
import Testing

@testable import MailFormat

@Suite struct AddressListTests {
    /// `name|route|local|domain`, `{name` and `}` for groups.
    private func shown(_ value: [UInt8]) -> [String] {
        AddressList(parsing: value[...]).items.map { item in
            switch item {
            case .mailbox(let mailbox):
                [mailbox.name, mailbox.route, mailbox.localPart, mailbox.domain].map { $0.map { text($0) } ?? "-" }.joined(separator: "|")
            case .groupStart(let name): "{" + text(name)
            case .groupEnd: "}"
            }
        }
    }

    @Test(arguments: [
        ("john@example.org", ["-|-|john|example.org"]),
        ("John Doe <jdoe@machine.example>", ["John Doe|-|jdoe|machine.example"]),
        ("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>", ["Mary Smith|-|mary|x.test", "-|-|jdoe|example.org", "Who?|-|one|y.test"]),
        ("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>", ["-|-|boss|nil.test", "Giant; \"Big\" Box|-|sysservices|example.net"]),
        ("A Group:Ed Jones <joe@where.test>,joe@where.test,John <jdoe@one.test>;", ["{A Group", "Ed Jones|-|joe|where.test", "-|-|joe|where.test", "John|-|jdoe|one.test", "}"]),
        ("Undisclosed recipients:;", ["{Undisclosed recipients", "}"]),
        ("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", ["Pete|-|pete|silly.test"]),
        ("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", ["{Hidden recipients", "}"]),
        ("Joe Q. Public <john.q.public@example.com>", ["Joe Q. Public|-|john.q.public|example.com"]),
        ("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example", ["Mary Smith|@node.test|mary|example.net", "-|-|jdoe|test.example"]),
        ("user@host (Full Name)", ["Full Name|-|user|host"]),
        ("\"quoted local\"@example.org", ["-|-|quoted local|example.org"]),
        ("a@[192.0.2.1]", ["-|-|a|[192.0.2.1]"]),
        ("a@b.c <d@e.f>", ["a@b.c|-|d|e.f"]),
        ("lonely", ["-|-|lonely|"]),
        ("<>", []), ("", []), (",,;;", []), ("<a@b", ["-|-|a|b"]), ("\"open", ["-|-|open|"]), ("(open", []),
        ("=?utf-8?q?J=C3=BC?= <j@x.org>", ["=?utf-8?q?J=C3=BC?=|-|j|x.org"]),
        ("a:b:c@d;", ["{a", "-|-|bc|d", "}"]),
        ("Jos\u{e9} <j@x.org>\n ,\n k@x.org", ["Jos\u{e9}|-|j|x.org", "-|-|k|x.org"]),
    ])
    func listIsRead(_ value: String, _ expected: [String]) {
        #expect(shown(wire(value)) == expected)
    }

    @Test func addressIsOnlyWhatMailCanReach() {
        let list = AddressList(parsing: bytes("a@example.org, b, \"c d\"@EXAMPLE.org, e@-x")[...])
        #expect(list.mailboxes.map { $0.address?.description } == ["a@example.org", nil, "\"c d\"@example.org", nil])
    }

    @Test func numberOfItemsIsBounded() {
        let list = AddressList(parsing: [UInt8](repeatElement(bytes("a@b,"), count: 20_000).joined())[...])
        #expect(list.items.count == AddressList.maximumItems)
        var grown = list
        grown.append(parsing: bytes("x@y")[...])
        #expect(grown.items.count == AddressList.maximumItems)
    }

    /// Groups open and close in turn, and every step ends, whatever the bytes are.
    @Test func groupsAreBalanced() {
        var generator = SeededGenerator()
        for _ in 0..<5000 {
            let value = generator.bytes(Int.random(in: 0...40, using: &generator), from: bytes("ab@.<>,:;()\"\\[] \r\n"))
            var isOpen = false
            for item in AddressList(parsing: value[...]).items {
                switch item {
                case .groupStart: #expect(!isOpen); isOpen = true
                case .groupEnd: #expect(isOpen); isOpen = false
                case .mailbox(let mailbox): #expect(!mailbox.localPart.isEmpty || !mailbox.domain.isEmpty)
                }
            }
            #expect(!isOpen)
        }
    }

    @Test(arguments: [
        ("<a@b>", ["<a@b>"]), ("<a@b> (c) <d@e>", ["<a@b>", "<d@e>"]), ("x <a\n @b>", ["<a@b>"]), ("<a@b", []), ("<>", []), ("<<a>", ["<a>"]),
    ])
    func messageIDsAreFound(_ value: String, _ expected: [String]) {
        #expect(messageIDs(in: wire(value)[...]).map { text($0) } == expected)
    }

    @Test func messageIDsAreBounded() {
        let value = [UInt8](repeatElement(bytes("<a@b>"), count: 5000).joined())
        #expect(messageIDs(in: value[...]).count == 1000)
        #expect(messageIDs(in: (bytes("<") + [UInt8](repeating: 0x61, count: 5000) + bytes("> <b>"))[...]) == [bytes("<b>")])
    }
}
