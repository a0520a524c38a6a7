// The files of the tree, by kind: which folder, which names, whose, which mode. The first row that fits a name counts.

import Configuration

/// One kind of file in a folder of the table.
struct SpoolFile: Hashable, Sendable {
    /// Whom a file belongs to on a system installation.
    enum Owner: Hashable, Sendable {
        case root
        /// Whoever owns its folder.
        case asFolder
        /// Any of them may have made it; the first is given what belongs to a stranger.
        case services([Service])
        /// Whoever put it there.
        case anyone
    }

    enum Group: Hashable, Sendable {
        /// The folder hands it down.
        case asFolder
        case group(ServiceGroup)
        /// The owner's own: nobody is given anything by it.
        case none
    }

    enum Names: Hashable, Sendable {
        case exactly(String)
        case beginning(String)
        case all
    }

    let place: SpoolFolder.Place
    /// The folder's path below the place.
    let folder: String
    let names: Names
    /// How the table shows it, below the folder.
    let shown: String
    let owner: Owner
    let group: Group
    let mode: UInt32
    let purpose: String
}

extension SpoolTree {
    /// Rows of one folder stand together, the narrower names first.
    static let files: [SpoolFile] = settingFiles + spoolFiles + metricFiles + segmentFiles + directoryFiles + storeFiles

    private static let settingFiles: [SpoolFile] = [
        SpoolFile(
            place: .configuration, folder: "", names: .exactly("martlet.toml"), shown: "martlet.toml", owner: .root, group: .none,
            mode: 0o644, purpose: "The configuration. No secret is in it."),
        SpoolFile(
            place: .configuration, folder: "tls", names: .exactly("key.pem"), shown: "key.pem", owner: .root, group: .group(.tls),
            mode: 0o640, purpose: "The TLS key (`tls.key`)."),
        SpoolFile(
            place: .configuration, folder: "tls", names: .exactly("certificate.pem"), shown: "certificate.pem", owner: .root, group: .none,
            mode: 0o644, purpose: "The certificate (`tls.certificate`)."),
        SpoolFile(
            place: .configuration, folder: "dkim", names: .all, shown: "<selector>.<domain>.pem", owner: .root, group: .group(.dkim),
            mode: 0o640, purpose: "A DKIM key."),
    ]

    private static let spoolFiles: [SpoolFile] = [
        SpoolFile(
            place: .spool, folder: "", names: .exactly("SPOOL-ID"), shown: "SPOOL-ID", owner: .root, group: .none, mode: 0o600,
            purpose: "Which spool this is, and which life it is in."),
        SpoolFile(
            place: .spool, folder: "drop", names: .all, shown: "<drop>", owner: .anyone, group: .none, mode: 0o644,
            purpose: "A message from sendmail; its owner is its sender."),
        SpoolFile(
            place: .spool, folder: "remoted/policies", names: .all, shown: "<domain>", owner: .asFolder, group: .none, mode: 0o600,
            purpose: "The policy of a domain, and when it came."),
        SpoolFile(
            place: .spool, folder: "mailctl/configuration", names: .all, shown: "{martlet.toml,log-levels}", owner: .root, group: .asFolder, mode: 0o640,
            purpose: "What holds for services that run."),
    ]

    private static let metricFiles: [SpoolFile] = folders.filter { $0.path.hasSuffix("/metrics") }.map { folder in
        SpoolFile(
            place: .spool, folder: folder.path, names: .all, shown: "<service>.prom", owner: .asFolder, group: .none, mode: 0o644,
            purpose: "Counts, and no address.")
    }

    /// Log folders by the one that writes them: segments, the spare one, big content.
    private static let segmentFiles: [SpoolFile] =
        folders.filter { $0.place == .spool && $0.mode == 0o2750 && $0.path != "mailctl/configuration" }.flatMap(logFiles)

    private static func logFiles(_ folder: SpoolFolder) -> [SpoolFile] {
        func file(_ names: SpoolFile.Names, _ shown: String, _ group: SpoolFile.Group, _ mode: UInt32, _ purpose: String) -> SpoolFile {
            SpoolFile(
                place: .spool, folder: folder.path, names: names, shown: shown, owner: .asFolder, group: group, mode: mode, purpose: purpose)
        }
        if folder.path.hasSuffix("/big") { return [file(.all, "<id>", .asFolder, 0o640, "The content of a message.")] }
        return [
            // Who may open it may keep the writer out: nobody else may.
            file(.exactly(".lock"), ".lock", .none, 0o600, "Held by the log's writer."),
            file(.all, "<segment>.log", .asFolder, 0o640, "A segment of the log."),
        ]
    }

    private static let directoryFiles: [SpoolFile] = [
        SpoolFile(
            place: .directory, folder: "", names: .beginning("directory.db"), shown: "directory.db", owner: .root, group: .none,
            mode: 0o600, purpose: "Accounts, aliases, domains, password verifiers."),
        SpoolFile(
            place: .directory, folder: "addresses", names: .all, shown: "addresses.db", owner: .root, group: .asFolder, mode: 0o640,
            purpose: "The address snapshot."),
        SpoolFile(
            place: .directory, folder: "credentials", names: .all, shown: "credentials.db", owner: .root, group: .asFolder, mode: 0o640,
            purpose: "The credential snapshot."),
        SpoolFile(
            place: .directory, folder: "relay", names: .all, shown: "passwords", owner: .root, group: .asFolder, mode: 0o640,
            purpose: "User names and passwords for other hosts (`mailctl relay-password`)."),
        SpoolFile(
            place: .cache, folder: "imapd", names: .all, shown: "<account>", owner: .asFolder, group: .none, mode: 0o600, purpose: "An index."),
    ]

    private static let storeFiles: [SpoolFile] = [
        SpoolFile(
            place: .store, folder: ".stage", names: .exactly("STORE-ID"), shown: "STORE-ID", owner: .root, group: .asFolder, mode: 0o444,
            purpose: "Which store this is, and which life it is in."),
        SpoolFile(
            place: .store, folder: ".stage", names: .all, shown: "<message>", owner: .services([.locald]), group: .asFolder, mode: 0o440,
            purpose: "A copy on its way."),
        message, state,
    ]

    /// Below an account, in `new`, `cur`, `tmp` and `expunged`.
    static let message = SpoolFile(
        place: .store, folder: account.path, names: .all, shown: "{new,cur,tmp}/<message>", owner: .services([.imapd, .locald, .pop3d]),
        group: .asFolder, mode: 0o440, purpose: "A message: never changed once it is there.")

    /// Below an account, in `martlet`.
    static let state = SpoolFile(
        place: .store, folder: account.path, names: .all, shown: "martlet/<state>", owner: .services([.imapd, .locald, .pop3d]),
        group: .asFolder, mode: 0o660, purpose: "UIDVALIDITY, keywords, subscriptions; locks.")

    /// Any folder of an account, and its domain's. Made with the first message or login, so not among `folders`.
    static let account = SpoolFolder(
        place: .store, path: "<domain>/<user>", owner: .service(.locald), group: .deliver, mode: 0o2770,
        purpose: "An account's Maildir, with all folders beneath; made by locald, imapd or pop3d, whichever comes first.")
}
