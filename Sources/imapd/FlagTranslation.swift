// Flags as IMAP says them and as a Maildir name holds them: one table in both directions.

import IMAPProtocol
import Mailbox

/// The flags of one folder, whose letters a-z mean what its keyword table says.
struct FlagTranslation {
    private static let system: [(imap: SystemFlags, maildir: MessageFlags)] = [
        (.answered, .answered), (.flagged, .flagged), (.deleted, .deleted), (.seen, .seen), (.draft, .draft),
    ]
    /// Maildir has a capital of its own for it.
    private static let forwarded = Keyword("$Forwarded".utf8)

    private let table: KeywordTable

    init(_ folder: Folder) { table = folder.keywords }

    /// Every keyword that the folder has a letter for.
    var keywords: [Keyword] { (FlagTranslation.forwarded.map { [$0] } ?? []) + table.all.compactMap { Keyword($0.keyword) } }

    /// Whether another keyword finds a letter, where messages carry these flags: one that no message has can be given anew.
    func takesNewKeywords(beside flags: MessageFlags) -> Bool {
        flags.keywordIndexes.count < MessageFlags.keywordCount
    }

    func flags(_ stored: MessageFlags, isRecent: Bool = false) -> Flags {
        var system: SystemFlags = isRecent ? .recent : []
        for (imap, maildir) in FlagTranslation.system where stored.contains(maildir) { system.insert(imap) }
        guard !stored.isSubset(of: FlagTranslation.plain) else { return Flags(system) }
        var flags = Flags(system, keywords: table.keywords(of: stored).compactMap { Keyword($0) })
        if stored.contains(.passed), let forwarded = FlagTranslation.forwarded { flags.insert(forwarded) }
        return flags
    }

    private static let plain: MessageFlags = [.answered, .flagged, .deleted, .seen, .draft]

    /// What a client's flags are in this folder, which gives letters to new keywords where `creating`.
    static func stored(_ flags: Flags, in folder: Folder, creating: Bool) throws(StoreError) -> MessageFlags {
        var stored: MessageFlags = []
        for (imap, maildir) in system where flags.system.contains(imap) { stored.insert(maildir) }
        let others = flags.keywords.filter { $0 != forwarded }
        if others.count < flags.keywords.count { stored.insert(.passed) }
        guard !others.isEmpty else { return stored }
        return stored.union(try folder.flags(forKeywords: others.map(\.bytes), creating: creating))
    }

    /// The same for a message that comes in: it matters more than its labels, so it comes without those that find no letter.
    static func storedAsFits(_ flags: Flags, in folder: Folder) throws(StoreError) -> MessageFlags {
        do throws(StoreError) { return try stored(flags, in: folder, creating: true) } catch {
            guard case .keywordsFull = error else { throw error }
            return try stored(flags, in: folder, creating: false)
        }
    }
}
