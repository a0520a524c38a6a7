// The rules about the sender: whether it could be answered, and what its domain says of the client.

internal import MailModel

extension PolicyQuestions {
    /// RFC 7505 §4.2: a domain that takes no mail sends none that could be answered.
    var senderDomainFinding: RuleFinding {
        guard let sender else { return .pending }
        guard let action = configuration.senderDomain.unreachable, let domain = sender.path.address?.domain, !domain.isAddressLiteral, !isTrusted
        else { return .silent }
        guard let lookup = sender.lookup else {
            return step(action, "\(domain) is no name of DNS", (1, 8), "Sender's domain does not exist or takes no mail")
        }
        switch lookup.result {
        case nil: return .pending
        case .found: return .found(.passed, "\(lookup.name) takes mail")
        case .unknown: return .found(.unknown, "\(lookup.name) cannot be asked")
        case .missing: return step(action, "\(lookup.name) does not exist", (1, 8), "Sender's domain does not exist or takes no mail")
        case .nullMX: return step(action, "\(lookup.name) takes no mail", (7, 27), "Sender's domain says that it takes no mail")
        }
    }

    var spfHelloFinding: RuleFinding {
        guard let hello else { return .pending }
        guard let evaluation = hello.spf else { return .silent }
        guard let outcome = evaluation.outcome else { return .pending }
        switch outcome.result {
        case .fail where outcome.isUncertain: return .found(.unknown, shown(outcome))
        case .fail: return step(configuration.spf.helloFail, shown(outcome), (7, 23), refusal(outcome))
        case .none, .neutral, .pass, .softfail, .permerror: return .found(.passed, shown(outcome))
        case .temperror: return .found(.unknown, shown(outcome))
        }
    }

    /// RFC 7208 §8, with the codes of RFC 7372 §3.2.
    var spfFinding: RuleFinding {
        guard let sender else { return .pending }
        guard let evaluation = sender.spf else { return .silent }
        guard let outcome = evaluation.outcome else { return .pending }
        let rules = configuration.spf
        switch outcome.result {
        case .none, .neutral, .pass: return .found(.passed, shown(outcome))
        case .fail where outcome.isUncertain: return .found(.unknown, shown(outcome))
        case .fail: return step(rules.fail, shown(outcome), (7, 23), refusal(outcome))
        case .softfail: return step(rules.softfail, shown(outcome), (7, 23), refusal(outcome))
        case .permerror: return step(rules.permerror, shown(outcome), (7, 24), "SPF policy of the sender's domain cannot be read")
        case .temperror:
            guard rules.temperror != .note else { return .found(.unknown, shown(outcome)) }
            return step(.deferral, shown(outcome), (7, 24), "SPF policy of the sender's domain cannot be asked now")
        }
    }

    /// `fail for example.org (-all)`.
    private func shown(_ outcome: SPFOutcome) -> String {
        let term = (outcome.mechanism ?? outcome.problem).map { " (\($0.prefix(120).display))" } ?? ""
        return "\(outcome.result.rawValue) for \(outcome.subject.domain.prefix(120).display)\(term)"
    }

    /// RFC 7208 §6.2: the words of a stranger are told as such.
    private func refusal(_ outcome: SPFOutcome) -> String {
        let domain = outcome.subject.domain.prefix(100).display
        let explained = outcome.explanation.map { ": the domain explains: \($0.display)" } ?? ""
        return "SPF of \(domain) does not permit \(client)\(explained)"
    }
}
