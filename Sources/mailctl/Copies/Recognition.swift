// Whether spool and store are those that were here last, decided from their identity files alone.

/// What a start finds.
enum Recognition: Hashable, Sendable {
    /// A tree of an earlier version, or a new one: it is named, and nothing is concluded.
    case unnamed
    /// Both are as they were left.
    case same
    /// Another store is mounted here: nothing is concluded from what it lacks.
    case otherStore
    /// One of them is a copy, or older than the other.
    case copied(CopyReasons)
}

/// Why a tree is no longer the one that it was.
struct CopyReasons: OptionSet, Hashable, Sendable {
    let rawValue: Int
    static let spoolCopied = CopyReasons(rawValue: 1)
    static let storeCopied = CopyReasons(rawValue: 2)
    static let spoolOlder = CopyReasons(rawValue: 4)
    static let storeOlder = CopyReasons(rawValue: 8)

    /// Whether mailboxes may have given UIDs that this store does not know of.
    var concernsStore: Bool { !isDisjoint(with: [.storeCopied, .storeOlder]) }

    /// For people.
    var text: String {
        var words: [String] = []
        if isSuperset(of: [.spoolCopied, .storeCopied]) {
            words.append("spool and store are copies")
        } else if contains(.spoolCopied) {
            words.append("the spool is a copy")
        } else if contains(.storeCopied) {
            words.append("the store is a copy")
        }
        if contains(.spoolOlder) { words.append("the spool is older than the store") }
        if contains(.storeOlder) { words.append("the store is older than the spool") }
        return words.joined(separator: ", and ")
    }
}

extension Recognition {
    /// `spool` is nil where there is no SPOOL-ID.
    init(spool: FoundIdentity?, store: FoundIdentity) {
        guard let spool else {
            // Only a spool from before it was named lacks the name.
            self = store.identity.place == nil ? .unnamed : .copied(store.isMoved ? [.spoolOlder, .storeCopied] : .spoolOlder)
            return
        }
        guard spool.identity.partner == nil || spool.identity.partner == store.identity.id else {
            self = .otherStore
            return
        }
        var reasons: CopyReasons = []
        if spool.isMoved { reasons.insert(.spoolCopied) }
        if store.isMoved { reasons.insert(.storeCopied) }
        switch Recognition.order(spool.identity, store.identity) {
        case .even: break
        case .spoolIsOlder: reasons.insert(.spoolOlder)
        case .storeIsOlder: reasons.insert(.storeOlder)
        }
        self = reasons.isEmpty ? .same : .copied(reasons)
    }

    private enum Order { case even, spoolIsOlder, storeIsOlder }

    /// The store's file is written after the spool's pending one, and only then the spool's is settled: a crash in between
    /// leaves the store one life behind a spool that says so itself.
    private static func order(_ spool: TreeIdentity, _ store: TreeIdentity) -> Order {
        if spool.life == store.life && spool.generation == store.generation { return .even }
        if spool.isPending, store.life &+ 1 == spool.life, store.generation <= spool.generation { return .even }
        return (spool.generation, spool.life) < (store.generation, store.life) ? .spoolIsOlder : .storeIsOlder
    }
}
