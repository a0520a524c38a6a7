// Flags as Maildir writes them into a name: capital letters for the system's, a-z for keywords of the folder's table.

/// The flags of one message: six of the system and up to 26 keywords, by letter.
package struct MessageFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let draft = MessageFlags(rawValue: 1 << 0)
    package static let flagged = MessageFlags(rawValue: 1 << 1)
    /// Forwarded, resent or bounced by its owner: `$Forwarded` in IMAP.
    package static let passed = MessageFlags(rawValue: 1 << 2)
    package static let answered = MessageFlags(rawValue: 1 << 3)
    package static let seen = MessageFlags(rawValue: 1 << 4)
    package static let deleted = MessageFlags(rawValue: 1 << 5)

    private static let capitals: [UInt8] = Array("DFPRST".utf8)
    private static let keywordShift = 6
    package static let keywordCount = 26
    package static let system = MessageFlags(rawValue: (1 << 6) - 1)

    /// The keyword of a letter by its index, 0 for `a`; nothing for an index out of the alphabet.
    package static func keyword(_ index: Int) -> MessageFlags {
        (0..<keywordCount).contains(index) ? MessageFlags(rawValue: 1 << UInt32(index + keywordShift)) : []
    }

    /// The flag that a letter of a name stands for, or nil.
    package init?(letter: UInt8) {
        if let bit = MessageFlags.capitals.firstIndex(of: letter) {
            self.init(rawValue: 1 << UInt32(bit))
        } else if (0x61...0x7A).contains(letter) {
            self = .keyword(Int(letter - 0x61))
        } else {
            return nil
        }
    }

    /// The letters of those that are known; others do not count.
    package init(letters: some Sequence<UInt8>) {
        self = letters.reduce(into: []) { flags, letter in
            if let flag = MessageFlags(letter: letter) { flags.insert(flag) }
        }
    }

    /// In ASCII order, as the Maildir specification asks.
    package var letters: [UInt8] {
        var out: [UInt8] = []
        for (bit, letter) in MessageFlags.capitals.enumerated() where rawValue & (1 << UInt32(bit)) != 0 { out.append(letter) }
        for index in keywordIndexes { out.append(0x61 + UInt8(index)) }
        return out
    }

    /// The indexes of the keywords that are set, ascending.
    package var keywordIndexes: [Int] {
        (0..<MessageFlags.keywordCount).filter { rawValue & (1 << UInt32($0 + MessageFlags.keywordShift)) != 0 }
    }
}
