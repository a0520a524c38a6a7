// What `mailctl status` makes of the supervisor's facts.

import Configuration
import Kernel
import SpoolFormat
import Testing
@testable import mailctl

@Suite struct SupervisorStatusTests {
    private func status(_ lines: [String]) -> SupervisorStatus {
        SupervisorStatus(lines.compactMap { RecordParser.fields(Array($0.utf8)[...]) })
    }

    @Test func aStartedServiceRuns() throws {
        let status = status([
            "start - service=supervisor pid=7 uid=0", "spawn - service=imapd pid=9 uid=5 restarts=2 at=1000.500",
        ])
        #expect(status.supervisor == 7)
        let imapd = try #require(status.services.first { $0.service == .imapd })
        #expect(imapd.state == .running)
        #expect(imapd.json(now: WallTime(seconds: 1061)) == .object([
            "service": .text("imapd"), "state": .text("running"), "pid": .number(9), "uid": .number(5), "uptime": .number(61),
            "restarts": .number(2),
        ]))
        #expect(status.services.map(\.service) == Service.allCases)
    }

    @Test(arguments: [
        ("exit - service=imapd pid=9 code=0 result=restarting", ServiceStatus.State.restarting),
        ("exit - service=imapd pid=9 code=139 result=crashing", .crashing),
        ("exit - service=imapd pid=9 code=0 result=stopped", .stopped),
        ("exit - service=imapd pid=9 code=0 result=unheard-of", .restarting),
        ("stop - service=imapd", .stopped),
    ])
    func anEndedServiceHasNoProcess(_ line: String, _ state: ServiceStatus.State) throws {
        let status = status(["start - service=supervisor pid=7", "spawn - service=imapd pid=9 uid=5 restarts=0 at=1.000", line])
        let imapd = try #require(status.services.first { $0.service == .imapd })
        #expect(imapd.state == state)
        #expect(imapd.pid == nil)
        #expect(imapd.uptime(now: WallTime(seconds: 5)) == nil)
    }

    @Test func theKernelIsBelievedMoreThanTheFacts() {
        var status = status(["start - service=supervisor pid=7", "spawn - service=imapd pid=9 uid=5 restarts=0 at=1.000"])
        status.verify { pid, _ in pid == 7 }
        #expect(status.services.first { $0.service == .imapd }?.state == .restarting)
        status.verify { _, _ in false }
        #expect(status.supervisor == nil)
        #expect(status.services.allSatisfy { $0.state == .stopped && $0.pid == nil })
    }

    @Test func aFarewellIsBelieved() {
        #expect(status(["start - service=supervisor pid=7", "stop - service=supervisor pid=7"]).supervisor == nil)
    }

    @Test func spansAreReadable() {
        #expect([0, 59, 60, 3661, 90_061].map { StatusCommand.span($0) } == ["0 s", "59 s", "1 min 0 s", "1 h 1 min", "1 d 1 h"])
    }
}
