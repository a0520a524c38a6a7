// What a listing of `cur/` and `new/` says, sorted out: which file is which message, and which need a UID.
// A listing is no snapshot: a file that is renamed meanwhile may appear under both names or under none.

/// A file of a folder, and where it lies.
struct FoundFile: Hashable, Sendable {
    let name: MessageName
    let isNew: Bool
}

/// The files of one listing by their UIDs.
struct FolderListing: Sendable {
    /// By ascending UID, each once.
    var tagged: [(uid: MessageUID, file: FoundFile)] = []
    /// Files without a UID that counts.
    var untagged: [FoundFile] = []
    /// Files that carry one UID together, to be looked at before they count as having none.
    var doubtful: [[FoundFile]] = []

    /// A tag counts if it is this folder's and its UID was never expunged.
    init(_ files: [FoundFile], validity: UIDValidity, expunged: UIDRanges) {
        var all: [(uid: MessageUID, file: FoundFile)] = []
        all.reserveCapacity(files.count)
        for file in files {
            if let uid = file.name.uid(in: validity), !expunged.contains(uid) {
                all.append((uid, file))
            } else {
                untagged.append(file)
            }
        }
        all.sort { $0.uid < $1.uid }
        var index = 0
        while index < all.count {
            let end = all[index...].firstIndex { $0.uid != all[index].uid } ?? all.count
            if end - index == 1 {
                tagged.append(all[index])
            } else {
                doubtful.append(all[index..<end].map(\.file))
            }
            index = end
        }
    }

    /// Settles the doubtful by their inodes, nil for a name that is not there any more.
    ///
    /// One file under several names was renamed while we looked, and has the UID; several files have none. A file that is
    /// under none of its names has one that this listing lacks.
    mutating func settle(inode: (FoundFile) -> UInt64?) {
        guard !doubtful.isEmpty else { return }
        for group in doubtful {
            let left = group.compactMap { file in inode(file).map { (file: file, inode: $0) } }
            guard let last = left.last, let uid = last.file.name.tag?.uid else { continue }
            if left.allSatisfy({ $0.inode == last.inode }) {
                tagged.append((uid, last.file))
            } else {
                untagged += left.map(\.file)
            }
        }
        doubtful = []
        tagged.sort { $0.uid < $1.uid }
    }

    /// In the order in which they came: by the seconds that begin a Maildir name, then by the name.
    var arrivals: [FoundFile] {
        untagged.map { (seconds: FolderListing.seconds($0.name), file: $0) }
            .sorted {
                $0.seconds != $1.seconds
                    ? $0.seconds < $1.seconds : $0.file.name.bytes.lexicographicallyPrecedes($1.file.name.bytes)
            }
            .map(\.file)
    }

    private static func seconds(_ name: MessageName) -> UInt64 {
        canonicalDecimal(name.bytes.prefix { $0 >= 0x30 && $0 <= 0x39 }, limit: 99_999_999_999) ?? 0
    }

    /// The UIDs, which ascend, that this listing lacks.
    func lacks(_ uids: some Sequence<MessageUID>) -> [MessageUID] {
        var missing: [MessageUID] = []
        var index = 0
        for uid in uids {
            while index < tagged.count, tagged[index].uid < uid { index += 1 }
            if index == tagged.count || tagged[index].uid != uid { missing.append(uid) }
        }
        return missing
    }
}
