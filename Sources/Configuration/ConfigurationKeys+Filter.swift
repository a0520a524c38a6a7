// The rows for content filters: who is asked about mail before it is accepted.

extension ConfigurationKey {
    static let filter = [
        socket(.smtpd, \.filter.smtpd, """
            Content filters (milters) asked about mail from other hosts, in this order: rspamd, OpenDKIM, ClamAV.
            Empty: none. Each is "inet:ADDRESS:PORT" with a numeric address, or "unix:/PATH".
            """),
        socket(.submission, \.filter.submission, """
            Content filters (milters) asked about mail from our users, in this order.
            """),
        ConfigurationKey("filter.failure", \.filter.failure, default: .tempfail, reload: .live, """
            What becomes of mail while a filter cannot be reached, hangs or breaks the protocol: tempfail (the client
            comes again) or pass (it goes on unseen by that filter).
            """),
        ConfigurationKey("filter.connect_timeout", \.filter.connectTimeout, default: .seconds(10),
            within: .range(.seconds(1)...(.seconds(600))), reload: .live, """
            How long a filter may take to accept a connection.
            """),
        ConfigurationKey("filter.command_timeout", \.filter.commandTimeout, default: .seconds(30),
            within: .range(.seconds(1)...(.seconds(600))), reload: .live, """
            How long a filter may take for its reply to one step of the dialogue.
            """),
        ConfigurationKey("filter.message_timeout", \.filter.messageTimeout, default: .seconds(120),
            within: .range(.seconds(1)...(.seconds(600))), reload: .live, """
            How long a filter may take for its verdict on a message; twice that in all if it says that it is at work.
            Clients wait 10 min for the reply (RFC 5321 §4.5.3.2.6).
            """),
        ConfigurationKey("filter.quarantine", \.filter.quarantine, default: nil, reload: .live, """
            The local address that gets messages which a filter wants held, their recipients in a field
            X-Martlet-Quarantine. Empty: such a message is refused for now (451), and its sender keeps it.
            """),
    ]

    private static func socket(
        _ service: Service, _ place: any WritableKeyPath<Configuration, [FilterSocket]> & Sendable, _ documentation: String
    ) -> ConfigurationKey {
        ConfigurationKey("filter.\(service.rawValue)", place, default: [], within: .few,
            reload: .restart([service], why: "the sandbox is closed around these sockets at the start"), documentation)
    }
}

extension Rule where Value == [FilterSocket] {
    /// Every session has a connection to each.
    fileprivate static var few: Rule { Rule(text: "at most 8 sockets, each once") { $0.count <= 8 && Set($0).count == $0.count } }
}
