// The umask, which would otherwise be whatever our starter had.

import Glibc

extension Identity {
    /// From here on the mode that a file or folder is created with is the mode that it gets, but never anything for others.
    package static func setFileModeMask() { _ = umask(0o007) }
}
