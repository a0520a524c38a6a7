// What each kind of program calls. Gathered by watching the programs at work, and widened by what the C library, the Swift
// runtime, NIO, BoringSSL and SQLite call in other versions, on errors, and on other machines: a call too many here costs
// little, a call too few a program.

import Kernel

/// The calls that a confinement leaves, by what it is for.
struct CallList {
    private(set) var allowed: [String]
    /// What others of our programs may, and this one may not: refused without a word in the kernel's log.
    private(set) var refused: [String] = []
    private(set) var arguments: [ArgumentRule]

    init(_ confinement: Confinement) {
        allowed = CallList.runtime + CallList.waiting + CallList.input + CallList.reading
        arguments = CallList.arguments
        take(CallList.writing, if: !confinement.writable.isEmpty)
        take(CallList.transmission, if: confinement.network != .none)
        // The C library asks for these where it looks for a name service, and takes a refusal.
        var given: [String] = []
        switch confinement.network {
        case .none, .handed: break
        case .listening: given = ["accept", "accept4", "listen"] + (confinement.outgoing.isNone ? [] : ["connect"])
        case .connecting: given = ["connect"]
        }
        if confinement.relays { given.append("socketpair") }
        for name in ["accept", "accept4", "listen", "connect", "socketpair", "bind"] { take([name], if: given.contains(name)) }
        limitSockets(confinement.network, confinement.outgoing)
        limitSignals(confinement.child)
    }

    private mutating func take(_ names: [String], if isNeeded: Bool) {
        if isNeeded { allowed += names } else { refused += names }
    }

    /// Memory, threads, signals, time, and what a process asks about itself.
    static let runtime: [String] = [
        "brk", "munmap", "mremap", "madvise", "membarrier", "map_shadow_stack", "set_robust_list", "rseq", "gettid", "exit", "exit_group",
        "set_tid_address", "futex", "futex_wake", "futex_wait", "futex_requeue", "sched_yield", "sched_getaffinity", "getcpu", "rt_sigaction",
        "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigpending", "sigaltstack", "restart_syscall", "pause",
        "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
        "timerfd_create", "timerfd_settime", "timerfd_gettime", "wait4", "waitid", "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid",
        "getgroups", "getresuid", "getresgid", "getpriority", "uname", "getrlimit", "getrusage", "times", "sysinfo", "umask", "getrandom",
    ]

    static let waiting: [String] = [
        "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd", "eventfd2",
        "pipe", "pipe2",
    ]

    /// Descriptors that are open.
    static let input: [String] = [
        "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "lseek", "close", "close_range",
        "dup", "dup2", "dup3", "fstat",
    ]

    /// Files, as far as Landlock lets them be opened.
    static let reading: [String] = [
        "open", "openat", "openat2", "stat", "lstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2", "readlink",
        "readlinkat", "getdents64", "getcwd", "fadvise64", "cachestat", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    ]

    static let writing: [String] = [
        "flock", "fsync", "fdatasync", "sync_file_range", "syncfs", "truncate", "ftruncate", "fallocate", "creat", "mkdir", "mkdirat", "rename",
        "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "rmdir", "fchmod", "utime", "utimes", "futimesat", "utimensat",
        "copy_file_range", "sendfile",
    ]

    /// Connections that are there.
    static let transmission: [String] = [
        "getsockname", "getpeername", "getsockopt", "setsockopt", "shutdown", "recvfrom", "recvmsg", "recvmmsg",
    ]

    static let arguments: [ArgumentRule] = [
        // A thread of this process, in no namespace of its own: CLONE_VM, CLONE_THREAD, and none of CLONE_NEW….
        ArgumentRule(call: "clone", argument: 0, mask: 0x7E02_0000 | 0x0001_0100, values: [0x0001_0100]),
        // What is written is not executed (PROT_EXEC).
        ArgumentRule(call: "mmap", argument: 2, mask: 4, values: [0]),
        ArgumentRule(call: "mprotect", argument: 2, mask: 4, values: [0]),
        // F_DUPFD … F_SETLKW, F_OFD_… and F_DUPFD_CLOEXEC. Not F_SETOWN, which sends signals, nor F_SETLEASE, which holds up others.
        ArgumentRule(call: "fcntl", argument: 1, values: [0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030]),
        // TCGETS (whether it is a terminal), FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. Not TIOCSTI, which types for the operator.
        ArgumentRule(call: "ioctl", argument: 1, values: [0x5401, 0x541B, 0x5421, 0x5450, 0x5451]),
        // PR_SET_NAME, PR_GET_NAME, PR_SET_VMA.
        ArgumentRule(call: "prctl", argument: 0, values: [15, 16, 0x5356_4D41]),
        // One's own limits, and to look only.
        ArgumentRule(call: "prlimit64", argument: 0, values: [0]),
        ArgumentRule(call: "prlimit64", argument: 2, values: [0]),
        ArgumentRule(call: "prlimit64", argument: 2, values: [0], isUpperHalf: true),
    ]

    /// MSG_FASTOPEN connects by sending, which Landlock does not see.
    private mutating func limitSockets(_ network: Confinement.Network, _ outgoing: Confinement.Outgoing) {
        let fastOpen: UInt32 = 0x2000_0000
        for (call, argument) in [("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)] as [(String, UInt8)] {
            if network == .none { refused.append(call) } else {
                arguments.append(ArgumentRule(call: call, argument: argument, mask: fastOpen, values: [0]))
            }
        }
        // Streams of a content filter, and what DNS needs; streams and datagrams of the internet. SOCK_NONBLOCK and SOCK_CLOEXEC beside.
        switch network {
        case .listening where !outgoing.isNone: allowSockets(of: outgoing.families, kinds: outgoing.kinds)
        case .connecting: allowSockets(of: (outgoing.isLocal ? [1] : []) + [2, 10], kinds: [1, 2])
        case .none, .handed, .listening: refused.append("socket")
        }
    }

    private mutating func allowSockets(of families: [UInt32], kinds: [UInt32]) {
        arguments.append(ArgumentRule(call: "socket", argument: 0, values: families))
        arguments.append(ArgumentRule(call: "socket", argument: 1, mask: ~(0o4000 | 0o2000000), values: kinds))
    }

    private mutating func limitSignals(_ child: Int32?) {
        let own = UInt32(bitPattern: Identity.processID)
        arguments.append(ArgumentRule(call: "tgkill", argument: 0, values: [own]))
        arguments.append(ArgumentRule(call: "kill", argument: 0, values: [own] + (child.map { [UInt32(bitPattern: $0)] } ?? [])))
    }
}
