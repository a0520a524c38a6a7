// A spool of its own for each test, on the disk, removed when the test ends. What a test does to files behind the back of
// the programs (cutting, flipping bits, planting foreign files) is done here, with plain system calls.

private import Glibc

/// A folder under `TMPDIR` or /tmp with the folders of some programs.
package final class TemporarySpool: Sendable {
    /// Absolute, without a slash at the end.
    package let path: String
    private let isOwner: Bool

    /// Creates the mail, big, events and released folders of each of `programs`.
    package init(_ programs: [String] = ["smtpd", "submission", "queued"]) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = "\(parent)/martlet-spool-\(UInt64.random(in: 0 ... .max))"
        isOwner = true
        makeFolder("")
        for program in programs {
            for folder in ["", "/mail", "/mail/big", "/events", "/released"] { makeFolder(program + folder) }
        }
    }

    /// A spool that another process made and will remove.
    package init(reopening path: String) {
        self.path = path
        isOwner = false
    }

    deinit {
        if isOwner { TemporarySpool.remove(path) }
    }

    private static func remove(_ path: String) {
        guard let folder = opendir(path) else {
            unlink(path)
            return
        }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name == "." || name == ".." { continue }
            if Int32(entry.pointee.d_type) == Int32(DT_DIR) { remove("\(path)/\(name)") } else { unlink("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }

    private func place(_ name: String) -> String { name.isEmpty ? path : "\(path)/\(name)" }

    private func must(_ result: Int, _ what: String) {
        precondition(result >= 0, "\(what): \(String(cString: strerror(errno)))")
    }

    package func makeFolder(_ name: String) { must(Int(mkdir(place(name), 0o700)), name) }
    package func makeFIFO(_ name: String) { must(Int(mkfifo(place(name), 0o600)), name) }
    package func link(_ name: String, to target: String) { must(Int(symlink(target, place(name))), name) }
    package func move(_ name: String, to new: String) { must(Int(rename(place(name), place(new))), name) }
    package func delete(_ name: String) { must(Int(unlink(place(name))), name) }

    /// Makes the file longer, with a hole, or cuts it.
    package func resize(_ name: String, to size: Int) { must(Int(truncate(place(name), off_t(size))), name) }

    package func exists(_ name: String) -> Bool {
        var status = stat()
        return lstat(place(name), &status) == 0
    }

    package func size(_ name: String) -> Int {
        var status = stat()
        return lstat(place(name), &status) == 0 ? Int(status.st_size) : -1
    }

    /// Bytes that the file takes on the disk.
    package func allocated(_ name: String) -> Int {
        var status = stat()
        return lstat(place(name), &status) == 0 ? Int(status.st_blocks) * 512 : -1
    }

    package func names(_ name: String) -> [String] {
        guard let folder = opendir(place(name)) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    package func read(_ name: String) -> [UInt8] {
        let file = open(place(name), O_RDONLY)
        must(Int(file), name)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: size(name))
        let count = Glibc.read(file, &bytes, bytes.count)
        return Array(bytes.prefix(max(count, 0)))
    }

    /// Replaces the file's bytes, creating it where it is missing.
    package func write(_ bytes: [UInt8], _ name: String) { write(bytes, name, O_TRUNC) }
    package func append(_ bytes: [UInt8], _ name: String) { write(bytes, name, O_APPEND) }

    private func write(_ bytes: [UInt8], _ name: String, _ how: Int32) {
        let file = open(place(name), O_WRONLY | O_CREAT | how, 0o600)
        must(Int(file), name)
        defer { close(file) }
        must(Glibc.write(file, bytes, bytes.count) - bytes.count, name)
    }

    package func flip(bit: Int, at offset: Int, _ name: String) {
        var bytes = read(name)
        bytes[offset] ^= 1 << UInt8(bit & 7)
        let file = open(place(name), O_WRONLY)
        must(Int(file), name)
        defer { close(file) }
        must(pwrite(file, [bytes[offset]], 1, off_t(offset)), name)
    }

    /// Mounts a file system in memory of this size on a folder; nil and why where that is not allowed.
    package func mountSmallDisk(_ name: String, bytes: Int) -> String? {
        let result = mount("tmpfs", place(name), "tmpfs", 0, "size=\(bytes)")
        return result == 0 ? nil : String(cString: strerror(errno))
    }

    package func unmount(_ name: String) { umount2(place(name), Int32(MNT_DETACH)) }
}
