// What a session has said of its mailbox, eight bytes a message: enough to find out what changed, whatever became of the
// folder's listing meanwhile.

import Mailbox

/// UIDs in ascending order with the flags last reported of each.
struct KnownMessages: Sendable {
    private(set) var uids: [UInt32] = []
    private var flags: [UInt32] = []

    init(_ messages: [StoredMessage]) {
        uids = messages.map(\.uid.rawValue)
        flags = messages.map(\.flags.rawValue)
    }

    private func index(of uid: MessageUID) -> Int? {
        var low = 0
        var high = uids.count
        while low < high {
            let middle = (low + high) / 2
            if uids[middle] < uid.rawValue { low = middle + 1 } else { high = middle }
        }
        return low < uids.count && uids[low] == uid.rawValue ? low : nil
    }

    /// What of a folder's changes was not known; from here on it is.
    struct News: Sendable {
        /// By ascending UID, above all that were known.
        var arrived: [StoredMessage] = []
        var changed: [StoredMessage] = []
        var vanished: [MessageUID] = []
    }

    mutating func learn(_ found: FolderChanges) -> News {
        var news = News()
        news.vanished = remove(found.isComplete ? lacking(in: found.added) : found.vanished)
        for message in found.added + found.changed {
            switch take(message) {
            case .none: break
            case .arrived: news.arrived.append(message)
            case .changed: news.changed.append(message)
            }
        }
        return news
    }

    enum Difference { case none, arrived, changed }

    /// Takes a message over. One that is not known and not above all that are is left out: clients learn of UIDs upwards only.
    @discardableResult
    mutating func take(_ message: StoredMessage) -> Difference {
        if let index = index(of: message.uid) {
            guard flags[index] != message.flags.rawValue else { return .none }
            flags[index] = message.flags.rawValue
            return .changed
        }
        guard message.uid.rawValue > uids.last ?? 0 else { return .none }
        uids.append(message.uid.rawValue)
        flags.append(message.flags.rawValue)
        return .arrived
    }

    /// Forgets messages; answers those that were known.
    @discardableResult
    mutating func remove(_ gone: [MessageUID]) -> [MessageUID] {
        let known = gone.filter { index(of: $0) != nil }
        guard !known.isEmpty else { return [] }
        let set = Set(known.map(\.rawValue))
        let kept = uids.indices.filter { !set.contains(uids[$0]) }
        flags = kept.map { flags[$0] }
        uids = kept.map { uids[$0] }
        return known
    }

    /// Those that a complete list, which ascends, lacks.
    private func lacking(in messages: [StoredMessage]) -> [MessageUID] {
        var missing: [MessageUID] = []
        var rest = messages[...]
        for uid in uids {
            while let first = rest.first, first.uid.rawValue < uid { rest.removeFirst() }
            if rest.first?.uid.rawValue != uid { missing.append(MessageUID(uid)) }
        }
        return missing
    }
}
