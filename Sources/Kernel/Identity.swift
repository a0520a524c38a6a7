// Who and where this process is.

import CLinux
import Glibc

package enum Identity {
    package static var processID: Int32 { getpid() }
    package static var userID: UInt32 { getuid() }
    package static var isRoot: Bool { geteuid() == 0 }

    package static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    package static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix(while: { $0 != 0 }).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The account name of a uid, or nil.
    package static func userName(of uid: UInt32) -> [UInt8]? {
        guard let entry = getpwuid(uid), let name = entry.pointee.pw_name else { return nil }
        return Array(String(cString: name).utf8)
    }

    /// The name of a gid, or nil.
    package static func groupName(of gid: UInt32) -> [UInt8]? {
        guard let entry = getgrgid(gid), let name = entry.pointee.gr_name else { return nil }
        return Array(String(cString: name).utf8)
    }

    package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }
}

/// Writes a line to stderr with one call, so that lines of threads do not mix.
package func writeToStandardError(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { _ = Glibc.write(2, $0.baseAddress, $0.count) }
}
package func writeToStandardOutput(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { _ = Glibc.write(1, $0.baseAddress, $0.count) }
}
