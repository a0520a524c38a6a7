// The names of an address, confirmed forwards: `ptr` and `%{p}` of SPF ask so, and iprev (RFC 8601 §3).

internal import MailModel

/// PTR of the address, then the addresses of each name; a name counts if the address is among them (RFC 7208 §5.5).
package struct ReverseLookup: Hashable, Sendable {
    package let client: IPAddress
    /// What to ask next; nil when it is over.
    package private(set) var question: DNSQuestion?
    /// Names that were confirmed, in the order of the answer.
    package private(set) var names: [DNSName] = []
    /// The first name that the PTR records give, confirmed or not.
    package private(set) var claimed: DNSName?
    /// The PTR records themselves were not there.
    package private(set) var isVoid = false
    /// Some answer did not come, so that `names` may lack one.
    package private(set) var isIncomplete = false

    private var waiting: [DNSName] = []
    private var asksPointers = true

    /// `limit`: names beyond it are ignored (RFC 7208 §4.6.4).
    init(of client: IPAddress, limit: Int) {
        self.client = client
        self.limit = limit
        question = DNSName(parsing: client.pointerName).map { DNSQuestion(.ptr, $0) }
    }

    private let limit: Int

    package mutating func answered(_ finding: DNSFinding) {
        guard let open = question else { return }
        if finding == .unavailable { isIncomplete = true }
        if asksPointers {
            asksPointers = false
            isVoid = finding != .unavailable && finding.pointers.isEmpty
            waiting = finding.pointers.prefix(limit).compactMap { DNSName(parsing: $0) }.reversed()
            claimed = waiting.last
        } else if finding.addresses.contains(client), !names.contains(open.name) {
            names.append(open.name)
        }
        question = waiting.popLast().map { .addresses(of: $0, client.family) }
    }

    /// No more answers will come.
    package mutating func deadlinePassed() {
        guard question != nil else { return }
        isIncomplete = true
        question = nil
    }

    /// What `%{p}` is: the domain itself, else a name below it, else any (RFC 7208 §7.3).
    func name(near domain: DNSName) -> [UInt8] {
        let best = names.first { $0 == domain } ?? names.first { $0.isWithin(domain) } ?? names.first
        return best?.bytes ?? Array("unknown".utf8)
    }
}
