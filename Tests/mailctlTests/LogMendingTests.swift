// Logs that were copied at different moments: nobody waits for ever, no position is given twice, nothing is erased too early.

import Configuration
import Kernel
import MailModel
import MailTestKit
import Spool
import SpoolFormat
import Testing

@testable import mailctl

@Suite struct LogMendingTests {
    private let tree: CopyTree
    private let id = QueueID(origin: .smtpd, epoch: 1 << 40, sequence: 1)

    init() throws { tree = try CopyTree() }

    private func mend(_ cited: [LogName: UInt32] = [:]) throws { try tree.unlocked { try LogMending(tree.paths.spool).mend(cited: cited) } }

    /// queued had heard a log to its fifth segment; the copy of that log has one.
    @Test(arguments: [LogName(.smtpd, .mail), LogName(.locald, .events), LogName(.mailctl, .events)])
    func aCursorBeyondTheEndHearsWhatComes(_ log: LogName) throws {
        try tree.unlocked {
            let writer = try LogWriter(spool: try tree.spool(), log)
            try writer.begin()
        }
        let position = LogPosition(segment: 5, offset: 4000)
        try tree.say(.queued, RecordLine(.state), RecordLine(.cursor).adding(.log, log.text).adding(.upto, position.text), RecordLine(.stateEnd))
        try mend(try StoreCheck(tree.paths).cited)
        let follower = try LogFollower(spool: try tree.spool(), log, from: position)
        while try !follower.poll().isEmpty {}
        try tree.unlocked {
            let writer = try LogWriter(spool: try tree.spool(), log)
            try writer.begin()
            writer.append(RecordLine(.problem).adding(.reason, "heard"))
            try writer.commit()
        }
        #expect(try follower.poll().contains { $0.record.text(.reason) == "heard" && $0.position > position })
    }

    @Test func aLogThatIsAheadStaysAsItIs() throws {
        _ = try tree.accept("a")
        _ = try tree.accept("b")
        try mend([LogName(.smtpd, .mail): 2])
        #expect(tree.files.names("smtpd/mail").filter { $0.hasSuffix(".log") } == ["00000001.log", "00000002.log"])
    }

    /// For the queued of this copy the message may not be done.
    @Test func whatMayBeErasedIsForgotten() throws {
        try tree.unlocked {
            let writer = try LogWriter(spool: try tree.spool(), LogName(.queued, .released))
            try writer.begin()
            writer.append(RecordLine(.released, id))
            try writer.commit()
        }
        try mend()
        #expect(try LogFollower(spool: try tree.spool(), LogName(.queued, .released), from: .start).poll().isEmpty)
    }

    private func ledger() throws -> AgentLedger<Never> {
        var ledger = AgentLedger<Never>()
        try tree.unlocked {
            for placed in try LogWriter(spool: try tree.spool(), LogName(.remoted, .events)).newestRecords() { ledger.replay(placed.record) }
        }
        return ledger
    }

    /// A temporary answer names an assignment that queued has forgotten: asked again at an older one, the agent would be silent.
    @Test func anAgentForgetsTemporaryAnswersAndKeepsFinalOnes() throws {
        let other = QueueID(origin: .smtpd, epoch: 1 << 40, sequence: 2)
        try tree.say(.queued, RecordLine(.start))
        try tree.say(
            .remoted, RecordLine(.state),
            RecordLine(.cursor).adding(.log, "queued/events").adding(.upto, LogPosition(segment: 9, offset: 700).text), RecordLine(.stateEnd),
            tree.copy(.temporary, id).adding(.answers, LogPosition(segment: 9, offset: 500).text).adding(.status, "4.4.1"),
            tree.copy(.sent, other).adding(.host, "mx.example.net"))
        let assigned = LogPosition(segment: 1, offset: 100)
        let key = try #require(self.key(id))
        guard case .nothing = try ledger().duty(key, assigned: assigned) else {
            Issue.record("the case does not bite")
            return
        }
        try mend()
        let mended = try ledger()
        guard case .begin = mended.duty(key, assigned: assigned) else {
            Issue.record("still silent")
            return
        }
        let final = try #require(self.key(other))
        guard case .say = mended.duty(final, assigned: assigned) else {
            Issue.record("a final answer was forgotten")
            return
        }
        #expect(mended.cursor?.segment == 1)
    }

    private func key(_ id: QueueID) -> CopyKey? { RecordParser.fields(tree.copy(.assign, id).bytes[...]).flatMap { CopyKey($0) } }

    @Test func stagedCopiesAreCarriedOver() throws {
        try tree.say(.locald, tree.copy(.staged, id).adding(.file, tree.name(id)).adding(.store, "5f"))
        try mend()
        let records = try tree.unlocked { try LogWriter(spool: try tree.spool(), LogName(.locald, .events)).newestRecords() }
        let staged = try #require(records.first { $0.record.verb == .staged }?.record)
        #expect(staged.id == id && staged[.file] == tree.name(id) && staged.text(.store) == "5f" && staged.text(.account) == "example.org/bob")
    }
}
