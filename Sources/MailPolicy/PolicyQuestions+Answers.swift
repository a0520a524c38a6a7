// What is open, and where an answer goes.

internal import MailModel

extension PolicyQuestions {
    /// What to ask now, each once; empty when nothing more is needed, for good or until the dialogue goes on.
    package var questions: [PolicyQuestion] {
        let judgement = judge()
        if judgement.decision != nil { return [] }
        if let key = judgement.greylistKey { return [.greylist(key)] }
        var seen: Set<DNSQuestion> = []
        // One confirmed name is enough for the rule.
        let name = reverse.flatMap { $0.names.isEmpty ? $0.question : nil }
        let open =
            [name] + clientLists.questions + [hello?.lookup?.question, hello?.spf?.question]
            + (sender?.lists.questions ?? []) + [sender?.lookup?.question, sender?.spf?.question]
        return open.compactMap { $0 }.filter { seen.insert($0).inserted }.map { .dns($0) }
    }

    /// Nil until a recipient is given and enough was answered.
    package var decision: PolicyDecision? { judge().decision }

    /// The steps so far, in the order of the rules.
    package var trail: [PolicyStep] { judge().steps }

    /// What greylisting wants remembered from now on; nil unless it was asked.
    package var remembered: (key: GreylistKey, entry: GreylistEntry)? { judge().remembered }

    /// An answer to a question that is open; any other is ignored.
    package mutating func answered(_ question: DNSQuestion, _ finding: DNSFinding) {
        if reverse?.question == question { reverse?.answered(finding) }
        clientLists.answered(question, finding)
        if hello?.lookup?.question == question { hello?.lookup?.answered(finding) }
        if hello?.spf?.question == question { hello?.spf?.answered(finding) }
        sender?.lists.answered(question, finding)
        if sender?.lookup?.question == question { sender?.lookup?.answered(finding) }
        if sender?.spf?.question == question { sender?.spf?.answered(finding) }
    }

    /// What is remembered of the recipient's key: an entry, or none.
    package mutating func greylistAnswered(_ entry: GreylistEntry?) { recall(.known(entry)) }

    /// The memory cannot be asked: nobody waits for that.
    package mutating func greylistUnavailable() { recall(.unavailable) }

    private mutating func recall(_ memory: Memory) {
        guard judge().greylistKey != nil else { return }
        recipient?.memory = memory
    }

    /// Nothing more will be answered: what is open counts as unavailable, which refuses nobody.
    package mutating func deadlinePassed() {
        reverse?.deadlinePassed()
        clientLists.deadlinePassed()
        hello?.lookup?.deadlinePassed()
        hello?.spf?.deadlinePassed()
        sender?.lists.deadlinePassed()
        sender?.lookup?.deadlinePassed()
        sender?.spf?.deadlinePassed()
        greylistUnavailable()
    }

    /// The outcome for MAIL, or for HELO where MAIL has none; nil while it is not known.
    package var spfOutcome: SPFOutcome? { sender?.spf?.outcome }
    package var helloOutcome: SPFOutcome? { hello?.spf?.outcome }

    /// What goes into `Authentication-Results:`, as far as it is known (RFC 8601 §2.7).
    package var authenticationMethods: [AuthenticationMethod] {
        let outcomes = [helloOutcome, spfOutcome].compactMap { $0?.authenticationMethod }
        var methods = [reverse?.authenticationMethod].compactMap { $0 }
        for method in outcomes where !methods.contains(method) { methods.append(method) }
        return methods
    }

    /// `Authentication-Results:` and `Received-SPF:`, as they stand above our `Received:` (RFC 8601, RFC 7208 §9.1); empty where
    /// nothing was checked.
    package var traceFields: [UInt8] {
        let methods = authenticationMethods
        let results = methods.isEmpty ? [] : AuthenticationResults.field(host: configuration.hostName, methods)
        return results + ((spfOutcome ?? helloOutcome)?.receivedSPF ?? [])
    }
}
