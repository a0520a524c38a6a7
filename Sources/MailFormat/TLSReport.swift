// What one day's connections to the hosts of a domain came to, as that domain asked to be told (RFC 8460 §4).
// Pure sums: the order in which sessions are added changes nothing, and memory is bounded however many there are.

package import MailModel

/// How one connection was secured, or failed to be.
package struct TLSSession: Hashable, Sendable {
    package enum Policy: String, Hashable, Sendable, CaseIterable {
        case tlsa, sts
        case none = "no-policy-found"
    }

    package var policy: Policy
    /// The server's name.
    package var host: [UInt8]
    /// Its address.
    package var peer: [UInt8]
    /// A result type of RFC 8460 §4.3; nil if TLS was as it should be.
    package var failure: [UInt8]?
    package var reason: [UInt8] = []

    package init(policy: Policy, host: [UInt8], peer: [UInt8], failure: [UInt8]? = nil, reason: [UInt8] = []) {
        self.policy = policy
        self.host = host
        self.peer = peer
        self.failure = failure
        self.reason = reason
    }
}

/// The sums of one domain and one UTC day.
package struct TLSReport: Hashable, Sendable {
    /// Kinds of failures told apart; what comes after is counted by its result type alone.
    package static let mostKinds = 500

    private struct Kind: Hashable, Sendable {
        var result: [UInt8]
        var host: [UInt8] = []
        var peer: [UInt8] = []
        var reason: [UInt8] = []
    }

    private struct Sums: Hashable, Sendable {
        var successes = 0
        var failures = 0
        var kinds: [Kind: Int] = [:]
    }

    package let domain: Domain
    /// Days since 1970-01-01, by UTC.
    package let day: Int
    private var sums: [TLSSession.Policy: Sums] = [:]

    package init(domain: Domain, day: Int) {
        self.domain = domain
        self.day = day
    }

    package var isEmpty: Bool { sums.isEmpty }

    package mutating func add(_ session: TLSSession) {
        var sum = sums[session.policy] ?? Sums()
        if let result = session.failure {
            sum.failures += 1
            var kind = Kind(result: bounded(result), host: bounded(session.host), peer: bounded(session.peer), reason: bounded(session.reason))
            if sum.kinds[kind] == nil, sum.kinds.count >= TLSReport.mostKinds { kind = Kind(result: kind.result) }
            // Result types are few; a peer cannot make more of them.
            if sum.kinds[kind] != nil || sum.kinds.count < 2 * TLSReport.mostKinds { sum.kinds[kind, default: 0] += 1 }
        } else {
            sum.successes += 1
        }
        sums[session.policy] = sum
    }

    private func bounded(_ text: [UInt8]) -> [UInt8] { Array(text.prefix(255)) }

    /// The report as JSON (RFC 8460 §4.4), in ASCII and short lines.
    package func json(organization: Domain, contact: EmailAddress, id: [UInt8]) -> [UInt8] {
        var out = JSONLines()
        out.open("{")
        out.member("organization-name", organization.bytes)
        out.open("\"date-range\": {")
        out.member("start-datetime", TLSReport.moment(Int64(day) * 86_400))
        out.member("end-datetime", TLSReport.moment(Int64(day) * 86_400 + 86_399), isLast: true)
        out.close("},")
        out.member("contact-info", contact.wire)
        out.member("report-id", id)
        out.open("\"policies\": [")
        let policies = TLSSession.Policy.allCases.filter { sums[$0] != nil }
        for policy in policies { write(policy, sums[policy] ?? Sums(), isLast: policy == policies.last, to: &out) }
        out.close("]")
        out.close("}")
        return out.bytes
    }

    private func write(_ policy: TLSSession.Policy, _ sum: Sums, isLast: Bool, to out: inout JSONLines) {
        out.open("{")
        out.open("\"policy\": {")
        out.member("policy-type", Array(policy.rawValue.utf8))
        out.member("policy-domain", (domain.aLabels ?? domain).bytes, isLast: true)
        out.close("},")
        out.open("\"summary\": {")
        out.member("total-successful-session-count", sum.successes)
        out.member("total-failure-session-count", sum.failures, isLast: true)
        out.close(sum.kinds.isEmpty ? "}" : "},")
        if !sum.kinds.isEmpty { write(sum.kinds, to: &out) }
        out.close(isLast ? "}" : "},")
    }

    private func write(_ kinds: [Kind: Int], to out: inout JSONLines) {
        out.open("\"failure-details\": [")
        let sorted = kinds.sorted { a, b in
            let order: (Kind) -> [UInt8] = { $0.result + [0] + $0.host + [0] + $0.peer + [0] + $0.reason }
            return order(a.key).lexicographicallyPrecedes(order(b.key))
        }
        for (number, (kind, count)) in sorted.enumerated() {
            out.open("{")
            out.member("result-type", kind.result)
            if !kind.host.isEmpty { out.member("receiving-mx-hostname", kind.host) }
            if !kind.peer.isEmpty { out.member("receiving-ip", kind.peer) }
            if !kind.reason.isEmpty { out.member("failure-reason-code", kind.reason) }
            out.member("failed-session-count", count, isLast: true)
            out.close(number + 1 == sorted.count ? "}" : "},")
        }
        out.close("]")
    }

    /// `2026-06-01T00:00:00Z` (RFC 3339 §5.6).
    private static func moment(_ seconds: Int64) -> [UInt8] {
        let time = CivilTime(secondsSince1970: seconds, zoneMinutes: 0)
        let two: (Int) -> String = { ($0 < 10 ? "0" : "") + String($0) }
        return Array("\(time.year)-\(two(time.month))-\(two(time.day))T".utf8) + time.clockText + Array("Z".utf8)
    }
}

/// JSON, a member a line. Invariant: whatever bytes come in, what comes out is ASCII and well-formed (RFC 8259 §7).
private struct JSONLines {
    private(set) var bytes: [UInt8] = []
    private var depth = 0

    mutating func open(_ text: String) {
        put(text)
        depth += 1
    }

    mutating func close(_ text: String) {
        depth -= 1
        put(text)
    }

    mutating func member(_ name: StaticString, _ value: [UInt8], isLast: Bool = false) {
        put("\"\(name)\": \"\(JSONLines.escaped(value))\"\(isLast ? "" : ",")")
    }

    mutating func member(_ name: StaticString, _ value: Int, isLast: Bool = false) { put("\"\(name)\": \(value)\(isLast ? "" : ",")") }

    private mutating func put(_ text: String) { bytes += Array((String(repeating: " ", count: depth) + text + "\r\n").utf8) }

    /// At most 900 characters: a line of mail has 998 (RFC 5322 §2.1.1).
    private static func escaped(_ value: [UInt8]) -> String {
        var out = ""
        for unit in String(decoding: value, as: UTF8.self).utf16 where out.utf8.count < 900 {
            switch unit {
            case 0x22: out += "\\\""
            case 0x5C: out += "\\\\"
            case 0x20..<0x7F: out.unicodeScalars.append(UnicodeScalar(UInt8(unit)))
            default: out += "\\u" + String(repeating: "0", count: 4 - String(unit, radix: 16).utf8.count) + String(unit, radix: 16)
            }
        }
        return out
    }
}
