// Two seccomp filters from one description. A call whose verdict depends on its number alone is remembered by the kernel
// (5.11) and costs no run of either.
#define _GNU_SOURCE
#include "filter.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { const char *name; uint32_t number; } calls[] = {
#define CALL(name) {#name, SYS_##name},
    // Memory, threads, signals, time.
    CALL(brk) CALL(mmap) CALL(munmap) CALL(mremap) CALL(mprotect) CALL(madvise) CALL(membarrier) CALL(clone) CALL(clone3)
    CALL(set_robust_list) CALL(gettid) CALL(exit) CALL(exit_group) CALL(futex) CALL(sched_yield) CALL(sched_getaffinity)
    CALL(getcpu) CALL(rt_sigaction) CALL(rt_sigprocmask) CALL(rt_sigreturn) CALL(rt_sigtimedwait) CALL(rt_sigpending)
    CALL(sigaltstack) CALL(tgkill) CALL(kill) CALL(restart_syscall) CALL(clock_gettime) CALL(clock_getres)
    CALL(clock_nanosleep) CALL(nanosleep) CALL(gettimeofday) CALL(timerfd_create) CALL(timerfd_settime)
    CALL(timerfd_gettime) CALL(wait4) CALL(waitid) CALL(set_tid_address)
    // The process.
    CALL(getpid) CALL(getppid) CALL(getuid) CALL(geteuid) CALL(getgid) CALL(getegid) CALL(getgroups) CALL(getresuid)
    CALL(getresgid) CALL(uname) CALL(getrlimit) CALL(prlimit64) CALL(getrusage) CALL(times) CALL(sysinfo) CALL(umask)
    CALL(getrandom) CALL(prctl) CALL(setrlimit) CALL(setpriority) CALL(getpriority) CALL(sched_setscheduler)
    CALL(sched_setparam) CALL(sched_setattr) CALL(sched_setaffinity) CALL(ioprio_set) CALL(setsid) CALL(setpgid)
    CALL(setitimer) CALL(mlock) CALL(mlock2) CALL(mlockall) CALL(tkill) CALL(rt_sigqueueinfo) CALL(rt_tgsigqueueinfo)
    CALL(pidfd_open) CALL(pidfd_send_signal) CALL(seccomp)
    // Waiting and descriptors.
    CALL(ppoll) CALL(pselect6) CALL(epoll_create1) CALL(epoll_ctl) CALL(epoll_pwait) CALL(epoll_pwait2) CALL(eventfd2)
    CALL(pipe2) CALL(read) CALL(write) CALL(readv) CALL(writev) CALL(pread64) CALL(pwrite64) CALL(preadv) CALL(pwritev)
    CALL(preadv2) CALL(pwritev2) CALL(lseek) CALL(close) CALL(close_range) CALL(dup) CALL(dup3) CALL(fcntl) CALL(ioctl)
    CALL(memfd_create) CALL(vmsplice) CALL(splice) CALL(tee)
    // Files.
    CALL(openat) CALL(openat2) CALL(fstat) CALL(newfstatat) CALL(statx) CALL(statfs) CALL(fstatfs) CALL(faccessat)
    CALL(faccessat2) CALL(readlinkat) CALL(getdents64) CALL(getcwd) CALL(fadvise64) CALL(inotify_init1)
    CALL(inotify_add_watch) CALL(inotify_rm_watch) CALL(flock) CALL(fsync) CALL(fdatasync) CALL(sync_file_range)
    CALL(syncfs) CALL(truncate) CALL(ftruncate) CALL(fallocate) CALL(mkdirat) CALL(renameat2) CALL(linkat) CALL(unlinkat)
    CALL(fchmod) CALL(fchmodat) CALL(fchown) CALL(fchownat) CALL(utimensat) CALL(copy_file_range) CALL(sendfile)
    CALL(symlinkat) CALL(mknodat) CALL(setxattr) CALL(lsetxattr) CALL(fsetxattr) CALL(removexattr) CALL(lremovexattr)
    CALL(fremovexattr) CALL(chdir) CALL(fchdir) CALL(sync)
    // Sockets.
    CALL(socket) CALL(socketpair) CALL(bind) CALL(listen) CALL(connect) CALL(accept) CALL(accept4) CALL(getsockname)
    CALL(getpeername) CALL(getsockopt) CALL(setsockopt) CALL(shutdown) CALL(sendto) CALL(recvfrom) CALL(sendmsg)
    CALL(recvmsg) CALL(sendmmsg) CALL(recvmmsg)
    // What nobody makes.
    CALL(ptrace) CALL(process_vm_readv) CALL(process_vm_writev) CALL(process_madvise) CALL(kcmp)
    CALL(bpf) CALL(perf_event_open) CALL(userfaultfd) CALL(keyctl) CALL(add_key) CALL(request_key)
    CALL(io_uring_setup) CALL(io_uring_enter) CALL(io_uring_register) CALL(fanotify_init) CALL(lookup_dcookie)
    CALL(mount) CALL(umount2) CALL(pivot_root) CALL(chroot) CALL(move_mount) CALL(open_tree) CALL(fsopen) CALL(fsconfig)
    CALL(fsmount) CALL(fspick) CALL(quotactl) CALL(swapon) CALL(swapoff) CALL(acct) CALL(nfsservctl) CALL(vhangup)
    CALL(init_module) CALL(finit_module) CALL(delete_module) CALL(kexec_load) CALL(reboot) CALL(syslog) CALL(unshare)
    CALL(setns) CALL(sethostname) CALL(setdomainname) CALL(settimeofday) CALL(clock_settime) CALL(clock_adjtime)
    CALL(adjtimex) CALL(open_by_handle_at) CALL(name_to_handle_at) CALL(personality) CALL(mbind) CALL(migrate_pages)
    CALL(move_pages) CALL(set_mempolicy) CALL(execve) CALL(execveat) CALL(setuid) CALL(setgid) CALL(setresuid)
    CALL(setresgid) CALL(setreuid) CALL(setregid) CALL(setgroups) CALL(setfsuid) CALL(setfsgid) CALL(capset)
