// The table as sysusers.d(5) and tmpfiles.d(5) read it: for a system installation with the default prefix and paths.

import Configuration
import Kernel

enum SystemFiles {
    private static let prefix = "martlet-"

    /// One user a service, the groups and who is in them.
    static var sysusers: String {
        var lines = ["# One user a service; printed by `mailctl config sysusers`."]
        for group in ServiceGroup.allCases { lines.append("g \(group.systemName(prefix: prefix)) -") }
        for service in Service.allCases {
            lines.append("u \(prefix)\(service.rawValue) - \"Martlet \(service.rawValue)\" /nonexistent /usr/sbin/nologin")
        }
        for group in ServiceGroup.allCases {
            for member in group.members { lines.append("m \(prefix)\(member.rawValue) \(group.systemName(prefix: prefix))") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Every folder but the mail store's: made at boot in the place of one that is not mounted yet, it would hide that.
    static var tmpfiles: String {
        var lines = ["# The folders of spool/README.md; printed by `mailctl config tmpfiles`. The mail store is made by `mailctl init` alone."]
        for folder in SpoolTree.folders where folder.isMade && folder.place != .store {
            let path = [systemPath(folder.place), folder.path].filter { !$0.isEmpty }.joined(separator: "/")
            let (owner, own): (String, String) =
                switch folder.owner {
                case .root: ("root", "root")
                case .service(let service): (prefix + service.rawValue, prefix + service.rawValue)
                }
            let group = folder.group?.systemName(prefix: prefix) ?? own
            lines.append("d \(path) \(SpoolTree.octal(folder.mode)) \(owner) \(group) -")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func systemPath(_ place: SpoolFolder.Place) -> String {
        switch place {
        case .spool: "/var/spool/martlet"
        case .store: "/var/spool/martlet/mail"
        case .cache: "/var/cache/martlet"
        case .directory: "/var/spool/martlet/directory"
        case .configuration: "/etc/martlet"
        }
    }
}
