// spool/README.md: the table of folders, printed.

import Configuration

extension SpoolTree {
    /// The page; a test compares it with the one in the tree.
    static var page: String {
        var out = """
            # The spool

            Every folder as `mailctl init` makes it. On a system installation each service has a user of its own and the
            groups below; in a tree of one's own everything belongs to the caller. This page is the table in
            `Sources/mailctl/Setup/SpoolTree.swift`: a test compares the two.

            One rule explains all rows: **a folder has one writer**. Others may read where a group says so, and believe a
            record only as far as its folder's owner may say it. The records are described in `docs/spool.md`.

            | folder | owner | group | mode | purpose |
            |---|---|---|---|---|

            """
        for folder in folders {
            let cells = ["`\(folder.shownPath)`", folder.owner.shown, folder.group?.rawValue ?? "—", octal(folder.mode), folder.purpose]
            out += "| " + cells.joined(separator: " | ") + " |\n"
        }
        out += "\nUsers and groups bear the prefix `martlet-` (`users.prefix`). A folder with mode 2xxx hands its group to what is made in it.\n"
        out += "\n| group | members | what it is for |\n|---|---|---|\n"
        for group in ServiceGroup.allCases {
            out += "| \(group.rawValue) | \(group.members.map(\.rawValue).joined(separator: ", ")) | \(group.purpose) |\n"
        }
        return out
    }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension SpoolFolder {
    /// As it is with the default paths.
    fileprivate var shownPath: String {
        let base =
            switch place {
            case .spool: "spool"
            case .store: "spool/mail"
            case .cache: "cache"
            case .directory: "spool/directory"
            }
        return base + "/" + (path.isEmpty ? "" : path + "/")
    }
}

extension SpoolFolder.Owner {
    fileprivate var shown: String {
        switch self {
        case .root: "root"
        case .service(let service): service.rawValue
        }
    }
}

extension ServiceGroup {
    fileprivate var purpose: String {
        switch self {
        case .services: "reads mailctl's requests, address snapshots and released ids"
        case .spool: "reads accepted mail and the facts of delivery"
        case .events: "reads the facts of logins and intake"
        case .deliver: "stages messages and puts them into `new/`"
        case .store: "serves mailboxes"
        case .tls: "reads the TLS key"
        case .credentials: "reads the credential snapshot"
        }
    }
}
