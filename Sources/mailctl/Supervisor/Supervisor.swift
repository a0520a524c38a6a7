// The loop of `mailctl run`: wait, reap, obey, act. One thread, no timers; the plan decides, this carries out.

import Configuration
import Kernel
import Spool
import SpoolFormat

final class Supervisor {
    private let configurationPath: Path
    private let programs: SupervisorPrograms
    private var listeners = SupervisorListeners()
    private let identities: [Service: SystemUser]
    private var plan: SupervisorPlan
    private var stopped: Set<Service> = []
    private let ledger: Ledger
    private let log: SupervisorLog
    private let inotify: Inotify
    private let requests: SupervisorRequests
    private let signals: Int32

    /// What is said of each running service; shared with the log, which repeats it in each new segment.
    private final class Ledger {
        var lines: [Service: RecordLine] = [:]
        let start = RecordLine(.start).adding(.service, "supervisor").adding(.pid, Identity.processID).adding(.uid, Identity.userID)
            .adding(.at, Timestamp.text(.now()))
        var all: [RecordLine] { [start] + Service.allCases.compactMap { lines[$0] } }
    }

    /// Opens everything that can fail, so that a supervisor that starts at all starts whole.
    init(_ configuration: Configuration, path: Path) throws(Failure) {
        configurationPath = path
        programs = SupervisorPrograms(configurationPath: path)
        identities = try Supervisor.identities(configuration, programs)
        let spool = try attempting { () throws(KernelError) in try DirectoryDescriptor(opening: configuration.paths.spool) }
        let ledger = Ledger()
        self.ledger = ledger
        log = try SupervisorLog.begin(spool) { ledger.all }
        requests = try attempting { () throws(KernelError) in try SupervisorRequests(spool: spool) }
        inotify = try Supervisor.watching(requests.folder)
        plan = SupervisorPlan(services: Service.allCases, now: .now())
        signals = Signals.catching([Signals.terminate, Signals.interrupt, Signals.hangup, Signals.child])
        try listeners.update(to: configuration.listen)
    }

    private static func identities(
        _ configuration: Configuration, _ programs: SupervisorPrograms
    ) throws(Failure) -> [Service: SystemUser] {
        var identities: [Service: SystemUser] = [:]
        for service in Service.allCases {
            _ = try programs.path(of: service)
            identities[service] = try SupervisorPrograms.identity(of: service, prefix: configuration.users.prefix)
        }
        return identities
    }

    private static func watching(_ folder: Path) throws(Failure) -> Inotify {
        try attempting { () throws(KernelError) in
            let inotify = try Inotify()
            _ = try inotify.watch(folder, for: [.modified, .movedTo])
            return inotify
        }
    }

    /// Writes down what was found before the services start; durable when it returns.
    func say(_ facts: [RecordLine]) throws(Failure) { try log.say(facts) }

    /// Runs until a signal or a request ended everything.
    func run() {
        while !plan.isFinished {
            act(plan.advance(now: .now()))
            log.commit()
            _ = waitReadable([signals, inotify.descriptor.raw], milliseconds: waitingTime())
            for signal in Signals.received() { receive(signal) }
            reap()
            _ = inotify.drain()
            obey()
            noteStops()
        }
        log.note(RecordLine(.stop).adding(.service, "supervisor").adding(.pid, Identity.processID))
        log.commit()
    }

    /// At most a second: a lost wake-up costs no more.
    private func waitingTime() -> Int {
        guard let deadline = plan.nextDeadline else { return 1000 }
        return min(1000, max(0, (deadline - .now()).wholeMilliseconds + 1))
    }

    private func receive(_ signal: Int32) {
        switch signal {
        case Signals.terminate, Signals.interrupt: plan.shutDown(now: .now())
        case Signals.hangup: reload()
        default: break  // SIGCHLD: `reap` asks the kernel itself.
        }
    }

    private func reap() {
        while let child = Children.reap() {
            guard let (service, actions) = plan.ended(pid: child.pid, now: .now()) else { continue }
            ledger.lines[service] = nil
            log.note(
                RecordLine(.exit).adding(.service, service.rawValue).adding(.pid, child.pid).adding(.code, child.code)
                    .adding(.result, stateAfterEnd(of: service).rawValue))
            act(actions)
        }
    }

