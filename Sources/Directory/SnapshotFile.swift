// Follows one published name: opens what stands there, looks again at each use, and never serves what it could not check.

package import Kernel
import MailModel

/// The current snapshot under a name, or the reason why there is none.
final class SnapshotFile {
    private enum State {
        case open(SnapshotDatabase, FileStatus, digest: [UInt8])
        case closed(DirectoryUnavailable)
    }

    private let folder: Path
    private let kind: SnapshotKind
    private let queries: [String]
    private let later: [LaterQuery]
    private var state = State.closed(DirectoryUnavailable("not opened yet"))
    private var checked: MonotonicTime?

    /// `folder` is the directory's.
    init(folder: Path, kind: SnapshotKind, queries: [String], later: [LaterQuery] = []) {
        self.folder = kind.folder(in: folder)
        self.kind = kind
        self.queries = queries
        self.later = later
    }

    /// Looks whether the file was replaced. A bad file stays an error until a good one comes.
    func refresh(at now: MonotonicTime) {
        // An open snapshot is looked at each time, so that an account is there as soon as `mailctl` says so; one that could
        // not be opened costs reading it, and is tried again once a second.
        if case .closed = state, let checked, now < checked.adding(milliseconds: 1000), !(now < checked) { return }
        checked = now
        do throws(DirectoryUnavailable) {
            state = try examine()
        } catch {
            state = .closed(error)
        }
    }

    /// Asks the open file; any error closes it, and the next `refresh` opens it again.
    func ask<R>(_ question: (SnapshotDatabase) throws(DirectoryUnavailable) -> R) throws(DirectoryUnavailable) -> R {
        switch state {
        case .closed(let reason): throw reason
        case .open(let database, _, _):
            do throws(DirectoryUnavailable) { return try question(database) } catch {
                state = .closed(error)
                throw error
            }
        }
    }

    /// The digest of the open file: another one means other content.
    var digest: [UInt8] {
        switch state {
        case .open(_, _, let digest): digest
        case .closed: []
        }
    }

    private func examine() throws(DirectoryUnavailable) -> State {
        let folder = try available { () throws(KernelError) in try DirectoryDescriptor(opening: self.folder) }
        if case .open(_, let status, _) = state, try current(in: folder) == status { return state }
        // A file that is replaced between the check and the opening is looked at again, so what was checked is what is open.
        for _ in 0..<4 { if let opened = try open(in: folder) { return opened } }
        throw DirectoryUnavailable("\(kind.fileName) is replaced faster than it can be opened")
    }

    private func open(in folder: borrowing DirectoryDescriptor) throws(DirectoryUnavailable) -> State? {
        let name = kind.fileName
        // Held open until the end: while it is, its inode number belongs to no other file.
        let file = try available { () throws(KernelError) in try folder.open(name) }
        let status = try available { () throws(KernelError) in try file.status() }
        guard status.kind == .file else { throw DirectoryUnavailable("\(file.name) is no regular file") }
        let digest = try SnapshotSeal.check(file, kind: kind, size: status.size)
        let database = try SnapshotDatabase(path: self.folder / name, kind: kind, queries: queries, later: later)
        return try current(in: folder) == status ? .open(database, status, digest: digest) : nil
    }

    private func current(in folder: borrowing DirectoryDescriptor) throws(DirectoryUnavailable) -> FileStatus {
        try available { () throws(KernelError) in try folder.status(of: kind.fileName) }
    }

    private func available<R: ~Copyable>(_ call: () throws(KernelError) -> R) throws(DirectoryUnavailable) -> R {
        do throws(KernelError) { return try call() } catch { throw DirectoryUnavailable("\(error)") }
    }
}

extension SnapshotKind {
    /// `meta.revision` of the file that is published now; nil if there is none that can be believed.
    package func publishedRevision(in folder: Path) -> Int64? {
        let file = SnapshotFile(folder: folder, kind: self, queries: ["SELECT value FROM meta WHERE name = CAST(? AS TEXT)"])
        file.refresh(at: MonotonicTime(nanoseconds: 0))
        let found = try? file.ask { (snapshot) throws(DirectoryUnavailable) in
            try snapshot.first(0, Array("revision".utf8)) { $0.integer(0) }
        }
        return found ?? nil
    }
}
