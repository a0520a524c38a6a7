// The answer to RCPT as smtpd would come to it: the same router, the same machine, the same questions to DNS.

import Configuration
import Directory
import Kernel
import MailModel
import MailPolicy
import Resolver

/// What would become of a recipient.
struct Explanation {
    struct Question {
        let sender: ReversePath
        let recipient: EmailAddress
        let client: IPAddress
        let hello: [UInt8]
    }

    /// What smtpd says to RCPT.
    struct Answer {
        let code: Int
        let status: EnhancedStatus
        let text: String
    }

    let question: Question
    let route: [String]
    let answer: Answer
    /// Empty where the policy is not asked, because the recipient is not ours or nobody has it.
    private(set) var steps: [PolicyStep] = []
    private(set) var fields: [UInt8] = []
    /// Nil if the log cannot be read.
    let counts: NetworkCounts?
    var message: MessageMeasure?

    init(_ question: Question, _ configuration: Configuration) throws(Failure) {
        self.question = question
        let router = Router(postmaster: configuration.postmaster, separators: configuration.routing.subaddressSeparator.map { [$0.byte] } ?? [])
        let snapshot = AddressSnapshot(folder: configuration.paths.directory)
        snapshot.refresh(at: .now())
        let isReturned: Bool
        do throws(DirectoryUnavailable) {
            route = try Explanation.route(question, configuration, router, snapshot)
            isReturned = try Explanation.returned(question, snapshot) != nil
        } catch {
            throw Failure(.temporary, "the directory cannot be asked: \(error)", remedy: "run `mailctl check`; smtpd says 451 meanwhile")
        }
        let past = PolicyPast(configuration.paths.spool)
        counts = past?.history.counts(of: question.client, at: Int(WallTime.now().seconds))
        guard !isReturned, let answer = Explanation.refusal(router.deliverability(of: question.recipient, in: snapshot)) else {
            let questions = Explanation.ask(question, configuration, past)
            steps = questions.trail
            fields = questions.traceFields
            self.answer = Explanation.answer(questions.decision ?? .accepted)
            return
        }
        self.answer = answer
    }

    /// What the directory says before anything is asked; nil for a recipient of ours.
    private static func refusal(_ found: Deliverability) -> Answer? {
        switch found {
        case .local: nil
        case .remote: Answer(code: 550, status: EnhancedStatus(.permanent, 7, 1), text: "Relaying denied")
        case .unavailable: Answer(code: 451, status: EnhancedStatus(.temporary, 3, 0), text: "Address lookup failed, try again later")
        case .refused(let refusal):
            refusal.reason == .noSuchAddress
                ? Answer(code: 550, status: EnhancedStatus(.permanent, 1, 1), text: "No such user here")
                : Answer(code: refusal.status.statusClass == .permanent ? 550 : 450, status: refusal.status, text: refusal.reason.rawValue)
        }
    }

    private static func answer(_ decision: PolicyDecision) -> Answer {
        switch decision {
        case .accepted: Answer(code: 250, status: EnhancedStatus(.success, 1, 5), text: "recipient ok")
        case .refused(let refusal), .deferred(let refusal, _): Answer(code: refusal.code, status: refusal.status, text: refusal.text.display)
        }
    }

    /// Every question one after the other, for as long as smtpd would let the client wait.
    private static func ask(_ question: Question, _ configuration: Configuration, _ past: PolicyPast?) -> PolicyQuestions {
        let resolver = StubResolver(servers: configuration.dns.servers.map { ($0.host, $0.port) })
        let end = MonotonicTime.now().adding(milliseconds: Int64(configuration.policy.patience.components.seconds) * 1000)
        let now = Int(WallTime.now().seconds)
        var questions = PolicyQuestions(configuration.policyConfiguration, client: question.client)
        questions.helloGiven(question.hello, at: now)
        questions.senderGiven(question.sender, at: now)
        questions.recipientGiven(question.recipient, at: now)
        while let next = questions.questions.first {
            switch next {
            case .greylist(let key):
                if let past { questions.greylistAnswered(past.greylist[key]) } else { questions.greylistUnavailable() }
            case .dns(let name):
                if MonotonicTime.now() >= end { questions.deadlinePassed() } else { questions.answered(name, resolver.finding(name)) }
            }
        }
        return questions
    }
}
