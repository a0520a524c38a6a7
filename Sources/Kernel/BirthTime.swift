// When a file came to be on this file system. It stays through writes and renames, and no copy has it.

import CLinux

extension Descriptor {
    /// Nanoseconds since 1970; nil where the file system does not say.
    package var birthTime: Int64? {
        let time = martlet_birth_time(raw)
        return time > 0 ? time : nil
    }
}
