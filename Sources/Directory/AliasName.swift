// The name of an alias: an address, or everything of a domain that nobody else takes.

package import MailModel

/// What an alias stands under.
package enum AliasName: Hashable, Sendable, CustomStringConvertible {
    case address(EmailAddress)
    case catchAll(Domain)

    /// `user@domain` or `@domain`.
    package init?(parsing text: some Collection<UInt8>) {
        if text.first == UInt8(ascii: "@"), let domain = Domain(parsing: text.dropFirst()) {
            self = .catchAll(domain)
        } else if let address = EmailAddress(parsing: text) {
            self = .address(address)
        } else {
            return nil
        }
    }

    package var domain: Domain {
        switch self {
        case .address(let address): address.domain
        case .catchAll(let domain): domain
        }
    }

    /// The key of `AddressBook.entry`.
    package var key: [UInt8] {
        switch self {
        case .address(let address): address.canonical
        case .catchAll(let domain): [UInt8(ascii: "@")] + domain.bytes
        }
    }

    package var description: String {
        switch self {
        case .address(let address): address.description
        case .catchAll(let domain): "@\(domain)"
        }
    }
}

extension AliasName {
    /// A key is the canonical form, in which a local part stands without quotes.
    package init?(storedKey key: String) {
        let bytes = Array(key.utf8)
        guard let at = bytes.lastIndex(of: UInt8(ascii: "@")), let domain = Domain(parsing: bytes[(at + 1)...]) else { return nil }
        if at == 0 { self = .catchAll(domain); return }
        guard let address = EmailAddress(localPart: Array(bytes[..<at]), domain: domain) else { return nil }
        self = .address(address)
    }
}
