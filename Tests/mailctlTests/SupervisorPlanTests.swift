// The supervisor's decisions, on a clock that the test turns.

import Configuration
import Kernel
import Testing
@testable import mailctl

@Suite struct SupervisorPlanTests {
    /// A plan, its clock, and the processes that exist.
    struct Scene {
        var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        var plan: SupervisorPlan
        var nextPID: Int32 = 100
        var signals: [String] = []
        var reports: [Service] = []

        init(_ services: [Service] = Service.allCases) { plan = SupervisorPlan(services: services, now: now) }

        mutating func carryOut(_ actions: [SupervisorPlan.Action]) {
            for action in actions {
                switch action {
                case .spawn(let service, _):
                    nextPID += 1
                    plan.started(service, pid: nextPID, now: now)
                case .signal(let service, _, let signal): signals.append("\(service.rawValue) \(signal)")
                case .reportCrashLoop(let service, _): reports.append(service)
                }
            }
        }

        mutating func pass(milliseconds: Int64) {
            now = now.adding(milliseconds: milliseconds)
            carryOut(plan.advance(now: now))
        }

        mutating func end(_ service: Service) {
            guard let pid = plan.courses[service]?.phase.pid, let ended = plan.ended(pid: pid, now: now) else { return }
            carryOut(ended.actions)
        }

        func isUp(_ service: Service) -> Bool {
            if case .running = plan.courses[service]?.phase { true } else { false }
        }

        mutating func request(_ wish: SupervisorPlan.Wish, _ service: Service) { carryOut(plan.request(wish, [service], now: now)) }
    }

    @Test func everyServiceStartsAtOnce() {
        var scene = Scene()
        scene.pass(milliseconds: 0)
        #expect(Service.allCases.allSatisfy { scene.isUp($0) })
        #expect(scene.plan.nextDeadline == nil)
    }

    @Test func aServiceThatRanWellIsStartedAgainAfterATenthOfASecond() {
        var scene = Scene()
        scene.pass(milliseconds: 0)
        scene.pass(milliseconds: 60_000)
        scene.end(.imapd)
        scene.pass(milliseconds: 99)
        #expect(!scene.isUp(.imapd))
        scene.pass(milliseconds: 1)
        #expect(scene.isUp(.imapd))
        #expect(scene.plan.courses[.imapd]?.restarts == 1)
    }

    @Test func aCrashLoopSlowsDownIsReportedOnceAndConcernsNobodyElse() {
        var scene = Scene()
        scene.pass(milliseconds: 0)
        for _ in 0..<20 {
            scene.end(.smtpd)
            scene.pass(milliseconds: 30_000)
        }
        #expect(scene.reports == [.smtpd])
        #expect(scene.plan.courses[.smtpd]?.restarts == 20)
        #expect(scene.plan.courses[.submission]?.restarts == 0)
        #expect(scene.signals.isEmpty)
    }

