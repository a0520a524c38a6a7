// What the machine is like: addresses, filesystems, clock, what the kernel can confine. Read, never changed.

internal import CLinux
import Glibc

/// A mounted filesystem as statfs(2) describes it.
package struct FileSystem: Hashable, Sendable {
    /// The number in `linux/magic.h`.
    package let type: UInt32
    /// Bytes and inodes, in all and free for unprivileged writers; inodes are 0 where the filesystem has no limit.
    package let size: Int64, free: Int64
    package let inodes: Int64, freeInodes: Int64

    package init(type: UInt32, size: Int64, free: Int64, inodes: Int64, freeInodes: Int64) {
        self.type = type
        self.size = size
        self.free = free
        self.inodes = inodes
        self.freeInodes = freeInodes
    }

    package init(at path: Path) throws(KernelError) {
        var facts: [UInt64] = [0, 0, 0, 0, 0]
        _ = try attempt(.status, on: path.bytes) { path.withCString { Int(martlet_filesystem($0, &facts)) } }
        self.init(
            type: UInt32(truncatingIfNeeded: facts[0]), size: Int64(clamping: facts[1]), free: Int64(clamping: facts[2]),
            inodes: Int64(clamping: facts[3]), freeInodes: Int64(clamping: facts[4]))
    }
}

package enum Machine {
    /// Whether the kernel believes that its clock follows a reference; nil where it may not be asked.
    package static var clockIsSynchronised: Bool? {
        switch martlet_clock_is_synchronised() {
        case 0: false
        case 1: true
        default: nil
        }
    }

    /// The Landlock ABI of the running kernel; 0 for none.
    package static var landlockABI: Int32 { martlet_landlock_abi() }

    /// The addresses of all interfaces that are up, loopback left out: 4 or 16 bytes each.
    package static func addresses() -> [[UInt8]] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var found: [[UInt8]] = []
        var next = first
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard entry.ifa_flags & UInt32(IFF_UP) != 0, entry.ifa_flags & UInt32(IFF_LOOPBACK) == 0, let name = entry.ifa_addr else { continue }
            let address: [UInt8]
            switch Int32(name.pointee.sa_family) {
            case AF_INET: address = Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(name) + 4, count: 4))
            case AF_INET6: address = Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(name) + 8, count: 16))
            default: continue
            }
            if !found.contains(address) { found.append(address) }
        }
        return found
    }

    /// The whole of a file that says no size, as those of /proc; nil where it cannot be read. At most 4 MiB.
    package static func text(of file: Path) -> [UInt8]? {
        guard let folder = try? DirectoryDescriptor(opening: file.parent), let opened = try? folder.open(file.lastComponent) else { return nil }
        var out: [UInt8] = []
        while out.count < 4 << 20 {
            guard let piece = try? opened.read(65536, at: Int64(out.count)) else { return nil }
            if piece.isEmpty { return out }
            out += piece
        }
        return out
    }
}
