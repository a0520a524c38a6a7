// What each verdict comes to at each step: for the command, for the message, for the connection.

import MailModel
import MailTestKit
import MilterProtocol
import Testing

struct MilterVerdictTests {
    private static let custom = MilterRefusal(parsing: bytes("554 5.7.9 go away")) ?? .rejected

    private static let refusals: [(String, MilterRefusal)] = [("r", .rejected), ("t", .deferred), ("y554 5.7.9 go away|", custom)]

    @Test func refusalsOfTheConnectionHoldForAllOfIt() {
        for (reply, refusal) in Self.refusals {
            for letter: Character in ["C", "H"] {
                var world = MilterWorld(FakeMilter([letter: [[reply]]]))
                let decisions = world.dialogue()
                let first = letter == "C" ? 0 : 1
                #expect(decisions.prefix(first).allSatisfy { $0 == proceed } && decisions.dropFirst(first).allSatisfy { $0 == .refuse(refusal) })
                #expect(world.milter.log.last == "Q" && world.closed == 1 && world.session.lastFault == nil)
            }
        }
    }

    @Test func refusalsOfTheMessageEndItAndOnlyIt() {
        for (reply, refusal) in Self.refusals {
            for (step, letter) in ["M", "T", "L", "N", "B", "E"].enumerated() {
                var world = MilterWorld(FakeMilter([Character(letter): [[reply]]]))
                let decisions = world.dialogue()
                let first = [2, 4, 5, 5, 5, 5][step]
                #expect(decisions[first] == .refuse(refusal), "\(letter)")
                #expect(decisions.prefix(first).allSatisfy { $0 == proceed } && decisions.dropFirst(first).allSatisfy { $0 == .refuse(refusal) })
                // A message that ends early ends for the milter too; after the end of message there is nothing to abort.
                #expect(world.milter.log.last == (letter == "E" ? "E" : "A"))
                #expect(world.transaction().allSatisfy { $0 == proceed } && world.opened == 1)
            }
        }
    }

    @Test func refusalsOfARecipientAreItsOwn() {
        for (reply, refusal) in Self.refusals {
            var world = MilterWorld(FakeMilter(["R": [["c"], [reply]]]))
            world.connect()
            world.mail()
            #expect(world.recipient("a") == proceed && world.recipient("b") == .refuse(refusal) && world.recipient("c") == proceed)
            #expect(world.data() == proceed && world.message() == proceed)
        }
    }

    @Test func refusalsOfAnUnknownCommandAreItsOwn() {
        var world = MilterWorld(FakeMilter(["U": [["r"], ["a"]]]))
        world.connect()
        #expect(world.ask(.unknown(bytes("X"))) == .refuse(.rejected) && world.ask(.unknown(bytes("X"))) == proceed && world.mail() == proceed)
    }

    @Test func ACCEPTOfTheConnectionEndsTheMiltersPart() {
        for letter: Character in ["C", "H"] {
            var world = MilterWorld(FakeMilter([letter: [["a"]]]))
            #expect(world.dialogue().allSatisfy { $0 == proceed } && world.transaction().allSatisfy { $0 == proceed })
            #expect(world.milter.log.last == "Q" && world.opened == 1 && !world.milter.log.contains { $0.hasPrefix("M") })
        }
    }

    @Test func ACCEPTAndDISCARDHoldForTheRestOfTheMessage() {
        for (reply, decision) in [("a", proceed), ("d", MilterDecision.discard)] {
            for (step, letter) in ["M", "R", "T", "L", "N", "B", "E"].enumerated() {
                var world = MilterWorld(FakeMilter([Character(letter): [[reply]]]))
                let decisions = world.dialogue()
                let first = [2, 3, 4, 5, 5, 5, 5][step]
                #expect(decisions.prefix(first).allSatisfy { $0 == proceed } && decisions.dropFirst(first).allSatisfy { $0 == decision }, "\(letter)")
                #expect(world.milter.log.last == (letter == "E" ? "E" : "A"))
                #expect(world.transaction().allSatisfy { $0 == proceed } && world.opened == 1)
            }
        }
    }

    @Test func SHUTDOWNAndCONN_FAILEndTheConnection() {
        for reply in ["4", "f"] {
            for (step, letter) in ["C", "H", "M", "R", "T", "B", "E"].enumerated() {
                var world = MilterWorld(FakeMilter([Character(letter): [[reply]]]))
                let decisions = world.dialogue()
                let first = [0, 1, 2, 3, 4, 5, 5][step]
                #expect(decisions.dropFirst(first).allSatisfy { $0 == .refuse(.shutdown) } && MilterRefusal.shutdown.closesConnection)
                #expect(world.mail() == .refuse(.shutdown) && world.closed == 1)
                // The milter knows of a message from MAIL on, and of none once it was told of its end.
                #expect(world.milter.log.contains("A") == ["M", "R", "T", "B"].contains(letter))
            }
        }
    }

    /// What we refused is not shown as accepted; a milter that wants it sees it, and its word on it changes nothing.
    @Test func recipientsThatWeRefused() {
        var world = MilterWorld()
        world.connect()
        world.mail()
        #expect(world.recipient("a", isRefused: true) == proceed && !world.milter.log.contains { $0.hasPrefix("R") })
        world = MilterWorld(FakeMilter(options: "O#6##511##2048#", ["R": [["r"], ["t"], ["c"]]]))
        world.connect()
        world.mail()
        for name in ["a", "b", "c"] { #expect(world.recipient(name, isRefused: true) == proceed) }
        #expect(world.milter.log.filter { $0.hasPrefix("R") }.count == 3 && world.data() == proceed)
        #expect(world.milter.log.last == "T")
    }

    @Test func RSETAndANewGreetingEndTheMessageForTheMilter() {
        var world = MilterWorld()
        world.connect()
        world.mail()
        world.recipient()
        world.session.abort()
        world.run()
        #expect(world.milter.log.last == "A")
        world.session.abort()
        world.run()
        #expect(world.milter.log.filter { $0 == "A" }.count == 1)
        world.mail()
        world.helo()
        #expect(world.milter.log.suffix(3) == ["M<s@a.example>|", "A", "Ha.example|"])
        world.mail()
        world.connect()
        #expect(world.milter.log.suffix(3) == ["M<s@a.example>|", "A", "Cmx|4|\\25192.0.2.1|"] && world.recipient() == .refuse(.failed))
        world.mail()
        world.mail()
        #expect(world.milter.log.suffix(3) == ["M<s@a.example>|", "A", "M<s@a.example>|"])
        world.session.quit()
        world.run()
        #expect(world.milter.log.suffix(2) == ["A", "Q"])
    }

    @Test func QUIT_NCKeepsTheConnectionForTheNextClient() {
        var world = MilterWorld()
        #expect(world.dialogue().allSatisfy { $0 == proceed })
        world.session.quitForNewConnection()
        world.run()
        #expect(world.session.isOpen && world.milter.log.last == "K")
        #expect(world.dialogue().allSatisfy { $0 == proceed } && world.opened == 1 && world.milter.log.filter { $0 == "O" }.count == 1)
        #expect(world.milter.log.filter { $0.hasPrefix("C") }.count == 2)
        // An older milter does not know the command.
        world = MilterWorld(FakeMilter(options: "O#4##0##0#"))
        world.connect()
        world.session.quitForNewConnection()
        world.run()
        #expect(!world.session.isOpen && world.milter.log.last == "Q")
        #expect(world.dialogue().allSatisfy { $0 == proceed } && world.opened == 2)
    }
}
