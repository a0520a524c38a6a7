// What the supervisor wants of each service, decided without I/O: events in, actions out, time as an argument.
// Invariant: a service has at most one process, and a new one starts only after the old one was reaped.

import Configuration
import Kernel

/// The state machine of all services.
struct SupervisorPlan: Sendable {
    enum Phase: Hashable, Sendable {
        /// A process is to be started then.
        case waiting(until: MonotonicTime)
        case running(pid: Int32, since: MonotonicTime)
        /// SIGTERM was sent; SIGKILL follows at `killAt`, nil once it was sent.
        case stopping(pid: Int32, killAt: MonotonicTime?, thenStarts: Bool)
        case stopped
    }

    struct Course: Hashable, Sendable {
        var phase: Phase
        /// Processes started after the first.
        var restarts = 0
        /// Ends in a row that came too soon.
        var quickEnds = 0
    }

    enum Action: Hashable, Sendable {
        case spawn(Service, restarts: Int)
        case signal(Service, pid: Int32, Int32)
        /// The service ends as soon as it starts: it waits long between attempts, the others are not concerned.
        case reportCrashLoop(Service, quickEnds: Int)
    }

    /// What an administrator may ask for.
    enum Wish: String, Sendable { case start, stop, restart, reload }

    /// A daemon drains for 10 s after SIGTERM and is given 2 s beyond.
    static let graceMilliseconds: Int64 = 12_000
    /// A process that lived this long has started well.
    static let steadyMilliseconds: Int64 = 10_000
    static let crashLoopEnds = 5

    private(set) var courses: [Service: Course] = [:]
    private(set) var isShuttingDown = false

    init(services: [Service], now: MonotonicTime) {
        for service in services { courses[service] = Course(phase: .waiting(until: now)) }
    }

    /// Whether a shutdown is complete.
    var isFinished: Bool { isShuttingDown && courses.values.allSatisfy { $0.phase == .stopped } }

    /// 0.1 s, doubled with each end that came too soon, up to 30 s.
    static func backoff(quickEnds: Int) -> Int64 {
        min(30_000, 100 << Int64(min(max(quickEnds - 1, 0), 10)))
    }

    private func service(of pid: Int32) -> Service? {
        courses.first { $0.value.phase.pid == pid }?.key
    }

    mutating func started(_ service: Service, pid: Int32, now: MonotonicTime) {
        courses[service]?.phase = .running(pid: pid, since: now)
    }

    /// The program could not be started at all: counts as an end that came too soon.
    mutating func startFailed(_ service: Service, now: MonotonicTime) -> [Action] { retry(service, soon: true, now: now) }

    /// A child ended; the service it was, and what follows.
    mutating func ended(pid: Int32, now: MonotonicTime) -> (service: Service, actions: [Action])? {
        guard let service = service(of: pid), let course = courses[service] else { return nil }
        switch course.phase {
        case .running(_, let since):
            return (service, retry(service, soon: now < since.adding(milliseconds: SupervisorPlan.steadyMilliseconds), now: now))
        case .stopping(_, _, let thenStarts):
            courses[service]?.phase = thenStarts && !isShuttingDown ? .waiting(until: now) : .stopped
            courses[service]?.restarts += thenStarts ? 1 : 0
            courses[service]?.quickEnds = 0
        case .waiting, .stopped: break
        }
        return (service, [])
    }

    private mutating func retry(_ service: Service, soon: Bool, now: MonotonicTime) -> [Action] {
        guard var course = courses[service] else { return [] }
        course.restarts += 1
        course.quickEnds = soon ? course.quickEnds + 1 : 0
        let delay = SupervisorPlan.backoff(quickEnds: course.quickEnds)
        course.phase = isShuttingDown ? .stopped : .waiting(until: now.adding(milliseconds: delay))
        courses[service] = course
        return course.quickEnds == SupervisorPlan.crashLoopEnds ? [.reportCrashLoop(service, quickEnds: course.quickEnds)] : []
    }

