// Mail exchangers in the order in which they are tried (RFC 5321 §5.1).

package import MailModel

/// A host that takes a domain's mail.
package struct Exchanger: Hashable, Sendable {
    /// The lower, the sooner.
    package let preference: UInt16
    package let host: Domain

    package init(preference: UInt16, host: Domain) {
        self.preference = preference
        self.host = host
    }

    /// By preference; hosts of the same one in any order, to spread the load among them (RFC 5321 §5.1).
    package static func inOrder(_ hosts: [Exchanger], using generator: inout some RandomNumberGenerator) -> [Exchanger] {
        let places = hosts.shuffled(using: &generator).enumerated()
        return places.sorted { ($0.element.preference, $0.offset) < ($1.element.preference, $1.offset) }.map(\.element)
    }
}

extension DNSMessage {
    /// The hosts that the answer names; empty for the null MX (RFC 7505 §3), nil where it has no usable MX.
    package var exchangers: [Exchanger]? { Exchanger.usable(records) }
}

extension Exchanger {
    /// The hosts that MX records name; empty for the null MX (RFC 7505 §3), nil where none can be used.
    static func usable(_ records: [DNSMessage.Record]) -> [Exchanger]? {
        var hosts: [Exchanger] = []
        var isNull = false
        for record in records {
            guard case .exchange(let preference, let name) = record.data else { continue }
            if name.isEmpty { isNull = true } else if let host = Domain(parsing: name) {
                hosts.append(Exchanger(preference: preference, host: host))
            }
        }
        return hosts.isEmpty && !isNull ? nil : hosts
    }
}
