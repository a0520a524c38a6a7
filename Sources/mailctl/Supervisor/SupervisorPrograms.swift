// From a service to a process: which file, whose identity, what environment.

import Configuration
import Kernel

struct SupervisorPrograms {
    private let folders: [Path]
    private let configurationPath: Path

    /// Programs lie beside mailctl, or in `libexec/martlet` of the same prefix.
    init(configurationPath: Path) {
        self.configurationPath = configurationPath
        let own = Identity.executable.parent
        folders = [own, (own.parent / "libexec/martlet").normalized]
    }

    func path(of service: Service) throws(Failure) -> Path { try path(of: service.program) }

    /// Of any program that is installed with the services.
    func path(of program: String) throws(Failure) -> Path {
        let name = Path(program)
        for folder in folders {
            if let status = try? DirectoryDescriptor(opening: folder).status(of: name), status.mode & 0o111 != 0 { return folder / name }
        }
        throw Failure(
            .unavailable, "cannot find the program \(program)",
            remedy: "install it in \(folders.map(\.description).joined(separator: " or "))")
    }

    /// Starts the service.
    func spawn(
        _ service: Service, identity: SystemUser?, descriptors: [Int32], names: [ListenerName]
    ) throws(Failure) -> Int32 {
        let spawn = try launch(service, identity: identity, descriptors: descriptors, names: names)
        return try attempting { () throws(KernelError) in try spawn.start() }
    }

    /// How the service is started; only what it needs comes with it.
    func launch(
        _ service: Service, identity: SystemUser?, descriptors: [Int32], names: [ListenerName]
    ) throws(Failure) -> Spawn {
        var spawn = Spawn(
            program: try path(of: service),
            arguments: ["--config", configurationPath.description, "--service", service.rawValue].map { Array($0.utf8) })
        spawn.environment = environment(names).map { Array($0.utf8) }
        spawn.descriptors = descriptors
        spawn.identity = identity
        return spawn
    }

    /// LISTEN_PID is left out: it cannot be known before the fork, and our daemons take it as given.
    private func environment(_ names: [ListenerName]) -> [String] {
        var out = ["PATH=/usr/local/bin:/usr/bin:/bin", "SWIFT_BACKTRACE=enable=no"]
        for name in ["LD_LIBRARY_PATH", "TZ", "LANG"] {
            if let value = Identity.environment(name) { out.append("\(name)=\(value)") }
        }
        if !names.isEmpty {
            out.append("LISTEN_FDS=\(names.count)")
            out.append("LISTEN_FDNAMES=" + names.map(\.rawValue).joined(separator: ":"))
        }
        return out
    }

    /// Whom a service runs as; nil where the supervisor is not root: all as the caller.
    static func identity(of service: Service, prefix: String) throws(Failure) -> SystemUser? {
        guard Identity.isRoot else { return nil }
        guard let user = SystemUser(named: prefix + service.rawValue) else {
            throw Failure(
                .configuration, "there is no system user \(prefix)\(service.rawValue)",
                remedy: "run `mailctl init` as root, or correct users.prefix")
        }
        return user
    }
}