    private func stateAfterEnd(of service: Service) -> ServiceStatus.State {
        guard let course = plan.courses[service], course.phase != .stopped else {
            stopped.insert(service)
            return .stopped
        }
        return course.quickEnds >= SupervisorPlan.crashLoopEnds ? .crashing : .restarting
    }

    /// Says of each service once that it stays down.
    private func noteStops() {
        for service in Service.allCases {
            let isStopped = plan.courses[service]?.phase == .stopped
            if isStopped, !stopped.contains(service) { log.note(RecordLine(.stop).adding(.service, service.rawValue)) }
            if isStopped { stopped.insert(service) } else { stopped.remove(service) }
        }
    }

    private func obey() {
        let received: [SupervisorRequests.Request]
        do throws(KernelError) { received = try requests.poll() } catch {
            log.note(RecordLine(.problem).adding(.service, "supervisor").adding(.reason, "\(error)"))
            return
        }
        for request in received {
            switch request {
            case .all(.stop): plan.shutDown(now: .now())
            case .all(.reload): reload()
            case .one(.reload, let service): reload([service])
            case .all(let wish): carryOut(wish, Service.allCases)
            case .one(let wish, let service): carryOut(wish, [service])
            }
        }
    }

    /// Publishes what can be in force now, and has the services look; what needs a restart waits for the administrator's word.
    private func reload(_ services: [Service] = Service.allCases) {
        do {
            let configuration = try Configuration.load(path: configurationPath.description)
            try ConfigurationReload.publish(configuration, haveRestarted: false)
            let waiting = ConfigurationReload.pending(configuration).restart.map(\.change.key.name)
            if !waiting.isEmpty { complain("needs `mailctl reload --restart`: " + waiting.joined(separator: ", ")) }
        } catch { complain("configuration not taken: \((error as? Failure)?.what ?? "\(error)")") }
        act(plan.request(.reload, services, now: .now()))
    }

    /// A service that starts anew reads the file: its listeners must be those of the file too.
    private func carryOut(_ wish: SupervisorPlan.Wish, _ services: [Service]) {
        if wish == .restart {
            do {
                let configuration = try Configuration.load(path: configurationPath.description)
                try listeners.update(to: configuration.listen, of: services)
                if services == Service.allCases { try ConfigurationReload.publish(configuration, haveRestarted: true) }
            } catch { complain("configuration not taken: \((error as? Failure)?.what ?? "\(error)")") }
        }
        act(plan.request(wish, services, now: .now()))
    }

    private func complain(_ reason: String) {
        log.note(RecordLine(.problem).adding(.service, "supervisor").adding(.reason, reason))
    }

    private func act(_ actions: [SupervisorPlan.Action]) {
        for action in actions {
            switch action {
            case .spawn(let service, let restarts): spawn(service, restarts: restarts)
            case .signal(_, let pid, let signal): _ = Signals.send(signal, to: pid)
            case .reportCrashLoop(let service, let count):
                let reason = "ended \(count) times soon after its start; it is tried again at most every 30 s"
                log.note(RecordLine(.problem).adding(.service, service.rawValue).adding(.count, count).adding(.reason, reason))
            }
        }
    }

    private func spawn(_ service: Service, restarts: Int) {
        let identity = identities[service]
        let (descriptors, names) = listeners.inherited(by: service)
        do throws(Failure) {
            let pid = try programs.spawn(service, identity: identity, descriptors: descriptors, names: names)
            plan.started(service, pid: pid, now: .now())
            let line = SupervisorLog.spawned(service, pid: pid, uid: identity?.uid ?? Identity.userID, restarts: restarts)
            let now = WallTime.now()
            ledger.lines[service] = line.adding(.at, Timestamp.text(now))
            log.note(line, at: now)
        } catch {
            log.note(RecordLine(.problem).adding(.service, service.rawValue).adding(.reason, error.what))
            act(plan.startFailed(service, now: .now()))
        }
    }
}
