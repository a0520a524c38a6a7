// A message of a folder as the listing shows it.

/// One message: what its name says, and its numbers.
package struct StoredMessage: Hashable, Sendable {
    package let uid: MessageUID
    package internal(set) var flags: MessageFlags
    package internal(set) var modSequence: ModSequence
    /// The file's name in `cur/`.
    package internal(set) var name: MessageName

    /// What it says about its size, if it lies in its file as it is sent; `MessageFile` verifies it.
    package var wireSize: Int? { name.wireSize }
}

/// A moment in the life of a `Folder` object; meaningless to any other.
package struct Generation: Hashable, Comparable, Sendable {
    let rawValue: UInt64
    package static let beginning = Generation(rawValue: 0)
    package static func < (a: Generation, b: Generation) -> Bool { a.rawValue < b.rawValue }
}

/// What became of a folder since a generation.
package struct FolderChanges: Sendable {
    package var generation: Generation
    /// New messages by ascending UID, each above all that were there.
    package var added: [StoredMessage] = []
    /// Messages with other flags, by ascending UID.
    package var changed: [StoredMessage] = []
    package var vanished: [MessageUID] = []
    /// True if the generation is too old: `added` is then the whole folder, to be compared with what the caller knows.
    package var isComplete = false

    package var isEmpty: Bool { added.isEmpty && changed.isEmpty && vanished.isEmpty && !isComplete }
}

/// The last changes of a folder, so that many sessions learn what is new to each without comparing lists.
struct ChangeHistory: Sendable {
    enum Kind: Sendable { case added, changed, vanished }

    private(set) var generation: UInt64 = 1
    /// Changes after this generation are all in `entries`.
    private var floor: UInt64 = 1
    private var entries: [(generation: UInt64, kind: Kind, uid: MessageUID)] = []
    private static let limit = 8192

    mutating func advance() { generation += 1 }

    mutating func note(_ kind: Kind, _ uid: MessageUID) { entries.append((generation, kind, uid)) }

    /// Forgets all: every earlier generation is told the whole.
    mutating func reset() {
        generation += 1
        floor = generation
        entries = []
    }

    mutating func trim() {
        guard entries.count > ChangeHistory.limit else { return }
        let cut = entries.count - ChangeHistory.limit / 2
        floor = max(floor, entries[cut - 1].generation)
        entries.removeFirst(cut)
    }

    /// The last word on each UID since a generation; nil if that is too long ago.
    func since(_ old: Generation) -> [(uid: MessageUID, kind: Kind)]? {
        guard old.rawValue >= floor else { return nil }
        var latest: [MessageUID: Kind] = [:]
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].generation <= old.rawValue { low = middle + 1 } else { high = middle }
        }
        for entry in entries[low...] {
            switch (latest[entry.uid], entry.kind) {
            case (.added?, .changed): break
            case (.added?, .vanished): latest[entry.uid] = nil
            default: latest[entry.uid] = entry.kind
            }
        }
        return latest.map { ($0.key, $0.value) }.sorted { $0.uid < $1.uid }
    }
}
