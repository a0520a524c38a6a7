// System calls that Swift's Glibc does not import: variadic ones, new ones, and macros.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// openat2 with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS; -1 and errno on failure.
int martlet_open_beneath(int dirfd, const char *path, int flags, mode_t mode);
/// openat, not variadic.
int martlet_openat(int dirfd, const char *path, int flags, mode_t mode);
/// open with O_PATH of a folder: to pass through, neither to read nor to list it.
int martlet_open_passing(const char *path);
/// renameat2 with RENAME_NOREPLACE.
int martlet_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to);
/// fallocate with FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE.
int martlet_punch_hole(int fd, off_t offset, off_t length);
/// fallocate with FALLOC_FL_KEEP_SIZE, from the start to `length`.
int martlet_allocate(int fd, off_t length);
int martlet_syncfs(int fd);
int martlet_set_nonblocking(int fd, int on);
int martlet_set_cloexec(int fd, int on);
/// CRC-32C (Castagnoli), by the processor's instruction where it has one. `crc` continues an earlier value.
uint32_t martlet_crc32c(uint32_t crc, const void *data, size_t length);
/// A listening or connecting TCP socket bound to a numeric address; -1 and errno on failure. family: 4 or 6.
int martlet_tcp_listen(const char *address, uint16_t port, int family, int backlog);
int martlet_getrandom(void *out, size_t length);
/// Ends the process at once by SIGKILL, as a power cut would.
void martlet_die(void);
int martlet_eventfd(void);
/// pipe2 with O_CLOEXEC | O_NONBLOCK.
int martlet_pipe(int ends[2]);
int martlet_waiting_pipe(int ends[2]);
