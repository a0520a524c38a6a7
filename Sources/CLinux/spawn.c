// fork to exec in C: in between nothing may allocate, lock or run Swift.
#define _GNU_SOURCE
#include "include/sandbox.h"
#include "include/spawn_shim.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// Moves `count` descriptors to 3 and up; first all out of each other's way, then down.
static int place_descriptors(const int *descriptors, size_t count, int *report) {
    int moved[1024];
    if (count > sizeof moved / sizeof *moved) { errno = E2BIG; return -1; }
    int above = 3 + (int)count + 1;
    int high = fcntl(*report, F_DUPFD_CLOEXEC, above);
    if (high < 0) return -1;
    *report = high;
    for (size_t i = 0; i < count; i++) {
        moved[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, above);
        if (moved[i] < 0) return -1;
    }
    for (size_t i = 0; i < count; i++)
        if (dup2(moved[i], 3 + (int)i) < 0) return -1;
    // Everything else goes at exec, the report pipe included.
    int first = 3 + (int)count;
    return (int)syscall(SYS_close_range, (unsigned)first, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
}

static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    /* A wish to reload that comes before the program can hear it must not end it: it reads its configuration next. */
    signal(SIGHUP, SIG_IGN);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int become(const struct martlet_launch *what) {
    if (!what->switches_identity) return 0;
    // While it may: a service must not get back by any means what it never needs.
    martlet_drop_bounding_set();
    if (setgroups(what->group_count, what->groups) < 0) return -1;
    if (setresgid(what->gid, what->gid, what->gid) < 0) return -1;
    return setresuid(what->uid, what->uid, what->uid);
}

static void child(const struct martlet_launch *what, pid_t parent, int report) {
    reset_signals();
    setpgid(0, 0);
    if (what->null_input) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (null < 0 || dup2(null, 0) < 0) goto failed;
    }
    if (place_descriptors(what->descriptors, what->descriptor_count, &report) < 0) goto failed;
    if (become(what) < 0) goto failed;
    // After the change of identity, which clears it.
    if (what->dies_with_parent && prctl(PR_SET_PDEATHSIG, SIGTERM) < 0) goto failed;
    if (what->dies_with_parent && getppid() != parent) _exit(1);
    execve(what->path, what->arguments, what->environment);
failed:;
    int code = errno;
    if (write(report, &code, sizeof code) < 0) _exit(126);
    _exit(127);
}

pid_t martlet_start_program(const struct martlet_launch *what) {
    int report[2], code = 0;
    if (pipe2(report, O_CLOEXEC) < 0) return -1;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        close(report[0]);
        child(what, parent, report[1]);
    }
    int error = errno;
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        errno = error;
        return -1;
    }
    ssize_t count;
    do count = read(report[0], &code, sizeof code);
    while (count < 0 && errno == EINTR);
    close(report[0]);
    if (count == (ssize_t)sizeof code) {
        int status;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
        errno = code;
        return -1;
    }
    return pid;
}

int martlet_become_program(const struct martlet_launch *what) {
    int report = 2;
    reset_signals();
    if (place_descriptors(what->descriptors, what->descriptor_count, &report) < 0 || become(what) < 0) return -1;
    return execve(what->path, what->arguments, what->environment);
}

pid_t martlet_reap(int *status) {
    pid_t pid;
    do pid = waitpid(-1, status, WNOHANG);
    while (pid < 0 && errno == EINTR);
    return pid;
}

int martlet_exit_code(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int martlet_chown(int dirfd, const char *path, uint32_t uid, uint32_t gid) {
    return fchownat(dirfd, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int martlet_find_user(const char *name, uint32_t *uid, uint32_t *gid) {
    struct passwd *entry = getpwnam(name);
    if (!entry) return -1;
    *uid = entry->pw_uid;
    *gid = entry->pw_gid;
    return 0;
}

int martlet_find_group(const char *name, uint32_t *gid) {
    struct group *entry = getgrnam(name);
    if (!entry) return -1;
    *gid = entry->gr_gid;
    return 0;
}

int martlet_groups_of(const char *name, uint32_t gid, uint32_t *groups, int capacity) {
    return getgrouplist(name, gid, groups, &capacity) < 0 ? -1 : capacity;
}
