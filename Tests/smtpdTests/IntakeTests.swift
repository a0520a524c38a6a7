// While the disk hangs nothing grows without a bound and nobody hears a permanent no; afterwards all goes on.

import Daemon
import Kernel
import MailModel
import MailTestKit
import Spool
import SpoolFormat
import Synchronization
import Testing

@testable import Connection
@testable import smtpd

@Suite(.serialized) struct IntakeTests {
    @Test func factsBeyondTheBoundAreCountedAndMailIsPutOffUntilTheyAreWritten() throws {
        let bench = try Bench()
        #expect(!bench.intake.isBehind)
        for _ in 0..<WaitingFacts.most { bench.intake.note(RecordLine(.connect)) }
        #expect(bench.intake.isBehind)
        for _ in 0..<7 { bench.intake.note(RecordLine(.connect)) }
        bench.run()
        #expect(eventually { !bench.intake.isBehind })
        bench.intake.note(RecordLine(.disconnect))
        bench.stop()
        let events = bench.lines("events")
        #expect(events.count { $0.hasPrefix("connect ") } == WaitingFacts.most)
        #expect(events.count { $0.hasPrefix("problem ") && $0.contains("reason=events%20lost count=7 ") } == 1)
        #expect(events.count { $0.hasPrefix("disconnect ") } == 1)
    }

    @Test func messagesBeyondTheBoundArePutOffAndTheOthersAreTaken() throws {
        let bench = try Bench()
        let client = try bench.client()
        let content = [UInt8](repeating: 0x61, count: 4 << 20)
        for _ in 0..<40 { bench.intake.accept(try bench.message(.inline(content), for: client)) }
        // Nothing else is answered before the thread runs: all behind the first 64 MiB are put off.
        #expect(eventually { client.answers.withLock { $0.count } >= 24 })
        let putOff = client.answers.withLock { $0 }
        #expect(Set(putOff) == ["451"])
        #expect(bench.intake.isBehind)
        bench.run()
        #expect(eventually { client.answers.withLock { $0.count } == 40 })
        #expect(client.answers.withLock { $0[putOff.count...].allSatisfy { $0 == "250" } })
        #expect(!bench.intake.isBehind)
        bench.stop()
        #expect(bench.logs.mail.liveCount == 40 - putOff.count)
    }

    @Test func theFileOfALongMessageThatIsPutOffIsRemoved() throws {
        let bench = try Bench()
        let client = try bench.client()
        let content = [UInt8](repeating: 0x61, count: 64 << 20)
        bench.intake.accept(try bench.message(.inline(content), for: client))
        let big = bench.intake.beginBig()
        big.append(content)
        #expect(bench.tree.names("smtpd/mail/big").count == 1)
        bench.intake.accept(try bench.message(.big(big), for: client))
        #expect(eventually { client.answers.withLock { $0 } == ["451"] })
        #expect(bench.tree.names("smtpd/mail/big") == [])
    }

    /// Its client will send it again: taken now, it would be there twice.
    @Test func aMessageWhoseClientIsGoneIsNotTaken() throws {
        let bench = try Bench()
        let (gone, here) = (try bench.client(), try bench.client())
        let big = bench.intake.beginBig()
        big.append([1, 2, 3])
        bench.intake.accept(try bench.message(.inline([0x61]), for: gone))
        bench.intake.accept(try bench.message(.big(big), for: gone))
        bench.intake.accept(try bench.message(.inline([0x62]), for: here))
        gone.isGone.store(true, ordering: .relaxed)
        bench.run()
        #expect(eventually { here.answers.withLock { $0 } == ["250"] })
        bench.stop()
        #expect(bench.logs.mail.liveCount == 1)
        #expect(bench.tree.names("smtpd/mail/big") == [])
        #expect(bench.lines("mail").count { $0.hasPrefix("accept ") } == 1)
    }

    /// A full disk: what is released is erased although no event can be written, or the disk would stay full.
    @Test func releasedMailIsErasedWhileEventsCannotBeWritten() throws {
        let bench = try Bench()
        let client = try bench.client()
        let big = bench.intake.beginBig()
        big.append([1, 2, 3])
        bench.intake.accept(try bench.message(.big(big), for: client))
        bench.run()
        #expect(eventually { client.answers.withLock { $0 } == ["250"] })
        bench.stop()
        #expect(bench.tree.names("smtpd/mail/big").count == 1)
        do {
            let released = try LogWriter(spool: DirectoryDescriptor(opening: Path(bench.tree.path)), LogName(.queued, .released))
            try released.begin()
            released.append(RecordLine(.released, big.id))
            try released.commit()
        }
        let faults = try #require(FaultScript("ENOSPC@write:1+"))
        FaultInjection.running(faults) { bench.logs.tend(stopping: true) }
        #expect(faults.count > 0, "the events were tried")
        #expect(bench.tree.names("smtpd/mail/big") == [])
    }
}
