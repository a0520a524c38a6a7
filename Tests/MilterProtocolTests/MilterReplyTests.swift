// Each reply of a milter: what it says, and all the ways in which it can be none.

import MailModel
import MailTestKit
import MilterProtocol
import Testing

struct MilterReplyTests {
    private static func field(_ name: String, _ value: String) -> MilterField {
        guard let field = MilterField(name: bytes(name), given: bytes(value), leadingSpace: true) else { fatalError("no field") }
        return field
    }

    private static func refusal(_ text: String) -> MilterReply {
        guard let refusal = MilterRefusal(parsing: bytes(text)) else { fatalError("no refusal") }
        return .refuse(refusal)
    }

    @Test(arguments: [
        ("a", .accept), ("c", .proceed), ("d", .discard), ("r", .reject), ("t", .temporaryFailure), ("s", .skip), ("p", .progress),
        ("4", .shutdown), ("f", .connectionFailure), ("y550 5.7.1 no|", refusal("550 5.7.1 no")),
        ("O#6##17##2#", .options(MilterOptions(version: 6, actions: [.addHeaders, .changeHeaders], steps: .noHelo))),
        ("+<a@b.example>|", .modification(.addRecipient(address("a@b.example"), parameters: []))),
        ("+a@b.example|", .modification(.addRecipient(address("a@b.example"), parameters: []))),
        ("2<a@b.example>|NOTIFY=NEVER|X=1|", .modification(.addRecipient(address("a@b.example"), parameters: [bytes("NOTIFY=NEVER"), bytes("X=1")]))),
        ("2<a@b.example>|NOTIFY=NEVER X=1|", .modification(.addRecipient(address("a@b.example"), parameters: [bytes("NOTIFY=NEVER"), bytes("X=1")]))),
        ("2<a@b.example>|", .modification(.addRecipient(address("a@b.example"), parameters: []))),
        ("-<a@b.example>|", .modification(.deleteRecipient(address("a@b.example")))),
        ("e<a@b.example>|", .modification(.changeSender(.address(address("a@b.example")), parameters: []))),
        ("e<>|", .modification(.changeSender(.null, parameters: []))),
        ("e<>|BODY=8BITMIME|", .modification(.changeSender(.null, parameters: [bytes("BODY=8BITMIME")]))),
        ("hX-A|b|", .modification(.addHeader(field("X-A", " b")))), ("hX-A||", .modification(.addHeader(field("X-A", " ")))),
        ("i#0#X-A|b|", .modification(.insertHeader(at: 0, field("X-A", " b")))),
        ("i#7#X-A|b|", .modification(.insertHeader(at: 7, field("X-A", " b")))),
        ("m#1#X-A|b|", .modification(.changeHeader(index: 1, field("X-A", " b")))),
        ("m#2#X-A||", .modification(.deleteHeader(index: 2, name: bytes("X-A")))),
        ("bline\r\n", .modification(.replaceBody(bytes("line\r\n")))), ("b", .modification(.replaceBody([]))),
        ("qspam|", .modification(.quarantine(reason: bytes("spam")))), ("qa\nb|", .modification(.quarantine(reason: bytes("a?b")))),
    ] as [(String, MilterReply)])
    func values(text: String, expected: MilterReply) {
        #expect(MilterReply(parsing: packet(text), leadingSpace: false) == expected)
    }

    @Test func theLeadingSpaceIsTheMiltersIfItSaysSo() {
        for (text, value) in [("hX|b|", "b"), ("hX| b|", " b"), ("hX||", "")] {
            let expected = MilterReply.modification(.addHeader(Self.field("X", value)))
            #expect(MilterReply(parsing: packet(text), leadingSpace: true) == expected)
        }
    }

