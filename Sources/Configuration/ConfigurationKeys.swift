// The table of keys, in the order of the sample file. A new setting is one row here and one property of `Configuration`.

internal import Kernel

extension ConfigurationKey {
    /// Every key there is.
    package static let all: [ConfigurationKey] =
        identity + files + furtherTLS + listeners + door + limits + smtp + authentication + submission + policy + filter + mail + keeping

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    package static func named(_ name: String) -> ConfigurationKey? { byName[name] }

    /// The tables of the file, in order; the empty name is the top.
    package static let tables: [String] = all.map(\.table).reduce(into: []) { if $0.last != $1 { $0.append($1) } }

    private static let identity = [
        ConfigurationKey("hostname", \.hostname, default: .localhost, reload: .named, """
            The name of this host in greetings, in EHLO and in Received lines.
            Other hosts look it up: it must resolve to this machine's address, and that address back to it.
            """),
        ConfigurationKey("postmaster", \.postmaster, default: nil, reload: .live, """
            Who gets the mail that concerns this host itself. Empty: postmaster at each local domain.
            """),
        ConfigurationKey("development", \.development, default: false, reload: .live, """
            Marks a tree for development and tests: `mailctl status` and the logs say so.
            It relaxes nothing by itself; `mailctl init --dev` sets the keys that it needs.
            """),
    ]

    private static let files = [
        ConfigurationKey("paths.root", \.paths.root, default: "..", reload: .confined, """
            What the other paths are relative to; itself relative to the folder of this file.
            """),
        ConfigurationKey("paths.spool", \.paths.spool, default: "spool", reload: .confined, """
            The write-ahead logs, one folder a program. Mail lies here between 250 and delivery: a local disk.
            """),
        ConfigurationKey("paths.store", \.paths.store, default: "spool/mail", reload: .confined, """
            The accounts' Maildirs and the stage folder, on one filesystem with atomic renames (ext4, XFS).
            """),
        ConfigurationKey("paths.cache", \.paths.cache, default: "cache", reload: .confined, """
            Indexes. Deleting them costs time, never data.
            """),
        ConfigurationKey("paths.directory", \.paths.directory, default: "spool/directory", reload: .confined, """
            The directory database (written by mailctl alone) and the snapshots that the daemons read.
            """),
        ConfigurationKey("users.prefix", \.users.prefix, default: "martlet-", within: .userPrefix,
            reload: .restart([], why: "the supervisor takes the users at its own start: mailctl stop, then mailctl run"), """
            The system user of a service is this and the service's name: martlet-smtpd.
            Used only when started as root; otherwise every program runs as the caller.
            """),
        ConfigurationKey("tls.certificate", \.tls.certificate, default: "etc/tls/certificate.pem", reload: .certificate, """
            The certificate and its intermediate certificates, PEM, own certificate first.
            """),
        ConfigurationKey("tls.key", \.tls.key, default: "etc/tls/key.pem", reload: .certificate, """
            The private key of the certificate, PEM, readable by root and group martlet-tls only.
            """),
    ]

    private static func listener(
        _ name: ListenerName, _ place: any WritableKeyPath<Configuration, [Endpoint]> & Sendable, _ documentation: String
    ) -> ConfigurationKey {
        let addresses = ["0.0.0.0", "::"].compactMap { Endpoint(host: $0, port: name.standardPort) }
        return ConfigurationKey("listen.\(name.rawValue)", place, default: addresses, within: .numericAddresses,
            reload: .restart([name.service], why: "a listening socket is handed over at the start"), documentation)
    }

    private static let listeners = [
        listener(.smtp, \.listen.smtp, "Mail from other hosts (smtpd)."),
        listener(.submission, \.listen.submission, "Mail from our users, STARTTLS first (submission)."),
        listener(.submissions, \.listen.submissions, "Mail from our users, TLS from the first byte (submission)."),
        listener(.pop3, \.listen.pop3, "POP3, STLS first (pop3d)."),
        listener(.pop3s, \.listen.pop3s, "POP3, TLS from the first byte (pop3d)."),
        listener(.imap, \.listen.imap, "IMAP, STARTTLS first (imapd)."),
        listener(.imaps, \.listen.imaps, "IMAP, TLS from the first byte (imapd)."),
    ]
}
