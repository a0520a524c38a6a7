// What goes to the client: strings that cannot break out of their quotes, and structures that keep their grammar.

import MailFormat
import MailTestKit
import Testing

@testable import IMAPProtocol

@Suite struct PrintingTests {
    private func printed(_ print: (inout ResponsePrinter) -> Void) -> String {
        var printer = ResponsePrinter()
        print(&printer)
        return String(decoding: printer.bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("", "\"\""), ("a b", "\"a b\""), ("a\"b\\c", "\"a\\\"b\\\\c\""), ("a\r\nb", "{4}\r\na\r\nb"), ("\0", "{1}\r\n\0"),
        ("é", "{2}\r\né"), ("a\tb", "{3}\r\na\tb"), ("\u{7F}", "{1}\r\n\u{7F}"),
    ])
    func strings(_ row: (text: String, wire: String)) {
        #expect(printed { $0.string(Array(row.text.utf8)) } == row.wire)
    }

    @Test(arguments: [("", "\"\""), ("a", "a"), ("NIL", "\"NIL\""), ("nil", "\"nil\""), ("a b", "\"a b\""), ("a]", "a]"), ("a*", "\"a*\"")])
    func astrings(_ row: (text: String, wire: String)) {
        #expect(printed { $0.astring(Array(row.text.utf8)) } == row.wire)
    }

    @Test func longStringsAreLiterals() {
        #expect(printed { $0.string([UInt8](repeating: 0x61, count: 2000)) }.hasPrefix("{2000}\r\na"))
    }

    @Test func uidSetsKeepTheirOrder() {
        #expect(printed { $0.uidSet([3, 4, 5, 9, 1, 2].map { UID($0) }) } == "3:5,9,1:2")
        #expect(printed { $0.uidSet([UID(.max)]) } == "4294967295")
    }

    /// Whatever a string holds, the parser reads back what the printer wrote.
    @Test func stringsComeBack() {
        var random = SeededGenerator()
        for _ in 0..<1000 {
            let text = random.bytes(Int.random(in: 0...20, using: &random), from: Array("ab \"\\\r\n(){}%*\u{1}é".utf8))
            var printer = ResponsePrinter()
            printer.astring(text)
            var cursor = CommandCursor(printer.bytes)
            #expect((try? cursor.astring()) == text)
            #expect(cursor.isAtEnd)
        }
    }

    /// Parentheses outside of strings pair up, and the structure is one list.
    private func isBalanced(_ bytes: [UInt8]) -> Bool {
        var depth = 0
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "\""):
                index += 1
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
            case UInt8(ascii: "{"):
                guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")),
                    let size = Int(String(decoding: bytes[(index + 1)..<end], as: UTF8.self))
                else { return false }
                index = end + 2 + size
            default: break
            }
            if depth < 1, index < bytes.count - 1 { return false }
            index += 1
        }
        return depth == 0
    }

    @Test func hostileMessagesHaveAStructure() {
        var deep = ""
        for level in 0..<3000 { deep += "Content-Type: multipart/mixed; boundary=b\(level)\r\n\r\n--b\(level)\r\n" }
        let messages = String(repeating: "Content-Type: message/rfc822\r\n\r\n", count: 3000)
        let quotes = "Content-Type: text/plain; name=\"a\\\"(((\"\r\nContent-ID: \u{0}(\r\nSubject: \")\r\n\r\nx"
        let flat = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + String(repeating: "--b\r\n\r\nx\r\n", count: 5000)
        for text in [deep, messages, quotes, flat, "", "\r\n", "Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\n--x--"] {
            let structure = MIMEStructure(of: Array(text.utf8))
            for isExtended in [false, true] {
                var printer = ResponsePrinter()
                printer.bodyStructure(structure, isExtended: isExtended)
                #expect(isBalanced(printer.bytes), "\(text.prefix(60))")
            }
            var printer = ResponsePrinter()
            printer.envelope(structure.root.envelope)
            #expect(isBalanced(printer.bytes))
        }
    }

    @Test func randomMessagesHaveAStructure() {
        var random = SeededGenerator()
        let alphabet = Array("-b:;=\"\\() \r\nContent-Type: multipart/x; boundary=b\r\n\r\n--b\r\n".utf8)
        for _ in 0..<300 {
            let head = Array("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n".utf8)
            let structure = MIMEStructure(of: head + random.bytes(200, from: alphabet))
            var printer = ResponsePrinter()
            printer.bodyStructure(structure, isExtended: true)
            #expect(isBalanced(printer.bytes))
        }
    }
}
