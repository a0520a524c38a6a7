// Milters that break the protocol, are slow or go away: the failure policy decides, and nothing that they sent holds.

import MailModel
import MailTestKit
import MilterProtocol
import Testing

struct MilterHostileTests {
    private static let policies: [(MilterConfiguration.FailurePolicy, MilterDecision)] = [
        (.temporaryFailure, .refuse(.failed)), (.pass, proceed),
    ]

    /// A dialogue in which the milter's reply to a command is `says`; the session and its decisions after it.
    private func world(
        _ letter: Character, _ says: [UInt8], policy: MilterConfiguration.FailurePolicy, options: String = "O#6##511##0#"
    ) -> (MilterWorld, [MilterDecision?]) {
        var world = MilterWorld(FakeMilter(options: options, [letter: [[]]]), MilterConfiguration(failurePolicy: policy))
        let first = world.dialogue().prefix { $0 != nil }
        world.says(says)
        return (world, Array(first))
    }

    @Test(arguments: [
        ("E", [0, 0, 0, 0], .badLength), ("E", [0xFF, 0xFF, 0xFF, 0xFF, 99], .badLength), ("C", [0, 0x10, 0, 1, 99], .badLength),
        ("M", wire("z"), .badReply(0x7A)), ("M", wire("cx"), .badReply(0x63)), ("E", wire("y550 no"), .badReply(0x79)),
        ("E", wire("hX|b"), .badReply(0x68)), ("E", wire("+nobody|"), .badReply(0x2B)), ("E", wire("hX-A|b|", "hX|b|c|", "c"), .badReply(0x68)),
        ("C", wire("hX|b|"), .unexpectedReply(0x68)), ("M", wire("+<a@b.example>|"), .unexpectedReply(0x2B)), ("B", wire("bx"), .unexpectedReply(0x62)),
        ("N", wire("qx|"), .unexpectedReply(0x71)), ("C", wire("d"), .unexpectedReply(0x64)), ("H", wire("d"), .unexpectedReply(0x64)),
        ("M", wire("s"), .unexpectedReply(0x73)), ("B", wire("s"), .unexpectedReply(0x73)), ("E", wire("s"), .unexpectedReply(0x73)),
        ("M", wire("O#6##0##0#"), .unexpectedReply(0x4F)), ("E", wire("O#6##0##0#"), .unexpectedReply(0x4F)),
    ] as [(Character, [UInt8], MilterFault)])
    func brokenReplies(letter: Character, says: [UInt8], fault: MilterFault) {
        for (policy, decision) in Self.policies {
            let (world, _) = world(letter, says, policy: policy)
            #expect(world.session.lastFault == fault && world.decisions.last == decision && world.closed == 1 && !world.session.isBusy, "\(letter) \(says)")
            #expect(world.session.deadline == nil)
        }
    }

    @Test func actionsThatWereNotNegotiated() {
        let packets = ["hX|b|", "i#0#X|b|", "m#1#X|b|", "+<a@b.example>|", "2<a@b.example>|", "-<a@b.example>|", "e<>|", "bx", "qx|"]
        let flags: [MilterActions] = [
            .addHeaders, .addHeaders, .changeHeaders, .addRecipients, .addRecipientsWithParameters, .deleteRecipients, .changeSender, .changeBody, .quarantine,
        ]
        for (text, flag) in zip(packets, flags) {
            let others = MilterActions.all.subtracting(flag).rawValue
            let (refused, _) = world("E", wire(text, "c"), policy: .pass, options: "O#6##\(others)##0#")
            #expect(refused.session.lastFault == .notNegotiated(packet(text).command) && refused.decisions.last == proceed)
            let (taken, _) = world("E", wire(text, "c"), policy: .pass, options: "O#6##\(flag.rawValue)##0#")
            #expect(taken.session.lastFault == nil && taken.decisions.last != proceed)
        }
    }

