// What the store says. An answer that does not fit its question is our own fault and is told as SERVERBUG.

package import MailFormat

extension Session {
    /// An answer to a `Question`.
    package enum Answer: Sendable {
        case done
        case refused(Refusal)
        case mailboxes([MailboxEntry])
        case selected(Selection)
        case changes(MailboxChanges)
        case status(MailboxStatus)
        case appended(UIDValidity, UID)
        /// nil: the message no longer exists.
        case described(MessageDescription?)
        case content([UInt8])
        case stored([FlagUpdate])
        case copied(UIDMapping)
        case expunged([UID])
        /// One row a message, one value a condition; a message that is gone has an empty row.
        case matches([[Bool]])
    }
}

/// One line of LIST.
package struct MailboxEntry: Hashable, Sendable {
    package let name: MailboxName
    /// False: only subscribed to.
    package let exists: Bool
    package let isSubscribed: Bool
    package let specialUse: SpecialUse?

    package init(_ name: MailboxName, exists: Bool = true, isSubscribed: Bool = false, specialUse: SpecialUse? = nil) {
        self.name = name
        self.exists = exists
        self.isSubscribed = isSubscribed
        self.specialUse = specialUse
    }
}

/// What a mailbox is for (RFC 6154 §2).
package enum SpecialUse: Hashable, Sendable, CaseIterable {
    case all, archive, drafts, flagged, junk, sent, trash

    var name: StaticString {
        switch self {
        case .all: "\\All"
        case .archive: "\\Archive"
        case .drafts: "\\Drafts"
        case .flagged: "\\Flagged"
        case .junk: "\\Junk"
        case .sent: "\\Sent"
        case .trash: "\\Trash"
        }
    }
}

/// What a session keeps of each message of the selected mailbox.
package struct MessageState: Hashable, Sendable {
    package let uid: UID
    package var flags: Flags
    /// In octets, as the message is fetched; nil: ask when needed.
    package let size: UInt32?

    package init(uid: UID, flags: Flags, size: UInt32? = nil) {
        self.uid = uid
        self.flags = flags
        self.size = size
    }
}

/// A mailbox at the moment of its selection.
package struct Selection: Sendable {
    package var uidValidity: UIDValidity
    package var uidNext: UID
    /// Ascending UIDs; `\Recent` on those that this session is the first to see.
    package var messages: [MessageState]
    /// Every keyword in use in the mailbox.
    package var keywords: [Keyword]
    /// Whether a keyword that is not in use can be stored.
    package var takesNewKeywords: Bool

    package init(
        uidValidity: UIDValidity, uidNext: UID, messages: [MessageState], keywords: [Keyword] = [],
        takesNewKeywords: Bool = true
    ) {
        self.uidValidity = uidValidity
        self.uidNext = uidNext
        self.messages = messages
        self.keywords = keywords
        self.takesNewKeywords = takesNewKeywords
    }
}

/// What became different in the selected mailbox, whoever did it.
package struct MailboxChanges: Sendable {
    /// Ascending UIDs, above all that were there before.
    package var arrived: [MessageState]
    package var flags: [FlagUpdate]
    package var vanished: [UID]

    package init(arrived: [MessageState] = [], flags: [FlagUpdate] = [], vanished: [UID] = []) {
        self.arrived = arrived
        self.flags = flags
        self.vanished = vanished
    }
}

/// A message's flags as they are now; `\Recent` plays no part in it.
package struct FlagUpdate: Hashable, Sendable {
    package let uid: UID
    package let flags: Flags
    package init(_ uid: UID, _ flags: Flags) {
        self.uid = uid
        self.flags = flags
    }
}

/// The numbers of STATUS; those not asked for may be nil.
package struct MailboxStatus: Hashable, Sendable {
    package var messages: Int?
    package var recent: Int?
    package var uidNext: UID?
    package var uidValidity: UIDValidity?
    package var unseen: Int?

    package init(
        messages: Int? = nil, recent: Int? = nil, uidNext: UID? = nil, uidValidity: UIDValidity? = nil, unseen: Int? = nil
    ) {
        self.messages = messages
        self.recent = recent
        self.uidNext = uidNext
        self.uidValidity = uidValidity
        self.unseen = unseen
    }
}

/// Where copies went (RFC 4315 §3): old and new UIDs pairwise; messages that no longer existed are left out.
package struct UIDMapping: Hashable, Sendable {
    package let uidValidity: UIDValidity
    package let pairs: [Pair]

    package struct Pair: Hashable, Sendable {
        package let old: UID
        package let new: UID
        package init(old: UID, new: UID) {
            self.old = old
            self.new = new
        }
    }

    package init(uidValidity: UIDValidity, pairs: [Pair]) {
        self.uidValidity = uidValidity
        self.pairs = pairs
    }
}

/// What was asked of a message with `MessageNeeds`; the rest is empty.
package struct MessageDescription: Sendable {
    /// A message up to this size, in octets, comes in one answer; a larger one in pieces.
    package static let inlineLimit = 64 * 1024
    /// How much of a header is looked at for its fields, in octets.
    package static let headerLimit = 256 * 1024

    /// In octets, as fetched; always given.
    package var size: Int
    package var internalDate: InternalDate?
    /// With its blank line, at most `headerLimit` of it.
    package var header: [UInt8]
    /// Of the whole header with its blank line, in octets; given with `header`.
    package var headerLength: Int
    /// Its ranges are places in the message as fetched.
    package var structure: MIMEStructure?
    package var content: [UInt8]?

    package init(
        size: Int, internalDate: InternalDate? = nil, header: [UInt8] = [], headerLength: Int = 0,
        structure: MIMEStructure? = nil, content: [UInt8]? = nil
    ) {
        self.size = size
        self.internalDate = internalDate
        self.header = header
        self.headerLength = headerLength
        self.structure = structure
        self.content = content
    }
}
