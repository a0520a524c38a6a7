// As whom an account may send: itself, and what the administrator granted it. Decided here for MAIL FROM and for the header alike.

package import MailModel

/// Who answers what was granted: a snapshot, or a set in a test.
package protocol GrantBook {
    /// Whether `account` was granted `name`, an address or everything of a domain.
    func isGranted(_ name: AliasName, to account: EmailAddress) throws(DirectoryUnavailable) -> Bool
}

/// The rules by which a sender belongs to an account (RFC 6409 §6.1).
package struct SendingRights: Hashable, Sendable {
    /// What separates a user from a tag, as `Router` has it.
    package var separators: [UInt8]

    package init(separators: [UInt8] = [UInt8(ascii: "+")]) { self.separators = separators }

    /// Whether `account` may send as `sender`.
    ///
    /// That an alias leads to the account grants nothing: an alias of ten people would let each speak for all.
    package func allows(
        _ sender: EmailAddress, to account: EmailAddress, in book: some AddressBook & GrantBook
    ) throws(DirectoryUnavailable) -> Bool {
        if sender == account { return true }
        if try book.isGranted(.address(sender), to: account) { return true }
        if try book.isGranted(.catchAll(sender.domain), to: account) { return true }
        for separator in separators {
            // Somebody else's address may look like a tag of ours: what has an entry of its own is no tag.
            guard let user = sender.subaddress(separator: separator)?.user, try book.entry(sender.canonical) == AddressEntry.nothing else { continue }
            if user == account { return true }
            if try book.isGranted(.address(user), to: account) { return true }
        }
        return false
    }
}
