/* A filesystem that remembers: a folder served by the raw FUSE protocol, each lasting change noted in the order of its arrival.

   usage: recordfs FOLDER MOUNTPOINT LOG STAMP     FOLDER is the root of a fresh tmpfs; STAMP two shared 64-bit numbers

   What is asked for is done in FOLDER at once and stands in LOG before the answer: data (`W` write, `T` size, `Z` hole), `M` mode
   and owner, names (`c` made, `l` linked, `u` removed, `r` renamed), and syncs (`F` fsync, `D` fdatasync, `f` fsync of a folder,
   `S` syncfs), which do nothing else. What such a log promises is written in power_posix.py. Each entry has its place in one order
   and the number in STAMP: how much had been promised when it came. There is no write-back cache: a write arrives at once.

   Inodes have the numbers that FOLDER gives them. Linux keeps `syncfs` from a server like this one: the laboratory's nosync.c
   asks by the ioctl MARTLET_SYNCFS instead. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_WRITE (1u << 20)
#define MARTLET_SYNCFS _IO('M', 1)
#define FOREVER 3600

struct stamp { uint64_t promised, order; };
struct entry { char kind; char unused[7]; uint64_t order, promised, inode, a, b, length; };
/* An inode that the kernel knows: a descriptor that leads to it, and how often it was looked up. */
struct node { int fd; uint64_t lookups; };

static int device, log_file;
static struct stamp *stamp;
static struct node *nodes;
static uint64_t node_count;

static void fail(const char *what) {
    fprintf(stderr, "recordfs: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The parts are one after the other in the log; `length` counts both. */
static void note_two(struct entry entry, const void *first, size_t length, const void *second, size_t more) {
    entry.length = length + more;
    entry.order = __atomic_fetch_add(&stamp->order, 1, __ATOMIC_SEQ_CST);
    entry.promised = __atomic_load_n(&stamp->promised, __ATOMIC_SEQ_CST);
    struct iovec parts[3] = {{&entry, sizeof entry}, {(void *)first, length}, {(void *)second, more}};
    if (writev(log_file, parts, 3) != (ssize_t)(sizeof entry + length + more)) fail("log");
}

static void note(char kind, uint64_t inode, uint64_t a, uint64_t b, const void *bytes, size_t length) {
    note_two((struct entry){.kind = kind, .inode = inode, .a = a, .b = b}, bytes, length, 0, 0);
}

static void answer(uint64_t unique, int error, const void *bytes, size_t length) {
    struct fuse_out_header head = {.len = (uint32_t)(sizeof head + (error ? 0 : length)), .error = -error, .unique = unique};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)bytes, error ? 0 : length}};
    /* ENOENT: who asked is gone. */
    if (writev(device, parts, 2) < 0 && errno != ENOENT) fail("answer");
}

/* -- inodes ---------------------------------------------------------------------------------------------------------- */
static int at(uint64_t inode) {
    if (inode >= node_count || !nodes[inode].lookups) {
        errno = ESTALE;
        return -1;
    }
    return nodes[inode].fd;
}

/* A path to the inode itself, whatever its name is now. */
static const char *path_of(uint64_t inode) {
    static char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", at(inode));
    return path;
}

static void describe(const struct stat *status, struct fuse_attr *attr) {
    *attr = (struct fuse_attr){
        .ino = status->st_ino, .size = (uint64_t)status->st_size, .blocks = (uint64_t)status->st_blocks, .mode = status->st_mode,
        .nlink = (uint32_t)status->st_nlink, .uid = status->st_uid, .gid = status->st_gid, .blksize = 4096,
        .atime = (uint64_t)status->st_atim.tv_sec, .atimensec = (uint32_t)status->st_atim.tv_nsec,
        .mtime = (uint64_t)status->st_mtim.tv_sec, .mtimensec = (uint32_t)status->st_mtim.tv_nsec,
        .ctime = (uint64_t)status->st_ctim.tv_sec, .ctimensec = (uint32_t)status->st_ctim.tv_nsec};
}

