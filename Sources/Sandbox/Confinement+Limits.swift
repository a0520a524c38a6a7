// Resource limits, and the two process flags that close the way around them.

internal import CLinux

extension Confinement {
    func applyLimits() throws(ConfinementError) {
        // A core holds passwords and mail.
        try limit(MARTLET_LIMIT_CORE, "RLIMIT_CORE", to: 0)
        try limit(MARTLET_LIMIT_DESCRIPTORS, "RLIMIT_NOFILE", to: descriptors)
        try limit(MARTLET_LIMIT_PROCESSES, "RLIMIT_NPROC", to: processes)
        // What no program of ours asks for.
        try limit(MARTLET_LIMIT_LOCKED_MEMORY, "RLIMIT_MEMLOCK", to: 0)
        try limit(MARTLET_LIMIT_MESSAGE_QUEUES, "RLIMIT_MSGQUEUE", to: 0)
        try limit(MARTLET_LIMIT_NICENESS, "RLIMIT_NICE", to: 0)
        try limit(MARTLET_LIMIT_REAL_TIME, "RLIMIT_RTPRIO", to: 0)
    }

    /// Never above the hard limit, which an unprivileged process cannot raise.
    private func limit(_ resource: some BinaryInteger, _ name: String, to value: UInt64?) throws(ConfinementError) {
        guard let value else { return }
        let resource = Int32(truncatingIfNeeded: resource)
        try ConfinementError.check(name) { martlet_limit(resource, min(value, martlet_hard_limit(resource))) }
    }

    /// Nobody else of this user id may look into it, and nothing that it does gives it more.
    func closeProcess() throws(ConfinementError) {
        try ConfinementError.check("PR_SET_NO_NEW_PRIVS") { martlet_no_new_privileges() }
        try ConfinementError.check("PR_SET_DUMPABLE") { martlet_not_dumpable() }
    }

    func dropCapabilities() throws(ConfinementError) {
        try ConfinementError.check("capset") { martlet_no_capabilities() }
    }
}
