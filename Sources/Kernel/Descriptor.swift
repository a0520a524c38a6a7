// An open file that is closed exactly once.

import CLinux
import Glibc

/// What the kernel says of an open file or an entry.
package struct FileStatus: Hashable, Sendable {
    package enum Kind: Sendable { case file, directory, symbolicLink, other }
    package let kind: Kind
    package let device: UInt64
    package let inode: UInt64
    package let size: Int64
    package let owner: UInt32
    package let group: UInt32
    /// The permission bits alone.
    package let mode: UInt32
    package let links: UInt64
    /// Nanoseconds since 1970.
    package let modified: Int64
    package let changed: Int64

    init(_ raw: stat) {
        switch raw.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        size = Int64(raw.st_size)
        owner = raw.st_uid
        group = raw.st_gid
        mode = raw.st_mode & 0o7777
        links = UInt64(raw.st_nlink)
        modified = Int64(raw.st_mtim.tv_sec) * 1_000_000_000 + Int64(raw.st_mtim.tv_nsec)
        changed = Int64(raw.st_ctim.tv_sec) * 1_000_000_000 + Int64(raw.st_ctim.tv_nsec)
    }
}

/// An owned file descriptor, with the name under which it was opened for the sake of errors.
package struct Descriptor: ~Copyable, Sendable {
    /// The number; -1 once it was given away or closed.
    package private(set) var raw: Int32
    package let name: Path

    package init(adopting raw: Int32, name: Path = "") {
        self.raw = raw
        self.name = name
    }

    deinit {
        if raw >= 0 { _ = Glibc.close(raw) }
    }

    /// Gives the number away; whoever takes it closes it.
    package consuming func release() -> Int32 {
        let raw = self.raw
        self.raw = -1
        return raw
    }

    /// Closes and tells: on some file systems only `close` reports a failed write.
    package consuming func close() throws(KernelError) {
        let raw = self.raw
        self.raw = -1
        if let code = FaultInjection.strike(.close) {
            _ = Glibc.close(raw)
            throw KernelError(.close, code: code, object: name.bytes)
        }
        if Glibc.close(raw) != 0, errno != EINTR { throw KernelError(.close, code: errno, object: name.bytes) }
    }

    /// Reads at most the buffer's size; 0 at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(KernelError) -> Int {
        try attempt(.read, on: name.bytes) { Glibc.read(raw, buffer.baseAddress, buffer.count) }
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(KernelError) -> Int {
        try attempt(.read, on: name.bytes) { pread(raw, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// Reads `count` bytes at `offset`, fewer only at the end of the file. The caller has bounded `count`.
    package func read(_ count: Int, at offset: Int64) throws(KernelError) -> [UInt8] {
        var failure: KernelError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                do throws(KernelError) {
                    let got = try read(into: rest, at: offset + Int64(filled))
                    if got == 0 { return }
                    filled += got
                } catch {
                    failure = error
                    return
                }
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes all of it, or throws with the file in an unknown state beyond its old end.
    package func write(_ buffer: UnsafeRawBufferPointer) throws(KernelError) {
        var rest = buffer
        while !rest.isEmpty {
            let count = try attempt(.write, on: name.bytes) { Glibc.write(raw, rest.baseAddress, rest.count) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    package func write(_ bytes: [UInt8]) throws(KernelError) {
        var failure: KernelError?
        bytes.withUnsafeBytes { buffer in
            do throws(KernelError) { try write(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Writes two buffers one after the other with one call where the kernel takes them whole.
    package func write(_ head: [UInt8], _ body: UnsafeRawBufferPointer) throws(KernelError) {
        var failure: KernelError?
        head.withUnsafeBytes { first in
            do throws(KernelError) { try gather(first, body) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func gather(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) throws(KernelError) {
        var vectors = (
            iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
        )
        let count = try attempt(.write, on: name.bytes) {
            withUnsafePointer(to: &vectors) {
                $0.withMemoryRebound(to: iovec.self, capacity: 2) { Glibc.writev(raw, $0, 2) }
            }
        }
        if count < first.count {
            try write(UnsafeRawBufferPointer(rebasing: first[count...]))
            try write(second)
        } else if count < first.count + second.count {
            try write(UnsafeRawBufferPointer(rebasing: second[(count - first.count)...]))
        }
    }

    package func truncate(to size: Int64) throws(KernelError) {
        _ = try attempt(.truncate, on: name.bytes) { Int(ftruncate(raw, off_t(size))) }
    }

    /// Frees the blocks of a range; it reads as zeros and offsets stay.
    package func punchHole(at offset: Int64, length: Int64) throws(KernelError) {
        _ = try attempt(.punch, on: name.bytes) { Int(martlet_punch_hole(raw, off_t(offset), off_t(length))) }
    }

    /// Allocates blocks up to `end` without making the file longer: writes up to there cannot lack space.
    package func allocateBeyondEnd(_ end: Int64) throws(KernelError) {
        _ = try attempt(.allocate, on: name.bytes) { Int(martlet_allocate(raw, off_t(end))) }
    }

    /// Data and metadata are on the disk. An error is final for this file: never ask twice.
    package func sync() throws(KernelError) {
        _ = try attempt(.sync, on: name.bytes) { Int(fsync(raw)) }
    }

    /// Data, and what is needed to read it, are on the disk. An error is final for this file: never ask twice.
    package func syncData() throws(KernelError) {
        _ = try attempt(.sync, on: name.bytes) { Int(fdatasync(raw)) }
    }

    package func status() throws(KernelError) -> FileStatus {
        var raw = stat()
        _ = try attempt(.status, on: name.bytes) { Int(fstat(self.raw, &raw)) }
        return FileStatus(raw)
    }

    /// Takes the exclusive lock that ends with this descriptor; false if another process holds it.
    package func tryLock() throws(KernelError) -> Bool {
        do throws(KernelError) {
            _ = try attempt(.lock, on: name.bytes) { Int(flock(raw, LOCK_EX | LOCK_NB)) }
            return true
        } catch {
            if error.wouldBlock { return false }
            throw error
        }
    }

    /// Waits for the exclusive lock.
    package func lock() throws(KernelError) {
        _ = try attempt(.lock, on: name.bytes) { Int(flock(raw, LOCK_EX)) }
    }

    package func unlock() { _ = flock(raw, LOCK_UN) }

    package func setMode(_ mode: UInt32) throws(KernelError) {
        _ = try attempt(.change, on: name.bytes) { Int(fchmod(raw, mode)) }
    }

    package func duplicate() throws(KernelError) -> Descriptor {
        let copy = try attempt(.open, on: name.bytes) { Int(dup(raw)) }
        _ = martlet_set_cloexec(Int32(copy), 1)
        return Descriptor(adopting: Int32(copy), name: name)
    }
}

extension Descriptor {
    /// Creates a file by its path, where the folder may be written but not opened.
    package static func create(_ path: Path, mode: UInt32) throws(KernelError) -> Descriptor {
        let raw = try attempt(.create, on: path.bytes) {
            path.withCString { Int(martlet_openat(AT_FDCWD, $0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)) }
        }
        return Descriptor(adopting: Int32(raw), name: path)
    }

    package static func rename(_ path: Path, to new: Path) throws(KernelError) {
        _ = try attempt(.rename, on: path.bytes) { path.withCString { from in new.withCString { Int(Glibc.rename(from, $0)) } } }
    }

    /// Everything on this file's file system is on the disk.
    package func syncFileSystem() throws(KernelError) {
        _ = try attempt(.sync, on: name.bytes) { Int(martlet_syncfs(raw)) }
    }
}

extension Descriptor {
    package static func unlink(_ path: Path) throws(KernelError) {
        _ = try attempt(.unlink, on: path.bytes) { path.withCString { Int(Glibc.unlink($0)) } }
    }
}
