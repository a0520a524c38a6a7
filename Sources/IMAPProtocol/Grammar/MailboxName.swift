// A mailbox name that was checked once: it can be no path that leaves the account, and it has one spelling.

internal import MailModel

/// The name of a mailbox as UTF-8, its levels parted by `.`; a first level `INBOX` in any case is `INBOX`.
///
/// No level is empty (so there is no `..`), none has `/`, a wildcard or a control character; at most 200 bytes
/// on the wire, so that a store may use the wire form, or a little more, as one file name.
package struct MailboxName: Hashable, Sendable {
    package let utf8: [UInt8]

    package static let delimiter = UInt8(ascii: ".")
    package static let maximumWireLength = 200
    package static let maximumLevels = 32
    package static let inbox = MailboxName(checked: Array("INBOX".utf8))

    /// The name that a client wrote, in modified UTF-7 (RFC 3501 §5.1.3); nil if it names no possible mailbox.
    package init?(wire: some Collection<UInt8>) {
        guard wire.count <= MailboxName.maximumWireLength, let text = ModifiedUTF7.decode(wire) else { return nil }
        self.init(utf8: text)
    }

    package init?(utf8 text: [UInt8]) {
        guard isUTF8(text) else { return nil }
        var levels = text.split(separator: MailboxName.delimiter, omittingEmptySubsequences: false)
        guard levels.count <= MailboxName.maximumLevels, levels.allSatisfy(MailboxName.isLevel) else { return nil }
        if levels[0].equalsIgnoringASCIICase("INBOX") { levels[0] = MailboxName.inbox.utf8[...] }
        utf8 = Array(levels.joined(separator: [MailboxName.delimiter]))
        guard wire.count <= MailboxName.maximumWireLength else { return nil }
    }

    private init(checked: [UInt8]) { utf8 = checked }

    /// The name in modified UTF-7, as it goes to the client.
    package var wire: [UInt8] { ModifiedUTF7.encode(utf8) }

    package var isInbox: Bool { self == MailboxName.inbox }

    package var levels: [ArraySlice<UInt8>] { utf8.split(separator: MailboxName.delimiter) }

    /// The name one level up, or nil at the top.
    package var parent: MailboxName? {
        utf8.lastIndex(of: MailboxName.delimiter).map { MailboxName(checked: Array(utf8[..<$0])) }
    }

    /// U+0080 to U+009F are controls too; in UTF-8 they begin with C2.
    private static func isLevel(_ level: ArraySlice<UInt8>) -> Bool {
        guard !level.isEmpty, level.allSatisfy(isAllowed) else { return false }
        return !zip(level, level.dropFirst()).contains { $0 == 0xC2 && $1 < 0xA0 }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<0x20, 0x7F, UInt8(ascii: "/"), UInt8(ascii: "*"), UInt8(ascii: "%"): false
        default: true
        }
    }
}

extension MailboxName: CustomStringConvertible, Comparable {
    package var description: String { utf8.display }
    package static func < (a: MailboxName, b: MailboxName) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}
