// What port 25 does with a recipient, and each step that led there.

package import MailModel

/// The rules in the order in which they decide. The raw value is the word in explanations and logs.
package enum PolicyRule: String, Hashable, Sendable, CaseIterable {
    case trusted, rates, reverseDNS = "reverse-dns", hello = "helo", lists, senderDomain = "sender-domain", spfHello = "spf-helo", spf, greylist
}

/// A refusal in the words of SMTP. The text is printable ASCII.
package struct PolicyRefusal: Hashable, Sendable {
    /// 450 to 554.
    package let code: Int
    package let status: EnhancedStatus
    package let text: [UInt8]

    init(_ code: Int, _ status: EnhancedStatus, _ text: [UInt8]) {
        self.code = code
        self.status = status
        self.text = printable(text, limit: 400)
    }
}

package enum PolicyDecision: Hashable, Sendable {
    case accepted
    case refused(PolicyRefusal)
    /// Refused for now; `seconds` is when a retry may do better, nil where nobody knows.
    case deferred(PolicyRefusal, seconds: Int?)
}

/// One line of an explanation.
package struct PolicyStep: Hashable, Sendable {
    package enum Verdict: String, Hashable, Sendable {
        /// Nothing against it.
        case passed
        /// Something against it, and the configuration or the recipient lets it go on.
        case noted
        /// Nothing could be found out; mail goes on.
        case unknown
        /// All later rules are left out.
        case accepted
        case deferred
        case refused
    }

    package let rule: PolicyRule
    /// For people; printable ASCII.
    package let found: [UInt8]
    package let verdict: Verdict
}

extension [PolicyStep] {
    /// The rule that decided: the first that refused, deferred, or let in without the others; nil where none did.
    package var decisive: PolicyRule? {
        let order: [PolicyStep.Verdict] = [.refused, .deferred, .accepted]
        return order.lazy.compactMap { verdict in self.first { $0.verdict == verdict }?.rule }.first
    }

    /// What an accepted message is marked with: `spf:noted`, `lists:unknown`, `trusted`; what only passed is not named.
    package var marks: [String] {
        compactMap { step in
            switch step.verdict {
            case .passed: nil
            case .accepted: step.rule.rawValue
            case .noted, .unknown, .deferred, .refused: "\(step.rule.rawValue):\(step.verdict.rawValue)"
            }
        }
    }
}

extension PolicyStep: CustomStringConvertible {
    /// `spf: softfail for example.org (~all): noted`.
    package var description: String { "\(rule.rawValue): \(found.display): \(verdict.rawValue)" }
}

extension PolicyRefusal {
    init(_ code: Int, _ status: EnhancedStatus, _ text: String) { self.init(code, status, Array(text.utf8)) }
}