    @Test(arguments: [
        "a|", "cx", "p|", "z", "A", "l#0#i|", "y", "y550 no", "y|", "y550 no|x", "y550 no||", "y250 ok|", "y650 x|", "y55|",
        "O", "O#6##0#", "O#6##0##0#x", "O#6##0##0##5#", "O#6##0##0##5#i",
        "+", "+<a@b.example>", "+|", "+<>|", "+nobody|", "+<a@b.example>|X|", "-", "-<>|", "-<a@b.example>", "2", "2<a@b.example>|X", "2<a@b.example>|X\rY|",
        "e", "e<a@b.example>", "ea b|", "h", "hX", "hX|", "hX|b", "h|b|", "hX y|b|", "hX:|b|", "hX|b|c|",
        "i", "iabc", "i#0#", "i#0#X|b", "i#0#X|b|c", "i#4294967295#X|b|", "m", "m#1#", "m#1#X|", "m#1#|b|", "m#1#X|b", "m#1#X y||", "q", "qx", "qx|y",
    ])
    func malformed(text: String) {
        #expect(MilterReply(parsing: packet(text), leadingSpace: false) == nil)
    }

    @Test func anEndlessListOfParametersIsRefused() {
        let many = "2<a@b.example>|" + String(repeating: "X|", count: 20)
        #expect(MilterReply(parsing: packet(many), leadingSpace: false) == nil)
        #expect(MilterReply(parsing: packet(String(many.dropLast(2))), leadingSpace: false) != nil)
    }

    @Test func noPacketIsTooStrangeToBeRead() {
        var generator = SeededGenerator()
        var understood = 0
        for _ in 0..<20_000 {
            let command = bytes("acdrtsp4fyO+2-ehimbqxz").randomElement(using: &generator) ?? 0
            let data = generator.bytes(Int.random(in: 0...14, using: &generator), from: bytes("<>@aX5. \r\n") + [0, 0, 0, 255])
            if MilterReply(parsing: MilterPacket(command, data), leadingSpace: true) != nil { understood += 1 }
        }
        #expect(understood > 100)
    }
}

struct MilterRefusalTests {
    @Test(arguments: [
        ("550 5.7.1 no", 550, "5.7.1", ["no"]), ("451 later", 451, "nil", ["later"]), ("550", 550, "nil", [""]), ("550 ", 550, "nil", [""]),
        ("550-5.7.1 a\r\n550 5.7.1 b", 550, "5.7.1", ["a", "b"]), ("550-a\n550 b", 550, "nil", ["a", "b"]),
        ("550 a\r\n", 550, "nil", ["a"]), ("550-a\r\n550-b\r\n", 550, "nil", ["a", "b"]),
        // The code decides: a status of another class is given its own.
        ("550 4.7.1 x", 550, "5.7.1", ["x"]), ("451 2.0.0 x", 451, "4.0.0", ["x"]),
        ("550 5.7 x", 550, "nil", ["5.7 x"]), ("550 5.7.1", 550, "5.7.1", [""]),
        ("550 100%% sure", 550, "nil", ["100% sure"]), ("550 %%%% %", 550, "nil", ["%% %"]),
        ("550 a\rb\u{1}", 550, "nil", ["a?b?"]), ("421 4.3.2 bye", 421, "4.3.2", ["bye"]),
    ])
    func values(text: String, code: Int, status: String, lines: [String]) {
        let refusal = MilterRefusal(parsing: bytes(text))
        #expect(refusal?.code == code && refusal?.lines == lines.map { bytes($0) })
        #expect((refusal?.status?.description ?? "nil") == status)
        #expect(refusal?.isTemporary == (code < 500) && refusal?.closesConnection == (code == 421))
    }

    @Test(arguments: ["", "5", "55", "abc", "250 ok", "354 go", "600 x", "550x", "5500 x", "550-a\r\n551 b", "550-a\r\n\r\n550 b", "550-a\r\nb", "+50 x"])
    func invalid(text: String) { #expect(MilterRefusal(parsing: bytes(text)) == nil) }

    @Test func boundsHold() {
        #expect(MilterRefusal(parsing: bytes("550 " + String(repeating: "x", count: 976))) != nil)
        #expect(MilterRefusal(parsing: bytes("550 " + String(repeating: "x", count: 977))) == nil)
        #expect(MilterRefusal(parsing: bytes(String(repeating: "550-x\r\n", count: 31) + "550 x"))?.lines.count == 32)
        #expect(MilterRefusal(parsing: bytes(String(repeating: "550-x\r\n", count: 32) + "550 x")) == nil)
    }
}
