// The policy of one connection: feeds the machine of questions, has them answered, and says what becomes of a recipient.

import Connection
import Kernel
import MailModel
import MailPolicy
import SMTPProtocol
import SpoolFormat

/// What an accepted message bears of the policy.
struct PolicyMarks: Sendable {
    /// Trace fields that stand above ours.
    var fields: [UInt8] = []
    /// What rules found that did not only pass.
    var rules: [String] = []
}

/// Used on the connection's loop only.
struct PolicySession {
    /// What becomes of the recipient that was asked about last.
    struct Verdict {
        let recipient: EmailAddress
        let answer: ServerAnswer.Recipient
        /// Which rule refused it.
        let rule: PolicyRule?
    }

    private let parts: PolicyParts
    private let client: IPAddress
    private var questions: PolicyQuestions
    private var connection = RateVerdict.allowed
    private var message = RateVerdict.allowed
    private var isOpen = false
    private var inFlight: Set<DNSQuestion> = []
    /// Where answers go; gone with the connection, which it holds.
    private var address: ReplyAddress<SessionAnswer>?
    private var waiting: EmailAddress?
    /// When the client has waited long enough.
    private var deadline = MonotonicTime(nanoseconds: 0)
    private var hasAlarm = false
    private var rules: [String] = []
    private var recipients = 0

    /// Nil where nobody is judged: at submission, and for a client without an address.
    init?(_ parts: PolicyParts?, peer: [UInt8]) {
        guard let parts, let client = IPAddress(parsing: peer) else { return nil }
        self.parts = parts
        questions = PolicyQuestions(parts.configuration, client: client)
        self.client = questions.client
    }

    mutating func opened() {
        guard !questions.isTrusted else { return }
        connection = parts.memory.opened(client)
        isOpen = connection == .allowed
    }

    mutating func ended() {
        if isOpen { parts.memory.closed(client) }
        isOpen = false
        address = nil
        waiting = nil
    }

    /// MAIL: what depends on no recipient is asked from now on.
    mutating func senderGiven(_ path: ReversePath, hello: [UInt8], _ address: ReplyAddress<SessionAnswer>) {
        rules = []
        waiting = nil
        let now = Int(WallTime.now().seconds)
        questions.helloGiven(hello, at: now)
        questions.senderGiven(path, at: now)
        guard !questions.isTrusted else { return }
        message = parts.memory.spend(.messages, client)
        deadline = MonotonicTime.now().adding(milliseconds: Int64(parts.patience.components.seconds) * 1000)
        self.address = address
        _ = openQuestions()
    }

    /// RCPT of an address of ours; nil if the verdict comes later.
    mutating func recipientGiven(_ recipient: EmailAddress) -> Verdict? {
        questions.recipientGiven(recipient, at: Int(WallTime.now().seconds))
        if !questions.isTrusted { questions.rates = rates() }
        waiting = recipient
        return advance()
    }

    /// RCPT of an address of ours that nobody has.
    mutating func unknownNamed() {
        guard !questions.isTrusted else { return }
        _ = parts.memory.spend(.unknownRecipients, client)
        parts.memory.count(1, .unknown, client)
    }

    /// An answer of a worker or the clock; the verdict, if the client waits for one and it stands now.
    mutating func answered(_ answer: PolicyAnswer) -> Verdict? {
        switch answer {
        case .finding(let question, let finding):
            inFlight.remove(question)
            questions.answered(question, finding)
        case .alarm: hasAlarm = false
        }
        if waiting != nil { return advance() }
        _ = openQuestions()
        return nil
    }

    // MARK: - A message

    /// What the message at hand bears, now that its content is here.
    mutating func messageGiven(_ envelope: Envelope) -> PolicyMarks {
        recipients = envelope.recipients.count
        if questions.isTrusted { return PolicyMarks(rules: ["trusted"]) }
        return PolicyMarks(fields: fields, rules: rules)
    }

    mutating func messageAccepted() {
        if !questions.isTrusted { parts.memory.count(recipients, .accepted, client) }
    }

    var fields: [UInt8] { questions.traceFields }
}

// MARK: - Questions

extension PolicySession {
    private func rates() -> RateVerdict {
        for verdict in [connection, message, parts.memory.wait(.unknownRecipients, client)] where verdict != .allowed { return verdict }
        return parts.memory.spend(.recipients, client)
    }

    /// Asks what is open; the memory answers at once. False when nothing is open and nothing is under way.
    private mutating func openQuestions() -> Bool {
        var isAsking = !inFlight.isEmpty
        for question in questions.questions {
            switch question {
            case .greylist(let key):
                if let entry = parts.memory.entry(key) { questions.greylistAnswered(entry) } else { questions.greylistUnavailable() }
                return true
            case .dns(let question):
                isAsking = true
                guard let address, inFlight.insert(question).inserted else { continue }
                parts.ask(question, until: deadline, for: address)
            }
        }
        return isAsking
    }

    private mutating func advance() -> Verdict? {
        if questions.decision == nil {
            // A second time for what the memory has answered.
            let isAsking = openQuestions() && (questions.decision != nil || openQuestions())
            if MonotonicTime.now() >= deadline || !isAsking { questions.deadlinePassed() }
        }
        guard let recipient = waiting else { return nil }
        if let decision = questions.decision { return conclude(decision, recipient) }
        setAlarm()
        return nil
    }

    private mutating func setAlarm() {
        guard !hasAlarm, let address else { return }
        hasAlarm = true
        address.deliver(.policy(.alarm), after: max(deadline - .now(), .milliseconds(1)))
    }

    private mutating func conclude(_ decision: PolicyDecision, _ recipient: EmailAddress) -> Verdict {
        waiting = nil
        if let (key, entry) = questions.remembered, parts.memory.remember(key, entry) { parts.intake.note(entry.record(key)) }
        switch decision {
        case .accepted:
            rules = questions.trail.marks
            return Verdict(recipient: recipient, answer: .local, rule: nil)
        case .refused(let refusal):
            parts.memory.count(1, .refused, client)
            return refused(refusal, recipient)
        case .deferred(let refusal, _): return refused(refusal, recipient)
        }
    }

    private func refused(_ refusal: PolicyRefusal, _ recipient: EmailAddress) -> Verdict {
        let reply = Reply(refusal.code, refusal.status, lines: [refusal.text])
        return Verdict(recipient: recipient, answer: .refused(reply), rule: questions.trail.decisive)
    }
}