/* Fills `out` with what has that name, and counts the lookup; an errno. */
static int look_up(int folder, const char *name, struct fuse_entry_out *out) {
    struct stat status;
    int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) return errno;
    if (status.st_ino >= node_count) {
        uint64_t count = 2 * status.st_ino + 1024;
        nodes = realloc(nodes, count * sizeof *nodes);
        memset(nodes + node_count, 0, (count - node_count) * sizeof *nodes);
        node_count = count;
    }
    struct node *node = &nodes[status.st_ino];
    if (node->lookups++) close(fd);
    else node->fd = fd;
    *out = (struct fuse_entry_out){.nodeid = status.st_ino, .entry_valid = FOREVER, .attr_valid = FOREVER};
    describe(&status, &out->attr);
    return 0;
}

static void forget(uint64_t inode, uint64_t count) {
    if (inode == FUSE_ROOT_ID || inode >= node_count || !nodes[inode].lookups) return;
    nodes[inode].lookups -= count;
    if (!nodes[inode].lookups) close(nodes[inode].fd);
}

static void do_attributes(const struct fuse_in_header *head) {
    struct stat status;
    struct fuse_attr_out out = {.attr_valid = FOREVER};
    if (fstatat(at(head->nodeid), "", &status, AT_EMPTY_PATH) < 0) return answer(head->unique, errno, 0, 0);
    describe(&status, &out.attr);
    answer(head->unique, 0, &out, sizeof out);
}

static struct timespec moment(uint32_t valid, uint32_t set, uint32_t now, uint64_t seconds, uint32_t nanoseconds) {
    if (valid & now) return (struct timespec){.tv_nsec = UTIME_NOW};
    if (!(valid & set)) return (struct timespec){.tv_nsec = UTIME_OMIT};
    return (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = nanoseconds};
}

static void do_change(const struct fuse_in_header *head, const struct fuse_setattr_in *in) {
    const char *path = path_of(head->nodeid);
    uint32_t valid = in->valid;
    uid_t uid = valid & FATTR_UID ? in->uid : (uid_t)-1;
    gid_t gid = valid & FATTR_GID ? in->gid : (gid_t)-1;
    struct timespec times[2] = {moment(valid, FATTR_ATIME, FATTR_ATIME_NOW, in->atime, in->atimensec),
                                moment(valid, FATTR_MTIME, FATTR_MTIME_NOW, in->mtime, in->mtimensec)};
    if (valid & FATTR_SIZE && truncate(path, (off_t)in->size) < 0) return answer(head->unique, errno, 0, 0);
    if (valid & FATTR_SIZE) note('T', head->nodeid, in->size, 0, 0, 0);
    if (valid & (FATTR_UID | FATTR_GID) && fchownat(at(head->nodeid), "", uid, gid, AT_EMPTY_PATH) < 0) return answer(head->unique, errno, 0, 0);
    if (valid & FATTR_MODE && chmod(path, in->mode & 07777) < 0) return answer(head->unique, errno, 0, 0);
    if (valid & (FATTR_ATIME | FATTR_MTIME | FATTR_ATIME_NOW | FATTR_MTIME_NOW)) utimensat(AT_FDCWD, path, times, 0);
    struct stat status;
    if (valid & (FATTR_MODE | FATTR_UID | FATTR_GID) && !stat(path, &status))
        note('M', head->nodeid, status.st_mode, (uint64_t)status.st_uid << 32 | status.st_gid, 0, 0);
    do_attributes(head);
}

/* -- names ----------------------------------------------------------------------------------------------------------- */
/* Gives what was just made to who asked for it, notes it, and fills `out`; an errno. */
static int settle(const struct fuse_in_header *head, const char *name, const char *target, struct fuse_entry_out *out) {
    struct stat folder;
    int parent = at(head->nodeid);
    if (fstatat(parent, "", &folder, AT_EMPTY_PATH) < 0) return errno;
    if (fchownat(parent, name, head->uid, folder.st_mode & S_ISGID ? (gid_t)-1 : head->gid, AT_SYMLINK_NOFOLLOW) < 0) return errno;
    int error = look_up(parent, name, out);
    if (error) return error;
    struct fuse_attr *made = &out->attr;
    note('M', made->ino, made->mode, (uint64_t)made->uid << 32 | made->gid, 0, 0);
    note_two((struct entry){.kind = 'c', .inode = head->nodeid, .a = made->ino, .b = strlen(name)}, name, strlen(name), target, strlen(target));
    return 0;
}

