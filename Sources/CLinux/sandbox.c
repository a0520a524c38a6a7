#define _GNU_SOURCE
#include "sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int martlet_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
int martlet_not_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// Landlock's numbers stand here and not in the distribution's header, which may be older than the kernel.
#define LANDLOCK_CREATE 444
#define LANDLOCK_ADD 445
#define LANDLOCK_RESTRICT 446
#define RULE_PATH 1
#define RULE_PORT 2
// EXECUTE, WRITE_FILE, READ_FILE, TRUNCATE, IOCTL_DEV: what a rule on a file may speak of.
#define FILE_RIGHTS (1ULL << 0 | 1ULL << 1 | 1ULL << 2 | 1ULL << 14 | 1ULL << 15)

struct ruleset { uint64_t files, network, scopes; };
struct __attribute__((packed)) path_rule { uint64_t rights; int32_t parent; };
struct port_rule { uint64_t rights, port; };

int martlet_landlock_abi(void) {
    long abi = syscall(LANDLOCK_CREATE, NULL, 0, 1);
    return abi < 0 ? 0 : (int)abi;
}

int martlet_landlock_ruleset(uint64_t files, uint64_t network, uint64_t scopes, int abi) {
    struct ruleset set = {files, network, scopes};
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    return (int)syscall(LANDLOCK_CREATE, &set, size, 0);
}

int martlet_landlock_allow_path(int ruleset, const char *path, uint64_t rights) {
    struct stat status;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return -1;
    long result = fstat(fd, &status);
    if (result == 0) {
        struct path_rule rule = {S_ISDIR(status.st_mode) ? rights : rights & FILE_RIGHTS, fd};
        result = syscall(LANDLOCK_ADD, ruleset, RULE_PATH, &rule, 0);
    }
    int code = errno;
    close(fd);
    errno = code;
    return (int)result;
}

int martlet_landlock_allow_port(int ruleset, uint16_t port, uint64_t rights) {
    struct port_rule rule = {rights, port};
    return (int)syscall(LANDLOCK_ADD, ruleset, RULE_PORT, &rule, 0);
}

int martlet_landlock_enforce(int ruleset) { return (int)syscall(LANDLOCK_RESTRICT, ruleset, 0); }

static const struct { const char *name; long number; } calls[] = {
#define CALL(name) {#name, SYS_##name},
    CALL(ptrace) CALL(process_vm_readv) CALL(process_vm_writev) CALL(process_madvise) CALL(pidfd_getfd) CALL(kcmp)
    CALL(bpf) CALL(perf_event_open) CALL(userfaultfd) CALL(keyctl) CALL(add_key) CALL(request_key)
    CALL(io_uring_setup) CALL(io_uring_enter) CALL(io_uring_register)
    CALL(mount) CALL(umount2) CALL(pivot_root) CALL(chroot) CALL(move_mount) CALL(open_tree) CALL(fsopen) CALL(fsconfig)
    CALL(fsmount) CALL(fspick) CALL(mount_setattr) CALL(quotactl) CALL(swapon) CALL(swapoff) CALL(acct)
    CALL(init_module) CALL(finit_module) CALL(delete_module) CALL(kexec_load) CALL(reboot) CALL(syslog)
    CALL(unshare) CALL(setns) CALL(sethostname) CALL(setdomainname) CALL(settimeofday) CALL(clock_settime)
    CALL(clock_adjtime) CALL(adjtimex) CALL(open_by_handle_at) CALL(name_to_handle_at) CALL(fanotify_init)
    CALL(lookup_dcookie) CALL(vhangup) CALL(personality) CALL(nfsservctl) CALL(mbind) CALL(migrate_pages) CALL(move_pages)
    CALL(set_mempolicy) CALL(execve) CALL(execveat) CALL(setuid) CALL(setgid) CALL(setresuid) CALL(setresgid) CALL(setreuid)
    CALL(setregid) CALL(setgroups) CALL(setfsuid) CALL(setfsgid) CALL(capset) CALL(bind) CALL(listen) CALL(connect)
#ifdef SYS_kexec_file_load
    CALL(kexec_file_load)
#endif
#if defined(__x86_64__)
    CALL(iopl) CALL(ioperm) CALL(modify_ldt) CALL(uselib) CALL(ustat) CALL(sysfs)
#endif
#undef CALL
};

