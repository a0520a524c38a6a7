// Resource limits, and the two process flags that close the way around them.

internal import CLinux

extension Confinement {
    func applyLimits() throws(ConfinementError) {
        // A core holds passwords and mail.
        try limit(MARTLET_LIMIT_CORE, "RLIMIT_CORE", to: 0)
        try limit(MARTLET_LIMIT_DESCRIPTORS, "RLIMIT_NOFILE", to: descriptors)
        try limit(MARTLET_LIMIT_PROCESSES, "RLIMIT_NPROC", to: processes)
        try limit(MARTLET_LIMIT_FILE_SIZE, "RLIMIT_FSIZE", to: fileSize)
    }

    /// Never above the hard limit, which an unprivileged process cannot raise.
    private func limit(_ resource: some BinaryInteger, _ name: String, to value: UInt64?) throws(ConfinementError) {
        guard let value else { return }
        let resource = Int32(truncatingIfNeeded: resource)
        try ConfinementError.check(name) { martlet_limit(resource, min(value, martlet_hard_limit(resource))) }
    }

    func martletNoNewPrivileges() -> Int32 { martlet_no_new_privileges() }
    func martletNotDumpable() -> Int32 { martlet_not_dumpable() }
}
