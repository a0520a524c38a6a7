// What a folder must never forget, as `martlet/state` keeps it: written by replacement and synced before it counts.
//
//     martlet-folder 1
//     uidvalidity 1763683200
//     uidnext 1001                 no UID from here on was ever shown
//     modseq 2000                  no MODSEQ above was ever shown
//     numbering 2                  of which numbering of the store (STORE-ID) the UIDVALIDITY is
//     forgotten 0                  expunges at or below are not all listed here
//     keyword a $Forwarded
//     expunged 17 3:7,12           by MODSEQ, once their hidden files are gone
//     end

/// The durable facts of one folder.
package struct FolderState: Hashable, Sendable {
    package var validity: UIDValidity
    /// The end of the reserved UIDs; 2^32 where the last one is reserved.
    package var reservedUID: UInt64
    /// The last reserved MODSEQ.
    package var reservedModSequence: UInt64
    /// Expunges up to here may be missing below: whoever asks from before gets all that is not there.
    package var forgotten: UInt64 = 0
    package var keywords = KeywordTable()
    package var expunged: [Expunge] = []
    /// The UIDVALIDITY is of this numbering of the store; 0 in a store that was never a copy.
    package var numbering: UInt32 = 0
    /// Set just before the folder goes to the hidden ones: a program that still has it open adds nothing.
    package var isDeleted = false
    private var unknown: [StateFile.Line] = []

    /// UIDs that went with one MODSEQ.
    package struct Expunge: Hashable, Sendable {
        package var modSequence: UInt64
        package var uids: UIDRanges
    }

    static let uidBlock: UInt64 = 1000
    static let modSequenceBlock: UInt64 = 10_000
    /// So many lines of `expunged` are kept apart; beyond, the older half becomes one.
    static let expungeLines = 512

    package init(validity: UIDValidity, numbering: UInt32 = 0) {
        self.validity = validity
        self.numbering = numbering
        reservedUID = 1 + FolderState.uidBlock
        reservedModSequence = FolderState.modSequenceBlock
    }

    package init?(parsing text: [UInt8]) {
        guard let file = StateFile(kind: "martlet-folder", parsing: text) else { return nil }
        self.init(validity: UIDValidity(0))
        for line in file.lines {
            guard read(line) else { return nil }
        }
        guard validity.rawValue > 0, reservedUID > 0 else { return nil }
    }

    private mutating func read(_ line: StateFile.Line) -> Bool {
        func number(_ limit: UInt64) -> UInt64? { canonicalDecimal(line.value, limit: limit) }
        switch String(decoding: line.key, as: UTF8.self) {
        case "uidvalidity":
            guard let value = number(UInt64(UInt32.max)) else { return false }
            validity = UIDValidity(UInt32(truncatingIfNeeded: value))
        case "uidnext":
            guard let value = number(1 << 32) else { return false }
            reservedUID = value
        case "modseq":
            guard let value = number(UInt64(Int64.max)) else { return false }
            reservedModSequence = value
        case "forgotten":
            guard let value = number(UInt64(Int64.max)) else { return false }
            forgotten = value
        case "numbering":
            guard let value = number(UInt64(UInt32.max)) else { return false }
            numbering = UInt32(truncatingIfNeeded: value)
        case "keyword": return keywords.read(line.value)
        case "expunged":
            let parts = line.value.split(separator: UInt8(ascii: " "))
            guard parts.count == 2, let modSequence = canonicalDecimal(parts[0], limit: UInt64(Int64.max)),
                let uids = UIDRanges(parsing: parts[1])
            else { return false }
            expunged.append(Expunge(modSequence: modSequence, uids: uids))
        case "deleted": isDeleted = true
        default: unknown.append(line)
        }
        return true
    }

    package var text: [UInt8] {
        var file = StateFile(kind: "martlet-folder")
        file.add("uidvalidity", decimal(validity.rawValue))
        file.add("uidnext", decimal(reservedUID))
        file.add("modseq", decimal(reservedModSequence))
        file.add("forgotten", decimal(forgotten))
        if numbering > 0 { file.add("numbering", decimal(numbering)) }
        for value in keywords.lines { file.add("keyword", value) }
        for entry in expunged { file.add("expunged", decimal(entry.modSequence) + [0x20] + entry.uids.text) }
        if isDeleted { file.add("deleted", [0x31]) }
        file.lines += unknown
        return file.text
    }

    /// In a copy, or a store that was restored: the UIDs that were given since cannot be known, so all are given anew.
    ///
    /// MODSEQs go on from the reservation, so that none is shown that is lower than one before.
    mutating func renumber(_ validity: UIDValidity, numbering: UInt32) {
        self.validity = validity
        self.numbering = numbering
        reservedUID = 1 + FolderState.uidBlock
        forgotten = max(forgotten, reservedModSequence)
        reservedModSequence += FolderState.modSequenceBlock
        expunged = []
    }

    package func isExpunged(_ uid: MessageUID) -> Bool { expunged.contains { $0.uids.contains(uid) } }

    /// Remembers that these went; keeps the list short by forgetting when the oldest went, never that they did.
    package mutating func record(expunged uids: UIDRanges, at modSequence: UInt64) {
        guard !uids.isEmpty else { return }
        expunged.append(Expunge(modSequence: modSequence, uids: uids))
        guard expunged.count > FolderState.expungeLines else { return }
        expunged.sort { $0.modSequence < $1.modSequence }
        let half = expunged.count / 2
        var merged = expunged[half - 1]
        for entry in expunged[..<(half - 1)] { merged.uids.formUnion(entry.uids) }
        expunged.replaceSubrange(..<half, with: [merged])
        forgotten = max(forgotten, merged.modSequence)
    }
}
