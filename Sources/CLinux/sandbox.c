#define _GNU_SOURCE
#include "sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int martlet_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

void martlet_drop_bounding_set(void) {
    int has;
    for (int capability = 0; (has = prctl(PR_CAPBSET_READ, capability, 0, 0, 0)) >= 0; capability++)
        if (has) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

/// 1 if this thread holds none of the three sets, 0 if it holds something, -1 and errno.
static int holds_nothing(struct __user_cap_header_struct *header) {
    struct __user_cap_data_struct held[2];
    if (syscall(SYS_capget, header, held) < 0) return -1;
    for (int i = 0; i < 2; i++)
        if (held[i].effective | held[i].permitted | held[i].inheritable) return 0;
    return 1;
}

int martlet_no_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    martlet_drop_bounding_set();
    // Kernels before 4.3 have no ambient set.
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL) return -1;
    // Not asked for where nothing is held: a unit of systemd refuses the call itself.
    int isDone = holds_nothing(&header);
    if (isDone == 0) {
        if (syscall(SYS_capset, &header, none) < 0) return -1;
        isDone = holds_nothing(&header);
    }
    if (isDone == 0) errno = EPERM;
    return isDone == 1 ? 0 : -1;
}

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

static int resource_of(int ours) {
    switch (ours) {
    case MARTLET_LIMIT_CORE: return RLIMIT_CORE;
    case MARTLET_LIMIT_DESCRIPTORS: return RLIMIT_NOFILE;
    case MARTLET_LIMIT_PROCESSES: return RLIMIT_NPROC;
    case MARTLET_LIMIT_LOCKED_MEMORY: return RLIMIT_MEMLOCK;
    case MARTLET_LIMIT_MESSAGE_QUEUES: return RLIMIT_MSGQUEUE;
    case MARTLET_LIMIT_NICENESS: return RLIMIT_NICE;
    case MARTLET_LIMIT_REAL_TIME: return RLIMIT_RTPRIO;
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
long martlet_try_call(long number, long first, long second, long third) { return syscall(number, first, second, third, 0, 0, 0); }
