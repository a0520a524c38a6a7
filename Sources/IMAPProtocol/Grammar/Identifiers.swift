// The numbers and names by which IMAP calls things: each its own type, so that none is taken for another.

internal import MailModel

/// A client's name for one command (RFC 3501 §9 `tag`): 1 to 64 bytes, no wildcard, no `+`.
package struct Tag: Hashable, Sendable {
    package let bytes: [UInt8]
    package static let maximumLength = 64

    package init?(_ bytes: some Collection<UInt8>) {
        guard (1...Tag.maximumLength).contains(bytes.count),
            bytes.allSatisfy({ $0.isAStringCharacter && $0 != UInt8(ascii: "+") })
        else { return nil }
        self.bytes = Array(bytes)
    }
}

/// A message's unique identifier in its mailbox: never 0, given in ascending order (RFC 3501 §2.3.1.1).
package struct UID: Hashable, Sendable, Comparable {
    package let value: UInt32
    package init(_ value: UInt32) { self.value = value }
    package static func < (a: UID, b: UID) -> Bool { a.value < b.value }
}

/// The generation of a mailbox's UIDs (RFC 3501 §2.3.1.1).
package struct UIDValidity: Hashable, Sendable {
    package let value: UInt32
    package init(_ value: UInt32) { self.value = value }
}