static void do_make(const struct fuse_in_header *head, int result, const char *name, const char *target) {
    struct fuse_entry_out out;
    int error = result < 0 ? errno : settle(head, name, target, &out);
    answer(head->unique, error, &out, sizeof out);
}

static void do_create(const struct fuse_in_header *head, const struct fuse_create_in *in, const char *name) {
    struct { struct fuse_entry_out entry; struct fuse_open_out open; } out;
    int fd = openat(at(head->nodeid), name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, in->mode & 07777);
    int error = fd < 0 ? errno : settle(head, name, "", &out.entry);
    if (error && fd >= 0) close(fd);
    out.open = (struct fuse_open_out){.fh = (uint64_t)fd, .open_flags = FOPEN_KEEP_CACHE};
    answer(head->unique, error, &out, sizeof out);
}

static void do_link(const struct fuse_in_header *head, uint64_t inode, const char *name) {
    struct fuse_entry_out out;
    int parent = at(head->nodeid);
    int error = linkat(AT_FDCWD, path_of(inode), parent, name, AT_SYMLINK_FOLLOW) < 0 ? errno : look_up(parent, name, &out);
    if (!error) note('l', head->nodeid, inode, 0, name, strlen(name));
    answer(head->unique, error, &out, sizeof out);
}

static void do_remove(const struct fuse_in_header *head, const char *name, int flags) {
    struct stat status;
    int parent = at(head->nodeid);
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || unlinkat(parent, name, flags) < 0) return answer(head->unique, errno, 0, 0);
    note('u', head->nodeid, status.st_ino, flags == AT_REMOVEDIR, name, strlen(name));
    answer(head->unique, 0, 0, 0);
}

static void do_rename(const struct fuse_in_header *head, uint64_t folder, unsigned flags, const char *old) {
    const char *new = old + strlen(old) + 1;
    if (flags & ~1u) return answer(head->unique, EINVAL, 0, 0);
    if (renameat2(at(head->nodeid), old, at(folder), new, flags) < 0) return answer(head->unique, errno, 0, 0);
    note_two((struct entry){.kind = 'r', .inode = head->nodeid, .a = folder, .b = strlen(old)}, old, strlen(old), new, strlen(new));
    answer(head->unique, 0, 0, 0);
}

static void do_list(const struct fuse_in_header *head, const struct fuse_read_in *in) {
    static char found[1 << 15], bytes[1 << 16];
    lseek((int)in->fh, (off_t)in->offset, SEEK_SET);
    ssize_t count = getdents64((int)in->fh, found, in->size / 2 < sizeof found ? in->size / 2 : sizeof found);
    size_t length = 0;
    for (ssize_t place = 0; place < count;) {
        struct dirent64 *seen = (struct dirent64 *)(found + place);
        struct fuse_dirent *said = (struct fuse_dirent *)(bytes + length);
        uint32_t size = (uint32_t)strlen(seen->d_name);
        *said = (struct fuse_dirent){.ino = seen->d_ino, .off = (uint64_t)seen->d_off, .namelen = size, .type = seen->d_type};
        memcpy(said->name, seen->d_name, size);
        length += FUSE_DIRENT_SIZE(said);
        place += seen->d_reclen;
    }
    answer(head->unique, count < 0 ? errno : 0, bytes, length);
}

/* -- data ------------------------------------------------------------------------------------------------------------ */
static void do_open(const struct fuse_in_header *head, int flags) {
    int fd = open(path_of(head->nodeid), flags | O_CLOEXEC);
    struct fuse_open_out out = {.fh = (uint64_t)fd, .open_flags = flags & O_DIRECTORY ? 0 : FOPEN_KEEP_CACHE};
    answer(head->unique, fd < 0 ? errno : 0, &out, sizeof out);
}

