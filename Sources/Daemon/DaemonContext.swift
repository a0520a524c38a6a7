// How every daemon starts: arguments, configuration, inherited listeners, signals. It ends with a sentence, never a trace.

package import Configuration
package import Kernel
package import Spool

/// What a daemon has been given when its own work begins.
package struct DaemonContext: Sendable {
    package let service: Service
    /// As it was at the start.
    package let configuration: Configuration
    /// As it is now.
    package let live: LiveConfiguration
    /// Sockets bound by whoever started us, by the names in LISTEN_FDNAMES.
    package let listeners: [(name: ListenerName, descriptor: Int32)]
    /// Readable when SIGTERM, SIGINT or SIGHUP came; `Signals.received()` tells which.
    package let signals: Int32
    /// Whoever started us hears from it how we are.
    package let notice = ServiceNotice()

    /// Reads `--config PATH [--service NAME]` and the environment; ends the process with a sentence if they are wrong.
    package static func begin(_ program: StaticString, services: [Service], arguments: [String]) -> DaemonContext {
        Identity.setFileModeMask()
        let name = "\(program)"
        var path: String?
        var service = services.first
        var rest = arguments.dropFirst()[...]
        while let word = rest.popFirst() {
            switch word {
            case "--config", "-C": path = rest.popFirst()
            case "--service":
                let wanted = rest.popFirst() ?? ""
                service = services.first { $0.rawValue == wanted }
            default:
                fail(name, "unknown argument \(word)", remedy: "usage: \(name) --config PATH [--service NAME]", .usage)
            }
        }
        guard let service else {
            fail(name, "not a service of this program", remedy: "its services: " + services.map(\.rawValue).joined(separator: ", "), .usage)
        }
        let file = path ?? "/etc/martlet/martlet.toml"
        let configuration: Configuration
        do throws(ConfigurationError) { configuration = try Configuration.load(path: file) } catch {
            fail(name, "\(error)", remedy: "run `mailctl config check` after mending it", .configuration)
        }
        return DaemonContext(
            service: service, configuration: configuration, live: LiveConfiguration(configuration, service), listeners: inheritedListeners(of: service),
            signals: Signals.catching([Signals.terminate, Signals.interrupt, Signals.hangup]))
    }

    /// The LISTEN_FDS protocol: descriptors from 3 on, named in LISTEN_FDNAMES.
    private static func inheritedListeners(of service: Service) -> [(name: ListenerName, descriptor: Int32)] {
        guard let count = Identity.environment("LISTEN_FDS").flatMap(Int32.init), count > 0, count < 1024 else { return [] }
        if let pid = Identity.environment("LISTEN_PID").flatMap(Int32.init), pid != Identity.processID { return [] }
        let names = (Identity.environment("LISTEN_FDNAMES") ?? "").split(separator: ":", omittingEmptySubsequences: false)
        return (0..<count).compactMap { index in
            let given = Int(index) < names.count ? ListenerName(rawValue: String(names[Int(index)])) : service.listeners.first
            guard let given, service.listeners.contains(given) else { return nil }
            return (given, 3 + index)
        }
    }

    /// Opens the spool folder, to go on to those beneath it, or ends with a sentence.
    package func openSpool() -> DirectoryDescriptor {
        do throws(KernelError) { return try DirectoryDescriptor(passing: configuration.paths.spool) } catch {
            fail(service.rawValue, "\(error)", remedy: "run `mailctl init`, or check paths.spool in the configuration", .cannotOpen)
        }
    }

    /// Tells the operator of what is not as it should be.
    package func warn(_ sentence: String) {
        writeToStandardError(Array("\(service.rawValue): problem - reason=\(sentence)\n".utf8))
    }

    /// Tells the operator of trouble that the program survives.
    package func complain(_ error: any Error) {
        writeToStandardError(Array("\(service.rawValue): problem - reason=\(error); begins again from its logs\n".utf8))
    }

    /// A log that cannot be opened at the start is told and ends the process; a supervisor tries again.
    package func refuse(_ error: LogError) -> Never {
        switch error {
        case .locked(let log):
            fail(service.rawValue, "\(error)", remedy: "another \(log.owner.rawValue) runs on this spool: stop it first (`mailctl status`)", .temporary)
        case .noSpace: fail(service.rawValue, "\(error)", remedy: "free some space on the spool's file system", .temporary)
        case .failed, .broken:
            fail(service.rawValue, "\(error)", remedy: "check the owner and mode of spool/\(service.rawValue) (`mailctl config check`)", .temporary)
        }
    }
}

/// Exit codes (sysexits.h).
package enum ExitCode: Int32, Sendable {
    case usage = 64, data = 65, noInput = 66, unavailable = 69, software = 70, cannotOpen = 72, cannotCreate = 73, input = 74
    case temporary = 75, permission = 77, configuration = 78
}

/// Ends the process: what, why, and what to do.
package func fail(_ program: String, _ what: String, remedy: String, _ code: ExitCode) -> Never {
    writeToStandardError(Array("\(program): \(what)\n\(program): \(remedy)\n".utf8))
    Identity.exit(code.rawValue)
}
