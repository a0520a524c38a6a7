// Several lists, one verdict. A list that does not answer never adds to a refusal: it counts as if it had spoken for the client.

package import MailModel

/// Where lists become a decision, in points.
package struct ListThresholds: Hashable, Sendable {
    /// Refused from here up; at least 1.
    package let refuse: Int
    /// Spared further suspicion from here down; at most -1.
    package let allow: Int

    package init(refuse: Int = 10, allow: Int = -1) {
        self.refuse = max(refuse, 1)
        self.allow = min(allow, -1)
    }
}

/// The sum of what the lists said.
package struct ListTally: Hashable, Sendable {
    package enum Verdict: Hashable, Sendable { case refused, clear, allowed }

    package struct Hit: Hashable, Sendable {
        package let zone: Domain
        package let answer: IPAddress
        package let points: Int
    }

    package private(set) var hits: [Hit] = []
    /// Lists that gave no usable answer.
    package private(set) var silent: [Domain] = []
    /// Points of all hits.
    package private(set) var score = 0
    /// Points that the silent lists might have taken off.
    private var benefit = 0

    package init() {}

    package mutating func add(_ list: DNSList, _ finding: DNSFinding) {
        switch list.standing(finding) {
        case .unlisted: break
        case .unknown:
            silent.append(list.zone)
            benefit += list.mostFavourable
        case .listed(let points, let answer):
            hits.append(Hit(zone: list.zone, answer: answer, points: points))
            score += points
        }
    }

    package func verdict(_ thresholds: ListThresholds) -> Verdict {
        if score + benefit >= thresholds.refuse { return .refused }
        return score <= thresholds.allow ? .allowed : .clear
    }

    /// The hit that weighs most against the client.
    package var worst: Hit? { hits.filter { $0.points > 0 }.max { $0.points < $1.points } }
}