#ifdef SYS_kexec_file_load
    CALL(kexec_file_load)
#endif
#ifdef SYS_renameat
    CALL(renameat)
#endif
#if defined(__x86_64__)
    // The same things by their older numbers.
    CALL(time) CALL(pause) CALL(poll) CALL(select) CALL(epoll_create) CALL(epoll_wait) CALL(eventfd) CALL(pipe) CALL(dup2)
    CALL(open) CALL(stat) CALL(lstat) CALL(access) CALL(readlink) CALL(inotify_init) CALL(mkdir) CALL(rename) CALL(link)
    CALL(unlink) CALL(rmdir) CALL(chmod) CALL(chown) CALL(lchown) CALL(symlink) CALL(mknod) CALL(creat) CALL(getpgrp)
    CALL(arch_prctl) CALL(fork) CALL(vfork) CALL(alarm) CALL(utimes) CALL(futimesat) CALL(utime) CALL(iopl) CALL(ioperm)
    CALL(modify_ldt) CALL(uselib) CALL(ustat) CALL(sysfs)
#endif
#undef CALL
    // Younger than the headers of the oldest distribution that builds this; one number on every architecture.
    {"rseq",
#if defined(__x86_64__)
     334},
#else
     293},
#endif
    {"pidfd_getfd", 438}, {"mount_setattr", 442}, {"quotactl_fd", 443}, {"futex_waitv", 449}, {"cachestat", 451},
    {"fchmodat2", 452}, {"map_shadow_stack", 453}, {"futex_wake", 454}, {"futex_wait", 455}, {"futex_requeue", 456},
    {"open_tree_attr", 467},
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

#define STATEMENT(code, k) ((struct sock_filter)BPF_STMT(code, k))
#define JUMP(code, k, t, f) ((struct sock_filter)BPF_JUMP(BPF_JMP | code | BPF_K, k, t, f))
#define LOAD(offset) STATEMENT(BPF_LD | BPF_W | BPF_ABS, offset)
#define RETURN(value) STATEMENT(BPF_RET | BPF_K, value)
#define REFUSED(code) RETURN(SECCOMP_RET_ERRNO | (code))

static struct sock_filter verdict(uint8_t ours) {
    switch (ours) {
    case MARTLET_CALL_ALLOW: return RETURN(SECCOMP_RET_ALLOW);
    case MARTLET_CALL_EPERM: return REFUSED(EPERM);
    case MARTLET_CALL_ENOSYS: return REFUSED(ENOSYS);
    default: return RETURN(SECCOMP_RET_KILL_PROCESS);
    }
}

