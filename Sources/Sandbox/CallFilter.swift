// The system calls that a confined program may make: what stands on its list (CallList), some of them with certain
// arguments only. What is on no list is answered as by a kernel that lacks it, so that a library falls back; what is only
// of use to an attacker ends the process.

internal import CLinux

/// The verdict for each system call.
struct CallFilter {
    enum Verdict: UInt8 { case allow = 0, notPermitted, notImplemented, kill }

    /// Nothing honest in a mail program calls these: whoever does has taken it over.
    static let kill: [String] = [
        // Other processes and programs.
        "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp", "execve", "execveat",
        // The kernel's larger surfaces.
        "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "fanotify_init", "lookup_dcookie",
        "iopl", "ioperm", "modify_ldt", "uselib", "nfsservctl", "sysfs",
        // Other views of the system.
        "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "open_tree_attr", "fsopen", "fsconfig", "fsmount",
        "fspick", "mount_setattr", "unshare", "setns", "open_by_handle_at",
        // The machine.
        "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff",
        "acct", "quotactl", "quotactl_fd", "syslog", "vhangup", "sethostname", "setdomainname", "settimeofday", "clock_settime",
        "clock_adjtime", "adjtimex",
    ]

    /// Libraries try these on each start of a thread or once, and go on without. clone3 hides its flags behind a pointer, where
    /// no filter can look: glibc then calls clone, where it can.
    static let notImplemented: [String] = [
        "clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "epoll_pwait2", "futex_waitv", "memfd_create",
    ]

    /// A library may ask, and takes the refusal. Beside what they say themselves: modes, owners and attributes are nothing that
    /// Landlock speaks of.
    static let notPermitted: [String] = [
        "setuid", "setgid", "setresuid", "setresgid", "setreuid", "setregid", "setgroups", "setfsuid", "setfsgid", "capset",
        "personality", "mbind", "migrate_pages", "move_pages", "set_mempolicy", "name_to_handle_at", "mlock", "mlock2", "mlockall",
        "fork", "vfork", "setsid", "setpgid", "setrlimit", "setpriority", "sched_setscheduler", "sched_setparam", "sched_setattr",
        "sched_setaffinity", "ioprio_set", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal",
        "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat", "symlink", "symlinkat", "mknod", "mknodat",
        "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "chdir", "fchdir", "sync",
        "vmsplice", "splice", "tee",
    ]

    private(set) var verdicts: [(name: String, verdict: Verdict)] = []
    private(set) var arguments: [ArgumentRule] = []

    init(_ confinement: Confinement) {
        let list = CallList(confinement)
        arguments = list.arguments
        add(CallFilter.kill, .kill)
        add(CallFilter.notImplemented, .notImplemented)
        add(CallFilter.notPermitted + list.refused, .notPermitted)
        add(list.allowed, .allow)
    }

    private mutating func add(_ names: [String], _ verdict: Verdict) {
        verdicts += names.map { (name: $0, verdict: verdict) }
    }

    /// A name that this architecture has no call for allows and denies nothing.
    var rules: [martlet_call_rule] {
        verdicts.compactMap { name, verdict in
            UInt32(exactly: martlet_call_number(name)).map { martlet_call_rule(number: $0, verdict: verdict.rawValue) }
        }
    }

    func install() throws(ConfinementError) {
        let (rules, arguments) = (rules, arguments.flatMap(\.rules))
        try ConfinementError.check("seccomp") { martlet_install_filter(rules, rules.count, arguments, arguments.count) }
    }
}

/// A call that is allowed with certain values of one argument only; several rules of a call must all be met.
struct ArgumentRule {
    let call: String
    let argument: UInt8
    /// Which bits count; what the kernel reads of an argument lies in its lower half.
    var mask: UInt32 = .max
    let values: [UInt32]
    var isUpperHalf = false

    var rules: [martlet_argument_rule] {
        guard let number = UInt32(exactly: martlet_call_number(call)) else { return [] }
        return values.map {
            martlet_argument_rule(number: number, argument: argument, half: isUpperHalf ? 1 : 0, mask: mask, value: $0)
        }
    }
}
