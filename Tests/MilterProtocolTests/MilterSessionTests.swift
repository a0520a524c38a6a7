// The dialogue with a milter that keeps to the protocol: what it is shown, what its replies come to.

import MailModel
import MailTestKit
import MilterProtocol
import Testing

struct MilterSessionTests {
    private static let envelope = ["Cmx|4|\\25192.0.2.1|", "Ha.example|", "M<s@a.example>|", "R<r@a.example>|", "T"]
    private static let content = ["LSubject|hi|", "LX|a\\n b|", "N", "B 20", "E"]

    @Test func aMessageIsShownInItsOrder() {
        var world = MilterWorld()
        #expect(world.dialogue() == [proceed, proceed, proceed, proceed, proceed, proceed])
        #expect(world.milter.log == ["O"] + Self.envelope + Self.content && world.milter.body == world.body && world.milter.faults.isEmpty)
        #expect(world.transaction() == [proceed, proceed, proceed, proceed])
        #expect(world.milter.log.dropFirst(11) == ["M<s@a.example>|", "R<r@a.example>|", "T"] + Self.content && world.opened == 1)
        world.session.quit()
        world.run()
        #expect(world.milter.log.last == "Q" && world.closed == 1 && world.session.deadline == nil && world.session.lastFault == nil)
    }

    /// Each step that is not wanted is not shown; one without a reply is not waited for.
    @Test(arguments: [
        (MilterSteps.noConnect, "C"), (.noHelo, "H"), (.noMail, "M"), (.noRecipient, "R"), (.noData, "T"), (.noHeaders, "L"), (.noEndOfHeaders, "N"),
        (.noBody, "B"), (.noUnknown, "U"),
    ])
    func stepsLeftOut(step: MilterSteps, letter: String) {
        var world = MilterWorld(FakeMilter(options: "O#6##511##\(step.rawValue)#"))
        #expect(world.dialogue().allSatisfy { $0 == proceed } && world.ask(.unknown(bytes("XYZ"))) == proceed)
        let everything = ["O"] + Self.envelope + Self.content + ["UXYZ|"]
        #expect(world.milter.log == everything.filter { !$0.hasPrefix(letter) })
    }

    @Test(arguments: [
        MilterSteps.noReplyConnect, .noReplyHelo, .noReplyMail, .noReplyRecipient, .noReplyData, .noReplyHeader, .noReplyEndOfHeaders, .noReplyBody,
        .noReplyUnknown, MilterSteps.all.subtracting(MilterSteps(rawValue: 0x37F)),
        [
            .noReplyConnect, .noReplyHelo, .noReplyMail, .noReplyRecipient, .noReplyData, .noReplyHeader, .noReplyEndOfHeaders, .noReplyBody,
            .noReplyUnknown,
        ],
    ])
    func stepsWithoutReply(steps: MilterSteps) {
        var world = MilterWorld(FakeMilter(options: "O#6##511##\(steps.subtracting(.leadingSpace).rawValue)#"))
        #expect(world.dialogue().allSatisfy { $0 == proceed } && world.ask(.unknown(bytes("XYZ"))) == proceed)
        #expect(world.milter.log == ["O"] + Self.envelope + Self.content + ["UXYZ|"] && world.session.lastFault == nil)
    }

