// Where an account's Maildir is: two names made of safe characters, so that joining them is the whole of path handling.

package import Kernel
import MailModel

/// `<domain>/<user>` beneath the store; given at the account's creation and never again to another.
package struct AccountFolder: Hashable, Sendable, CustomStringConvertible {
    package let domain: [UInt8]
    package let user: [UInt8]

    /// Nil unless each is one name of letters, digits and `-_.+=@~`, not beginning with a dot, of at most 200 bytes.
    package init?(domain: [UInt8], user: [UInt8]) {
        guard AccountFolder.isSafe(domain), AccountFolder.isSafe(user) else { return nil }
        self.domain = domain
        self.user = user
    }

    /// `domain/user`.
    package init?(parsing text: some Collection<UInt8>) {
        let parts = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        self.init(domain: Array(parts[0]), user: Array(parts[1]))
    }

    package var path: Path { Path(domain) / Path(user) }
    package var text: [UInt8] { domain + [UInt8(ascii: "/")] + user }
    package var description: String { text.display }

    private static let others = Array("-_.+=@~".utf8)
    private static func isSafe(_ name: [UInt8]) -> Bool {
        (1...200).contains(name.count) && name.first != UInt8(ascii: ".")
            && name.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || others.contains($0) }
    }
}
