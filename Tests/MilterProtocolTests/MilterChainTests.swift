// Several milters: in their order, until one is against it; each sees what the one before it left.

import MailModel
import MailTestKit
import MilterProtocol
import Testing

struct MilterChainTests {
    private static let fine = ["proceed", "proceed", "proceed", "proceed", "proceed"]

    @Test func withoutMiltersAllIsWell() {
        var world = ChainWorld([])
        #expect(world.begin() == Self.fine && world.message() == "message" && world.edits?.header == bytes("Subject: hi\r\n\r\n"))
    }

    @Test func eachIsAskedInOrder() {
        var world = ChainWorld([FakeMilter(), FakeMilter(), FakeMilter()])
        #expect(world.begin() == Self.fine && world.message() == "message")
        #expect(world.milters[0].log == world.milters[1].log && world.milters[1].log == world.milters[2].log && world.milters[0].log.last == "E")
        #expect(world.edits?.isHeaderChanged == false && world.edits?.replacedBody == nil && world.chain.deadline == nil && !world.chain.isBusy)
        world.chain.quit()
        world.run()
        #expect(world.milters.allSatisfy { $0.log.last == "Q" })
    }

    @Test func theNextSeesWhatTheOneBeforeLeft() {
        var world = ChainWorld([
            FakeMilter(["E": [["i#0#X-First|1|", "m#1#Subject||", "bnew and longer body", "+<n@a.example>|", "c"]]]),
            FakeMilter(["E": [["m#1#X-First|2|", "-<r@a.example>|", "c"]]]), FakeMilter(["E": [["bthird\r\n", "a"]]]),
        ])
        #expect(world.begin() == Self.fine && world.message("Subject: hi\r\nTo: x\r\n\r\n") == "message")
        #expect(world.milters[0].body == world.body && world.milters[1].body == bytes("new and longer body\r\n") && world.milters[2].body == bytes("new and longer body\r\n"))
        #expect(world.milters[1].log.filter { $0.hasPrefix("L") } == ["LX-First|1|", "LTo|x|"])
        #expect(world.milters[2].log.filter { $0.hasPrefix("L") } == ["LX-First|2|", "LTo|x|"] && world.bodyRequests == 1)
        #expect(world.edits?.header == bytes("X-First: 2\r\nTo: x\r\n\r\n") && world.edits?.replacedBody == bytes("third\r\n"))
        #expect(world.edits?.recipients == [address("n@a.example")])
    }

    @Test func theFirstDefiniteVerdictWins() {
        var world = ChainWorld([FakeMilter(), FakeMilter(["M": [["r"]]]), FakeMilter(["M": [["t"]]])])
        _ = world.ask(.connect(MilterWorld.client))
        #expect(world.ask(.mail([bytes("<>")])) == "550 by 1")
        #expect(world.milters[0].log.last == "A" && world.milters[1].log.last == "A" && !world.milters[2].log.contains { $0.hasPrefix("M") })
        #expect(world.ask(.mail([bytes("<>")])) == "451 by 2")
        #expect(world.ask(.mail([bytes("<>")])) == "proceed")
    }

    @Test func aRefusedMessageIsTheLastWord() {
        var world = ChainWorld([FakeMilter(["E": [["hX|b|", "c"], ["c"]]]), FakeMilter(["E": [["y554 5.7.1 spam|"], ["c"]]]), FakeMilter()])
        #expect(world.begin() == Self.fine && world.message() == "554 by 1" && world.edits == nil)
        #expect(world.milters[2].log.last == "A" && !world.milters[2].log.contains("N") && world.milters[0].log.last == "E")
        #expect(world.ask(.mail([bytes("<>")])) == "proceed" && world.ask(.data) == "proceed" && world.message() == "message")
    }

