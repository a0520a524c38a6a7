// A mailbox's name as clients say it and its folder's name on disk: one door, through which no path leaves the account.

/// The name of a mailbox: `INBOX`, or levels joined by `.`, which is the separator to clients and on disk alike.
///
/// On disk (Maildir++) INBOX is the account's folder itself and `Work.2025` is `.Work.2025`, in modified UTF-7.
package struct MailboxName: Hashable, Sendable {
    /// UTF-8; INBOX in capitals.
    package let bytes: [UInt8]
    /// The folder's name in the account; empty for INBOX.
    package let folder: [UInt8]

    package static let separator = UInt8(ascii: ".")
    package static let inbox = MailboxName(bytes: Array("INBOX".utf8), folder: [])
    /// Room is left for the suffixes that a deleted folder gets.
    private static let maximumFolderLength = 200
    private static let maximumLevels = 32

    private init(bytes: [UInt8], folder: [UInt8]) {
        self.bytes = bytes
        self.folder = folder
    }

    /// A name in UTF-8, as RFC 9051 §5.1 has it; nil if no folder may be called so.
    ///
    /// Refused: empty levels (and so `..`), `/`, control characters, the wildcards `*` and `%`, and what is too long.
    package init?(_ name: some Collection<UInt8>) {
        let name = Array(name)
        var levels = name.split(separator: MailboxName.separator, omittingEmptySubsequences: false).map { Array($0) }
        guard levels.count <= MailboxName.maximumLevels, levels.allSatisfy({ !$0.isEmpty }),
            let text = String(validating: name, as: UTF8.self), text.unicodeScalars.allSatisfy(MailboxName.isAllowed)
        else { return nil }
        if MailboxName.isInbox(levels[0]) { levels[0] = MailboxName.inbox.bytes }
        if levels.count == 1, levels[0] == MailboxName.inbox.bytes {
            self = .inbox
            return
        }
        let canonical = Array(levels.joined(separator: [MailboxName.separator]))
        guard let encoded = ModifiedUTF7.encode(canonical), encoded.count < MailboxName.maximumFolderLength else { return nil }
        self.init(bytes: canonical, folder: [MailboxName.separator] + encoded)
    }

    /// A name as RFC 3501 §5.1.3 sends it; nil if it is not in the canonical form.
    package init?(modifiedUTF7 name: some Collection<UInt8>) {
        guard let decoded = ModifiedUTF7.decode(name) else { return nil }
        self.init(decoded)
    }

    /// The mailbox of a folder found on disk; nil if that is no mailbox of ours.
    package init?(folder: some Collection<UInt8>) {
        guard folder.first == MailboxName.separator, let name = MailboxName(modifiedUTF7: Array(folder.dropFirst())),
            name.folder.elementsEqual(folder)
        else { return nil }
        self = name
    }

    package var isInbox: Bool { folder.isEmpty }
    package var modifiedUTF7: [UInt8] { isInbox ? bytes : Array(folder.dropFirst()) }

    /// The name of the level above; nil at the top.
    package var parent: MailboxName? {
        guard let dot = bytes.lastIndex(of: MailboxName.separator) else { return nil }
        return MailboxName(bytes[..<dot])
    }

    package func isInferior(to other: MailboxName) -> Bool { bytes.starts(with: other.bytes + [MailboxName.separator]) }

    /// This name with the beginning `old`, which it has, replaced by `new` (RFC 9051 §6.3.6); nil if that is impossible.
    package func moved(from old: MailboxName, to new: MailboxName) -> MailboxName? {
        MailboxName(new.bytes + bytes.dropFirst(old.bytes.count))
    }

    private static func isInbox(_ level: [UInt8]) -> Bool {
        level.count == 5 && zip(level, inbox.bytes).allSatisfy { $0 == $1 || $0 == $1 | 0x20 }
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029, 0x2F, 0x2A, 0x25: false
        default: true
        }
    }
}

extension MailboxName: Comparable, CustomStringConvertible {
    package static func < (a: MailboxName, b: MailboxName) -> Bool {
        if a.isInbox != b.isInbox { return a.isInbox }
        return a.bytes.lexicographicallyPrecedes(b.bytes)
    }
    package var description: String { String(decoding: bytes, as: UTF8.self) }
}
