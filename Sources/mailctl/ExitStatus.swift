// Exit codes by sysexits(3): a script can tell a typing error from a full disk.

/// What mailctl's exit code says.
enum ExitStatus: Int32, Sendable {
    case usage = 64
    /// The input is wrong: an address that is none, a name that is taken.
    case data = 65
    /// Something named does not exist.
    case noInput = 66
    /// A service is not there.
    case unavailable = 69
    case software = 70
    /// Something to be made is there already, or cannot be made.
    case cannotCreate = 73
    case inputOutput = 74
    /// Try again later.
    case temporary = 75
    case noPermission = 77
    case configuration = 78
}
