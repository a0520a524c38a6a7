// RFC 8259: what `--json` prints is JSON whatever the text.

import Testing
@testable import mailctl

@Suite struct JSONValueTests {
    @Test(arguments: [
        (JSONValue.null, "null"), (.boolean(true), "true"), (.number(-5), "-5"), (.text("a\"b\\c"), #""a\"b\\c""#),
        (.text("\u{0}\u{1F}\u{7F}\n\r\t"), #""\u0000\u001f\u007f\n\r\t""#), (.text("é\u{2028}"), "\"é\u{2028}\""),
        (.array([.number(1), .null]), "[1, null]"), (.array([]), "[]"),
        (.object(["b": .number(1), "a": .text("x")]), #"{"b": 1, "a": "x"}"#),
    ])
    func prints(_ value: JSONValue, _ text: String) { #expect(value.description == text) }

    @Test func bytesThatAreNoTextStayJSON() {
        #expect(JSONValue.text([0xFF, 0x22]).description == "\"\u{FFFD}\\\"\"")
    }

    @Test func aListIsAnEntryALine() {
        #expect(JSONValue.array([.number(1), .number(2)]).page == "[\n  1,\n  2\n]")
    }
}