static void do_read(const struct fuse_in_header *head, const struct fuse_read_in *in) {
    static char bytes[MAX_WRITE];
    ssize_t count = pread((int)in->fh, bytes, in->size < MAX_WRITE ? in->size : MAX_WRITE, (off_t)in->offset);
    answer(head->unique, count < 0 ? errno : 0, bytes, count < 0 ? 0 : (size_t)count);
}

static void do_write(const struct fuse_in_header *head, const struct fuse_write_in *in) {
    const char *bytes = (const char *)(in + 1);
    ssize_t count = pwrite((int)in->fh, bytes, in->size, (off_t)in->offset);
    if (count > 0) note('W', head->nodeid, in->offset, 0, bytes, (size_t)count);
    struct fuse_write_out out = {.size = (uint32_t)count};
    answer(head->unique, count < 0 ? errno : 0, &out, sizeof out);
}

static void do_allocate(const struct fuse_in_header *head, const struct fuse_fallocate_in *in) {
    struct stat status;
    if (fallocate((int)in->fh, (int)in->mode, (off_t)in->offset, (off_t)in->length) < 0) return answer(head->unique, errno, 0, 0);
    if (in->mode & FALLOC_FL_PUNCH_HOLE) note('Z', head->nodeid, in->offset, in->length, 0, 0);
    else if (!(in->mode & FALLOC_FL_KEEP_SIZE) && !fstat((int)in->fh, &status)) note('T', head->nodeid, (uint64_t)status.st_size, 0, 0, 0);
    answer(head->unique, 0, 0, 0);
}

static void do_control(const struct fuse_in_header *head, const struct fuse_ioctl_in *in) {
    struct fuse_ioctl_out out = {.result = 0};
    if (in->cmd != MARTLET_SYNCFS) return answer(head->unique, ENOTTY, 0, 0);
    note('S', head->nodeid, 0, 0, 0, 0);
    answer(head->unique, 0, &out, sizeof out);
}

static void do_space(const struct fuse_in_header *head) {
    struct statfs found;
    if (fstatfs(at(FUSE_ROOT_ID), &found) < 0) return answer(head->unique, errno, 0, 0);
    struct fuse_statfs_out out = {.st = {.blocks = found.f_blocks, .bfree = found.f_bfree, .bavail = found.f_bavail, .files = found.f_files,
                                         .ffree = found.f_ffree, .bsize = (uint32_t)found.f_bsize, .namelen = 255, .frsize = (uint32_t)found.f_bsize}};
    answer(head->unique, 0, &out, sizeof out);
}

static void do_read_link(const struct fuse_in_header *head) {
    char target[4096];
    ssize_t length = readlinkat(at(head->nodeid), "", target, sizeof target);
    answer(head->unique, length < 0 ? errno : 0, target, length < 0 ? 0 : (size_t)length);
}

static void begin(uint64_t unique, const struct fuse_init_in *in) {
    struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = in->minor < 31 ? in->minor : 31, .max_readahead = 1 << 17, .time_gran = 1};
    out.flags = in->flags & (FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_ASYNC_READ);
    out.max_write = MAX_WRITE;
    out.max_pages = MAX_WRITE / 4096;
    answer(unique, 0, &out, sizeof out);
}