long martlet_call_number(const char *name) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].name, name) == 0) return calls[i].number;
    return -1;
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the filter knows no other architecture"
#endif

static uint32_t verdict(uint8_t ours) {
    switch (ours) {
    case MARTLET_CALL_ALLOW: return SECCOMP_RET_ALLOW;
    case MARTLET_CALL_EPERM: return SECCOMP_RET_ERRNO | EPERM;
    case MARTLET_CALL_ENOSYS: return SECCOMP_RET_ERRNO | ENOSYS;
    default: return SECCOMP_RET_KILL_PROCESS;
    }
}

#define STATEMENT(code, k) ((struct sock_filter)BPF_STMT(code, k))
#define JUMP(code, k, t, f) ((struct sock_filter)BPF_JUMP(code, k, t, f))
#define LOAD(field) STATEMENT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) STATEMENT(BPF_RET | BPF_K, value)

static size_t put_socket_rule(struct sock_filter *out) {
    static const uint32_t families[] = {AF_INET, AF_INET6, AF_PACKET, AF_NETLINK};
    size_t n = 0;
    out[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 10);
    out[n++] = LOAD(args[0]);
    for (int i = 0; i < 4; i++) {
        out[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, families[i], 0, 1);
        out[n++] = RETURN(SECCOMP_RET_ERRNO | EPERM);
    }
    out[n++] = LOAD(nr);
    return n;
}

int martlet_install_filter(const struct martlet_call_rule *rules, size_t count, uint8_t otherwise, int denies_internet) {
    if (count > 500) {
        errno = EINVAL;
        return -1;
    }
    struct sock_filter *out = calloc(32 + 2 * count, sizeof *out);
    if (!out) return -1;
    size_t n = 0;
    out[n++] = LOAD(arch);
    out[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    out[n++] = RETURN(SECCOMP_RET_KILL_PROCESS);
    out[n++] = LOAD(nr);
#if defined(__x86_64__)
    // The x32 calls: the same kernel by other numbers.
    out[n++] = JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
    out[n++] = RETURN(SECCOMP_RET_KILL_PROCESS);
#endif
    if (denies_internet) n += put_socket_rule(out + n);
    for (size_t i = 0; i < count; i++) {
        out[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, rules[i].number, 0, 1);
        out[n++] = RETURN(verdict(rules[i].verdict));
    }
    out[n++] = RETURN(verdict(otherwise));
    struct sock_fprog program = {.len = (unsigned short)n, .filter = out};
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    int code = errno;
    free(out);
    errno = code;
    return (int)result;
}

static int resource_of(int ours) {
    switch (ours) {
    case MARTLET_LIMIT_CORE: return RLIMIT_CORE;
    case MARTLET_LIMIT_DESCRIPTORS: return RLIMIT_NOFILE;
    case MARTLET_LIMIT_PROCESSES: return RLIMIT_NPROC;
    default: return RLIMIT_FSIZE;
    }
}

int martlet_limit(int resource, uint64_t value) {
    struct rlimit limit = {value, value};
    // A write beyond the limit is then EFBIG, which callers know, and not a signal that ends the process.
    if (resource == MARTLET_LIMIT_FILE_SIZE) signal(SIGXFSZ, SIG_IGN);
    return setrlimit(resource_of(resource), &limit);
}

uint64_t martlet_hard_limit(int resource) {
    struct rlimit limit = {0, 0};
    return getrlimit(resource_of(resource), &limit) < 0 ? 0 : limit.rlim_max;
}

int martlet_thread_count(void) {
    char text[4096];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return -1;
    text[n] = 0;
    char *line = strstr(text, "\nThreads:");
    return line ? atoi(line + 9) : -1;
}

int martlet_last_error(void) { return errno; }
const char *martlet_error_text(int code) { return strerror(code); }
long martlet_try_call(long number) { return syscall(number, 0, 0, 0, 0, 0, 0); }
