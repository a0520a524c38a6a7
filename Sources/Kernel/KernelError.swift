// The world's fault: a system call that failed, what it was for, and nothing secret.

import Glibc

/// A system call that failed. Every layer above turns it into a *temporary* failure.
package struct KernelError: Error, Hashable, Sendable {
    package let call: SystemCall
    /// The `errno` value.
    package let code: Int32
    /// The file or address that the call was about; may be empty.
    package let object: [UInt8]

    package init(_ call: SystemCall, code: Int32, object: [UInt8] = []) {
        self.call = call
        self.code = code
        self.object = object
    }

    package var isMissing: Bool { code == ENOENT }
    /// This process or the machine lacks something, or the disk fails: the same call may succeed later.
    package var isExhaustion: Bool { [EMFILE, ENFILE, ENOMEM, EIO, ENOSPC, EDQUOT].contains(code) }

    package var exists: Bool { code == EEXIST }
    /// Where a folder was to be opened without following links, there is a link or something else.
    package var isLinkOrNoFolder: Bool { code == ELOOP || code == ENOTDIR }
    package var wouldBlock: Bool { code == EAGAIN || code == EWOULDBLOCK }
    package var permissionDenied: Bool { code == EACCES || code == EPERM }
    package var addressInUse: Bool { code == EADDRINUSE }

    /// The disk, the quota or the file size limit is exhausted: space may come back by itself.
    package var isNoSpace: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }
}

extension KernelError: CustomStringConvertible {
    /// `cannot open spool/queued: Permission denied`
    package var description: String {
        "cannot \(call.rawValue)\(object.isEmpty ? "" : " " + String(decoding: object, as: UTF8.self)): \(String(cString: strerror(code)))"
    }
}

/// The calls that can fail on us, by the verb that people read in an error.
package enum SystemCall: String, Sendable, CaseIterable {
    case open, create, read, write, sync, truncate, rename, link, unlink, close, lock, status = "examine", list
    case makeDirectory = "make folder", punch, watch, wait, allocate, change = "change mode of", listen, spawn, signal, random
}
