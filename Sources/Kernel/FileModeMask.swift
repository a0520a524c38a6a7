// The umask, which would otherwise be whatever our starter had.

import Glibc

extension Identity {
    /// From here on the mode that a file or folder is created with is the mode that it gets, but never anything for others.
    package static func setFileModeMask() { _ = umask(0o007) }

    /// The same for the administrator's tool, which also makes what everybody may read; never anything that others may write but
    /// where a mode is set on purpose.
    package static func setAdministratorsFileModeMask() { _ = umask(0o022) }
}
