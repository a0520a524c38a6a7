// What is wanted of the TLS to one domain, as the file writes it.

package import MailModel

/// `example.org required`.
package struct TLSDestination: Hashable, Sendable, ConfigurationValue {
    /// With A-labels, however the file has it: mail says either.
    package let domain: Domain
    package let tls: RemoteTLS

    package static let kind = "a domain and what is wanted, such as \"example.org verified\""

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal else { return nil }
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 2, let domain = Domain(words[0]), let tls = RemoteTLS(rawValue: words[1]) else { return nil }
        self.domain = domain.aLabels ?? domain
        self.tls = tls
    }

    package var literal: ConfigurationLiteral { .text("\(domain) \(tls.rawValue)") }
}

extension Configuration.Remote {
    /// What is wanted of the TLS to this domain, in whichever spelling; nil where only what holds for all does.
    package func tls(for domain: Domain) -> RemoteTLS? {
        guard !tlsFor.isEmpty else { return nil }
        let name = domain.aLabels ?? domain
        return tlsFor.first { $0.domain == name }?.tls
    }
}

extension Rule where Value == [TLSDestination] {
    /// So many that a table of them is still looked through quickly; each domain once.
    static var destinations: Rule {
        Rule(text: "at most 1000 domains, each once") { $0.count <= 1000 && Set($0.map(\.domain)).count == $0.count }
    }
}
