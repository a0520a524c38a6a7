// What an agent remembers: its own records read again give what it knew, and so does the block of a new segment.

import Kernel
import MailModel
import MailTestKit
import SpoolFormat
import Testing

@testable import Spool

private struct Held: HeldCopy, Hashable {
    let file: [UInt8]
    init?(staged record: Record) {
        guard let file = record[.file] else { return nil }
        self.file = file
    }
    func describe(in line: inout RecordLine) { line.add(.file, file) }
}

@Suite struct AgentLedgerTests {
    private static func id(_ number: UInt32) -> QueueID { QueueID(origin: .smtpd, epoch: 7, sequence: number) }

    private static func line(_ verb: Verb, _ number: UInt32, _ recipient: String = "a@b", _ fields: [(Key, String)] = []) -> RecordLine {
        var line = RecordLine(verb, id(number)).adding(.recipient, recipient).adding(.final, recipient + ".final")
        for (key, value) in fields { line.add(key, value) }
        return line
    }

    private static func record(_ line: RecordLine) throws -> Record { try #require(RecordParser.fields(line.bytes[...])) }

    private static func key(_ number: UInt32, _ recipient: String = "a@b") throws -> CopyKey {
        try #require(CopyKey(record(line(.staged, number, recipient))))
    }

    private static func ledger(_ lines: [RecordLine]) throws -> AgentLedger<Held> {
        var ledger = AgentLedger<Held>()
        for line in lines { ledger.replay(try record(line)) }
        return ledger
    }

    private static func word(_ progress: CopyProgress<Held>?) -> String {
        switch progress {
        case .staged(let held)?: "staged \(held.file.display)"
        case .final(let line)?: "final \(line.verb.rawValue)"
        case .answered(let position, let line)?: "answered \(position.text.display) \(line.verb.rawValue)"
        case nil: "nothing"
        }
    }

    private static let staged = line(.staged, 1, "a@b", [(.file, "f")]), delivered = line(.delivered, 1, "a@b", [(.account, "x")])
    private static let temporary = line(.temporary, 1, "a@b", [(.answers, "00000001:5"), (.status, "4.2.0")])

    @Test(arguments: [
        ([], "nothing"), ([staged], "staged f"), ([staged, delivered], "final delivered"), ([delivered, staged], "final delivered"),
        ([delivered, temporary], "final delivered"), ([temporary], "answered 00000001:5 temporary"), ([temporary, staged], "staged f"),
        ([temporary, delivered], "final delivered"), ([line(.staged, 1)], "nothing"), ([line(.temporary, 1)], "nothing"),
        ([staged, line(.withdrawn, 1)], "final withdrawn"), ([line(.failed, 1)], "final failed"), ([line(.sent, 1)], "final sent"),
        ([RecordLine(.delivered, id(1))], "nothing"), ([line(.assign, 1)], "nothing"), ([line(.delivered, 2)], "nothing"),
        ([line(.delivered, 1, "other@b")], "nothing"),
    ] as [([RecordLine], String)])
    func aCopyStandsWhereItsRecordsSay(_ lines: [RecordLine], _ expected: String) throws {
        #expect(try AgentLedgerTests.word(AgentLedgerTests.ledger(lines)[AgentLedgerTests.key(1)]) == expected)
    }

    @Test func aBlockSaysWhatTheLedgerKnows() throws {
        var random = SeededGenerator()
        for _ in 0..<50 {
            var lines: [RecordLine] = []
            for _ in 0..<40 {
                let number = UInt32.random(in: 1...6, using: &random)
                let recipient = ["a@b", "odd name%@b", "é@b"].randomElement(using: &random) ?? ""
                switch Int.random(in: 0..<4, using: &random) {
                case 0: lines.append(AgentLedgerTests.line(.staged, number, recipient, [(.file, "f\(lines.count) x")]))
                case 1: lines.append(AgentLedgerTests.line(.delivered, number, recipient, [(.account, "x"), (.result, "presumed")]))
                case 2: lines.append(AgentLedgerTests.line(.failed, number, recipient, [(.status, "5.1.1"), (.reason, "no such user\n")]))
                default: lines.append(AgentLedgerTests.line(.temporary, number, recipient, [(.answers, "00000002:\(lines.count)"), (.reason, "busy")]))
                }
            }
            let one = try AgentLedgerTests.ledger(lines)
            let block = one.stateBlock(cursor: LogPosition(segment: 3, offset: 99))
            #expect(block.first?.verb == .state && block.last?.verb == .stateEnd)
            let cursor = try AgentLedgerTests.record(block[1])
            #expect(cursor.verb == .cursor && cursor[.log] == bytes("queued/events") && cursor[.upto].flatMap { LogPosition(parsing: $0) } == LogPosition(segment: 3, offset: 99))
            let two = try AgentLedgerTests.ledger(block)
            #expect(Set(one.progress.keys) == Set(two.progress.keys))
            for (key, progress) in one.progress {
                #expect(AgentLedgerTests.word(progress) == AgentLedgerTests.word(two[key]))
                if case .final(let line) = progress, case .final(let again)? = two[key] { #expect(line == again) }
            }
            #expect(Set(one.stateBlock(cursor: .start)) == Set(two.stateBlock(cursor: .start)), "twice is once")
        }
    }

    @Test func aBlockGoesThroughALog() throws {
        let world = World(LogName(.queued, .events))
        let known = try AgentLedgerTests.ledger([AgentLedgerTests.staged, AgentLedgerTests.line(.failed, 2)])
        do {
            let writer = try world.writer()
            writer.preamble = { known.stateBlock(cursor: .start) }
            try writer.begin()
        }
        let writer = try world.writer()
        var again = AgentLedger<Held>()
        for placed in try writer.newestRecords() { again.replay(placed.record) }
        #expect(Set(again.stateBlock(cursor: .start)) == Set(known.stateBlock(cursor: .start)))
        #expect(again.staged.map(\.held.file) == [bytes("f")])
    }

    @Test func aMessageThatIsDoneIsForgotten() throws {
        var ledger = try AgentLedgerTests.ledger([
            AgentLedgerTests.staged, AgentLedgerTests.line(.delivered, 1, "c@d"), AgentLedgerTests.line(.delivered, 2),
        ])
        ledger.forget(AgentLedgerTests.id(1))
        #expect(ledger.progress.count == 1 && ledger.staged.isEmpty)
        #expect(try AgentLedgerTests.word(ledger[AgentLedgerTests.key(2)]) == "final delivered")
        ledger.forget(AgentLedgerTests.id(1))
        ledger.replay(try AgentLedgerTests.record(AgentLedgerTests.staged))
        #expect(ledger.staged.count == 1)
    }
}

@Suite struct EventWriterTests {
    @Test func anEventHasItsTimeAndIsDurableAfterItsCommit() throws {
        let world = World(LogName(.queued, .events))
        let events = try whenUnlocked { try EventWriter(spool: world.spool(), .queued, echoes: false) }
        try events.log.begin()
        let follower = try world.follower()
        events.append(RecordLine(.start).adding(.pid, 7), at: WallTime(nanoseconds: 1_795_305_600_125_999_999))
        #expect(try follower.poll().isEmpty)
        try events.commit()
        let record = try #require(follower.poll().first?.record)
        #expect(record.verb == .start && record.number(.pid) == 7 && record.text(.at) == "1795305600.125")
    }

    @Test func factsThatNothingWaitsForAreSyncedOnceASecond() throws {
        let world = World(LogName(.queued, .events))
        let events = try whenUnlocked { try EventWriter(spool: world.spool(), .queued, echoes: false) }
        try events.log.begin()
        let follower = try world.follower()
        let second: Int64 = 1_000_000_000
        events.append(RecordLine(.start), at: WallTime(seconds: 1))
        try events.commitLazily(now: MonotonicTime(nanoseconds: 5 * second))
        #expect(try follower.poll().count == 1)
        events.append(RecordLine(.stop), at: WallTime(seconds: 1))
        try events.commitLazily(now: MonotonicTime(nanoseconds: 5 * second + second / 2))
        #expect(try follower.poll().isEmpty)
        try events.commitLazily(now: MonotonicTime(nanoseconds: 6 * second))
        #expect(try follower.poll().count == 1)
    }

    @Test(arguments: [(0, "0.000"), (1_000_000, "0.001"), (999_999, "0.000"), (1_010_000_000, "1.010")] as [(Int64, String)])
    func timestamp(_ nanoseconds: Int64, _ text: String) {
        #expect(Timestamp.text(WallTime(nanoseconds: nanoseconds)) == bytes(text))
        #expect(Timestamp.time(bytes(text)) == WallTime(nanoseconds: nanoseconds / 1_000_000 * 1_000_000))
    }

    @Test(arguments: ["", "1", "1.", "1.1000", ".5", "1.2.3", "-1.000", "a.000"]) func isNoTimestamp(_ text: String) { #expect(Timestamp.time(bytes(text)) == nil) }
}
