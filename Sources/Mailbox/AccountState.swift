// What an account must never forget, as `martlet/account` keeps it.
//
//     martlet-account 1
//     uidvalidity 1763683207       the greatest that was ever given to a folder
//     subscribed Work.2025
//     end

/// The durable facts of one account.
package struct AccountState: Hashable, Sendable {
    package var lastValidity: UInt32 = 0
    package var subscriptions: Set<MailboxName> = []
    private var unknown: [StateFile.Line] = []

    package init() {}

    package init?(parsing text: [UInt8]) {
        guard let file = StateFile(kind: "martlet-account", parsing: text) else { return nil }
        for line in file.lines {
            switch String(decoding: line.key, as: UTF8.self) {
            case "uidvalidity":
                guard let value = canonicalDecimal(line.value, limit: UInt64(UInt32.max)) else { return nil }
                lastValidity = UInt32(truncatingIfNeeded: value)
            case "subscribed":
                guard let name = MailboxName(modifiedUTF7: line.value) else { return nil }
                subscriptions.insert(name)
            default: unknown.append(line)
            }
        }
    }

    package var text: [UInt8] {
        var file = StateFile(kind: "martlet-account")
        file.add("uidvalidity", decimal(lastValidity))
        for name in subscriptions.sorted() { file.add("subscribed", name.modifiedUTF7) }
        file.lines += unknown
        return file.text
    }

    /// A UIDVALIDITY greater than any before it, near the clock so that a lost state file still grows; nil at the end.
    package mutating func takeValidity(at seconds: Int64) -> UIDValidity? {
        let clock = UInt32(clamping: seconds)
        guard lastValidity < UInt32.max else { return nil }
        lastValidity = max(clock, lastValidity + 1)
        return UIDValidity(lastValidity)
    }
}
