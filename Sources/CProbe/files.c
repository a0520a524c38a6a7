// Files outside the program's own, and kinds of file that it never makes.
#define _GNU_SOURCE
#include "acts.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int opened(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0) close(fd);
    return outcome(fd);
}

int probe_read(const char *path) { return opened(path, O_RDONLY); }
int probe_append(const char *path) { return opened(path, O_WRONLY | O_APPEND); }

static const char *name_of(const char *folder, pid_t probe) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/.martlet-probe-%d", folder, (int)probe);
    return path;
}

/// Called by an act, whose parent is the probe.
static const char *name_in(const char *folder) { return name_of(folder, getppid()); }

void probe_clean(const char *folder) { unlink(name_of(folder, getpid())); }

int probe_make(const char *folder) {
    const char *path = name_in(folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    close(fd);
    unlink(path);
    return 0;
}

static int read_shadow(const struct probe *p) { (void)p; return probe_read("/etc/shadow"); }
static int read_passwd(const struct probe *p) { (void)p; return probe_read("/etc/passwd"); }
static int write_passwd(const struct probe *p) { (void)p; return probe_append("/etc/passwd"); }
static int read_program(const struct probe *p) { (void)p; return probe_read("/bin/true"); }
static int list_home(const struct probe *p) { (void)p; return opened("/root", O_RDONLY | O_DIRECTORY); }
static int list_root(const struct probe *p) { (void)p; return opened("/", O_RDONLY | O_DIRECTORY); }
static int make_in_tmp(const struct probe *p) { (void)p; return probe_make("/tmp"); }
static int make_in_shm(const struct probe *p) { (void)p; return probe_make("/dev/shm"); }
static int make_in_var_tmp(const struct probe *p) { (void)p; return probe_make("/var/tmp"); }
static int write_sysctl(const struct probe *p) { (void)p; return opened("/proc/sys/kernel/hostname", O_WRONLY); }
static int write_kernel_log(const struct probe *p) { (void)p; return opened("/dev/kmsg", O_WRONLY); }
static int read_random_device(const struct probe *p) { (void)p; return opened("/dev/urandom", O_RDONLY); }
static int read_mounts(const struct probe *p) { (void)p; return outcome(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)); }
static int write_score(const struct probe *p) { (void)p; return outcome(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)); }

/// What was made is taken away again.
static int made(long result, const char *path) {
    int code = outcome(result);
    if (!code) unlink(path);
    return code;
}
static int make_link(const struct probe *p) { const char *n = name_in(p->own); return made(symlink("/etc/passwd", n), n); }
static int make_fifo(const struct probe *p) { const char *n = name_in(p->own); return made(mknod(n, S_IFIFO | 0600, 0), n); }
static int make_device(const struct probe *p) { const char *n = name_in(p->own); return made(mknod(n, S_IFCHR | 0600, 0x103), n); }
static int make_socket(const struct probe *p) {
    struct sockaddr_un name;
    const char *path = name_in(p->own);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    socklen_t length = unix_name(&name, path, 0);
    return made(bind(fd, (struct sockaddr *)&name, length), path);
}

static int on_own_file(const struct probe *p, int (*act)(const char *path, int fd)) {
    const char *path = name_in(p->own);
    int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    int code = outcome(act(path, fd));
    close(fd);
    unlink(path);
    return code;
}
static int give(const char *path, int fd) { (void)path; return fchown(fd, 0, 0); }
static int set_mode(const char *path, int fd) { (void)fd; return chmod(path, 06755); }
static int set_attribute(const char *path, int fd) { (void)path; return fsetxattr(fd, "user.probe", "x", 1, 0); }
static int lease(const char *path, int fd) { (void)path; return fcntl(fd, F_SETLEASE, F_RDLCK); }
static int give_away(const struct probe *p) { return on_own_file(p, give); }
static int make_privileged(const struct probe *p) { return on_own_file(p, set_mode); }
static int name_attribute(const struct probe *p) { return on_own_file(p, set_attribute); }
static int take_lease(const struct probe *p) { return on_own_file(p, lease); }
static int move_out(const struct probe *p) {
    const char *path = name_in(p->own);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    int code = outcome(rename(path, "/var/tmp/.martlet-probe"));
    // From one file system to another, for whoever may do both.
    if (code == EXDEV) code = probe_make("/var/tmp");
    unlink("/var/tmp/.martlet-probe");
    unlink(name_in(p->own));
    return code;
}

ACTS(file,
    {"read /etc/shadow", read_shadow, PROBE_NEEDS_ROOT}, {"read /etc/passwd", read_passwd, 0},
    {"write /etc/passwd", write_passwd, PROBE_NEEDS_ROOT}, {"read a program", read_program, 0}, {"list root's home", list_home, PROBE_NEEDS_ROOT},
    {"list the root folder", list_root, 0}, {"make a file in /tmp", make_in_tmp, 0}, {"make a file in /dev/shm", make_in_shm, 0},
    {"make a file in /var/tmp", make_in_var_tmp, 0}, {"write a kernel setting", write_sysctl, PROBE_NEEDS_ROOT},
    {"write the kernel's log", write_kernel_log, PROBE_NEEDS_ROOT}, {"open a device", read_random_device, 0},
    {"read the table of mounts", read_mounts, 0}, {"write its OOM score", write_score, 0},
    {"make a symbolic link", make_link, PROBE_NEEDS_FOLDER}, {"make a FIFO", make_fifo, PROBE_NEEDS_FOLDER},
    {"make a device", make_device, PROBE_NEEDS_FOLDER | PROBE_NEEDS_ROOT}, {"make a socket in the file system", make_socket, PROBE_NEEDS_FOLDER},
    {"give a file away", give_away, PROBE_NEEDS_FOLDER | PROBE_NEEDS_ROOT}, {"make a file set-uid", make_privileged, PROBE_NEEDS_FOLDER},
    {"set an attribute of a file", name_attribute, PROBE_NEEDS_FOLDER}, {"hold others up with a lease", take_lease, PROBE_NEEDS_FOLDER},
    {"move a file out of its folder", move_out, PROBE_NEEDS_FOLDER})
