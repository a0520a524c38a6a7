// What happened in a folder, in order, as `martlet/changes` keeps it: shared by the programs that have the folder open.
// It is never synced, so it is believed only within the boot of the machine that wrote it.
//
//     martlet-changes 1 2c6f9a5e-… 1763683200     boot, UIDVALIDITY
//     n 18 4711                                  the next UID, the last MODSEQ
//     m 17 4711 FS                               a message, the MODSEQ of its last change, its flags then
//     x 3:7 4711                                 UIDs that went

/// One line of the log.
package enum ChangeRecord: Hashable, Sendable {
    case numbers(nextUID: UInt64, modSequence: UInt64)
    case message(MessageUID, modSequence: UInt64, MessageFlags)
    case expunged(UIDRanges, modSequence: UInt64)

    package var line: [UInt8] {
        switch self {
        case .numbers(let next, let modSequence):
            [0x6E, 0x20] + decimal(next) + [0x20] + decimal(modSequence) + [0x0A]
        case .message(let uid, let modSequence, let flags):
            [0x6D, 0x20] + decimal(uid.rawValue) + [0x20] + decimal(modSequence) + [0x20] + flags.letters + [0x0A]
        case .expunged(let uids, let modSequence):
            [0x78, 0x20] + uids.text + [0x20] + decimal(modSequence) + [0x0A]
        }
    }

    /// A line without its LF; nil for anything that `line` would not have written.
    package init?(parsing line: ArraySlice<UInt8>) {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].count == 1,
            let modSequence = canonicalDecimal(parts[2], limit: UInt64(Int64.max))
        else { return nil }
        switch (parts[0].first, parts.count) {
        case (0x6E, 3):
            guard let next = canonicalDecimal(parts[1], limit: 1 << 32) else { return nil }
            self = .numbers(nextUID: next, modSequence: modSequence)
        case (0x6D, 4):
            guard let uid = canonicalDecimal(parts[1], limit: UInt64(UInt32.max)), uid > 0,
                parts[3].allSatisfy({ MessageFlags(letter: $0) != nil })
            else { return nil }
            self = .message(MessageUID(UInt32(truncatingIfNeeded: uid)), modSequence: modSequence, MessageFlags(letters: parts[3]))
        case (0x78, 3):
            guard let uids = UIDRanges(parsing: parts[1]) else { return nil }
            self = .expunged(uids, modSequence: modSequence)
        default: return nil
        }
    }
}

package enum ChangeLog {
    package static func header(boot: [UInt8], validity: UIDValidity) -> [UInt8] {
        Array("martlet-changes 1 ".utf8) + boot + [0x20] + decimal(validity.rawValue) + [0x0A]
    }

    /// The records of complete lines; nil if a line is damaged. `consumed` ends behind the last complete line.
    package static func records(_ text: ArraySlice<UInt8>) -> (records: [ChangeRecord], consumed: Int)? {
        var records: [ChangeRecord] = []
        var start = text.startIndex
        while let end = text[start...].firstIndex(of: 0x0A) {
            guard let record = ChangeRecord(parsing: text[start..<end]) else { return nil }
            records.append(record)
            start = end + 1
        }
        return (records, start - text.startIndex)
    }
}
