// What `setup` made and what stood already; the DNS records to publish; what comes next.

import Configuration
import Kernel
import MailModel

struct SetupReport {
    private struct Fact { let kind, what: String; let isNew: Bool }

    private let options: GlobalOptions
    private var facts: [Fact] = []
    /// Made for the account; shown this once.
    var password: String?

    init(_ options: GlobalOptions) { self.options = options }

    mutating func note(_ kind: String, _ what: String, made: Bool) { facts.append(Fact(kind: kind, what: what, isNew: made)) }

    func finish(_ configuration: Configuration, domain: Domain, addresses: [[UInt8]]) {
        let records = DNSRecord.all(domain: domain, hostname: configuration.hostname, addresses: addresses, listen: configuration.listen)
        let reverse = DNSRecord.reverse(configuration.hostname, addresses)
        if options.json { return Output.json(json(configuration, records, reverse)) }
        for fact in facts { Output.line("  \(fact.isNew ? "✓ made  " : "· stands")  \(fact.kind) \(fact.what)") }
        if !Identity.isRoot { Output.line("  !           not as root: all belongs to you, no privilege separation") }
        if let password { Output.line("\nThe account's password, shown this once: \(password)") }
        Output.line("\nDNS records of \(domain):")
        for record in records { Output.line("  \(record.line)") }
        for record in reverse { Output.line("  \(record.line)    ; asked of the owner of the address: your provider") }
        if reverse.isEmpty { Output.line("  and the address back to \(configuration.hostname) (PTR): asked of its owner, your provider. This machine has no public address of its own.") }
        for sentence in SetupReport.unpublished { Output.line(sentence) }
        for sentence in certificate(configuration) + next { Output.line(sentence) }
    }

    /// Nothing may be promised in DNS that is not done here.
    private static let unpublished = [
        "", "Not to be published with this version: DKIM (it signs nothing), DMARC (which would judge by DKIM), MTA-STS and TLSRPT (nothing here serves",
        "a policy or reads a report), and no autoconfig host (nothing here speaks HTTP): mail programs find the services by the SRV records.",
    ]

    private func certificate(_ configuration: Configuration) -> [String] {
        guard let made = facts.first(where: { $0.kind == "certificate" }), made.isNew else { return [] }
        return [
            "", "The certificate is self-signed, for a start. To replace it by one of an authority:",
            "  certbot certonly --standalone -d \(configuration.hostname)",
            "  install -m 644 /etc/letsencrypt/live/\(configuration.hostname)/fullchain.pem \(configuration.tls.certificate)",
            "  install -m 640 -g \(configuration.users.prefix)tls /etc/letsencrypt/live/\(configuration.hostname)/privkey.pem \(configuration.tls.key)",
            "  \(options.command("reload"))",
            "and the last three again after each renewal: as a script in /etc/letsencrypt/renewal-hooks/deploy.",
        ]
    }

    private var next: [String] {
        let hasUnits = (try? DirectoryDescriptor(passing: "/run/systemd/system")) != nil && options.root == nil && options.config == nil
        return [
            "", "Next: " + (hasUnits ? "systemctl enable --now martlet.target" : options.command("run")) + ", and then " + options.command("doctor") + ", which says what is still missing.",
        ]
    }

    private func json(_ configuration: Configuration, _ records: [DNSRecord], _ reverse: [DNSRecord]) -> JSONValue {
        let object = { (record: DNSRecord) -> JSONValue in
            .object(["name": .text(record.name), "type": .text(record.type), "value": .text(record.value), "purpose": .text(record.purpose)])
        }
        return .object([
            "hostname": .text(configuration.hostname.description),
            "changed": .boolean(facts.contains(where: \.isNew)),
            "steps": .array(facts.map { .object(["kind": .text($0.kind), "what": .text($0.what), "made": .boolean($0.isNew)]) }),
            "password": .optional(password), "records": .array(records.map(object)), "reverse": .array(reverse.map(object)),
            "next": .array([.text(options.command("run")), .text(options.command("doctor"))]),
        ])
    }
}
