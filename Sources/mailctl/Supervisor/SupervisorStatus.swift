// Reading the supervisor's facts, and asking the kernel whether they still hold: a supervisor that was killed said no farewell.

import Configuration
import Kernel
import Spool
import SpoolFormat

/// A service as `mailctl status` shows it.
struct ServiceStatus: Hashable, Sendable {
    enum State: String, Sendable {
        case running, stopped
        /// It ended and will be started again.
        case restarting
        /// It ends each time soon after its start.
        case crashing
    }

    let service: Service
    var state: State = .stopped
    var pid: Int32?
    var uid: UInt32?
    var since: WallTime?
    /// Nil where another supervisor counts them.
    var restarts: Int? = 0
    /// The exit code of the last process that ended.
    var lastCode: Int?

    var json: JSONValue { json(now: .now()) }

    func json(now: WallTime) -> JSONValue {
        .object([
            "service": .text(service.rawValue), "state": .text(state.rawValue), "pid": .optional(pid), "uid": .optional(uid),
            "uptime": .optional(uptime(now: now)), "restarts": .optional(restarts),
        ])
    }

    /// Seconds.
    func uptime(now: WallTime) -> Int64? { since.map { max(0, now.seconds - $0.seconds) } }
}

/// All services of a spool.
struct SupervisorStatus {
    /// The supervisor's pid if it runs.
    private(set) var supervisor: Int32?
    var services: [ServiceStatus]
    /// Who keeps the services running, where it is not `mailctl run`.
    var keeper: Keeper?

    /// From the newest segment of the supervisor's log, checked against /proc; `file` is the configuration's, absolute.
    static func read(_ configuration: Configuration, file: Path) throws(Failure) -> SupervisorStatus {
        let records = try attempting { () throws(KernelError) in
            let spool = try DirectoryDescriptor(opening: configuration.paths.spool)
            let folder = try spool.openDirectory("supervisor/events")
            let newest = try folder.list().compactMap { SegmentName.number($0.name) }.max() ?? 0
            let follower = try LogFollower(
                spool: spool, LogName(.supervisor, .events), from: LogPosition(segment: newest, offset: 0), owner: try folder.status().owner)
            var records: [Record] = []
            while true {
                let more = try follower.poll()
                if more.isEmpty { return records }
                records += more.map(\.record)
            }
        }
        var status = SupervisorStatus(records)
        status.verify { pid, service in ProcessTable.isRunning(pid, service: service) }
        if status.supervisor == nil { status.findOthers(file) }
        return status
    }

    init(_ records: [Record]) {
        var states = Dictionary(uniqueKeysWithValues: Service.allCases.map { ($0, ServiceStatus(service: $0)) })
        for record in records {
            guard let name = record.text(.service) else { continue }
            if name == "supervisor", record.verb == .start || record.verb == .stop {
                supervisor = record.verb == .start ? record.number(.pid).flatMap(Int32.init(exactly:)) : nil
            } else if let service = Service(rawValue: name) {
                states[service]?.note(record)
            }
        }
        services = Service.allCases.compactMap { states[$0] }
    }

    /// Corrects what the facts cannot know: that a process, or the supervisor with all of them, was killed.
    mutating func verify(_ isRunning: (_ pid: Int32, _ service: Service?) -> Bool) {
        if let pid = supervisor, !isRunning(pid, nil) { supervisor = nil }
        for index in services.indices {
            if let pid = services[index].pid, !isRunning(pid, services[index].service) { services[index].forgetProcess(.restarting) }
            if supervisor == nil, services[index].pid == nil { services[index].state = .stopped }
        }
    }
}

extension ServiceStatus {
    fileprivate mutating func note(_ record: Record) {
        switch record.verb {
        case .spawn:
            state = .running
            pid = record.number(.pid).flatMap(Int32.init(exactly:))
            uid = record.number(.uid).flatMap(UInt32.init(exactly:))
            restarts = record.number(.restarts) ?? 0
            since = record[.at].flatMap(Timestamp.time)
        case .exit:
            lastCode = record.number(.code)
            forgetProcess(record.text(.result).flatMap(State.init(rawValue:)) ?? .restarting)
        case .problem:
            state = .crashing
        case .stop:
            forgetProcess(.stopped)
        default:
            return  // Another record of a later version says nothing about the process.
        }
    }

    fileprivate mutating func forgetProcess(_ state: State) {
        self.state = state
        pid = nil
        since = nil
    }
}
