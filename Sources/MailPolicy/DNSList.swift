// Lists of addresses and of names in DNS (RFC 5782): what is asked, and what an answer says.

package import MailModel

/// A block or an allow list.
package struct DNSList: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Asked for the client's address.
        case addresses
        /// Asked for the sender's domain (RFC 5782 §3).
        case names
    }

    /// Answers that count, and for how much: above zero against the client, below for it.
    package struct Weight: Hashable, Sendable {
        package let code: ListCode
        /// -1,000 to 1,000.
        package let points: Int

        package init(_ points: Int, for code: ListCode = .any) {
            self.code = code
            self.points = min(max(points, -1000), 1000)
        }
    }

    package let zone: Domain
    package let kind: Kind
    package let weights: [Weight]

    package init(zone: Domain, kind: Kind = .addresses, weights: [Weight]) {
        self.zone = zone
        self.kind = kind
        self.weights = weights
    }

    /// The octets or nibbles reversed, below the zone (RFC 5782 §2.1, §2.4).
    package func question(for address: IPAddress) -> DNSQuestion? {
        guard kind == .addresses else { return nil }
        return question(below: address.unmapped.reversed)
    }

    /// The name below the zone (RFC 5782 §3.1); nil for an address literal, and where both together are too long.
    package func question(for name: Domain) -> DNSQuestion? {
        guard kind == .names, !name.isAddressLiteral else { return nil }
        return question(below: name.bytes)
    }

    private func question(below name: [UInt8]) -> DNSQuestion? {
        DNSName(parsing: name + [UInt8(ascii: ".")] + zone.bytes).map { DNSQuestion(.a, $0) }
    }

    /// What an answer of this list says.
    package enum Standing: Hashable, Sendable {
        case unlisted
        /// The points of the weight that counts most.
        case listed(points: Int, answer: IPAddress)
        /// No answer, or one that no list gives: nothing may be concluded.
        case unknown
    }

    /// RFC 5782 §2.1: answers outside 127.0.0.0/8 come from a parked domain or a meddling resolver.
    package func standing(_ finding: DNSFinding) -> Standing {
        switch finding {
        case .noData, .noSuchName: return .unlisted
        case .unavailable: return .unknown
        case .found:
            let answers = finding.addresses
            guard answers.allSatisfy({ $0.family == .four && $0.low >> 24 == 127 }) else { return .unknown }
            var best: (points: Int, answer: IPAddress)?
            for answer in answers {
                for weight in weights where weight.code.contains(answer) && weight.points.magnitude > best?.points.magnitude ?? 0 {
                    best = (weight.points, answer)
                }
            }
            return best.map { .listed(points: $0.points, answer: $0.answer) } ?? .unlisted
        }
    }

    /// The most that it could have said for the client: what a missing answer is taken for.
    var mostFavourable: Int { min(weights.map(\.points).min() ?? 0, 0) }
}
