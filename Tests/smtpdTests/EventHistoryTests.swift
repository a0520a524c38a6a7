// The history of a service says each accept once, whatever crashes took and however often it starts.

import Kernel
import MailModel
import MailTestKit
import Spool
import SpoolFormat
import Testing

@testable import smtpd

@Suite struct EventHistoryTests {
    private let tree = TemporarySpool()

    private func start() throws -> IntakeLogs {
        let host = try #require(Domain("mx.example.org"))
        let spool = try DirectoryDescriptor(opening: Path(tree.path))
        return try IntakeLogs(spool: spool, owner: .smtpd, origin: .smtpd, trace: TraceField(host: host), retention: { 86400 })
    }

    /// A message in the mail log whose client has its 250.
    private func accept(_ logs: IntakeLogs, saying: Bool) throws -> QueueID {
        let id = try #require(logs.mail.log.newID(.smtpd))
        _ = logs.mail.append(RecordLine(.accept, id).adding(.from, "").adding(.to, "alice@example.org"), id: id, content: [[0x61]])
        try logs.mail.commit()
        if saying { logs.events.append(RecordLine(.accept, id), at: .now()) }
        return id
    }

    private func said() -> [String: Int] {
        var counts: [String: Int] = [:]
        for name in tree.names("smtpd/events").filter({ $0.hasSuffix(".log") }) {
            for line in tree.read("smtpd/events/\(name)").display.split(separator: "\n") where line.hasPrefix("accept ") {
                counts[String(line.split(separator: " ")[1]), default: 0] += 1
            }
        }
        return counts
    }

    @Test func whatACrashTookIsSaidOnceAndNothingElseAgain() throws {
        var ids: [QueueID] = []
        for life in 0..<3 {
            let logs = try start()
            ids.append(try accept(logs, saying: true))
            try logs.events.commit()
            // The events of the last second go with the program.
            ids.append(try accept(logs, saying: false))
            if life == 1 { logs.events.log.rollOver() }
        }
        // Far more starts than segments are read.
        for _ in 0..<6 { _ = try start() }
        #expect(said() == Dictionary(uniqueKeysWithValues: ids.map { ($0.text.display, 1) }))
    }

    /// The id of a long message is given before the log's turn comes. It belongs to the life in which it was given all the same,
    /// or its event, which a crash took, would be looked for in a life that lost none.
    @Test func aLongMessageAtTheVeryBeginningIsOneOfItsLife() throws {
        var ids: [QueueID] = []
        for _ in 0..<3 {
            let logs = try start()
            let intake = try Intake(
                origin: .smtpd, bigFolder: Path(tree.path) / "smtpd/mail/big", segment: logs.mail.log.end.segment)
            let content = intake.beginBig()
            content.append([0x61])
            let extent = try content.finish()
            _ = logs.mail.append(RecordLine(.accept, content.id).adding(.from, "").adding(.to, "alice@example.org"), id: content.id, big: extent)
            try logs.mail.commit()
            ids.append(content.id)
        }
        _ = try start()
        #expect(said() == Dictionary(uniqueKeysWithValues: ids.map { ($0.text.display, 1) }))
        #expect(ids == ids.sorted())
    }
}
