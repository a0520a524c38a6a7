// The settings of port 25's policy that are more than a word: networks, lists with their points, rates, consequences.

package import MailModel
package import MailPolicy

extension IPNetwork: ConfigurationValue {
    package static let kind = "an address or a network such as \"192.0.2.0/24\" or \"2001:db8::/32\""

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal else { return nil }
        self.init(parsing: Array(text.utf8))
        // A peer that is mapped is shown as IPv4: it would be in no network.
        guard address.unmapped == address else { return nil }
    }

    package var literal: ConfigurationLiteral { .text(length == address.width ? address.text.display : text.display) }

    /// For a listener, which compares with real addresses.
    package var prefix: (address: [UInt8], bits: Int) { (address.text, length) }
}

/// What a finding of the policy leads to.
package enum PolicyFinding: String, ConfigurationWord {
    /// It is written down, and mail goes on.
    case note
    /// The recipient is refused for now.
    case `defer`
    case refuse

    package var action: PolicyAction {
        switch self {
        case .note: .note
        case .defer: .deferral
        case .refuse: .refusal
        }
    }
}

/// Whom greylisting keeps waiting.
package enum GreylistScope: String, ConfigurationWord {
    case off
    /// Clients of whom some rule has noted something.
    case suspects
    case all
}

/// `zen.example.org 10`, `zen.example.org 4 127.0.0.10-11`, `names dbl.example.org 10`: points for answers of a DNS list.
package struct PolicyList: Hashable, Sendable, ConfigurationValue {
    package let zone: Domain
    package let kind: DNSList.Kind
    /// Above zero against the client, below for it.
    package let points: Int
    /// Which answers; as it was written, nil for any.
    package let code: String?

    package static let kind = "a list such as \"dnsbl.example.net 10\", \"dnsbl.example.net 4 127.0.0.10-11\" or \"names dbl.example.net 10\""

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal else { return nil }
        var words = text.split(separator: " ").map(String.init)
        kind = words.first == "names" ? .names : .addresses
        if kind == .names { words.removeFirst() }
        guard (2...3).contains(words.count), let zone = Domain(words[0]), !zone.isAddressLiteral, DNSName(parsing: zone.bytes) != nil,
            let points = Int(words[1]), (-1000...1000).contains(points), points != 0
        else { return nil }
        if words.count == 3, ListCode(words[2]) == nil { return nil }
        self.zone = zone
        self.points = points
        code = words.count == 3 ? words[2] : nil
    }

    package var literal: ConfigurationLiteral {
        .text((kind == .names ? "names " : "") + "\(zone) \(points)" + (code.map { " " + $0 } ?? ""))
    }

    var weight: DNSList.Weight { DNSList.Weight(points, for: code.flatMap { ListCode($0) } ?? .any) }
}

/// `100 per 1 h`.
package struct PolicyRate: Hashable, Sendable, ConfigurationValue {
    package let rate: Rate

    package static let kind = "a rate such as \"100 per 1 h\""

    package init(_ count: Int, per seconds: Int) { rate = Rate(count, per: seconds) }

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal else { return nil }
        let words = text.split(separator: " ", maxSplits: 2).map(String.init)
        guard words.count == 3, words[1] == "per", let count = Int(words[0]), (1...1_000_000).contains(count),
            let time = Duration(.text(words[2])), time >= .seconds(1), time <= .seconds(31 * 86400)
        else { return nil }
        self.init(count, per: Int(time.components.seconds))
    }

    package var literal: ConfigurationLiteral { .text("\(rate.count) per \(Duration.seconds(rate.seconds).literal.plain)") }
}