    @Test func leadingSpaceAsNegotiated() {
        var world = MilterWorld(FakeMilter(options: "O#6##511##\(MilterSteps.leadingSpace.rawValue)#", ["E": [["hY|v|", "c"]]]))
        guard case .proceed(let changes)?? = world.dialogue().last else { return #expect(Bool(false)) }
        #expect(world.milter.log.contains("LSubject| hi|"))
        guard case .addHeader(let field)? = changes.first else { return #expect(Bool(false)) }
        #expect(field.line == bytes("Y:v\r\n"))
    }

    @Test(arguments: [
        ("2", ["C", "H", "M", "R", "L", "L", "N", "B", "E"], ["DC", "DH", "DM", "DR"]),
        ("3", ["C", "H", "M", "R", "L", "L", "N", "B", "E", "U"], ["DC", "DH", "DM", "DR", "DE"]),
        ("4", ["C", "H", "M", "R", "T", "L", "L", "N", "B", "E", "U"], ["DC", "DH", "DM", "DR", "DT", "DE"]),
        ("6", ["C", "H", "M", "R", "T", "L", "L", "N", "B", "E", "U"], ["DC", "DH", "DM", "DR", "DT", "DN", "DE"]),
    ])
    func olderMiltersAreSpokenToInTheirVersion(version: String, commands: [String], macros: [String]) {
        var world = MilterWorld(FakeMilter(options: "O#\(version)##63##0#"))
        let macro = [MilterMacro("i", bytes("1"))]
        world.ask(.connect(MilterWorld.client), macros: macro)
        world.ask(.helo(bytes("a")), macros: macro)
        world.ask(.mail([bytes("<>")]), macros: macro)
        world.ask(.recipient([bytes("<r@a.example>")], isRefused: false), macros: macro)
        world.ask(.data, macros: macro)
        #expect(world.message(macros: macro) == proceed && world.ask(.unknown(bytes("XYZ")), macros: macro) == proceed)
        let log = world.milter.log.dropFirst()
        #expect(log.filter { !$0.hasPrefix("D") }.map { String($0.prefix(1)) } == commands)
        #expect(log.filter { $0.hasPrefix("D") }.map { String($0.prefix(2)) } == macros)
    }

    @Test func macrosAreThoseThatTheMilterWants() {
        let macros = [MilterMacro("i", bytes("1")), MilterMacro("{auth_type}", bytes("PLAIN"))]
        var world = MilterWorld(FakeMilter(options: "O#6##256##4##2#i|#5#{auth_type}|#3#|"))
        world.connect()
        world.ask(.mail([bytes("<>")]), macros: macros)
        world.ask(.recipient([bytes("<r@a.example>")], isRefused: false), macros: macros)
        world.message(macros: macros)
        // MAIL itself is not wanted here, its macros are.
        #expect(world.milter.log.dropFirst(2) == [
            "DMi|1|", "R<r@a.example>|", "LSubject|hi|", "LX|a\\n b|", "DNi|1|{auth_type}|PLAIN|", "N", "B 20", "DE{auth_type}|PLAIN|", "E",
        ])
    }

    @Test func aLongBodyGoesInChunksAndSKIPEndsIt() {
        var world = MilterWorld()
        world.body = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
        #expect(world.dialogue().last == proceed && world.milter.body == world.body)
        #expect(world.milter.log.filter { $0.hasPrefix("B") } == ["B 65535", "B 65535", "B 18930"])
        world = MilterWorld(FakeMilter(["B": [["s"]]]))
        world.body = [UInt8](repeating: 7, count: 150_000)
        #expect(world.dialogue().last == proceed)
        #expect(world.milter.log.suffix(2) == ["B 65535", "E"])
    }

    @Test func SKIPAtHeadersAndRecipients() {
        var world = MilterWorld(FakeMilter(["L": [["s"]], "R": [["s"]]]))
        world.connect()
        world.mail()
        #expect(world.recipient("a") == proceed && world.recipient("b") == proceed && world.message() == proceed)
        #expect(world.milter.log.filter { $0.hasPrefix("R") } == ["R<a@a.example>|"])
        #expect(world.milter.log.filter { $0.hasPrefix("L") } == ["LSubject|hi|"])
        world.mail()
        world.recipient("c")
        #expect(world.milter.log.last == "R<c@a.example>|")
    }

    @Test func anEmptyBodyIsNotShown() {
        var world = MilterWorld()
        world.body = []
        #expect(world.dialogue().last == proceed && world.milter.log.suffix(2) == ["N", "E"] && world.milter.faults.isEmpty)
    }

    @Test func everyActionOfTheEndOfMessage() {
        let actions = [
            "hX-A|b|", "i#0#X-B|c|", "m#1#Subject|new|", "m#1#X||", "+<n@a.example>|", "2<p@a.example>|NOTIFY=NEVER|", "-<r@a.example>|", "e<new@a.example>|",
            "bnew ", "bbody\r\n", "qlook|", "p",
        ]
        for last in ["c", "a"] {
            var world = MilterWorld(FakeMilter(["E": [actions + [last]]]))
            guard case .proceed(let changes)?? = world.dialogue().last else { return #expect(Bool(false)) }
            var edits = MessageEdits(
                header: bytes("Subject: hi\r\nX: a\r\n b\r\n\r\n"), sender: .null, recipients: [address("r@a.example")])
            edits.apply(changes)
            #expect(changes.count == 11 && edits.header == bytes("X-B: c\r\nSubject: new\r\nX-A: b\r\n\r\n"))
            #expect(edits.replacedBody == bytes("new body\r\n") && edits.quarantine == bytes("look"))
            #expect(edits.recipients == [address("n@a.example"), address("p@a.example")] && edits.sender == .address(address("new@a.example")))
            #expect(world.transaction().allSatisfy { $0 == proceed })
        }
    }

    @Test func aVerdictAgainstTheMessageDropsItsChanges() {
        var world = MilterWorld(FakeMilter(["E": [["hX-A|b|", "r"], ["hX-B|b|", "c"]]]))
        #expect(world.dialogue().last == .refuse(.rejected))
        guard case .proceed(let changes)?? = world.transaction().last else { return #expect(Bool(false)) }
        #expect(changes.count == 1)
    }
}
