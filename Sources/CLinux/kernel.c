#define _GNU_SOURCE
#include "kernel.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same without openat2, which systemd's RestrictSUIDSGID= and some containers hide: one component at a time, none of them a link,
   and none `..`, which openat2 would have to watch and we never write. */
static int open_by_steps(int dirfd, const char *path, int flags, mode_t mode) {
    int at = dirfd, result = -1, error = 0;
    if (*path == '/') { errno = EXDEV; return -1; }
    for (;;) {
        char name[256];
        size_t length = strcspn(path, "/");
        const char *rest = path + length + strspn(path + length, "/");
        if (length == 0) { error = ENOENT; break; }
        if (length >= sizeof name) { error = ENAMETOOLONG; break; }
        memcpy(name, path, length);
        name[length] = 0;
        if (strcmp(name, "..") == 0) { error = EXDEV; break; }
        int isLast = *rest == 0;
        int next = openat(at, name, isLast ? flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, mode);
        error = errno;
        struct stat what;
        if (next < 0 && error == ENOTDIR && fstatat(at, name, &what, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(what.st_mode)) error = ELOOP;
        if (at != dirfd) close(at);
        at = dirfd;
        if (next < 0 || isLast) { result = next; break; }
        at = next;
        path = rest;
    }
    if (at != dirfd) close(at);
    if (result < 0) errno = error;
    return result;
}

int martlet_open_beneath(int dirfd, const char *path, int flags, mode_t mode) {
    static _Atomic int isHidden;
    if (isHidden) return open_by_steps(dirfd, path, flags, mode);
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = (uint64_t)(unsigned)flags;
    how.mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    int result = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
    if (result >= 0 || errno != ENOSYS) return result;
    isHidden = 1;
    return open_by_steps(dirfd, path, flags, mode);
}

int martlet_openat(int dirfd, const char *path, int flags, mode_t mode) { return openat(dirfd, path, flags, mode); }

int martlet_open_passing(const char *path) { return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); }

int martlet_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to) {
    return renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
}

int martlet_punch_hole(int fd, off_t offset, off_t length) {
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

int martlet_allocate(int fd, off_t length) { return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, length); }
int martlet_syncfs(int fd) { return syncfs(fd); }

int martlet_set_nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int martlet_set_cloexec(int fd, int on) { return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0); }

static uint32_t crc_table[8][256];

__attribute__((constructor)) static void crc_fill(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0x82f63b78u ^ (c >> 1) : c >> 1;
        crc_table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++) crc_table[k][i] = crc_table[0][crc_table[k - 1][i] & 0xff] ^ (crc_table[k - 1][i] >> 8);
}

static uint32_t crc_portable(uint32_t c, const unsigned char *p, size_t n) {
    while (n >= 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        v ^= c;
        c = crc_table[7][v & 0xff] ^ crc_table[6][v >> 8 & 0xff] ^ crc_table[5][v >> 16 & 0xff] ^ crc_table[4][v >> 24 & 0xff]
          ^ crc_table[3][v >> 32 & 0xff] ^ crc_table[2][v >> 40 & 0xff] ^ crc_table[1][v >> 48 & 0xff] ^ crc_table[0][v >> 56];
        p += 8;
        n -= 8;
    }
    while (n--) c = crc_table[0][(c ^ *p++) & 0xff] ^ (c >> 8);
    return c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_sse(uint32_t c, const unsigned char *p, size_t n) {
    uint64_t c64 = c;
    while (n >= 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        c64 = __builtin_ia32_crc32di(c64, v);
        p += 8;
        n -= 8;
    }
    c = (uint32_t)c64;
    while (n--) c = __builtin_ia32_crc32qi(c, *p++);
    return c;
}
#endif

uint32_t martlet_crc32c(uint32_t crc, const void *data, size_t length) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc_sse(~crc, data, length);
#endif
    return ~crc_portable(~crc, data, length);
}

int martlet_tcp_listen(const char *address, uint16_t port, int family, int backlog) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int six = family == 6, one = 1;
    if (inet_pton(six ? AF_INET6 : AF_INET, address, six ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0
        || (six && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) < 0)
        || bind(fd, six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, six ? sizeof v6 : sizeof v4) < 0
        || listen(fd, backlog) < 0) {
        int e = errno;
        close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

int martlet_getrandom(void *out, size_t length) {
    unsigned char *p = out;
    while (length) {
        ssize_t n = getrandom(p, length, 0);
        if (n < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        p += n;
        length -= (size_t)n;
    }
    return 0;
}

void martlet_die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

int martlet_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
int martlet_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }
int martlet_waiting_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
