// From what is known to a decision: rule after rule, and an unanswered one holds up all that follow.

internal import MailModel

/// What the rules say so far.
struct Judgement {
    var steps: [PolicyStep] = []
    var decision: PolicyDecision?
    /// The first deferral, which stands if nothing refuses.
    var deferral: PolicyDecision?
    /// The key to be asked for now.
    var greylistKey: GreylistKey?
    var remembered: (key: GreylistKey, entry: GreylistEntry)?
}

/// What one rule says.
enum RuleFinding {
    /// It is not configured, or says nothing of this client.
    case silent
    /// It waits for an answer or for the dialogue.
    case pending
    case found(PolicyStep.Verdict, String, PolicyDecision = .accepted)
}

extension PolicyQuestions {
    /// A function of what was given and answered alone, so the order of answers cannot matter.
    func judge() -> Judgement {
        var judgement = Judgement()
        for rule in PolicyRule.allCases {
            switch rule == .greylist ? greylist(&judgement) : finding(of: rule) {
            case .silent: continue
            case .pending: return judgement
            case .found(let verdict, let text, let decision):
                let isBarred = verdict == .refused || verdict == .deferred
                let shown = isBarred && isExempt ? PolicyStep.Verdict.noted : verdict
                judgement.steps.append(PolicyStep(rule: rule, found: printable(text.utf8, limit: 400), verdict: shown))
                if shown == .deferred, judgement.deferral == nil { judgement.deferral = decision }
                // A flood ends here; any other deferral waits for a rule that refuses, so that a missing answer cannot make it worse.
                guard shown == .refused || shown == .accepted || shown == .deferred && rule == .rates else { continue }
                return decided(judgement, decision)
            }
        }
        return decided(judgement, judgement.deferral ?? .accepted)
    }

    private func decided(_ judgement: Judgement, _ decision: PolicyDecision) -> Judgement {
        var judgement = judgement
        if recipient != nil { judgement.decision = decision }
        return judgement
    }

    /// No policy keeps anybody from the people who answer for this host (RFC 5321 §4.5.1).
    private var isExempt: Bool {
        guard let recipient else { return false }
        return configuration.exemptRecipients.contains(recipient.address.localPart.asciiLowercased)
    }

    private func finding(of rule: PolicyRule) -> RuleFinding {
        switch rule {
        case .trusted: isTrusted ? .found(.accepted, "\(client) is in a trusted network") : .silent
        case .rates: ratesFinding
        case .reverseDNS: reverseFinding
        case .hello: helloFinding
        case .lists: listsFinding
        case .senderDomain: senderDomainFinding
        case .spfHello: spfHelloFinding
        case .spf: spfFinding
        case .greylist: .silent
        }
    }

    /// Greylisting comes last: only it can be asked again at little cost to the sender.
    private func greylist(_ judgement: inout Judgement) -> RuleFinding {
        guard let policy = configuration.greylist, !isExempt, judgement.deferral == nil else { return .silent }
        guard let sender, let recipient else { return .pending }
        if listVerdict == .allowed { return .silent }
        if configuration.greylistsSuspectsOnly, !judgement.steps.contains(where: { $0.verdict == .noted }) { return .silent }
        let key = GreylistKey(client: client, sender: sender.path, recipient: recipient.address)
        switch recipient.memory {
        case .unasked:
            judgement.greylistKey = key
            return .pending
        case .unavailable: return .found(.unknown, "the memory cannot be asked")
        case .known(let known):
            let (answer, entry) = policy.decide(known, at: recipient.time)
            judgement.remembered = (key, entry)
            switch answer {
            case .accepted: return .found(.passed, "\(key.network) has come back \(entry.passes) times")
            case .deferred(let seconds):
                let refusal = PolicyRefusal(450, EnhancedStatus(.temporary, 7, 1), "Greylisted, try again in \(seconds) seconds")
                return .found(.deferred, "\(key.network) waits \(seconds) s", .deferred(refusal, seconds: seconds))
            }
        }
    }

    /// A step whose consequence is configured. `detail`: subject and detail of the enhanced status.
    func step(_ action: PolicyAction, _ found: String, _ detail: (UInt16, UInt16), _ text: String) -> RuleFinding {
        switch action {
        case .note: .found(.noted, found)
        case .deferral:
            .found(.deferred, found, .deferred(PolicyRefusal(450, EnhancedStatus(.temporary, detail.0, detail.1), text), seconds: nil))
        case .refusal: .found(.refused, found, .refused(PolicyRefusal(550, EnhancedStatus(.permanent, detail.0, detail.1), text)))
        }
    }
}
