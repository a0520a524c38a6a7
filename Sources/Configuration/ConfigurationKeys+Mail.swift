// The rows for where mail goes, when it is tried again, and how long what remains is kept.

extension ConfigurationKey {
    static let mail = [
        ConfigurationKey("routing.subaddress_separator", \.routing.subaddressSeparator, default: .plus, reload: .live, """
            user+detail@domain goes to user@domain (RFC 5233 §1). Empty: no subaddresses.
            """),
        ConfigurationKey("routing.srs", \.routing.srs, default: true, reload: .live, """
            Mail that an alias leads to another domain goes on under a sender of ours, SRS0=...@domain, so that SPF
            holds there; notices for it are sent back to its own sender for 21 days.
            """),
        ConfigurationKey("routing.archive", \.routing.archive, default: [], reload: .live, """
            A copy of each message from or to a domain, for an archive. Failures of the copy are told to the
            postmaster. Notices are not copied.
            """),
        ConfigurationKey("dns.servers", \.dns.servers, default: [], reload: .live, """
            Name servers to ask. Empty: those of /etc/resolv.conf.
            """),
        ConfigurationKey("dns.trust_ad", \.dns.trustAD, default: .loopback, reload: .live, """
            Whose word is believed that DNSSEC vouches for an answer (the AD bit), which DANE needs: that of resolvers
            on this host, `always` that of all (the way to them must then be safe), or `never`. They must validate.
            """),
        ConfigurationKey("retry.initial", \.retry.initial, default: .seconds(300), within: .range(.seconds(1)...(.seconds(86400))), reload: .live, """
            The wait after the first failed attempt; it doubles with each further one.
            RFC 5321 §4.5.4.1 asks for 30 min, and for two attempts in the first hour.
            """),
        ConfigurationKey("retry.maximum", \.retry.maximum, default: .seconds(14400), within: .range(.seconds(1)...(.seconds(604800))), reload: .live, """
            The longest wait between attempts.
            """),
        ConfigurationKey("retry.give_up", \.retry.giveUp, default: .seconds(432000),
            within: .range(.seconds(1)...(.seconds(2_592_000))), reload: .live, """
            The age at which mail goes back to its sender. RFC 5321 §4.5.4.1 asks for 4-5 days.
            """),
        ConfigurationKey("retry.delay_notice", \.retry.delayNotice, default: .seconds(14400),
            within: .range(.zero...(.seconds(2_592_000))), reload: .live, """
            The age at which a sender hears, once, that a message is not delivered yet and is still being tried. 0: never.
            Where a policy about TLS keeps it, the sender hears after the second attempt.
            """),
        ConfigurationKey("retry.jitter", \.retry.jitter, default: 10, within: .range(0...50), reload: .live, """
            Per cent by which each wait varies, so that what failed together does not come back together.
            """),
        ConfigurationKey("remote.smarthost", \.remote.smarthost, default: nil, reload: .live, """
            The host that takes all mail for other domains. Empty: each domain's own MX.
            """),
        ConfigurationKey("remote.port", \.remote.port, default: 25, within: .range(1...65535), reload: .live, """
            The port of other domains' hosts. Another than 25 is for tests.
            """),
        ConfigurationKey("remote.tls", \.remote.tls, default: .opportunistic, reload: .live, """
            STARTTLS to other hosts: where offered (RFC 7435), always (`required`: mail waits where it is not; `verified`:
            also where the host does not prove its name), or never. DANE and MTA-STS ask for more where a domain has them,
            if this is not `never`.
            """),
        ConfigurationKey("remote.tls_for", \.remote.tlsFor, default: [], within: .destinations, reload: .live, """
            The same for single domains, whatever DANE and MTA-STS say: a domain, then `opportunistic`, `required`,
            `verified` or `never`.
            """),
        ConfigurationKey("remote.dane", \.remote.dane, default: true, reload: .live, """
            Whether the certificates that a host must show are looked up in DNS (DANE, RFC 7672); it needs dns.trust_ad.
            """),
        ConfigurationKey("remote.mta_sts", \.remote.mtaSTS, default: true, reload: .live, """
            Whether the policies of other domains are fetched and kept (MTA-STS, RFC 8461).
            """),
        ConfigurationKey("remote.mta_sts_port", \.remote.mtaSTSPort, default: 443, within: .range(1...65535), reload: .live, """
            The port on which they are fetched by HTTPS. Another than 443 is for tests.
            """),
        ConfigurationKey("remote.roots", \.remote.roots, default: nil,
            reload: .restart([.remoted], why: "the file is read at the start"), """
            A file of certificates that are trusted where a server must prove its name. Empty: those of the system.
            """),
        ConfigurationKey("remote.sockets", \.remote.sockets, default: [], within: .localSockets,
            reload: .restart([.remoted], why: "what a program may open is fixed at its start"), """
            Sockets to which a route lmtp:/PATH may lead. While there is none, remoted can open no local socket.
            """),
        ConfigurationKey("remote.connect_timeout", \.remote.connectTimeout, default: .seconds(30),
            within: .range(.seconds(1)...(.seconds(600))), reload: .live, """
            How long one address may take to accept a connection.
            """),
        ConfigurationKey("remote.command_timeout", \.remote.commandTimeout, default: .seconds(300),
            within: .range(.seconds(1)...(.seconds(3600))), reload: .live, """
            How long a host may take for a reply; twice that after the end of the message (RFC 5321 §4.5.3.2.6).
            """),
        ConfigurationKey("remote.connections", \.remote.connections, default: 100, within: .range(1...10_000), reload: .live, """
            Connections to other hosts at a time.
            """),
        ConfigurationKey("remote.connections_per_domain", \.remote.connectionsPerDomain, default: 5, within: .range(1...1000), reload: .live, """
            Connections at a time for the mail of one domain.
            """),
        ConfigurationKey("delivery.threads", \.delivery.threads, default: 4, within: .range(1...64),
            reload: .restart([.locald], why: "the threads are made at the start"), """
            Threads of locald. Each waits for the disk: more help on many spindles, not on many processors.
            """),
    ]

    static let keeping = [
        ConfigurationKey("retention.events", \.retention.events, default: .seconds(7_776_000),
            within: .range(.seconds(86400)...(.seconds(315_360_000))), reload: .live, """
            How long event logs are kept: what `mailctl trace` and `mailctl audit` can look back on.
            """),
        ConfigurationKey("retention.expunged", \.retention.expunged, default: .seconds(1_209_600),
            within: .range(.zero...(.seconds(31_536_000))), reload: .live, """
            How long a message that its owner removed can be brought back by the administrator. 0: not at all.
            """),
    ]
}
