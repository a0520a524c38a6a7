// Random milters and random events: any chopping gives the same, every question gets one answer, and what is sent keeps
// the order that libmilter insists on.

import MailModel
import MailTestKit
import MilterProtocol
import Testing

struct MilterPropertyTests {
    struct Outcome: Equatable {
        var decisions: [MilterDecision]
        var fault: MilterFault?
        var closed: Int
    }

    /// A message up to its end, then `pieces` as what the milter says to that.
    private func outcome(_ pieces: [ArraySlice<UInt8>]) -> Outcome {
        var world = MilterWorld(FakeMilter(["E": [[]]]))
        _ = world.dialogue()
        for piece in pieces { world.says(piece) }
        return Outcome(decisions: world.decisions, fault: world.session.lastFault, closed: world.closed)
    }

    @Test(arguments: [
        ["c"], ["a"], ["p", "hX|b|", "p", "i#0#Y|c|", "+<a@b.example>|", "bone", "btwo", "c"], ["hX|b|", "r"], ["y550-5.7.1 a\r\n550 5.7.1 b|"],
        ["hX|b|", "z"], ["hX|b", "c"], ["c", "c"], ["hX|b|", "m#1#Subject||", "e<>|", "qx|", "d"], ["4"],
    ])
    func choppingChangesNothing(replies: [String]) { #expect(Chop.difference(wire(replies), run: outcome) == nil) }

    @Test func badLengthsAreChopInvariantToo() {
        for tail: [UInt8] in [[0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 99, 99], [0, 0x10, 0, 1]] {
            #expect(Chop.difference(wire("hX|b|") + tail, run: outcome) == nil)
        }
    }

    @Test func choppingRandomRepliesChangesNothing() {
        var generator = SeededGenerator()
        let samples = ["hX|b|", "i#1#X|b|", "m#1#Subject|x|", "m#1#X||", "+<a@b.example>|", "-<a@b.example>|", "e<>|", "bx\r", "b\ny", "qx|", "p", "p"]
        for _ in 0..<100 {
            var replies = (0..<Int.random(in: 0...8, using: &generator)).compactMap { _ in samples.randomElement(using: &generator) }
            replies.append(["c", "a", "r", "t", "d", "y451 x|", "z", "s", "4", "O#6##0##0#"].randomElement(using: &generator) ?? "c")
            #expect(Chop.difference(wire(replies), places: 10, seed: generator.seed, run: outcome) == nil, "\(replies)")
        }
    }

    /// Everything that can happen to a session, in any order.
    private enum Event: CaseIterable {
        case connect, helo, mail, recipient, refusedRecipient, data, unknown, message, opened, proceeds, says, noise, lost, deadline, body, abort, quit, quitNC
    }

    @Test func everyEventInEveryState() {
        var generator = SeededGenerator()
        var decided = 0
        for round in 0..<600 {
            let policy: MilterConfiguration.FailurePolicy = round % 2 == 0 ? .pass : .temporaryFailure
            var trial = Trial(policy, steps: MilterSteps(rawValue: UInt32.random(in: 0...0x1F_FFFF, using: &generator)))
            for _ in 0..<120 {
                guard let event = Event.allCases.randomElement(using: &generator) else { continue }
                trial.now += .seconds(1)
                apply(event, to: &trial, &generator)
                trial.settle()
                if let complaint = trial.complaint { return #expect(complaint == "", "\(event)") }
            }
            decided += trial.decided
        }
        #expect(decided > 5000)
    }

    private func apply(_ event: Event, to trial: inout Trial, _ generator: inout SeededGenerator) {
        let now = trial.now
        switch event {
        case .connect: trial.ask(.connect(MilterWorld.client))
        case .helo: trial.ask(.helo(bytes("a")))
        case .mail: trial.ask(.mail([bytes("<>")]))
        case .recipient: trial.ask(.recipient([bytes("<r@a.example>")], isRefused: false))
        case .refusedRecipient: trial.ask(.recipient([bytes("<r@a.example>")], isRefused: true))
        case .data: trial.ask(.data)
        case .unknown: trial.ask(.unknown(bytes("X")))
        case .message: trial.ask(.message(trial.fields, bodySize: Int.random(in: 0...2, using: &generator) * 40_000))
        case .opened: trial.session.opened(at: now)
        case .proceeds:
            // Mostly the milter is a good one: else no state but the first would be met.
            for _ in 0..<8 {
                trial.settle()
                trial.session.opened(at: now)
                trial.settle()
                trial.answer(wire("c"))
            }
        case .says:
            let replies = ["a", "r", "t", "d", "s", "p", "4", "f", "y550 x|", "hX|b|", "bx", "+<a@b.example>|", "c"]
            trial.answer(wire(replies.randomElement(using: &generator) ?? "c"))
        case .noise: trial.session.received(generator.bytes(Int.random(in: 0...6, using: &generator), from: [0, 0, 0, 1, 99, 255]), at: now)
        case .lost: if Bool.random(using: &generator) { trial.session.connectionLost() }
        case .deadline:
            guard Bool.random(using: &generator), let deadline = trial.session.deadline else { return }
            trial.now = max(now, deadline)
            trial.session.deadlinePassed(at: trial.now)
        case .body: trial.session.bodyRead(bytes("unasked")[...], at: now)
        case .abort: trial.drop { $0.abort() }
        case .quit: trial.drop { $0.quit() }
        case .quitNC: trial.drop { $0.quitForNewConnection() }
        }
    }
}

/// A session under trial, with a model of what libmilter would say to each command that it is sent.
private struct Trial {
    var session: MilterSession
    var now = Duration.zero
    let fields = MessageEdits(header: bytes("A: 1\r\nB: 2\r\n\r\n"), sender: .null, recipients: []).fields
    private(set) var complaint: String?
    private(set) var decided = 0
    private var options: [UInt8]
    private var steps: MilterSteps
    private var isOpen = false
    private var isNegotiated = false
    private var isAwaited = false
    private var hasQuestion = false
    private var hasData = false
    /// Where in the message the milter is: MAIL 0, RCPT 1, … EOB 6; nil outside one.
    private var place: Int?

    init(_ policy: MilterConfiguration.FailurePolicy, steps: MilterSteps) {
        session = MilterSession(configuration: MilterConfiguration(failurePolicy: policy))
        self.steps = steps
        options = wire("O#6##511##\(steps.rawValue)#")
    }

    mutating func ask(_ question: MilterQuestion) {
        settle()
        // What SMTP itself forbids is not asked: a recipient, or DATA, after DATA.
        switch question {
        case .recipient: if hasData { return }
        case .data: if hasData { return }; hasData = true
        case .connect, .helo, .mail, .message: hasData = false
        case .unknown: break
        }
        // Asking over an open question drops it.
        session.asked(question, at: now)
        hasQuestion = true
    }

    mutating func drop(_ act: (inout MilterSession) -> Void) {
        settle()
        act(&session)
        (hasQuestion, hasData) = (false, false)
    }

    /// The milter replies, if a reply is due.
    mutating func answer(_ reply: [UInt8]) {
        guard isAwaited else { return }
        if !isNegotiated {
            isAwaited = false
            isNegotiated = true
            session.received(options, at: now)
        } else {
            isAwaited = packets(reply).contains { "phb+".utf8.contains($0.command) }
            session.received(reply, at: now)
        }
    }

    /// Carries out what the session wants, and checks it.
    mutating func settle() {
        while let action = session.next() {
            switch action {
            case .open: check(!isOpen, "opened twice"); isOpen = true
            case .close: check(isOpen, "closed what is not open"); (isOpen, isNegotiated, isAwaited, place) = (false, false, false, nil)
            case .send(let bytes): check(isOpen, "sent without a connection"); packets(bytes).forEach { sent($0) }
            case .wantsBody(let range): session.bodyRead([UInt8](repeating: 7, count: range.count)[...], at: now)
            case .decided: check(hasQuestion, "decided without a question"); hasQuestion = false; decided += 1
            }
        }
        check(session.isBusy == hasQuestion, "busy without a question, or idle with one")
        check((session.deadline != nil) == hasQuestion, "a question without a deadline")
    }

    private mutating func sent(_ packet: MilterPacket) {
        let letter = Character(UnicodeScalar(packet.command))
        check(!isAwaited || letter == "Q" || letter == "A" && place != nil, "\(letter) before the reply")
        check(letter == "O" || isNegotiated, "\(letter) before the negotiation")
        switch letter {
        case "A": check(place != nil || steps.contains(.noMail), "abort without a message"); (place, isAwaited) = (nil, false)
        case "Q", "K": check(place == nil, "quit within a message"); isAwaited = false
        case "D": break
        case "O": isAwaited = true
        case "C", "H", "U": isAwaited = !steps.contains(Self.silence[letter] ?? [])
        default:
            let number = Array("MRTLNBE").firstIndex(of: letter) ?? 99
            if number == 0 {
                check(place == nil, "MAIL within a message")
            } else {
                check(steps.contains(.noMail) || (place ?? 99) <= number, "\(letter) out of order")
            }
            place = letter == "E" ? nil : number
            isAwaited = !steps.contains(Self.silence[letter] ?? []) || letter == "E"
        }
    }

    private static let silence: [Character: MilterSteps] = [
        "C": .noReplyConnect, "H": .noReplyHelo, "M": .noReplyMail, "R": .noReplyRecipient, "T": .noReplyData, "U": .noReplyUnknown,
        "L": .noReplyHeader, "N": .noReplyEndOfHeaders, "B": .noReplyBody,
    ]

    private mutating func check(_ holds: Bool, _ text: String) { if !holds, complaint == nil { complaint = text } }
}