    @Test(arguments: ["O#1##0##0#", "O#7##0##0#", "O#6##512##0#", "O#6##0##4194304#", "O#6##0#", "O#6##0##0##0#x"])
    func badNegotiations(options: String) {
        for (policy, decision) in Self.policies {
            var world = MilterWorld(FakeMilter(options: options), MilterConfiguration(failurePolicy: policy))
            #expect(world.connect() == decision && world.session.lastFault == .badOptions && world.closed == 1)
        }
    }

    @Test(arguments: ["c", "a", "r", "hX|b|", "p"])
    func whatIsNoNegotiation(reply: String) {
        var world = MilterWorld(FakeMilter(options: reply))
        #expect(world.connect() == .refuse(.failed) && world.session.lastFault == .unexpectedReply(packet(reply).command))
    }

    @Test func aReplyThatNobodyAskedForEndsTheConnection() {
        var world = MilterWorld()
        world.connect()
        world.says(wire("c"))
        #expect(world.session.lastFault == .unexpectedReply(0x63) && world.closed == 1 && world.decisions.count == 1)
        // Two replies to one command: the second would be taken as that to the next.
        world = MilterWorld(FakeMilter(["M": [["c", "c"]]]))
        world.connect()
        #expect(world.mail() == proceed && world.session.lastFault == .unexpectedReply(0x63))
        #expect(world.recipient() == .refuse(.failed) && world.message() == .refuse(.failed))
        // After a step whose reply was negotiated away there is none.
        world = MilterWorld(FakeMilter(options: "O#6##0##\(MilterSteps.noReplyMail.rawValue)#"))
        world.connect()
        #expect(world.mail() == proceed)
        world.says(wire("c"))
        #expect(world.session.lastFault == .unexpectedReply(0x63))
    }

    @Test func anUnreachableMilterIsTriedAtEachMessage() {
        for (policy, decision) in Self.policies {
            var world = MilterWorld(FakeMilter(), MilterConfiguration(failurePolicy: policy))
            world.isReachable = false
            #expect(world.connect() == decision && world.helo() == proceed && world.opened == 1 && world.session.lastFault == .notReached)
            #expect(world.transaction() == [decision, decision, decision, decision] && world.opened == 2)
            world.isReachable = true
            #expect(world.transaction().allSatisfy { $0 == proceed } && world.opened == 3)
            #expect(world.milter.log.prefix(4) == ["O", "Cmx|4|\\25192.0.2.1|", "Ha.example|", "M<s@a.example>|"])
        }
    }

    @Test func aMilterThatLeavesBetweenMessagesIsToldAnew() {
        var world = MilterWorld()
        #expect(world.dialogue().allSatisfy { $0 == proceed })
        world.lose()
        #expect(world.session.lastFault == nil && world.helo() == proceed && world.opened == 1)
        #expect(world.transaction().allSatisfy { $0 == proceed } && world.opened == 2)
        #expect(world.milter.log.dropFirst(11).prefix(4) == ["O", "Cmx|4|\\25192.0.2.1|", "Ha.example|", "M<s@a.example>|"])
        // Told anew, it may think otherwise.
        world.lose()
        world.milter.script = ["H": [["r"]]]
        #expect(world.mail() == .refuse(.rejected) && world.mail() == .refuse(.rejected))
    }

    @Test func aMilterThatLeavesWithinAMessageSpoilsIt() {
        for (policy, decision) in Self.policies {
            var world = MilterWorld(FakeMilter(), MilterConfiguration(failurePolicy: policy))
            world.connect()
            world.mail()
            world.lose()
            #expect(world.session.lastFault == .connectionLost && world.opened == 1)
            #expect(world.recipient() == decision && world.data() == decision && world.message() == decision && world.opened == 1)
            #expect(world.transaction().allSatisfy { $0 == proceed } && world.opened == 2)
        }
    }

