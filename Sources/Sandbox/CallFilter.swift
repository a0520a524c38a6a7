// System calls that no program of ours makes once it serves. A list of what is denied; `otherwise` is the place where a
// program's list of what is allowed will turn it round.

internal import CLinux

/// The verdict for each system call that the filter knows.
struct CallFilter {
    enum Verdict: UInt8 { case allow = 0, notPermitted, notImplemented, kill }

    /// Nothing honest in a mail program calls these: whoever does has taken it over.
    static let kill: [String] = [
        // Other processes.
        "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
        // The kernel's larger surfaces.
        "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "fanotify_init", "lookup_dcookie",
        "iopl", "ioperm", "modify_ldt", "uselib", "nfsservctl", "sysfs",
        // Other views of the system.
        "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
        "mount_setattr", "unshare", "setns", "open_by_handle_at",
        // The machine.
        "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff",
        "acct", "quotactl", "syslog", "vhangup", "sethostname", "setdomainname", "settimeofday", "clock_settime",
        "clock_adjtime", "adjtimex",
    ]

    /// Libraries try these and go on without.
    static let notImplemented: [String] = ["io_uring_setup", "io_uring_enter", "io_uring_register"]

    /// A library may ask, and takes the refusal.
    static let notPermitted: [String] = [
        "setuid", "setgid", "setresuid", "setresgid", "setreuid", "setregid", "setgroups", "setfsuid", "setfsgid", "capset",
        "personality", "mbind", "migrate_pages", "move_pages", "set_mempolicy", "name_to_handle_at",
    ]

    static let execution: [String] = ["execve", "execveat"]

    private(set) var verdicts: [(name: String, verdict: Verdict)] = []
    private(set) var otherwise = Verdict.allow
    let deniesInternet: Bool

    init(_ confinement: Confinement) {
        switch confinement.network {
        case .none, .inheritedSockets: deniesInternet = true
        case .connecting, .unrestricted: deniesInternet = false
        }
        add(CallFilter.kill, .kill)
        add(CallFilter.notImplemented, .notImplemented)
        if !confinement.mayExecute {
            add(CallFilter.notPermitted, .notPermitted)
            add(CallFilter.execution, .kill)
        }
        if confinement.network == .none { add(["bind", "listen"], .notPermitted) }
    }

    private mutating func add(_ names: [String], _ verdict: Verdict) {
        verdicts += names.map { (name: $0, verdict: verdict) }
    }

    /// A name that this architecture has no call for denies nothing, there being nothing to deny.
    var rules: [martlet_call_rule] {
        verdicts.compactMap { name, verdict in
            UInt32(exactly: martlet_call_number(name)).map { martlet_call_rule(number: $0, verdict: verdict.rawValue) }
        }
    }

    func install() throws(ConfinementError) {
        let rules = rules
        try ConfinementError.check("seccomp") {
            martlet_install_filter(rules, rules.count, otherwise.rawValue, deniesInternet ? 1 : 0)
        }
    }
}