    /// An administrator's wish for some services.
    mutating func request(_ wish: Wish, _ services: [Service], now: MonotonicTime) -> [Action] {
        guard !isShuttingDown else { return [] }
        return services.flatMap { service -> [Action] in
            switch (wish, courses[service]?.phase) {
            case (_, nil): return []
            case (.start, .stopped), (.start, .waiting), (.restart, .stopped), (.restart, .waiting):
                courses[service]?.phase = .waiting(until: now)
                courses[service]?.quickEnds = 0
            case (.start, .stopping(let pid, let killAt, _)), (.restart, .stopping(let pid, let killAt, _)):
                courses[service]?.phase = .stopping(pid: pid, killAt: killAt, thenStarts: true)
            case (.stop, .stopping(let pid, let killAt, _)):
                courses[service]?.phase = .stopping(pid: pid, killAt: killAt, thenStarts: false)
            case (.stop, .waiting): courses[service]?.phase = .stopped
            case (.stop, .running(let pid, _)): return [stop(service, pid, thenStarts: false, now: now)]
            case (.restart, .running(let pid, _)): return [stop(service, pid, thenStarts: true, now: now)]
            case (.reload, .running(let pid, _)): return [.signal(service, pid: pid, Signals.hangup)]
            case (.start, .running), (.stop, .stopped), (.reload, .waiting), (.reload, .stopping), (.reload, .stopped): break
            }
            return []
        }
    }

    private mutating func stop(_ service: Service, _ pid: Int32, thenStarts: Bool, now: MonotonicTime) -> Action {
        let killAt = now.adding(milliseconds: SupervisorPlan.graceMilliseconds)
        courses[service]?.phase = .stopping(pid: pid, killAt: killAt, thenStarts: thenStarts)
        return .signal(service, pid: pid, Signals.terminate)
    }

    /// Ends everything: first what strangers can reach, then what finishes their mail. Asked again, it kills.
    mutating func shutDown(now: MonotonicTime) {
        guard !isShuttingDown else {
            for (service, course) in courses {
                if case .stopping(let pid, .some, let thenStarts) = course.phase {
                    courses[service]?.phase = .stopping(pid: pid, killAt: now, thenStarts: thenStarts)
                }
            }
            return
        }
        isShuttingDown = true
        for (service, course) in courses {
            switch course.phase {
            case .waiting: courses[service]?.phase = .stopped
            case .stopping(let pid, let killAt, _): courses[service]?.phase = .stopping(pid: pid, killAt: killAt, thenStarts: false)
            case .running, .stopped: break
            }
        }
    }

    /// What is due now.
    mutating func advance(now: MonotonicTime) -> [Action] {
        var actions: [Action] = []
        let networkIsUp = courses.contains { $0.key.isNetworkService && $0.value.phase.pid != nil }
        for service in Service.allCases {
            guard let course = courses[service] else { continue }
            switch course.phase {
            case .waiting(let until) where until <= now:
                actions.append(.spawn(service, restarts: course.restarts))
            case .running(let pid, _) where isShuttingDown && (service.isNetworkService || !networkIsUp):
                actions.append(stop(service, pid, thenStarts: false, now: now))
            case .stopping(let pid, let killAt?, let thenStarts) where killAt <= now:
                courses[service]?.phase = .stopping(pid: pid, killAt: nil, thenStarts: thenStarts)
                actions.append(.signal(service, pid: pid, Signals.kill))
            case .waiting, .running, .stopping, .stopped: continue
            }
        }
        return actions
    }

    /// When `advance` has something to do again, if nothing happens before.
    var nextDeadline: MonotonicTime? {
        courses.values.compactMap { course in
            switch course.phase {
            case .waiting(let until): until
            case .stopping(_, let killAt, _): killAt
            case .running, .stopped: nil
            }
        }.min()
    }
}

extension SupervisorPlan.Phase {
    var pid: Int32? {
        switch self {
        case .running(let pid, _), .stopping(let pid, _, _): pid
        case .waiting, .stopped: nil
        }
    }
}
