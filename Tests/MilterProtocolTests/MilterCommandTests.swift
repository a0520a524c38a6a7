// Each command of the MTA, octet by octet.

import MailTestKit
import MilterProtocol
import Testing

struct MilterCommandTests {
    @Test(arguments: [
        (.negotiate(MilterOptions(version: 6, actions: .all, steps: .all)), [0, 0, 0, 13] + bytes("O") + [0, 0, 0, 6, 0, 0, 1, 0xFF, 0, 0x1F, 0xFF, 0xFF]),
        (.connect(MilterClient(hostName: bytes("mx"), address: .ipv4(bytes("192.0.2.1"), port: 25))), [0, 0, 0, 17] + bytes("Cmx\u{0}4\u{0}\u{19}192.0.2.1\u{0}")),
        (.connect(MilterClient(hostName: bytes("mx"), address: .ipv6(bytes("2001:db8::1"), port: 0x1234))), [0, 0, 0, 19] + bytes("Cmx\u{0}6\u{12}42001:db8::1\u{0}")),
        (.connect(MilterClient(hostName: bytes("mx"), address: .unix(path: bytes("/run/x")))), [0, 0, 0, 14] + bytes("Cmx\u{0}L\u{0}\u{0}/run/x\u{0}")),
        (.connect(MilterClient(hostName: bytes("[x]"), address: .unknown)), [0, 0, 0, 6] + bytes("C[x]\u{0}U")),
        (.helo(bytes("a.example")), wire("Ha.example|")),
        (.mail([bytes("<a@b.example>"), bytes("SIZE=3")]), wire("M<a@b.example>|SIZE=3|")),
        (.recipient([bytes("<c@d.example>")]), wire("R<c@d.example>|")),
        (.data, [0, 0, 0, 1] + bytes("T")),
        (.unknown(bytes("EXPN x")), wire("UEXPN x|")),
        (.header(name: bytes("Subject"), value: bytes("a\n b")), wire("LSubject|a\n b|")),
        (.header(name: bytes("X"), value: []), wire("LX||")),
        (.endOfHeaders, wire("N")), (.body(bytes("x\r\n")[...]), wire("Bx\r\n")), (.body([]), []),
        (.endOfMessage, wire("E")), (.abort, wire("A")), (.quit, wire("Q")), (.quitForNewConnection, wire("K")),
        (.macros(.connect, [MilterMacro("j", bytes("mx")), MilterMacro("daemon_name", [])]), wire("DCj|mx|{daemon_name}||")),
        (.macros(.helo, []), wire("DH")), (.macros(.mail, [MilterMacro("{i}", bytes("1"))]), wire("DMi|1|")),
        (.macros(.recipient, []), wire("DR")), (.macros(.data, []), wire("DT")),
        (.macros(.endOfHeaders, []), wire("DN")), (.macros(.endOfMessage, []), wire("DE")),
    ] as [(MilterCommand, [UInt8])])
    func table(command: MilterCommand, expected: [UInt8]) { #expect(command.wire == expected) }

    @Test func aBodyGoesInChunksThatLibmilterTakes() {
        let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
        let sent = packets(MilterCommand.body(body[...]).wire)
        #expect(sent.map(\.data.count) == [65535, 65535, 65535, 3395] && sent.allSatisfy { $0.command == UInt8(ascii: "B") })
        #expect(Array(sent.map(\.data).joined()) == body)
        #expect(packets(MilterCommand.body(body[..<65535]).wire).count == 1)
    }

    /// A NUL in what a client said would end the text early, and shift a second field into the milter's view.
    @Test func noTextCarriesANUL() {
        let hostile: [UInt8] = [0x61, 0, 0x62]
        for command: MilterCommand in [
            .helo(hostile), .mail([hostile]), .recipient([hostile]), .unknown(hostile), .header(name: bytes("X"), value: hostile),
            .macros(.mail, [MilterMacro("i", hostile)]), .connect(MilterClient(hostName: hostile, address: .unknown)),
        ] {
            #expect(packets(command.wire).first.map { shown($0).contains("a?b|") || shown($0).contains("a?b|U") } == true)
        }
    }
}