    @Test func theWaitDoublesToHalfAMinuteAndNoFurther() {
        #expect((1...12).map { SupervisorPlan.backoff(quickEnds: $0) } == [
            100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000,
        ])
        #expect(SupervisorPlan.backoff(quickEnds: Int.max) == 30_000)
    }

    @Test func aProgramThatCannotBeStartedIsACrashLoopToo() {
        var scene = Scene([.queued])
        for _ in 0..<SupervisorPlan.crashLoopEnds {
            #expect(scene.plan.advance(now: scene.now) == [.spawn(.queued, restarts: scene.plan.courses[.queued]?.restarts ?? -1)])
            scene.carryOut(scene.plan.startFailed(.queued, now: scene.now))
            scene.now = scene.now.adding(milliseconds: 30_000)
        }
        #expect(scene.reports == [.queued])
    }

    @Test func stoppingEndsNetworkServicesFirst() {
        var scene = Scene()
        scene.pass(milliseconds: 0)
        scene.plan.shutDown(now: scene.now)
        scene.pass(milliseconds: 0)
        #expect(scene.signals == ["smtpd 15", "submission 15", "pop3d 15", "imapd 15"])
        for service in [Service.smtpd, .submission, .pop3d] { scene.end(service) }
        scene.pass(milliseconds: 1000)
        #expect(scene.signals.count == 4)
        scene.end(.imapd)
        scene.pass(milliseconds: 0)
        #expect(scene.signals.dropFirst(4) == ["queued 15", "locald 15", "remoted 15"])
        #expect(!scene.plan.isFinished)
        for service in [Service.queued, .locald, .remoted] { scene.end(service) }
        #expect(scene.plan.isFinished)
    }

    @Test func whoDoesNotEndInTwelveSecondsIsKilledOnce() {
        var scene = Scene()
        scene.pass(milliseconds: 0)
        scene.request(.stop, .imapd)
        scene.pass(milliseconds: 11_999)
        #expect(scene.signals == ["imapd 15"])
        scene.pass(milliseconds: 1)
        scene.pass(milliseconds: 60_000)
        #expect(scene.signals == ["imapd 15", "imapd 9"])
        scene.end(.imapd)
        #expect(scene.plan.courses[.imapd]?.phase == .stopped)
    }

    @Test func aSecondInterruptKillsAtOnce() {
        var scene = Scene([.imapd, .queued])
        scene.pass(milliseconds: 0)
        scene.plan.shutDown(now: scene.now)
        scene.pass(milliseconds: 10)
        scene.plan.shutDown(now: scene.now)
        scene.pass(milliseconds: 0)
        #expect(scene.signals == ["imapd 15", "imapd 9"])
    }

    @Test func aRestartNeverHasTwoProcesses() {
        var scene = Scene([.pop3d])
        scene.pass(milliseconds: 0)
        let first = scene.plan.courses[.pop3d]?.phase.pid
        scene.request(.restart, .pop3d)
        scene.pass(milliseconds: 5000)
        #expect(scene.plan.courses[.pop3d]?.phase.pid == first)
        scene.end(.pop3d)
        scene.pass(milliseconds: 0)
        #expect(scene.plan.courses[.pop3d]?.phase.pid == first.map { $0 + 1 })
    }

    @Test func aStopDuringARestartStays() {
        var scene = Scene([.pop3d])
        scene.pass(milliseconds: 0)
        scene.request(.restart, .pop3d)
        scene.request(.stop, .pop3d)
        scene.end(.pop3d)
        scene.pass(milliseconds: 60_000)
        #expect(scene.plan.courses[.pop3d]?.phase == .stopped)
        scene.request(.start, .pop3d)
        scene.pass(milliseconds: 0)
        #expect(scene.isUp(.pop3d))
    }

    @Test func aReloadIsASignalToWhoRuns() {
        var scene = Scene([.pop3d, .imapd])
        scene.pass(milliseconds: 0)
        scene.request(.stop, .imapd)
        scene.request(.reload, .pop3d)
        scene.request(.reload, .imapd)
        #expect(scene.signals == ["imapd 15", "pop3d 1"])
    }

    @Test func nothingStartsDuringAShutdown() {
        var scene = Scene([.queued, .imapd])
        scene.pass(milliseconds: 0)
        scene.end(.queued)
        scene.plan.shutDown(now: scene.now)
        scene.request(.start, .queued)
        scene.pass(milliseconds: 60_000)
        #expect(scene.plan.courses[.queued]?.phase == .stopped)
        scene.end(.imapd)
        #expect(scene.plan.isFinished)
    }

    @Test func anUnknownChildChangesNothing() {
        var scene = Scene()
        scene.pass(milliseconds: 0)
        let before = scene.plan.courses
        #expect(scene.plan.ended(pid: 99_999, now: scene.now) == nil)
        #expect(scene.plan.courses == before)
    }

    /// Any order of events: never two processes of a service, and a shutdown always comes to its end.
    @Test(arguments: UInt64(1)...50) func anyCourseEnds(_ seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        var scene = Scene()
        for _ in 0..<300 {
            let service = Service.allCases[random(Service.allCases.count)]
            switch random(8) {
            case 0: scene.request(.start, service)
            case 1: scene.request(.stop, service)
            case 2: scene.request(.restart, service)
            case 3: scene.request(.reload, service)
            case 4, 5: scene.end(service)
            default: scene.pass(milliseconds: Int64(random(20_000)))
            }
            let pids = scene.plan.courses.values.compactMap(\.phase.pid)
            #expect(Set(pids).count == pids.count, "seed \(seed)")
        }
        scene.plan.shutDown(now: scene.now)
        for _ in 0..<Service.allCases.count * 3 where !scene.plan.isFinished {
            scene.pass(milliseconds: 13_000)
            for service in Service.allCases where scene.signals.contains("\(service.rawValue) 9") || random(2) == 0 { scene.end(service) }
        }
        #expect(scene.plan.isFinished, "seed \(seed)")
    }
}
