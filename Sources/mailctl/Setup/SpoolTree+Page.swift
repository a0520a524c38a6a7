// spool/README.md: the table of folders, printed.

import Configuration

extension SpoolTree {
    /// The page; a test compares it with the one in the tree.
    static var page: String {
        var out = """
            # The spool

            Every folder as `mailctl init` makes it, and the files in it by kind. On a system installation each service has a user of its
            own and the groups below; in a tree of one's own everything belongs to the caller. This page is the table in
            `Sources/mailctl/Setup/SpoolTree.swift`: a test compares the two, and `mailctl check --permissions` the table and the disk.

            One rule explains all rows: **a folder has one writer**. Others may read where a group says so, and believe a
            record only as far as its folder's owner may say it. The records are described in `docs/spool.md`.

            *Writers* and *readers* are what owner, group and mode come to, with those of the folders above. Writers of a folder add and
            remove what is in it, readers list it. Root is among them always. What a running program may do is less: `docs/security.md`.

            | path | owner | group | mode | writers | readers | purpose |
            |---|---|---|---|---|---|---|

            """
        for row in rows { out += "| " + (row.cells + [row.purpose]).joined(separator: " | ") + " |\n" }
        out += "\nUsers and groups bear the prefix `martlet-` (`users.prefix`). A folder with mode 2xxx hands its group to what is made in it.\n"
        out += "\n| group | members | what it is for |\n|---|---|---|\n"
        for group in ServiceGroup.allCases {
            out += "| \(group.rawValue) | \(group.members.map(\.rawValue).joined(separator: ", ")) | \(group.purpose) |\n"
        }
        return out
    }

    /// The table without its purposes, for docs/security.md.
    static var rights: String {
        var out = "| path | owner | group | mode | writers | readers |\n|---|---|---|---|---|---|\n"
        for row in rows { out += "| " + row.cells.joined(separator: " | ") + " |\n" }
        return out
    }

    static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension TreeRow {
    /// As it is with the default paths of a tree.
    var shownPath: String {
        let base =
            switch place {
            case .spool: "spool"
            case .store: "spool/mail"
            case .cache: "cache"
            case .directory: "spool/directory"
            case .configuration: "etc"
            }
        return base + "/" + (path.isEmpty ? "" : path + (isFolder ? "/" : ""))
    }

    var json: JSONValue {
        .object([
            "place": .text(place.rawValue), "path": .text(path), "kind": .text(isFolder ? "folder" : "file"), "owner": .text(owner),
            "group": .text(group), "mode": .text(SpoolTree.octal(mode)), "writers": .text(writers.shown), "readers": .text(readers.shown),
            "purpose": .text(purpose),
        ])
    }

    fileprivate var cells: [String] {
        ["`\(shownPath)`", owner, group, SpoolTree.octal(mode), writers.shown, readers.shown]
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
        case .relay: "reads the relay passwords"
        case .dkim: "will read the keys that sign outgoing mail"
        }
    }
}
