// mailctl start, stop, restart: a request in mailctl's log, and a look whether the supervisor has obeyed.

import ArgumentParser
import Configuration
import Kernel

struct StartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Start services that were stopped.")
    @OptionGroup var options: GlobalOptions
    @Argument(help: "Services; none means all.") var services: [Service] = []

    func run() throws {
        try SupervisorControl(options).request(.start, services) { $0.pid != nil }
    }
}

struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop services; without a name all of them and the supervisor.")
    @OptionGroup var options: GlobalOptions
    @Argument(help: "Services; none means everything.") var services: [Service] = []

    func run() throws {
        let control = try SupervisorControl(options)
        if services.isEmpty { try control.requestEnd() } else { try control.request(.stop, services) { $0.state == .stopped } }
    }
}

struct RestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop and start services; no connection is refused meanwhile.")
    @OptionGroup var options: GlobalOptions
    @Argument(help: "Services; none means all.") var services: [Service] = []

    func run() throws {
        let control = try SupervisorControl(options)
        let done = try control.restart(services)
        control.report(done, services)
    }
}

extension Service: ExpressibleByArgument {}

extension SupervisorPlan.Wish {
    /// How the supervisor can be asked without its log, for all services at once.
    fileprivate var signal: Int32? {
        switch self {
        case .stop: Signals.terminate
        case .reload: Signals.hangup
        case .start, .restart: nil
        }
    }
}

/// Asks the running supervisor for something and waits until it has happened.
struct SupervisorControl {
    private let options: GlobalOptions
    let configuration: Configuration

    /// Throws if the configuration is wrong: nothing may be started or reloaded with it.
    init(_ options: GlobalOptions) throws(Failure) {
        self.options = options
        configuration = try options.loadConfiguration()
    }

    func status() throws(Failure) -> SupervisorStatus { try SupervisorStatus.read(configuration, file: options.configurationFile) }

    func request(
        _ wish: SupervisorPlan.Wish, _ services: [Service], until isDone: (ServiceStatus) -> Bool
    ) throws(Failure) {
        report(try carryOut(wish, services, until: isDone), services)
    }

    /// Each has another process than before when this returns.
    @discardableResult
    func restart(_ services: [Service]) throws(Failure) -> SupervisorStatus {
        let before = Dictionary(uniqueKeysWithValues: try status().services.map { ($0.service, $0.pid) })
        return try carryOut(.restart, services) { $0.pid != nil && $0.pid != before[$0.service] }
    }

    private func carryOut(
        _ wish: SupervisorPlan.Wish, _ services: [Service], until isDone: (ServiceStatus) -> Bool
    ) throws(Failure) -> SupervisorStatus {
        try send(wish, services)
        let wanted = services.isEmpty ? Service.allCases : services
        var now = try status()
        for _ in 0..<waits {
            if now.services.filter({ wanted.contains($0.service) }).allSatisfy(isDone) { return now }
            pause(milliseconds: 50)
            now = try status()
        }
        let late = now.services.filter { wanted.contains($0.service) && !isDone($0) }.map(\.service.rawValue).joined(separator: ", ")
        throw Failure(
            .temporary, "\(wish.rawValue) was asked for, but not yet done by: \(late)",
            remedy: "look at `mailctl status` and the services' stderr")
    }

    /// Ends the supervisor, and returns when its process is gone and its ports are free.
    func requestEnd() throws(Failure) {
        let pid = try status().supervisor
        try send(.stop, [])
        for _ in 0..<waits {
            if pid.map({ ProcessTable.isRunning($0, service: nil) }) != true { return report(try status(), []) }
            pause(milliseconds: 50)
        }
        throw Failure(.temporary, "the supervisor is still stopping", remedy: "look at `mailctl status`")
    }

    /// Longer than two stages of stopping may take: 30 s.
    private var waits: Int { 600 }

    func send(_ wish: SupervisorPlan.Wish, _ services: [Service]) throws(Failure) {
        let status = try status()
        guard let supervisor = status.supervisor else {
            // A signal is all that a reload takes, whoever started the service.
            if wish == .reload, status.keeper != nil { return status.signal(Signals.hangup, to: services) }
            throw Failure(
                .unavailable, "no `mailctl run` keeps the services of \(configuration.paths.spool)",
                remedy: status.keeper?.remedy(wish, services) ?? "start it with `mailctl run`, or with the supervisor that you have set up")
        }
        do throws(Failure) {
            try AdministratorLog.append(AdministratorLog.supervisorRequest(wish, services), configuration)
        } catch {
            // What concerns all has a signal too, which needs no space on any disk.
            guard services.isEmpty, let signal = wish.signal, Signals.send(signal, to: supervisor) else { throw error }
        }
    }

    /// No services: all.
    func report(_ status: SupervisorStatus, _ services: [Service]) {
        let chosen = status.services.filter { services.isEmpty || services.contains($0.service) }
        if options.json { return Output.json(.array(chosen.map(\.json))) }
        for entry in chosen { Output.line("\(entry.service.rawValue): \(entry.state.rawValue)") }
    }
}
