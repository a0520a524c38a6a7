// What each answer means to the term that asked.

internal import MailModel

extension SPFEvaluation {
    /// RFC 7208 §4.4, §4.5.
    mutating func recordAnswered(_ finding: DNSFinding, _ origin: Origin, _ domain: DNSName) {
        if finding == .unavailable { return finish(.temperror, problem: "no answer for the policy", domain.bytes) }
        let policies = finding.texts.filter(SPFRecord.isPolicy)
        guard let text = policies.first else { return noRecord(origin, domain) }
        guard policies.count == 1 else { return finish(.permerror, problem: "several policies", domain.bytes) }
        do throws(SPFRecordError) {
            let record = try SPFRecord(parsing: text, limit: limits.record)
            if origin == .redirect { frames.removeLast() }
            frames.append(Frame(domain: domain, record: record))
            run()
        } catch {
            finish(.permerror, problem: error.problem.rawValue, error.term)
        }
    }

    /// Nothing is a result for the domain itself, and an error where another record speaks of it (RFC 7208 §5.2, §6.1).
    private mutating func noRecord(_ origin: Origin, _ domain: DNSName) {
        switch origin {
        case .first:
            step = .finished(SPFOutcome(subject, .none))
        case .include, .redirect: finish(.permerror, problem: "no such policy", domain.bytes)
        }
    }

    mutating func addressesAnswered(_ finding: DNSFinding, _ directive: SPFDirective, _ prefixes: SPFPrefixes) {
        guard let addresses = usable(finding.addresses, finding, directive) else { return }
        if contains(addresses, prefixes) { conclude(directive.result, directive) }
        run()
    }

    /// RFC 7208 §5.4: no MX is no match; the domain's own address does not stand in.
    mutating func exchangersAnswered(_ finding: DNSFinding, _ directive: SPFDirective, _ prefixes: SPFPrefixes) {
        guard let hosts = usable(finding.exchangers, finding, directive) else { return }
        guard hosts.count <= limits.names else { return finish(.permerror, problem: "more than \(limits.names) mail exchangers", directive.text) }
        askExchanger(directive, prefixes, hosts.compactMap { DNSName(parsing: $0) }.reversed())
    }

    mutating func exchangerAnswered(_ finding: DNSFinding, _ directive: SPFDirective, _ prefixes: SPFPrefixes, _ hosts: [DNSName]) {
        if finding == .unavailable { return finish(.temperror, problem: "no answer", directive.text) }
        // RFC 7208 §4.6.4 deviation: a host that lacks addresses of one family exists, so it is no void lookup.
        if finding == .noSuchName, countVoid() { return }
        if contains(finding.addresses, prefixes) {
            conclude(directive.result, directive)
            return run()
        }
        askExchanger(directive, prefixes, hosts)
    }

    private mutating func askExchanger(_ directive: SPFDirective, _ prefixes: SPFPrefixes, _ hosts: [DNSName]) {
        var hosts = hosts
        guard let host = hosts.popLast() else { return run() }
        ask(.addresses(of: host, subject.client.family), .exchanger(directive, prefixes, hosts))
    }

    /// RFC 7208 §5.7: any address will do.
    mutating func existsAnswered(_ finding: DNSFinding, _ directive: SPFDirective) {
        guard let addresses = usable(finding.addresses, finding, directive) else { return }
        if !addresses.isEmpty { conclude(directive.result, directive) }
        run()
    }

    /// One step of the client's names; an error there only makes a name fewer (RFC 7208 §5.5).
    mutating func namesAnswered(_ finding: DNSFinding) {
        names.answered(finding)
        if names.question != nil { return askNames() }
        if let failure { explain(failure) } else { run() }
    }

    /// The records of a term's own question; nil if the check is over.
    private mutating func usable<Value>(_ values: [Value], _ finding: DNSFinding, _ directive: SPFDirective) -> [Value]? {
        if finding == .unavailable {
            finish(.temperror, problem: "no answer", directive.text)
            return nil
        }
        if values.isEmpty, countVoid() { return nil }
        return values
    }

    private func contains(_ addresses: [IPAddress], _ prefixes: SPFPrefixes) -> Bool {
        addresses.contains { prefixes.network($0).contains(subject.client) }
    }
}
