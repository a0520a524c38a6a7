// Whether a name could be a mail host's or a mail domain's: its addresses and exchangers, one question after the other.

/// Ends with the first record that is found, or when nothing is left to ask.
struct HostLookup: Hashable, Sendable {
    enum Result: Hashable, Sendable {
        case found
        case missing
        /// It says that it takes no mail (RFC 7505 §3).
        case nullMX
        /// Some answer did not come, and the others held nothing.
        case unknown
    }

    let name: DNSName
    private(set) var question: DNSQuestion?
    private(set) var result: Result?
    private var remaining: [DNSQuestion.RecordType]
    private var isIncomplete = false

    private init(_ name: DNSName, _ types: [DNSQuestion.RecordType]) {
        self.name = name
        remaining = types.reversed()
        question = remaining.popLast().map { DNSQuestion($0, name) }
    }

    /// A host that says its name: an address first.
    static func host(_ name: DNSName) -> HostLookup { HostLookup(name, [.a, .aaaa, .mx]) }
    /// A domain that should take bounces: an exchanger, or an address in its place (RFC 5321 §5.1).
    static func mailDomain(_ name: DNSName) -> HostLookup { HostLookup(name, [.mx, .a, .aaaa]) }

    mutating func answered(_ finding: DNSFinding) {
        guard question != nil else { return }
        switch finding {
        case .unavailable: isIncomplete = true
        // It speaks for all types, those that gave no answer too.
        case .noSuchName: return finish(.missing)
        case .noData: break
        case .found:
            if finding.exchangers == [[]] { return finish(.nullMX) }
            if !finding.exchangers.isEmpty || !finding.addresses.isEmpty { return finish(.found) }
        }
        question = remaining.popLast().map { DNSQuestion($0, name) }
        if question == nil { finish(isIncomplete ? .unknown : .missing) }
    }

    mutating func deadlinePassed() {
        if result == nil { finish(.unknown) }
    }

    private mutating func finish(_ result: Result) {
        self.result = result
        question = nil
    }
}
