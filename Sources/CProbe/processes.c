// Other programs, and what a process is itself.
#define _GNU_SOURCE
#include "acts.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const nothing[] = {NULL};
static int execute(const struct probe *p) { (void)p; return outcome(execve("/bin/true", nothing, nothing)); }
static int execute_at(const struct probe *p) {
    (void)p;
    return outcome(syscall(SYS_execveat, AT_FDCWD, "/bin/true", nothing, nothing, 0));
}

static int born(long pid) {
    if (pid == 0) _exit(0);
    if (pid < 0) return errno;
    waitpid((pid_t)pid, NULL, 0);
    return 0;
}

static int start_process(const struct probe *p) {
    (void)p;
#if defined(__x86_64__)
    return born(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
#else
    return born(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
#endif
}
static int start_by_clone3(const struct probe *p) {
    (void)p;
    struct { uint64_t flags, pidfd, child, parent, exit, stack, size, tls; } what = {.exit = SIGCHLD};
    return born(syscall(SYS_clone3, &what, sizeof what));
}
static int start_as_owner_of_namespace(const struct probe *p) {
    (void)p;
    return born(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static int trace(const struct probe *p) { return outcome(ptrace(PTRACE_SEIZE, p->neighbour, 0, 0)); }
static int move_memory(const struct probe *p, long call) {
    long word = 0;
    struct iovec here = {&word, sizeof word}, there = {p->neighbours_word, sizeof word};
    return outcome(syscall(call, p->neighbour, &here, 1L, &there, 1L, 0L));
}
static int read_memory(const struct probe *p) { return move_memory(p, SYS_process_vm_readv); }
static int write_memory(const struct probe *p) { return move_memory(p, SYS_process_vm_writev); }

static int open_of(pid_t pid, const char *name, int flags) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, flags | O_CLOEXEC);
    if (fd >= 0) close(fd);
    return outcome(fd);
}
static int open_memory(const struct probe *p) { return open_of(p->neighbour, "mem", O_RDWR); }
static int read_environment(const struct probe *p) { return open_of(p->neighbour, "environ", O_RDONLY); }
static int list_descriptors(const struct probe *p) { return open_of(p->neighbour, "fd", O_RDONLY | O_DIRECTORY); }
static int read_command(const struct probe *p) { return open_of(p->stranger, "cmdline", O_RDONLY); }
static int list_processes(const struct probe *p) { (void)p; return outcome(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

static int open_process(const struct probe *p) { return outcome(syscall(SYS_pidfd_open, p->neighbour, 0)); }
static int take_descriptor(const struct probe *p) {
    // As good as any: without the right to it, 0 fails as another number would.
    int fd = (int)syscall(SYS_pidfd_open, p->is_confined ? getpid() : p->neighbour, 0);
    return outcome(syscall(438 /* pidfd_getfd */, fd, 0, 0));
}
static int compare(const struct probe *p) { return outcome(syscall(SYS_kcmp, p->neighbour, p->stranger, 2 /* KCMP_FILES */, 0, 0)); }

static int signal_neighbour(const struct probe *p) { return outcome(kill(p->neighbour, SIGCONT)); }
static int signal_stranger(const struct probe *p) { return outcome(kill(p->stranger, SIGCONT)); }
static int signal_all(const struct probe *p) { (void)p; return outcome(kill(-1, 0)); }
static int signal_thread(const struct probe *p) { return outcome(syscall(SYS_tgkill, p->neighbour, p->neighbour, SIGCONT)); }
static int queue_signal(const struct probe *p) {
    siginfo_t what = {.si_signo = SIGCONT, .si_code = SI_QUEUE};
    return outcome(syscall(SYS_rt_sigqueueinfo, p->neighbour, SIGCONT, &what));
}
static int signal_by_io(const struct probe *p) {
    int ends[2];
    return pipe(ends) < 0 ? errno : outcome(fcntl(ends[0], F_SETOWN, p->neighbour));
}

static int limit_another(const struct probe *p) {
    (void)p;
    // Whoever started the act, to what it has: of the same user, root is allowed that without a capability too.
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) < 0) return errno;
    return outcome(prlimit(getppid(), RLIMIT_CORE, &limit, NULL));
}
static int slow_neighbour(const struct probe *p) { return outcome(setpriority(PRIO_PROCESS, (id_t)p->neighbour, 1)); }
static int pin_neighbour(const struct probe *p) {
    unsigned long first = 1;
    return outcome(syscall(SYS_sched_setaffinity, p->neighbour, sizeof first, &first));
}
static int hurry(const struct probe *p) { (void)p; return outcome(setpriority(PRIO_PROCESS, 0, -5)); }
static int raise_limit(const struct probe *p) {
    (void)p;
    struct rlimit limit;
    // As far as it may go: beyond that root itself needs a capability that a container may not have.
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return errno;
    limit.rlim_cur = limit.rlim_max;
    return outcome(setrlimit(RLIMIT_NOFILE, &limit));
}
static int allow_cores(const struct probe *p) {
    (void)p;
    struct rlimit limit = {4096, RLIM_INFINITY};
    return outcome(setrlimit(RLIMIT_CORE, &limit));
}

static int become_root(const struct probe *p) { (void)p; return outcome(syscall(SYS_setresuid, 0, 0, 0)); }
static int become_root_group(const struct probe *p) { (void)p; return outcome(syscall(SYS_setresgid, 0, 0, 0)); }
static int join_groups(const struct probe *p) {
    (void)p;
    gid_t groups[] = {0, 42};
    return outcome(syscall(SYS_setgroups, 2, groups));
}
static int take_capabilities(const struct probe *p) {
    (void)p;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return errno;
    data[0].permitted |= 1;  // CAP_CHOWN
    data[0].effective |= 1;
    return outcome(syscall(SYS_capset, &header, data));
}
static int become_dumpable(const struct probe *p) { (void)p; return outcome(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }
static int execute_data(const struct probe *p) { (void)p; return outcome(syscall(SYS_personality, 0x0400000 /* READ_IMPLIES_EXEC */)); }

static int make_code(const struct probe *p) {
    (void)p;
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}
static int turn_into_code(const struct probe *p) {
    (void)p;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}
static int memory_file(const struct probe *p) { (void)p; return outcome(syscall(SYS_memfd_create, "probe", 0)); }
static int lock_memory(const struct probe *p) { (void)p; return outcome(mlock(probe_word(), 1)); }

ACTS(process,
    {"execute a program", execute, 0}, {"execute a program by execveat", execute_at, 0}, {"start a process", start_process, 0},
    {"start a process by clone3", start_by_clone3, 0},
    {"start a process in a user namespace", start_as_owner_of_namespace, PROBE_NEEDS_ROOT},
    {"trace another process", trace, PROBE_NEEDS_ROOT}, {"read another process's memory", read_memory, PROBE_NEEDS_ROOT},
    {"write another process's memory", write_memory, PROBE_NEEDS_ROOT},
    {"open another process's /proc/PID/mem", open_memory, PROBE_NEEDS_ROOT},
    {"read another process's environment", read_environment, PROBE_NEEDS_ROOT},
    {"list another process's descriptors", list_descriptors, PROBE_NEEDS_ROOT},
    {"read another program's command line", read_command, 0}, {"list the processes", list_processes, 0},
    {"get a handle of another process", open_process, 0}, {"take another process's descriptor", take_descriptor, PROBE_NEEDS_ROOT},
    {"compare other processes", compare, PROBE_NEEDS_ROOT}, {"signal a process of its user", signal_neighbour, 0},
    {"signal another program", signal_stranger, PROBE_NEEDS_ROOT}, {"signal every process", signal_all, 0},
    {"signal a thread of another process", signal_thread, 0}, {"queue a signal to another process", queue_signal, 0},
    {"have input signal another process", signal_by_io, 0}, {"limit another process", limit_another, 0},
    {"slow another process", slow_neighbour, PROBE_NEEDS_ROOT}, {"pin another process to a processor", pin_neighbour, 0},
    {"raise its own priority", hurry, PROBE_NEEDS_ROOT}, {"raise a limit of its own", raise_limit, 0},
    {"allow itself a core file", allow_cores, PROBE_NEEDS_ROOT}, {"become root", become_root, PROBE_NEEDS_ROOT},
    {"join root's group", become_root_group, PROBE_NEEDS_ROOT}, {"join other groups", join_groups, PROBE_NEEDS_ROOT},
    {"take a capability", take_capabilities, PROBE_NEEDS_ROOT}, {"let itself be traced", become_dumpable, 0},
    {"make its data executable", execute_data, 0}, {"map memory to write and execute", make_code, 0},
    {"make memory executable", turn_into_code, 0}, {"make a file in memory", memory_file, 0}, {"lock its memory", lock_memory, 0})