    @Test func aRecipientRefusedByOneIsNotShownToTheNext() {
        var world = ChainWorld([FakeMilter(["R": [["r"]]]), FakeMilter()])
        _ = world.ask(.connect(MilterWorld.client))
        _ = world.ask(.mail([bytes("<>")]))
        #expect(world.ask(.recipient([bytes("<a@a.example>")], isRefused: false)) == "550 by 0")
        #expect(world.ask(.recipient([bytes("<b@a.example>")], isRefused: false)) == "proceed" && world.message() == "message")
        #expect(world.milters[1].log.filter { $0.hasPrefix("R") } == ["R<b@a.example>|"])
    }

    @Test func aDiscardHoldsUntilTheMessageEnds() {
        for letter: Character in ["M", "R", "T", "L", "E"] {
            var world = ChainWorld([FakeMilter(), FakeMilter([letter: [["d"]]]), FakeMilter()])
            _ = world.begin()
            #expect(world.message() == "discard by 1" && !world.milters[2].log.contains("E"), "\(letter)")
            #expect(world.ask(.mail([bytes("<>")])) == "proceed" && world.ask(.data) == "proceed" && world.message() == "message", "\(letter)")
        }
        var world = ChainWorld([FakeMilter(["M": [["d"]]])])
        _ = world.ask(.connect(MilterWorld.client))
        _ = world.ask(.mail([bytes("<>")]))
        world.chain.abort()
        #expect(world.ask(.mail([bytes("<>")])) == "proceed" && world.message() == "message")
    }

    @Test func ACCEPTOfOneIsNoVerdictForTheOthers() {
        var world = ChainWorld([FakeMilter(["C": [["a"]]]), FakeMilter(["M": [["a"]]]), FakeMilter(["E": [["r"]]])])
        #expect(world.begin() == Self.fine && world.message() == "550 by 2")
    }

    @Test func failuresFollowThePolicyOfEach() {
        var world = ChainWorld([FakeMilter(), FakeMilter()], policies: [.pass, .temporaryFailure])
        world.isReachable = [false, true]
        #expect(world.begin() == Self.fine && world.message() == "message")
        world.isReachable = [true, false]
        world.chain.connectionLost(1, at: .zero)
        #expect(world.ask(.mail([bytes("<>")])) == "451 by 1" && world.chain.sessions[1].lastFault == .notReached)
    }

    @Test func aMilterThatFailsAtTheEndLeavesNoHalfOfItsChanges() {
        var world = ChainWorld(
            [FakeMilter(["E": [["hX-One|1|", "c"]]]), FakeMilter(["E": [["hX-Two|2|", "m#1#Subject||", "z"]]]), FakeMilter()], policies: [.pass, .pass, .pass])
        #expect(world.begin() == Self.fine && world.message() == "message")
        #expect(world.edits?.header == bytes("Subject: hi\r\nX-One: 1\r\n\r\n") && world.milters[2].log.contains("LX-One|1|"))
    }

    @Test func theDeadlineIsThatOfTheMilterThatIsAsked() {
        var world = ChainWorld([FakeMilter(), FakeMilter(["E": [[]]])], policies: [.temporaryFailure, .pass])
        _ = world.begin()
        #expect(world.message() == "none" && world.chain.deadline == .seconds(120) && world.chain.isBusy)
        world.chain.deadlinePassed(at: .seconds(120))
        world.run()
        #expect(world.edits != nil && world.chain.deadline == nil)
    }

    @Test func strayEventsAreIgnored() {
        var world = ChainWorld([FakeMilter()])
        world.chain.opened(7, at: .zero)
        world.chain.received(wire("c"), from: -1, at: .zero)
        world.chain.connectionLost(1, at: .zero)
        world.chain.bodyRead([1, 2], at: .zero)
        world.chain.deadlinePassed(at: .seconds(999))
        world.chain.abort()
        world.run()
        #expect(world.decisions.isEmpty && world.begin() == Self.fine)
        world.milters[0].script["E"] = [[]]
        #expect(world.message() == "none")
        world.chain.abort()
        world.run()
        #expect(!world.chain.isBusy && world.ask(.mail([bytes("<>")])) == "proceed")
    }
}
