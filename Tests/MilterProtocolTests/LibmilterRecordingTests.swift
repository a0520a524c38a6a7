// What libmilter 8.17.1 wrote to our commands, octet by octet: the one test whose milter is not of our making.
// Its filter used every call of the library that asks for a change, and `smfi_setmlreply`, `smfi_progress`, `smfi_setsymlist`.

import MailModel
import MailTestKit
import MilterProtocol
import Testing

struct LibmilterRecordingTests {
    private static let options = "000000254f00000006000001ff00000400000000027b617574685f61757468656e7d00000000056900"
    private static let proceed = "0000000163"
    private static let multiline = "00000029793535302d352e372e31203130302525206e6f0d0a35353020352e372e31206e6f7420746f64617900"
    private static let end =
        "00000001700000001268582d4164646564006f6e650a0974776f000000000d6900000000582d546f70007400"
        + "000000156d000000015375626a656374006368616e676564000000000c6d00000001582d44656c0000000000132b3c616464656440612e6578616d706c653e00"
        + "0000001e323c70617240612e6578616d706c653e004e4f544946593d4e45564552000000000f2d3c7240612e6578616d706c653e00"
        + "0000001f653c6e657740612e6578616d706c653e00424f44593d384249544d494d45000000000b627265706c616365640d0a"
        + "0000000d62787878787878787878780d0a00000006716c6f6f6b000000000163"

    private func octets(_ hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.utf8.compactMap(\.hexValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Answers each packet that has a reply with the next of the recording.
    private func play(_ questions: [MilterQuestion], _ recording: [String]) -> (decisions: [MilterDecision], session: MilterSession) {
        var session = MilterSession(configuration: MilterConfiguration())
        var replies = recording[...]
        var decisions: [MilterDecision] = []
        for question in questions {
            session.asked(question, at: .zero)
            while let action = session.next() {
                switch action {
                case .open: session.opened(at: .zero)
                case .send(let bytes):
                    for sent in packets(bytes) where !"DAQK".utf8.contains(sent.command) {
                        if let reply = replies.popFirst() { session.received(octets(reply), at: .zero) }
                    }
                case .wantsBody(let range): session.bodyRead(ArraySlice(repeating: 0x61, count: range.count), at: .zero)
                case .decided(let decision): decisions.append(decision)
                case .close: break
                }
            }
        }
        #expect(replies.isEmpty)
        return (decisions, session)
    }

    @Test func itsRepliesAreUnderstood() {
        let text = "Subject: hi\r\nX-Del: a\r\n b\r\n\r\n"
        var edits = MessageEdits(header: bytes(text), sender: .null, recipients: [address("r@a.example")])
        let (decisions, session) = play(
            [
                .connect(MilterWorld.client), .mail([bytes("<s@a.example>")]), .recipient([bytes("<r@a.example>")], isRefused: false),
                .recipient([bytes("<bad@a.example>")], isRefused: false), .data, .message(edits.fields, bodySize: 10),
            ],
            [Self.options, Self.proceed, Self.proceed, Self.proceed, Self.multiline] + Array(repeating: Self.proceed, count: 5) + [Self.end])
        #expect(session.lastFault == nil && decisions.count == 6)
        guard decisions.count == 6, case .refuse(let refusal) = decisions[3], case .proceed(let changes) = decisions[5] else { return }
        #expect(refusal.code == 550 && refusal.status?.description == "5.7.1" && refusal.lines == [bytes("100% no"), bytes("not today")])
        edits.apply(changes)
        #expect(edits.header == bytes("X-Top: t\r\nSubject: changed\r\nX-Added: one\r\n\ttwo\r\n\r\n"))
        #expect(edits.recipients == [address("added@a.example"), address("par@a.example")] && edits.sender == .address(address("new@a.example")))
        #expect(edits.senderParameters == [bytes("BODY=8BITMIME")] && edits.replacedBody == bytes("replaced\r\nxxxxxxxxxx\r\n"))
        #expect(edits.quarantine == bytes("look"))
    }

    @Test func itsMacroListsAreUnderstood() {
        let options = MilterOptions(parsing: Array(octets(Self.options).dropFirst(5)))
        #expect(options?.actions == .all && options?.steps == .skip)
        #expect(options?.macroLists == [.mail: [bytes("{auth_authen}")], .endOfMessage: [bytes("i")]])
    }
}
