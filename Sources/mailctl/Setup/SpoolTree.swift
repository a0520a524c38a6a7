// The tree as installed: every folder, its owner, group, mode and purpose; its files are in SpoolTree+Files. `mailctl init`
// makes what this table says, `mailctl check` compares, and spool/README.md, docs/security.md, sysusers.d and tmpfiles.d print it.

import Configuration

/// One folder of the tree.
struct SpoolFolder: Hashable, Sendable {
    /// Which setting says where it is.
    enum Place: String, Sendable {
        case spool = "paths.spool", store = "paths.store", cache = "paths.cache", directory = "paths.directory"
        /// The folder of the configuration file.
        case configuration = "--config"
    }

    /// Who owns it on a system installation; elsewhere all belongs to the caller.
    enum Owner: Hashable, Sendable {
        case root
        case service(Service)
    }

    let place: Place
    /// Below the place; empty for the place itself.
    let path: String
    let owner: Owner
    let group: ServiceGroup?
    let mode: UInt32
    let purpose: String
    /// Whether we make it; what is the administrator's own is only looked at, where it is there.
    var isMade = true
}

extension SpoolFolder {
    /// Whether earlier versions had none such; nothing in it is lost if it is made anew.
    var isLater: Bool { place == .spool && (path == "mailctl/configuration" || path == "remoted/policies" || path.hasSuffix("/metrics")) }
}

enum SpoolTree {
    /// Parents before children.
    static let folders: [SpoolFolder] =
        [folder(.spool, "", .root, nil, 0o755, "Everything between 250 and delivery, one folder a program. Keep it on a local disk.")]
        + [Service.smtpd, .submission, .queued].flatMap(intake)
        + [
            folder(.spool, "queued/released", .service(.queued), .services, 0o2750, "Ids that the owners of mail logs may erase."),
            folder(.spool, "drop", .service(.queued), .spool, 0o1733, "Local submissions by sendmail: anyone may add a file, nobody may list them."),
        ]
        + [Service.locald, .remoted].flatMap { owned(.service($0), $0.rawValue, .spool) }
        + [folder(.spool, "remoted/policies", .service(.remoted), nil, 0o700, "MTA-STS policies of other domains, as they were fetched.")]
        + [Service.pop3d, .imapd].flatMap { owned(.service($0), $0.rawValue, .events) }
        + owned(.root, "mailctl", .services) + owned(.root, "supervisor", .services)
        + [
            folder(.spool, "mailctl/configuration", .root, .services, 0o2750, "The configuration in force, as mailctl publishes it, and log levels."),
            folder(.directory, "", .root, nil, 0o755, "The directory database, which mailctl alone may read and write."),
            folder(.directory, "addresses", .root, .services, 0o2750, "The address snapshot: who has an address, and no password."),
            folder(.directory, "credentials", .root, .credentials, 0o2750, "The credential snapshot."),
            folder(.directory, "relay", .root, .relay, 0o2750, "The passwords by which other hosts take mail from us."),
            folder(.store, "", .root, .deliver, 0o2770, "The accounts: <domain>/<user>/, each a Maildir++."),
            folder(.store, ".stage", .service(.locald), .deliver, 0o2770, "Copies on their way into a Maildir, and STORE-ID, the name of this store."),
            folder(.cache, "", .root, nil, 0o755, "Indexes. Deleting them costs time, never data."),
            folder(.cache, "imapd", .service(.imapd), nil, 0o700, "One index an account."),
        ] + settings

    private static let settings: [SpoolFolder] = {
        var top = folder(.configuration, "", .root, nil, 0o755, "The configuration file and what belongs to it.")
        var tls = folder(.configuration, "tls", .root, nil, 0o755, "The certificate and its key, where tls.certificate and tls.key say nothing else.")
        top.isMade = false
        tls.isMade = false
        return [top, tls, folder(.configuration, "dkim", .root, .dkim, 0o750, "Keys that sign outgoing mail. Nothing signs yet.")]
    }()

    private static func folder(
        _ place: SpoolFolder.Place, _ path: String, _ owner: SpoolFolder.Owner, _ group: ServiceGroup?, _ mode: UInt32, _ purpose: String
    ) -> SpoolFolder {
        SpoolFolder(place: place, path: path, owner: owner, group: group, mode: mode, purpose: purpose)
    }

    /// The folders of a program that takes responsibility for mail.
    private static func intake(_ service: Service) -> [SpoolFolder] {
        let name = service.rawValue
        return owned(.service(service), name, service == .queued ? .spool : .events) + [
            folder(.spool, "\(name)/mail", .service(service), .spool, 0o2750, "Messages \(name) took responsibility for: envelope and content."),
            folder(.spool, "\(name)/mail/big", .service(service), .spool, 0o2750, "Content above 128 KiB, a file a message."),
        ]
    }

    private static func owned(_ owner: SpoolFolder.Owner, _ name: String, _ readers: ServiceGroup) -> [SpoolFolder] {
        [
            folder(.spool, name, owner, nil, 0o755, "Written by \(name) alone."),
            folder(.spool, "\(name)/events", owner, readers, 0o2750, "What \(name) did, one line a fact."),
        ] + (owner == .root ? [] : [folder(.spool, "\(name)/metrics", owner, nil, 0o755, "Counts for Prometheus, as a file that anyone may read.")])
    }
}
