// The two questions that routing asks, and the values that answer them. No answer is ever a guess: a
// directory that cannot be read throws.

package import MailModel

/// Where an account's mail lies below the mail folder: `<domain>/<user>`, given once and never to another account.
package struct AccountFolder: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package var description: String { bytes.display }
}

/// What the address snapshot says of an account.
package struct AccountEntry: Hashable, Sendable {
    /// The address as its creation spelled it.
    package let address: EmailAddress
    package let folder: AccountFolder
    package let isEnabled: Bool
    /// In bytes; nil for none.
    package let quota: Int64?

    package init(address: EmailAddress, folder: AccountFolder, isEnabled: Bool, quota: Int64? = nil) {
        self.address = address
        self.folder = folder
        self.isEnabled = isEnabled
        self.quota = quota
    }
}

/// What stands under one address: an account, alias targets, both (a forward that may keep a copy), or nothing.
package struct AddressEntry: Hashable, Sendable {
    package var account: AccountEntry?
    package var targets: [EmailAddress]

    package init(account: AccountEntry? = nil, targets: [EmailAddress] = []) {
        self.account = account
        self.targets = targets
    }

    package static let nothing = AddressEntry()
}

/// What the directory says of a domain.
package struct DomainEntry: Hashable, Sendable {
    /// Whether the domain is ours: we accept mail for it from everybody.
    package var isLocal: Bool
    /// Set for a domain with a route; of a domain of ours, the host of those whom we do not know.
    package var route: NextHop?

    package init(isLocal: Bool, route: NextHop? = nil) {
        self.isLocal = isLocal
        self.route = route
    }
}

/// Who answers the questions of routing: a snapshot, or a dictionary in a test.
package protocol AddressBook {
    func domain(_ domain: Domain) throws(DirectoryUnavailable) -> DomainEntry
    /// `key` is `EmailAddress.canonical`, or `@domain` for the catch-all of a domain.
    func entry(_ key: [UInt8]) throws(DirectoryUnavailable) -> AddressEntry
}
