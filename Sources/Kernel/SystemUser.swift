// Accounts and groups of the operating system: whom a service runs as, and who owns its folder.

import CLinux
import Glibc

/// An account of the operating system, with all its groups.
package struct SystemUser: Hashable, Sendable {
    package let uid: UInt32
    package let gid: UInt32
    package let groups: [UInt32]

    /// Nil if there is none of this name.
    package init?(named name: String) {
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        guard martlet_find_user(name, &uid, &gid) == 0 else { return nil }
        var groups = [UInt32](repeating: 0, count: 256)
        let count = martlet_groups_of(name, gid, &groups, Int32(groups.count))
        guard count >= 0 else { return nil }
        self.uid = uid
        self.gid = gid
        self.groups = Array(groups.prefix(Int(count)))
    }

    /// The number of a group, or nil.
    package static func group(named name: String) -> UInt32? {
        var gid: UInt32 = 0
        return martlet_find_group(name, &gid) == 0 ? gid : nil
    }
}

extension Descriptor {
    /// Gives the open file to an owner and a group; nil leaves what is.
    package func setOwner(uid: UInt32?, gid: UInt32?) throws(KernelError) {
        _ = try attempt(.change, on: name.bytes) { Int(fchown(raw, uid ?? .max, gid ?? .max)) }
    }
}

extension DirectoryDescriptor {
    /// Gives an entry, or with `.` the folder itself, to an owner and a group; nil leaves what is.
    package func setOwner(of name: Path, uid: UInt32?, gid: UInt32?) throws(KernelError) {
        _ = try attempt(.change, on: (path / name).bytes) {
            name.withCString { Int(martlet_chown(raw, $0, uid ?? .max, gid ?? .max)) }
        }
    }

    /// Sets the mode of the folder itself.
    package func setMode(_ mode: UInt32) throws(KernelError) {
        try descriptor.setMode(mode)
    }
}