    @Test func aSlowMilterIsGivenUp() {
        for (policy, decision) in Self.policies {
            for letter: Character in ["C", "M", "R", "T", "L", "B"] {
                var (world, _) = world(letter, [], policy: policy)
                #expect(world.session.deadline == .seconds(30) && world.session.isBusy)
                world.session.deadlinePassed(at: .seconds(29))
                #expect(world.session.isBusy)
                world.session.deadlinePassed(at: .seconds(30))
                world.run()
                #expect(world.decisions.last == decision && world.session.lastFault == .tooSlow && world.session.deadline == nil)
            }
        }
        let (slow, _) = world("E", [], policy: .pass)
        #expect(slow.session.deadline == .seconds(120))
    }

    @Test func PROGRESSExtendsTheDeadlineUpToTheTotal() {
        var (world, _) = world("E", [], policy: .temporaryFailure)
        for second in stride(from: 10, through: 290, by: 10) {
            world.now = .seconds(second)
            world.says(wire("p"))
            #expect(world.session.deadline == .seconds(min(second + 120, 300)) && world.session.isBusy)
        }
        world.now = .seconds(299)
        world.says(Array(repeating: wire("p"), count: 10_000).joined())
        #expect(world.session.deadline == .seconds(300))
        world.session.deadlinePassed(at: .seconds(300))
        world.run()
        #expect(world.decisions.last == .refuse(.failed) && world.session.lastFault == .tooSlow)
    }

    @Test func modificationsAreBounded() {
        var configuration = MilterConfiguration(failurePolicy: .pass)
        configuration.limits.modifications = 10
        configuration.limits.modificationOctets = 1000
        configuration.limits.bodyOctets = 4096
        func fault(_ replies: [String]) -> MilterFault? {
            var world = MilterWorld(FakeMilter(["E": [replies + ["c"]]]), configuration)
            let last = world.dialogue().last
            if world.session.lastFault != nil { #expect(last == proceed) }
            return world.session.lastFault
        }
        #expect(fault(Array(repeating: "hX|b|", count: 10)) == nil && fault(Array(repeating: "hX|b|", count: 11)) == .tooManyModifications)
        let long = String(repeating: "x", count: 497)
        #expect(fault(["hX|\(long)|", "hX|\(long)|"]) == nil && fault(["hX|\(long)|", "hX|\(long)xx|", "hX||"]) == .tooManyModifications)
        let piece = "b" + String(repeating: "x", count: 2048)
        #expect(fault([piece, piece]) == nil && fault([piece, piece, "bx"]) == .tooManyModifications)
        #expect(fault(Array(repeating: "b", count: 14)) == nil && fault(Array(repeating: "b", count: 15)) == .tooManyModifications)
    }

    @Test func aBodyThatCannotBeReadIsNeverPassed() {
        for (policy, _) in Self.policies {
            var world = MilterWorld(FakeMilter(), MilterConfiguration(failurePolicy: policy))
            world.connect()
            world.mail()
            world.session.asked(.message([], bodySize: 10), at: .zero)
            while let action = world.session.next() {
                switch action {
                case .send(let bytes): world.session.received(world.milter.received(bytes), at: .zero)
                case .wantsBody(let range):
                    #expect(range == 0..<10)
                    world.session.bodyRead(bytes("short")[...], at: .zero)
                case .decided(let decision): #expect(decision == .refuse(.failed))
                case .open, .close: break
                }
            }
            #expect(world.session.lastFault == .bodyUnavailable)
        }
    }

    @Test func anAbortDuringAQuestionDropsTheConnection() {
        var (world, _) = world("M", [], policy: .pass)
        world.session.abort()
        world.run()
        #expect(world.closed == 1 && !world.session.isBusy && world.session.deadline == nil && world.decisions.count == 2)
        #expect(world.transaction().allSatisfy { $0 == proceed } && world.opened == 2)
    }

    @Test func questionsOutOfOrderGetNoYes() {
        var world = MilterWorld(FakeMilter(), MilterConfiguration(failurePolicy: .pass))
        world.connect()
        #expect(world.data() == .refuse(.failed) && world.message() == .refuse(.failed) && world.recipient() == .refuse(.failed))
    }
}
