// check_host() as a machine (RFC 7208 §4): a question out, an answer in, and included records on a stack of its own.

internal import MailModel

/// One SPF check. At most one question is open at a time, and the number of questions is bounded whatever is published.
package struct SPFEvaluation: Sendable {
    package enum Step: Hashable, Sendable {
        case ask(DNSQuestion)
        case finished(SPFOutcome)
    }

    /// A record in hand; all below the top wait for what their `include` comes to.
    struct Frame: Sendable {
        let domain: DNSName
        let record: SPFRecord
        /// The directive to be looked at next; an include that waits is the one before it.
        var next = 0
    }

    /// What the open question is for.
    enum Waiting: Sendable {
        case record(Origin, DNSName)
        case addresses(SPFDirective, SPFPrefixes)
        case exchangers(SPFDirective, SPFPrefixes)
        /// The hosts still to be asked, the next at the end.
        case exchanger(SPFDirective, SPFPrefixes, [DNSName])
        case exists(SPFDirective)
        case names
        case explanation
        case nothing
    }

    /// How a record came to be asked for.
    enum Origin: Sendable { case first, include, redirect }

    package let subject: SPFSubject
    package let limits: SPFLimits
    /// What to do; changes with every answer until it is `.finished`.
    package internal(set) var step: Step

    var frames: [Frame] = []
    var waiting = Waiting.nothing
    /// Terms that asked DNS so far.
    var terms = 0
    var voidLookups = 0
    var names: ReverseLookup
    /// The directive that failed the client, once only its explanation is missing.
    var failure: SPFDirective?
    /// Its text, while the client's names are looked up for it.
    var explanation: SPFMacro?

    package init(_ subject: SPFSubject, limits: SPFLimits = SPFLimits()) {
        self.subject = subject
        self.limits = limits
        names = ReverseLookup(of: subject.client, limit: limits.names)
        // RFC 7208 §4.3: no domain, no policy.
        guard let domain = DNSName(parsing: subject.domain), Domain(parsing: domain.bytes)?.isAddressLiteral == false else {
            step = .finished(SPFOutcome(subject, .none, problem: Array("not a domain name".utf8)))
            return
        }
        step = .ask(DNSQuestion(.txt, domain))
        waiting = .record(.first, domain)
    }

    package var outcome: SPFOutcome? {
        if case .finished(let outcome) = step { return outcome }
        return nil
    }

    package var question: DNSQuestion? {
        if case .ask(let question) = step { return question }
        return nil
    }

    /// The answer to the open question.
    package mutating func answered(_ finding: DNSFinding) {
        guard question != nil else { return }
        let asked = waiting
        waiting = .nothing
        switch asked {
        case .record(let origin, let domain): recordAnswered(finding, origin, domain)
        case .addresses(let directive, let prefixes): addressesAnswered(finding, directive, prefixes)
        case .exchangers(let directive, let prefixes): exchangersAnswered(finding, directive, prefixes)
        case .exchanger(let directive, let prefixes, let hosts): exchangerAnswered(finding, directive, prefixes, hosts)
        case .exists(let directive): existsAnswered(finding, directive)
        case .names: namesAnswered(finding)
        case .explanation: explanationAnswered(finding)
        case .nothing: break
        }
    }

    /// The whole check has taken too long (RFC 7208 §4.6.4).
    package mutating func deadlinePassed() {
        guard question != nil else { return }
        if let failure { return finish(.fail, failure) }
        finish(.temperror, problem: "no answer in time")
    }

    mutating func ask(_ question: DNSQuestion, _ purpose: Waiting) {
        step = .ask(question)
        waiting = purpose
    }

    mutating func finish(_ result: SPFResult, problem: String, _ term: [UInt8] = []) {
        let text = Array(problem.utf8) + (term.isEmpty ? [] : Array(": ".utf8) + term)
        step = .finished(SPFOutcome(subject, result, problem: text))
    }

    mutating func finish(_ result: SPFResult, _ directive: SPFDirective?, explanation: [UInt8]? = nil) {
        let mechanism = directive?.text ?? Array("default".utf8)
        step = .finished(SPFOutcome(subject, result, mechanism: mechanism, explanation: explanation, isUncertain: names.isIncomplete))
    }
}
