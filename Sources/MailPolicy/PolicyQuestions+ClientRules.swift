// The rules about the client itself: how often it comes, its names, and the lists.

internal import MailModel

extension PolicyQuestions {
    var ratesFinding: RuleFinding {
        let status = EnhancedStatus(.temporary, 7, 1)
        switch rates {
        case .allowed: return .silent
        case .limited(let subject, let scope, let seconds):
            let refusal = PolicyRefusal(450, status, "Too many \(subject.rawValue) from your \(scope.rawValue), try again later")
            return .found(.deferred, "\(subject.rawValue) of the \(scope.rawValue): next in \(seconds) s", .deferred(refusal, seconds: seconds))
        case .crowded(let scope):
            let refusal = PolicyRefusal(450, status, "Too many connections from your \(scope.rawValue) at once")
            return .found(.deferred, "connections of the \(scope.rawValue) at once", .deferred(refusal, seconds: nil))
        case .full:
            let refusal = PolicyRefusal(450, EnhancedStatus(.temporary, 3, 2), "Too many clients at once")
            return .found(.deferred, "no room for another client", .deferred(refusal, seconds: nil))
        }
    }

    /// RFC 7372 §3.3: 7.25 tells it from other policies.
    var reverseFinding: RuleFinding {
        guard let reverse else { return .silent }
        if let name = reverse.names.first { return .found(.passed, "\(client) is \(name)") }
        guard reverse.question == nil else { return .pending }
        if reverse.isIncomplete { return .found(.unknown, "the name of \(client) cannot be asked") }
        let rules = configuration.reverseDNS
        if reverse.isVoid { return step(rules.missing, "\(client) has no name", (7, 25), "Client host \(client) has no reverse DNS name") }
        let claimed = reverse.claimed?.description ?? "no usable name"
        return step(
            rules.unconfirmed, "\(client) claims \(claimed), which does not lead back", (7, 25),
            "Reverse DNS name of \(client) does not lead back to it")
    }

    /// RFC 5321 §4.1.4 deviation: it forbids refusing mail for this reason, so only a configuration does.
    var helloFinding: RuleFinding {
        guard let hello else { return .pending }
        let shown = hello.name.prefix(80).display
        guard let name = Domain(parsing: hello.name), name.isAddressLiteral || DNSName(parsing: name.bytes) != nil else {
            return step(configuration.hello.malformed, "\(shown) is no host name", (7, 1), "HELO needs a full host name or an address literal")
        }
        if name.isAddressLiteral { return literalFinding(name, shown) }
        if name == configuration.hostName { return step(configuration.hello.forged, "\(shown) is our own name", (7, 1), "HELO says our own name") }
        guard let lookup = hello.lookup, let action = configuration.hello.unresolvable else { return .found(.passed, shown) }
        switch lookup.result {
        case nil: return .pending
        case .found: return .found(.passed, "\(shown) exists")
        case .unknown: return .found(.unknown, "\(shown) cannot be asked")
        case .missing, .nullMX: return step(action, "\(shown) does not exist", (7, 1), "HELO name does not exist in DNS")
        }
    }

    /// `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3).
    private func literalFinding(_ name: Domain, _ shown: String) -> RuleFinding {
        var text = name.bytes.dropFirst().dropLast()
        if text.starts(with: "ipv6:".utf8) { text = text.dropFirst(5) }
        guard let address = IPAddress(parsing: text) else {
            return step(configuration.hello.malformed, "\(shown) is no address", (7, 1), "HELO needs a full host name or an address literal")
        }
        if address.unmapped == client { return .found(.passed, shown) }
        return step(configuration.hello.forged, "\(shown) is another address than \(client)", (7, 1), "HELO says another address than yours")
    }

    /// The lists of the address and of the sender's domain together.
    private var tally: ListTally? {
        var tally = ListTally()
        guard clientLists.count(into: &tally), let sender, sender.lists.count(into: &tally) else { return nil }
        return tally
    }

    var listVerdict: ListTally.Verdict? { tally?.verdict(configuration.listThresholds) }

    var listsFinding: RuleFinding {
        if configuration.lists.isEmpty || isTrusted { return .silent }
        guard let tally else { return .pending }
        let said = tally.hits.map { "\($0.zone) \($0.answer) (\($0.points))" } + tally.silent.map { "\($0) silent" }
        let found = "score \(tally.score)" + (said.isEmpty ? "" : ": " + said.joined(separator: ", "))
        switch tally.verdict(configuration.listThresholds) {
        case .refused:
            let zone = tally.worst.map { " by \($0.zone)" } ?? ""
            return step(.refusal, found, (7, 1), "Client host \(client) or sender's domain is listed\(zone)")
        case .allowed: return .found(.passed, found)
        case .clear:
            if tally.score > 0 { return .found(.noted, found) }
            return .found(tally.silent.isEmpty ? .passed : .unknown, found)
        }
    }
}
