// The rows for what port 25 asks about a client, and what each finding leads to. Every default refuses nobody by guesswork.

import MailPolicy

extension ConfigurationKey {
    static let policy = clients + senders + greylisting + rates

    private static let clients = [
        ConfigurationKey("policy.trusted", \.policy.trusted, default: loopback, within: .entries(1000), reload: .live, """
            Networks of whose clients nothing is asked: this host, and your own relays. Port 25 only, as all of this table.
            """),
        ConfigurationKey("policy.exempt_recipients", \.policy.exemptRecipients, default: ["postmaster", "abuse"], within: .entries(100), reload: .live, """
            Local parts that are let through whatever is found (RFC 5321 §4.5.1, RFC 2142 §4).
            """),
        ConfigurationKey("policy.patience", \.policy.patience, default: .seconds(20), within: .range(.seconds(1)...(.seconds(120))), reload: .live, """
            How long a client waits at RCPT for answers of DNS; what is missing then refuses nobody.
            """),
        ConfigurationKey("policy.reverse_dns", \.policy.reverseDNS, default: true, reload: .live, """
            Whether the client's address is asked for its name, and that name for the address.
            """),
        finding("reverse_missing", \.policy.reverseMissing, "The address has no name."),
        finding("reverse_unconfirmed", \.policy.reverseUnconfirmed, "It has one that does not lead back to it."),
        finding("helo_malformed", \.policy.helloMalformed, "HELO or EHLO says neither a full host name nor an address literal."),
        finding("helo_forged", \.policy.helloForged, "It says our own name, or the address of another host."),
        optional("helo_unresolvable", \.policy.helloUnresolvable, "It says a name that DNS does not know. Empty: not asked."),
        ConfigurationKey("policy.lists", \.policy.lists, default: [], within: .entries(32), reload: .live, """
            DNS lists (RFC 5782) and the points that an entry there counts, below 0 for the client; then which answers, if not all.
            Asked for the client's address; with `names` before it, for the sender's domain. A list that is silent refuses nobody.
            """),
        ConfigurationKey("policy.list_refuse", \.policy.listRefuse, default: 10, within: .range(1...100_000), reload: .live, """
            So many points of all lists together, and the client is refused.
            """),
        ConfigurationKey("policy.list_allow", \.policy.listAllow, default: -1, within: .range(-100_000 ... -1), reload: .live, """
            So many points or less, and greylisting does not keep the client waiting.
            """),
    ]

    private static let senders = [
        optional("sender_domain", \.policy.senderDomain, "The sender's domain could take no bounce (RFC 7505 §4.2). Empty: not asked."),
        ConfigurationKey("policy.spf", \.policy.spf, default: true, reload: .live, """
            Whether SPF (RFC 7208) is evaluated, and written into Received-SPF and Authentication-Results.
            """),
        finding("spf_fail", \.policy.spfFail, default: .refuse, "The sender's domain says that this client may not send for it."),
        finding("spf_helo_fail", \.policy.spfHelloFail, "The name in HELO says so."),
        finding("spf_softfail", \.policy.spfSoftfail, "The sender's domain says that the client should not."),
        finding("spf_permerror", \.policy.spfPermerror, "What the domain says cannot be understood."),
        finding("spf_temperror", \.policy.spfTemperror, "DNS did not answer. `refuse` defers too (RFC 7208 §8.6)."),
    ]

    private static let greylisting = [
        ConfigurationKey("policy.greylist", \.policy.greylist, default: .off, reload: .live, """
            Whether the first attempt of a client network with a sender and a recipient is put off (RFC 6647): of nobody, of those
            of whom something was noted, or of all.
            """),
        ConfigurationKey("policy.greylist_delay", \.policy.greylistDelay, default: .seconds(300),
            within: .range(.seconds(1)...(.seconds(86400))), reload: .live, """
            How long the client waits.
            """),
        ConfigurationKey("policy.greylist_window", \.policy.greylistWindow, default: .seconds(172_800),
            within: .range(.seconds(3600)...(.seconds(2_592_000))), reload: .live, """
            Within which the client must come again.
            """),
        ConfigurationKey("policy.greylist_retention", \.policy.greylistRetention, default: .seconds(3_110_400),
            within: .range(.seconds(86400)...(.seconds(31_622_400))), reload: .live, """
            How long one that came again is remembered; no longer than retention.events.
            """),
    ]

    private static let rates = [
        rate("address_connections", \.policy.address.connections, "Connections of one address (IPv6: of one /64) beyond which it is put off."),
        rate("address_messages", \.policy.address.messages, "Messages of one address."),
        rate("address_recipients", \.policy.address.recipients, "Recipients of ours that one address names."),
        rate("address_unknown", \.policy.address.unknown, default: PolicyRate(100, per: 3600), "Recipients that one address names and nobody has."),
        rate("network_connections", \.policy.network.connections, "Connections of a /24 (IPv6: a /48)."),
        rate("network_messages", \.policy.network.messages, "Messages of a /24."),
        rate("network_recipients", \.policy.network.recipients, "Recipients of ours that a /24 names."),
        rate("network_unknown", \.policy.network.unknown, default: PolicyRate(500, per: 3600), """
            Recipients that a /24 names and nobody has. A network whose last 30 days were good has four times these rates, one
            whose were bad a quarter: `mailctl explain` shows the counts.
            """),
        ConfigurationKey("policy.network_concurrent", \.policy.network.concurrent, default: nil, reload: .live, """
            Connections of a /24 at a time; of one address limits.connections_per_address says. Empty: any number.
            """),
    ]

    private static let loopback = ["127.0.0.0/8", "::1/128"].compactMap { IPNetwork($0) }

    private typealias Place<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    private static func finding(
        _ name: String, _ place: Place<PolicyFinding>, default standard: PolicyFinding = .note, _ documentation: String
    ) -> ConfigurationKey {
        ConfigurationKey("policy.\(name)", place, default: standard, reload: .live, documentation)
    }

    private static func optional(_ name: String, _ place: Place<PolicyFinding?>, _ documentation: String) -> ConfigurationKey {
        ConfigurationKey("policy.\(name)", place, default: nil, reload: .live, documentation)
    }

    private static func rate(
        _ name: String, _ place: Place<PolicyRate?>, default standard: PolicyRate? = nil, _ documentation: String
    ) -> ConfigurationKey {
        ConfigurationKey("policy.\(name)", place, default: standard, reload: .live, documentation)
    }
}

extension Rule where Value: Collection {
    /// At most so many.
    fileprivate static func entries(_ most: Int) -> Rule { Rule(text: "at most \(most) entries") { $0.count <= most } }
}
