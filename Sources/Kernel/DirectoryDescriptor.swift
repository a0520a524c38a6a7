// A folder held open: entries are reached through it, one name at a time, and no symbolic link is followed.

import CLinux
import Glibc

/// An owned descriptor of a folder.
package struct DirectoryDescriptor: ~Copyable, Sendable {
    package let descriptor: Descriptor
    package var path: Path { descriptor.name }
    package var raw: Int32 { descriptor.raw }

    private init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Opens a folder by a path of the configuration; links in that path are the administrator's own.
    package init(opening path: Path) throws(KernelError) {
        let raw = try attempt(.open, on: path.bytes) {
            path.withCString { Int(martlet_openat(AT_FDCWD, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) }
        }
        self.init(Descriptor(adopting: Int32(raw), name: path))
    }

    /// Opens a folder only to reach what is beneath it, by name: that takes the right to pass through, not to list it.
    package init(passing path: Path) throws(KernelError) {
        let raw = try attempt(.open, on: path.bytes) {
            path.withCString { Int(martlet_open_passing($0)) }
        }
        self.init(Descriptor(adopting: Int32(raw), name: path))
    }

    /// Opens a folder beneath this one; `relative` may have several components and follows no link.
    package func openDirectory(_ relative: Path) throws(KernelError) -> DirectoryDescriptor {
        let raw = try attempt(.open, on: (path / relative).bytes) {
            relative.withCString { Int(martlet_open_beneath(self.raw, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) }
        }
        return DirectoryDescriptor(Descriptor(adopting: Int32(raw), name: path / relative))
    }

    package struct OpenMode: OptionSet, Sendable {
        package let rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }
        package static let read = OpenMode(rawValue: O_RDONLY)
        package static let readWrite = OpenMode(rawValue: O_RDWR)
        package static let append = OpenMode(rawValue: O_WRONLY | O_APPEND)
        package static let write = OpenMode(rawValue: O_WRONLY)
    }

    /// Opens an entry that exists. Never blocks on a FIFO or device: the caller checks `status().kind`.
    package func open(_ name: Path, _ mode: OpenMode = .read) throws(KernelError) -> Descriptor {
        let raw = try attempt(.open, on: (path / name).bytes) {
            name.withCString { Int(martlet_open_beneath(self.raw, $0, mode.rawValue | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0)) }
        }
        return Descriptor(adopting: Int32(raw), name: path / name)
    }

    /// Creates an entry that must not exist.
    package func create(_ name: Path, mode: UInt32, _ access: OpenMode = .readWrite) throws(KernelError) -> Descriptor {
        let raw = try attempt(.create, on: (path / name).bytes) {
            name.withCString {
                Int(martlet_openat(self.raw, $0, access.rawValue | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode))
            }
        }
        return Descriptor(adopting: Int32(raw), name: path / name)
    }

    /// Opens an entry for reading and writing, creating it if it is missing.
    package func openOrCreate(_ name: Path, mode: UInt32) throws(KernelError) -> Descriptor {
        let raw = try attempt(.open, on: (path / name).bytes) {
            name.withCString { Int(martlet_openat(self.raw, $0, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode)) }
        }
        return Descriptor(adopting: Int32(raw), name: path / name)
    }

    /// Moves an entry, replacing what has the new name.
    package func rename(_ name: Path, to folder: borrowing DirectoryDescriptor, as new: Path) throws(KernelError) {
        let target = folder.raw
        _ = try attempt(.rename, on: (path / name).bytes) {
            name.withCString { from in new.withCString { to in Int(renameat(raw, from, target, to)) } }
        }
    }

    package func rename(_ name: Path, to new: Path) throws(KernelError) {
        _ = try attempt(.rename, on: (path / name).bytes) {
            name.withCString { from in new.withCString { to in Int(renameat(raw, from, raw, to)) } }
        }
    }

    /// Moves an entry; fails with EEXIST if the new name is taken.
    package func renameNoReplace(_ name: Path, to folder: borrowing DirectoryDescriptor, as new: Path) throws(KernelError) {
        let target = folder.raw
        _ = try attempt(.rename, on: (path / name).bytes) {
            name.withCString { from in new.withCString { to in Int(martlet_rename_noreplace(raw, from, target, to)) } }
        }
    }

    package func unlink(_ name: Path) throws(KernelError) {
        _ = try attempt(.unlink, on: (path / name).bytes) { name.withCString { Int(unlinkat(raw, $0, 0)) } }
    }

    package func removeDirectory(_ name: Path) throws(KernelError) {
        _ = try attempt(.unlink, on: (path / name).bytes) { name.withCString { Int(unlinkat(raw, $0, AT_REMOVEDIR)) } }
    }

    /// Removes a folder and what is beneath it. Links are removed, not followed. What lies deeper than `depth` folders stays, and is an error.
    package func removeTree(_ name: Path, depth: Int) throws(KernelError) {
        do {
            let folder = try openDirectory(name)
            for entry in try folder.list() {
                if entry.kind == .directory, depth > 0 {
                    try folder.removeTree(Path(entry.name), depth: depth - 1)
                } else {
                    try folder.unlink(Path(entry.name))
                }
            }
        }
        try removeDirectory(name)
    }

    package func makeDirectory(_ name: Path, mode: UInt32) throws(KernelError) {
        _ = try attempt(.makeDirectory, on: (path / name).bytes) { name.withCString { Int(mkdirat(raw, $0, mode)) } }
    }

    /// Makes the names in this folder durable.
    ///
    /// XFS that has shut down after an error of its disk takes renames back and yet answers the sync of a folder with success.
    /// It answers the question for the folder's status with EIO from then on, and that is asked here after the sync.
    package func sync() throws(KernelError) {
        try descriptor.sync()
        _ = try status()
    }

    package func status() throws(KernelError) -> FileStatus { try descriptor.status() }

    /// The status of an entry itself, a link not followed.
    package func status(of name: Path) throws(KernelError) -> FileStatus {
        var raw = stat()
        _ = try attempt(.status, on: (path / name).bytes) {
            name.withCString { Int(fstatat(self.raw, $0, &raw, AT_SYMLINK_NOFOLLOW)) }
        }
        return FileStatus(raw)
    }

    package struct Entry: Hashable, Sendable {
        package let name: [UInt8]
        /// From the folder itself; `other` where the file system does not say.
        package let kind: FileStatus.Kind
    }

    /// All entries but `.` and `..`, in no order. One pass; what comes meanwhile may or may not be in it.
    package func list() throws(KernelError) -> [Entry] {
        var entries: [Entry] = []
        try forEachEntry { entries.append($0) }
        return entries
    }

    package func forEachEntry(_ body: (Entry) -> Void) throws(KernelError) {
        let copy = try attempt(.list, on: path.bytes) { Int(martlet_openat(raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) }
        guard let stream = fdopendir(Int32(copy)) else {
            let code = errno
            _ = Glibc.close(Int32(copy))
            throw KernelError(.list, code: code, object: path.bytes)
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw KernelError(.list, code: errno, object: path.bytes) }
                return
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { buffer in
                Array(buffer.prefix(while: { $0 != 0 }))
            }
            if name == [0x2E] || name == [0x2E, 0x2E] { continue }
            let kind: FileStatus.Kind =
                switch Int(entry.pointee.d_type) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .directory
                case Int(DT_LNK): .symbolicLink
                default: .other
                }
            body(Entry(name: name, kind: kind))
        }
    }

    /// Replaces `name` so that after any crash it has the old or the new content, and the new one once this returns.
    ///
    /// One process at a time replaces a name: what one that was killed left behind is removed by the next.
    package func replace(_ name: Path, with content: [UInt8], mode: UInt32) throws(KernelError) {
        let temporary = Path(Array(".tmp-".utf8) + name.bytes)
        do throws(KernelError) { try unlink(temporary) } catch { if !error.isMissing { throw error } }
        let file = try create(temporary, mode: mode)
        try file.write(content)
        try file.sync()
        try file.close()
        try rename(temporary, to: name)
        try sync()
    }

    /// The whole of a regular file of at most `limit` bytes; EFBIG if it is larger, EINVAL if it is no regular file.
    package func contents(of name: Path, limit: Int) throws(KernelError) -> [UInt8] {
        let file = try open(name)
        let status = try file.status()
        guard status.kind == .file else { throw KernelError(.read, code: EINVAL, object: (path / name).bytes) }
        guard status.size <= limit else { throw KernelError(.read, code: EFBIG, object: (path / name).bytes) }
        return try file.read(Int(status.size), at: 0)
    }
}
