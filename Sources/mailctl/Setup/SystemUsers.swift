// One system user a service, so that a captured one is confined to what its folder and groups allow.

import Configuration
import Kernel

enum SystemUsers {
    /// Makes the groups and users that are missing and completes memberships; needs root.
    static func make(prefix: String) throws(Failure) {
        for group in ServiceGroup.allCases {
            let name = group.systemName(prefix: prefix)
            if SystemUser.group(named: name) == nil { try run("groupadd", ["--system", name]) }
        }
        for service in Service.allCases {
            let name = prefix + service.rawValue
            let groups = ServiceGroup.groups(of: service).map { $0.systemName(prefix: prefix) }.joined(separator: ",")
            if SystemUser(named: name) == nil {
                try run("useradd", [
                    "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin",
                    "--comment", "Martlet \(service.rawValue)", "--groups", groups, name,
                ])
            } else {
                try run("usermod", ["--append", "--groups", groups, name])
            }
        }
    }

    private static func run(_ program: String, _ arguments: [String]) throws(Failure) {
        let folder = ["/usr/sbin", "/sbin", "/usr/bin"].first { folder in
            (try? DirectoryDescriptor(opening: Path(folder)).status(of: Path(program))) != nil
        }
        let remedy = "make the users by hand (spool/README.md lists them) and run this again"
        guard let folder else { throw Failure(.unavailable, "cannot find \(program)", remedy: remedy) }
        var spawn = Spawn(program: Path("\(folder)/\(program)"), arguments: arguments.map { Array($0.utf8) })
        spawn.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"].map { Array($0.utf8) }
        let code = try attempting { () throws(KernelError) in try spawn.run() }
        guard code == 0 else {
            throw Failure(.cannotCreate, "\(program) \(arguments.last ?? "") ended with status \(code)", remedy: remedy)
        }
    }
}
