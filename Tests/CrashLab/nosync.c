/* A world without one of its syncs, to see whether the laboratory bites: loaded before a program, it answers a sync with success
   and does nothing, if the sync's description matches the extended regular expression in MARTLET_LAB_NOSYNC:

     <program> <call> <kind> <path>       queued fdatasync file /…/spool/queued/events/00000001.log

   The kind is `folder`, `file`, or `cut`: the first sync of a file after `ftruncate`. Each sync that is left out is noted in
   MARTLET_LAB_COUNT (64-bit numbers: how many, then the order in which the disks of MARTLET_LAB_STAMP stood at each), so that a
   sync that nothing asks for is not taken for a needless one, and the laboratory knows where to look. With MARTLET_LAB_SYNCFS
   `syncfs` becomes an ioctl: Linux asks no FUSE server for it (recordfs.c). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS 65536
#define NOTED 4095
#define MARTLET_SYNCFS _IO('M', 1)

static regex_t wanted;
static int is_wanted;
static uint64_t *counted, *stamp;
static unsigned char was_cut[DESCRIPTORS];

static uint64_t *shared(const char *variable, size_t length, int writing) {
    const char *path = getenv(variable);
    int file = path ? open(path, (writing ? O_RDWR : O_RDONLY) | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    void *page = mmap(0, length, PROT_READ | (writing ? PROT_WRITE : 0), MAP_SHARED, file, 0);
    close(file);
    return page == MAP_FAILED ? 0 : page;
}

__attribute__((constructor)) static void begin(void) {
    const char *expression = getenv("MARTLET_LAB_NOSYNC");
    is_wanted = expression && !regcomp(&wanted, expression, REG_EXTENDED | REG_NOSUB);
    counted = shared("MARTLET_LAB_COUNT", 8 * (NOTED + 1), 1);
    stamp = shared("MARTLET_LAB_STAMP", 16, 0);
}

static void note(void) {
    if (!counted) return;
    uint64_t number = __atomic_fetch_add(counted, 1, __ATOMIC_SEQ_CST);
    if (stamp && number < NOTED) counted[1 + number] = __atomic_load_n(&stamp[1], __ATOMIC_SEQ_CST);
}

static int left_out(const char *call, int fd) {
    if (!is_wanted) return 0;
    int before = errno;
    struct stat status;
    char name[64], path[4096] = "?", what[5000];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length > 0) path[length] = 0;
    int is_folder = !fstat(fd, &status) && S_ISDIR(status.st_mode);
    const char *kind = is_folder ? "folder" : "file";
    if (fd >= 0 && fd < DESCRIPTORS && was_cut[fd]) {
        kind = "cut";
        was_cut[fd] = 0;
    }
    snprintf(what, sizeof what, "%s %s %s %s", program_invocation_short_name, call, kind, path);
    int match = !regexec(&wanted, what, 0, 0, 0);
    if (match) note();
    errno = before;
    return match;
}

int fsync(int fd) { return left_out("fsync", fd) ? 0 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return left_out("fdatasync", fd) ? 0 : (int)syscall(SYS_fdatasync, fd); }

int syncfs(int fd) {
    if (left_out("syncfs", fd)) return 0;
    return getenv("MARTLET_LAB_SYNCFS") ? ioctl(fd, MARTLET_SYNCFS) : (int)syscall(SYS_syncfs, fd);
}

int ftruncate(int fd, off_t length) {
    int result = (int)syscall(SYS_ftruncate, fd, length);
    if (!result && fd >= 0 && fd < DESCRIPTORS) was_cut[fd] = 1;
    return result;
}

int close(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS) was_cut[fd] = 0;
    return (int)syscall(SYS_close, fd);
}
