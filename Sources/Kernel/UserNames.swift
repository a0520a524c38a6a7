// Who has which user id. A confined program cannot ask any more: it takes the names along.

import Glibc

/// The user database as it was at one time.
package struct UserNames: Sendable {
    private static let folder: Path = "/etc", file: Path = "passwd"
    /// More are not listed: a directory service of that size names its users to whoever asks for one.
    private static let most = 65_536

    private let names: [UInt32: [UInt8]]
    private let stamp: FileStatus?
    private let taken = MonotonicTime.now()

    /// Reads all users that the system lists. Not thread-safe: for the time before the first thread.
    package static func read() -> UserNames {
        // Taken before: a change while it is read counts as one.
        let stamp = UserNames.stamp
        var names: [UInt32: [UInt8]] = [:]
        setpwent()
        defer { endpwent() }
        while names.count < most, let entry = getpwent() {
            guard let name = entry.pointee.pw_name, names[entry.pointee.pw_uid] == nil else { continue }
            names[entry.pointee.pw_uid] = Array(String(cString: name).utf8)
        }
        return UserNames(names: names, stamp: stamp)
    }

    /// Nil if nobody had this id then.
    package func name(of uid: UInt32) -> [UInt8]? { names[uid] }

    /// Whether the machine's own users have changed since: then a process that begins now knows more.
    package var isOutdated: Bool { UserNames.stamp != stamp }

    package var age: Duration { MonotonicTime.now() - taken }

    private static var stamp: FileStatus? { try? DirectoryDescriptor(passing: folder).status(of: file) }
}
