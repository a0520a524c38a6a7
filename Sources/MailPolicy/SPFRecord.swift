// A published policy as a value (RFC 7208 §4.6.1): what could not be read never reaches the evaluation.

internal import MailModel

/// An SPF record: directives in their order, and the two modifiers that have a meaning.
struct SPFRecord: Hashable, Sendable {
    let directives: [SPFDirective]
    let redirect: SPFMacro?
    let explanation: SPFMacro?

    /// Whether a TXT record is one of SPF: `v=spf1`, then a space or nothing (RFC 7208 §4.5).
    static func isPolicy(_ text: [UInt8]) -> Bool {
        text.prefix(6).equalsIgnoringASCIICase("v=spf1") && (text.count == 6 || text[6] == 0x20)
    }
}

/// A qualifier and a mechanism.
struct SPFDirective: Hashable, Sendable {
    /// What a match means: pass, fail, softfail or neutral.
    let result: SPFResult
    let mechanism: SPFMechanism
    /// As published, for people.
    let text: [UInt8]
}

/// RFC 7208 §5.
enum SPFMechanism: Hashable, Sendable {
    case all
    case include(SPFMacro)
    /// `a`; nil for the domain of the record.
    case address(SPFMacro?, SPFPrefixes)
    case exchangers(SPFMacro?, SPFPrefixes)
    case pointer(SPFMacro?)
    /// `ip4` and `ip6`.
    case network(IPNetwork)
    case exists(SPFMacro)

    var domain: SPFMacro? {
        switch self {
        case .all, .network: nil
        case .include(let domain), .exists(let domain): domain
        case .address(let domain, _), .exchangers(let domain, _): domain
        case .pointer(let domain): domain
        }
    }

    /// Whether it counts among the ten (RFC 7208 §4.6.4).
    var asksDNS: Bool {
        switch self {
        case .all, .network: false
        case .include, .address, .exchangers, .pointer, .exists: true
        }
    }

    /// Whether the client's own names must be known first.
    var needsNames: Bool {
        if case .pointer = self { return true }
        return domain?.needsName ?? false
    }
}

/// `dual-cidr-length`: bits that count, by the client's family.
struct SPFPrefixes: Hashable, Sendable {
    var four = 32
    var six = 128

    func network(_ address: IPAddress) -> IPNetwork { IPNetwork(address, length: address.family == .four ? four : six) }
}