static size_t put_beginning(struct sock_filter *out) {
    size_t n = 0;
    out[n++] = LOAD(offsetof(struct seccomp_data, arch));
    out[n++] = JUMP(BPF_JEQ, ARCHITECTURE, 1, 0);
    out[n++] = RETURN(SECCOMP_RET_KILL_PROCESS);
    out[n++] = LOAD(offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    // The x32 calls: the same kernel by other numbers. -1 is no call: a tracer puts it in place of one that it takes away.
    out[n++] = JUMP(BPF_JGE, 0x40000000, 0, 3);
    out[n++] = JUMP(BPF_JEQ, 0xffffffff, 1, 0);
    out[n++] = RETURN(SECCOMP_RET_KILL_PROCESS);
    out[n++] = RETURN(SECCOMP_RET_ALLOW);
#endif
    return n;
}

static int same_call(const struct martlet_argument_rule *a, const struct martlet_argument_rule *b) { return a->number == b->number; }
static int same_test(const struct martlet_argument_rule *a, const struct martlet_argument_rule *b) {
    return same_call(a, b) && a->argument == b->argument && a->half == b->half && a->mask == b->mask;
}

/// All tests of one call, each of which one value must meet; `used` rules are taken.
static size_t put_arguments(struct sock_filter *out, const struct martlet_argument_rule *rules, size_t count, size_t *used) {
    size_t n = 1, i = 0;
    while (i < count && same_call(rules, rules + i)) {
        size_t end = i;
        while (end < count && same_test(rules + i, rules + end)) end++;
        out[n++] = LOAD(offsetof(struct seccomp_data, args) + 8 * rules[i].argument + 4 * rules[i].half);
        if (rules[i].mask != ~0u) out[n++] = STATEMENT(BPF_ALU | BPF_AND | BPF_K, rules[i].mask);
        for (; i < end; i++) out[n++] = JUMP(BPF_JEQ, rules[i].value, (uint8_t)(end - i), 0);
        out[n++] = REFUSED(EPERM);
    }
    out[n++] = RETURN(SECCOMP_RET_ALLOW);
    out[0] = JUMP(BPF_JEQ, rules->number, 0, (uint8_t)(n - 1));
    *used = i;
    return n;
}

static int install(struct sock_filter *out, size_t count, unsigned flags) {
    struct sock_fprog program = {.len = (unsigned short)count, .filter = out};
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    // A kernel that cannot log refusals is older than 4.14.
    if (result < 0 && errno == EINVAL && flags) result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    return (int)result;
}

static int install_refusals(struct sock_filter *out, const struct martlet_call_rule *rules, size_t count,
                            const struct martlet_argument_rule *arguments, size_t argument_count) {
    size_t n = put_beginning(out);
    for (size_t i = 0, used = 0; i < argument_count; i += used)
        n += put_arguments(out + n, arguments + i, argument_count - i, &used);
    for (size_t i = 0; i < count; i++) {
        if (rules[i].verdict == MARTLET_CALL_ALLOW) continue;
        out[n++] = JUMP(BPF_JEQ, rules[i].number, 0, 1);
        out[n++] = verdict(rules[i].verdict);
    }
    out[n++] = RETURN(SECCOMP_RET_ALLOW);
    return install(out, n, 0);
}

struct range { uint32_t first, last; };

/// Allows what lies in one of the ranges: a binary search of as many steps as the count has bits.
static size_t put_search(struct sock_filter *out, const struct range *ranges, size_t count) {
    if (count == 1) {
        out[0] = JUMP(BPF_JGE, ranges->first, 0, 1);
        out[1] = JUMP(BPF_JGT, ranges->last, 0, 1);
        out[2] = REFUSED(ENOSYS);
        out[3] = RETURN(SECCOMP_RET_ALLOW);
        return 4;
    }
    size_t half = count / 2, left = put_search(out + 2, ranges, half);
    out[0] = JUMP(BPF_JGE, ranges[half].first, 0, 1);
    out[1] = STATEMENT(BPF_JMP | BPF_JA, (uint32_t)left);
    return 2 + left + put_search(out + 2 + left, ranges + half, count - half);
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int install_list(struct sock_filter *out, uint32_t *numbers, size_t count) {
    struct range ranges[MARTLET_MOST_CALLS];
    size_t used = 0;
    qsort(numbers, count, sizeof *numbers, by_number);
    for (size_t i = 0; i < count; i++)
        if (used && numbers[i] <= ranges[used - 1].last + 1) ranges[used - 1].last = numbers[i];
        else ranges[used++] = (struct range){numbers[i], numbers[i]};
    size_t n = put_beginning(out);
    n += put_search(out + n, ranges, used);
    return install(out, n, SECCOMP_FILTER_FLAG_LOG);
}

int martlet_install_filter(const struct martlet_call_rule *rules, size_t count,
                           const struct martlet_argument_rule *arguments, size_t argument_count) {
    uint32_t numbers[MARTLET_MOST_CALLS];
    if (count == 0 || count + argument_count > MARTLET_MOST_CALLS) {
        errno = EINVAL;
        return -1;
    }
    struct sock_filter *out = calloc(32 + 7 * (count + argument_count), sizeof *out);
    if (!out) return -1;
    // What the first refuses the second lets pass: the first one's answer counts then, and nothing of it is logged.
    size_t known = 0;
    for (size_t i = 0; i < count; i++) numbers[known++] = rules[i].number;
    for (size_t i = 0; i < argument_count; i++) numbers[known++] = arguments[i].number;
    int result = install_refusals(out, rules, count, arguments, argument_count);
    if (result >= 0) result = install_list(out, numbers, known);
    int code = errno;
    free(out);
    errno = code;
    return result;
}