static void serve(const struct fuse_in_header *head, const void *body) {
    const struct fuse_mknod_in *node = body;
    const struct fuse_mkdir_in *folder = body;
    const struct fuse_fsync_in *sync = body;
    const struct fuse_batch_forget_in *many = body;
    const struct fuse_forget_one *one = (const struct fuse_forget_one *)(many + 1);
    const char *name = body;
    struct fuse_entry_out found;
    int error;
    switch (head->opcode) {
    case FUSE_INIT: return begin(head->unique, body);
    case FUSE_LOOKUP:
        error = look_up(at(head->nodeid), name, &found);
        return answer(head->unique, error, &found, sizeof found);
    case FUSE_FORGET: return forget(head->nodeid, ((const struct fuse_forget_in *)body)->nlookup);
    case FUSE_BATCH_FORGET:
        for (uint32_t n = 0; n < many->count; n++) forget(one[n].nodeid, one[n].nlookup);
        return;
    case FUSE_INTERRUPT: return;
    case FUSE_GETATTR: return do_attributes(head);
    case FUSE_SETATTR: return do_change(head, body);
    case FUSE_MKNOD:
        name = (const char *)(node + 1);
        return do_make(head, mknodat(at(head->nodeid), name, node->mode, node->rdev), name, "");
    case FUSE_MKDIR:
        name = (const char *)(folder + 1);
        return do_make(head, mkdirat(at(head->nodeid), name, folder->mode), name, "");
    case FUSE_SYMLINK: return do_make(head, symlinkat(name + strlen(name) + 1, at(head->nodeid), name), name, name + strlen(name) + 1);
    case FUSE_CREATE: return do_create(head, body, (const char *)body + sizeof(struct fuse_create_in));
    case FUSE_LINK: return do_link(head, ((const struct fuse_link_in *)body)->oldnodeid, name + sizeof(struct fuse_link_in));
    case FUSE_UNLINK: return do_remove(head, name, 0);
    case FUSE_RMDIR: return do_remove(head, name, AT_REMOVEDIR);
    case FUSE_RENAME: return do_rename(head, *(const uint64_t *)body, 0, name + sizeof(uint64_t));
    case FUSE_RENAME2:
        return do_rename(head, *(const uint64_t *)body, ((const struct fuse_rename2_in *)body)->flags, name + sizeof(struct fuse_rename2_in));
    case FUSE_READLINK: return do_read_link(head);
    case FUSE_OPEN: return do_open(head, (int)((const struct fuse_open_in *)body)->flags & O_ACCMODE);
    case FUSE_OPENDIR: return do_open(head, O_RDONLY | O_DIRECTORY);
    case FUSE_READ: return do_read(head, body);
    case FUSE_READDIR: return do_list(head, body);
    case FUSE_WRITE: return do_write(head, body);
    case FUSE_FALLOCATE: return do_allocate(head, body);
    case FUSE_FSYNC:
        note(sync->fsync_flags & FUSE_FSYNC_FDATASYNC ? 'D' : 'F', head->nodeid, 0, 0, 0, 0);
        return answer(head->unique, 0, 0, 0);
    case FUSE_FSYNCDIR:
        note('f', head->nodeid, 0, 0, 0, 0);
        return answer(head->unique, 0, 0, 0);
    case FUSE_IOCTL: return do_control(head, body);
    case FUSE_STATFS: return do_space(head);
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
        close((int)((const struct fuse_release_in *)body)->fh);
        return answer(head->unique, 0, 0, 0);
    default: return answer(head->unique, ENOSYS, 0, 0);
    }
}

int main(int count, char **words) {
    if (count != 5) {
        fprintf(stderr, "usage: recordfs FOLDER MOUNTPOINT LOG STAMP\n");
        return 64;
    }
    umask(0);
    struct rlimit most;
    struct fuse_entry_out root;
    log_file = open(words[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int page = open(words[4], O_RDWR | O_CLOEXEC);
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (log_file < 0 || page < 0 || device < 0 || getrlimit(RLIMIT_NOFILE, &most) < 0) fail("open");
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    if (look_up(AT_FDCWD, words[1], &root) || root.nodeid != FUSE_ROOT_ID) fail("the folder is not the root of a fresh tmpfs");
    stamp = mmap(0, sizeof *stamp, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    if (stamp == MAP_FAILED) fail("map");
    char options[100];
    snprintf(options, sizeof options, "fd=%d,rootmode=%o,user_id=0,group_id=0,allow_other,default_permissions", device, S_IFDIR | 0755u);
    if (mount("recordfs", words[2], "fuse", MS_NOSUID | MS_NODEV, options) < 0) fail("mount");
    puts("ready");
    fflush(stdout);
    static char request[MAX_WRITE + (1 << 16)] __attribute__((aligned(4096)));
    for (;;) {
        ssize_t length = read(device, request, sizeof request);
        if (length < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;
        if (length < 0 && (errno == ENODEV || errno == ECONNABORTED)) return 0;
        if (length < (ssize_t)sizeof(struct fuse_in_header)) fail("read");
        serve((const struct fuse_in_header *)request, request + sizeof(struct fuse_in_header));
    }
}
