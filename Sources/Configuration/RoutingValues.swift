// Whose mail is kept a second time, and which local sockets mail may be given to.

internal import Kernel
package import MailModel

/// `example.org archive@example.org`: what is sent from or to the domain is copied to the address.
package struct ArchiveRule: Hashable, Sendable {
    package let domain: Domain
    package let address: EmailAddress
}

extension ArchiveRule: ConfigurationValue {
    package static let kind = "a domain and an address such as \"example.org archive@example.org\""

    package init?(_ literal: ConfigurationLiteral) {
        guard case .text(let text) = literal else { return nil }
        let words = Array(text.utf8).split(separator: 0x20)
        guard words.count == 2, let domain = Domain(parsing: words[0]), let address = EmailAddress(parsing: words[1]) else { return nil }
        self.init(domain: domain, address: address)
    }

    package var literal: ConfigurationLiteral { .text("\(domain) \(address)") }
}

extension Rule where Value == [Path] {
    /// The kernel takes 108 bytes with the NUL.
    static var localSockets: Rule {
        Rule(text: "absolute paths of at most \(NextHop.longestSocket) bytes") { $0.allSatisfy { $0.isAbsolute && $0.bytes.count <= NextHop.longestSocket } }
    }
}
