// The rows for what a session may ask of us.

extension ConfigurationKey {
    static let limits = [
        ConfigurationKey("limits.message_size", \.limits.messageSize, default: .mebibytes(50),
            within: .range(.kibibytes(64)...(.gibibytes(1))), reload: .live, """
            The largest message, announced as SIZE. RFC 5321 §4.5.3.1.7 asks for at least 64 KiB.
            """),
        ConfigurationKey("limits.recipients", \.limits.recipients, default: 1000, within: .range(100...100_000), reload: .live, """
            Recipients of one message. RFC 5321 §4.5.3.1.8 asks for at least 100.
            """),
        ConfigurationKey("limits.line_length", \.limits.lineLength, default: .kibibytes(64),
            within: .range(ByteCount(bytes: 1000)...(.mebibytes(1))), reload: .live, """
            The longest line of a submitted message, CRLF included; a longer one is refused. RFC 5321 §4.5.3.1.6 promises
            1000 octets; real mail exceeds it. Mail from other hosts is taken with lines of any length.
            """),
        ConfigurationKey("limits.command_timeout", \.limits.commandTimeout, default: .seconds(300),
            within: .range(.seconds(1)...(.seconds(3600))), reload: .live, """
            How long an SMTP client may take for its next command. RFC 5321 §4.5.3.2.7 asks for 5 min.
            """),
        ConfigurationKey("limits.data_timeout", \.limits.dataTimeout, default: .seconds(600),
            within: .range(.seconds(1)...(.seconds(7200))), reload: .live, """
            How long a client may be silent while it sends a message (RFC 5321 §4.5.3.2.5 asks for 3 min).
            """),
        ConfigurationKey("limits.pop3_idle_timeout", \.limits.pop3IdleTimeout, default: .seconds(600),
            within: .range(.seconds(1)...(.seconds(86400))), reload: .live, """
            How long a POP3 session may be silent. RFC 1939 §3 asks for at least 10 min.
            """),
        ConfigurationKey("limits.imap_idle_timeout", \.limits.imapIdleTimeout, default: .seconds(1800),
            within: .range(.seconds(1)...(.seconds(86400))), reload: .live, """
            How long an IMAP session may be silent. RFC 9051 §5.4 asks for at least 30 min.
            """),
        ConfigurationKey("limits.session_commands", \.limits.sessionCommands, default: 10_000, within: .range(10...10_000_000), reload: .live, """
            Commands in one SMTP session before it is closed with 421.
            """),
        ConfigurationKey("limits.session_errors", \.limits.sessionErrors, default: 20, within: .range(1...10_000), reload: .live, """
            Wrong commands in one session before it is closed.
            """),
        ConfigurationKey("limits.hops", \.limits.hops, default: 50, within: .range(10...1000), reload: .live, """
            Received lines above which a message counts as looping. RFC 5321 §6.3 asks for a large number, such as 100.
            """),
        ConfigurationKey("limits.connections_per_address", \.limits.connectionsPerAddress, default: 50, within: .range(1...100_000), reload: .live, """
            Connections at a time from one IPv4 address or one IPv6 /64, for each service.
            """),
        ConfigurationKey("limits.connections", \.limits.connections, default: 10_000, within: .range(1...1_000_000),
            reload: .restart(Service.allCases.filter(\.isNetworkService), why: "the limit of open descriptors is set from it at the start"), """
            Connections at a time, for each service.
            """),
        ConfigurationKey("limits.mailbox_depth", \.limits.mailboxDepth, default: 10, within: .range(1...100), reload: .unread, """
            How deep mailboxes nest.
            """),
        ConfigurationKey("limits.alias_depth", \.limits.aliasDepth, default: 10, within: .range(1...100), reload: .live, """
            How many aliases may lead one to the next before the address counts as a loop.
            """),
        ConfigurationKey("limits.alias_results", \.limits.aliasResults, default: 1000, within: .range(1...100_000), reload: .live, """
            How many recipients one alias may become.
            """),
    ]

    static let authentication = [
        ConfigurationKey("auth.allow_plaintext", \.auth.allowPlaintext, default: .never, reload: .live, """
            Where a password may be sent without TLS. RFC 8314 §4.1: nowhere. `loopback` is for development.
            """),
        ConfigurationKey("auth.mechanisms", \.auth.mechanisms, default: [.scramSHA256Plus, .scramSHA256, .plain, .login],
            within: .notEmpty, reload: .live, """
            What is offered, the best first. SCRAM-SHA-256-PLUS only inside TLS; PLAIN and LOGIN as `allow_plaintext` says.
            """),
        ConfigurationKey("auth.upgrade_hashes", \.auth.upgradeHashes, default: false, reload: .unread, """
            No program does this: whoever checks a password would have to be able to set one, and then a captured imapd could. An
            account with an imported hash gets a SCRAM verifier when `mailctl account passwd` sets its password anew.
            """),
        ConfigurationKey("auth.failure_delay", \.auth.failureDelay, default: .seconds(3), within: .range(.zero...(.seconds(60))), reload: .live, """
            How long the answer to a wrong password is held back; up to 16 times as long, and not above a minute, the more
            failures there were.
            """),
        ConfigurationKey("auth.failures_per_address", \.auth.failuresPerAddress, default: 20, within: .range(1...1_000_000), reload: .live, """
            Failed logins in an hour from one IPv4 address or one IPv6 /64, at all services together. Beyond them its logins fail
            without a look at the password, except for accounts that it proved before.
            """),
        ConfigurationKey("auth.failures_per_account", \.auth.failuresPerAccount, default: 50, within: .range(1...1_000_000), reload: .live, """
            The same for one account, from everywhere together. Beyond them logins fail so from addresses that failed within the
            hour; an address without failures of its own is always looked at, so that no stranger locks the owner out.
            """),
    ]
}
