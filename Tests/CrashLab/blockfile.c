/* A block device that remembers: one file served by the raw FUSE protocol, to be put under a loop device.

   usage: blockfile IMAGE MOUNTPOINT LOG STAMP DISK     MOUNTPOINT is an empty regular file; STAMP two shared 64-bit numbers

   What reaches the disk goes to IMAGE at once and to LOG in the order of its arrival: a write with its bytes, a range that
   becomes zero, a flush. Requests are served one at a time and answered after they are logged, so a write that stands before a
   flush was answered before it, as that of a disk with a volatile cache; a flush is logged before it is answered. Each entry
   has the number in STAMP (how much had been promised when it came) and a place in one order that all disks of a STAMP share.

   The file is opened with FOPEN_DIRECT_IO: nothing is kept back in a page cache between the loop device and this program. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_WRITE (1u << 20)

struct stamp { uint64_t promised, order; };
struct entry { char kind, disk; char unused[6]; uint64_t order, promised, offset, length; };

static int image, device, log_file;
static char disk;
static struct stamp *stamp;
static uint64_t size;

static void fail(const char *what) {
    fprintf(stderr, "blockfile: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void note(char kind, uint64_t offset, const void *bytes, uint64_t length) {
    struct entry entry = {.kind = kind, .disk = disk, .offset = offset, .length = length};
    entry.order = __atomic_fetch_add(&stamp->order, 1, __ATOMIC_SEQ_CST);
    entry.promised = __atomic_load_n(&stamp->promised, __ATOMIC_SEQ_CST);
    struct iovec parts[2] = {{&entry, sizeof entry}, {(void *)bytes, bytes ? length : 0}};
    ssize_t whole = (ssize_t)(sizeof entry + parts[1].iov_len);
    if (writev(log_file, parts, 2) != whole) fail("log");
}

static void answer(uint64_t unique, int error, const void *bytes, size_t length) {
    struct fuse_out_header head = {.len = (uint32_t)(sizeof head + (error ? 0 : length)), .error = -error, .unique = unique};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)bytes, error ? 0 : length}};
    /* ENOENT: who asked is gone. */
    if (writev(device, parts, 2) < 0 && errno != ENOENT) fail("answer");
}

static void attributes(struct fuse_attr *attr) {
    *attr = (struct fuse_attr){.ino = 1, .size = size, .blocks = size / 512, .mode = S_IFREG | 0600, .nlink = 1, .blksize = 4096};
}

static void begin(uint64_t unique, const struct fuse_init_in *in) {
    struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = in->minor < 31 ? in->minor : 31, .max_readahead = 0};
    out.flags = in->flags & (FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_ASYNC_READ);
    out.max_write = MAX_WRITE;
    out.max_pages = MAX_WRITE / 4096;
    out.max_background = 64;
    out.congestion_threshold = 48;
    answer(unique, 0, &out, sizeof out);
}

static void do_write(uint64_t unique, const struct fuse_write_in *in) {
    const char *bytes = (const char *)(in + 1);
    if (pwrite(image, bytes, in->size, (off_t)in->offset) != (ssize_t)in->size) return answer(unique, EIO, 0, 0);
    note('W', in->offset, bytes, in->size);
    struct fuse_write_out out = {.size = in->size};
    answer(unique, 0, &out, sizeof out);
}

static void do_read(uint64_t unique, const struct fuse_read_in *in) {
    static char bytes[MAX_WRITE];
    ssize_t count = pread(image, bytes, in->size < MAX_WRITE ? in->size : MAX_WRITE, (off_t)in->offset);
    answer(unique, count < 0 ? EIO : 0, bytes, count < 0 ? 0 : (size_t)count);
}

static void do_zero(uint64_t unique, const struct fuse_fallocate_in *in) {
    if (!(in->mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))) return answer(unique, EOPNOTSUPP, 0, 0);
    if (fallocate(image, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)in->offset, (off_t)in->length) < 0)
        return answer(unique, EIO, 0, 0);
    note('Z', in->offset, 0, in->length);
    answer(unique, 0, 0, 0);
}

static void serve(const struct fuse_in_header *head, const void *body) {
    struct fuse_attr_out attr = {.attr_valid = 3600};
    struct fuse_open_out opened = {.open_flags = FOPEN_DIRECT_IO};
    struct fuse_statfs_out space = {.st = {.bsize = 4096, .namelen = 255, .frsize = 4096}};
    switch (head->opcode) {
    case FUSE_INIT: return begin(head->unique, body);
    case FUSE_GETATTR:
    case FUSE_SETATTR:
        attributes(&attr.attr);
        return answer(head->unique, 0, &attr, sizeof attr);
    case FUSE_OPEN: return answer(head->unique, 0, &opened, sizeof opened);
    case FUSE_READ: return do_read(head->unique, body);
    case FUSE_WRITE: return do_write(head->unique, body);
    case FUSE_FSYNC:
        note('F', 0, 0, 0);
        return answer(head->unique, 0, 0, 0);
    case FUSE_FALLOCATE: return do_zero(head->unique, body);
    case FUSE_STATFS: return answer(head->unique, 0, &space, sizeof space);
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_ACCESS: return answer(head->unique, 0, 0, 0);
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: return;
    default: return answer(head->unique, ENOSYS, 0, 0);
    }
}

int main(int count, char **words) {
    if (count != 6) {
        fprintf(stderr, "usage: blockfile IMAGE MOUNTPOINT LOG STAMP DISK\n");
        return 64;
    }
    image = open(words[1], O_RDWR | O_CLOEXEC);
    log_file = open(words[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int page = open(words[4], O_RDWR | O_CLOEXEC);
    struct stat status;
    if (image < 0 || log_file < 0 || page < 0 || fstat(image, &status) < 0) fail("open");
    size = (uint64_t)status.st_size;
    disk = words[5][0];
    stamp = mmap(0, sizeof *stamp, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    if (stamp == MAP_FAILED) fail("map");
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device < 0) fail("/dev/fuse");
    char options[100];
    snprintf(options, sizeof options, "fd=%d,rootmode=%o,user_id=0,group_id=0,allow_other", device, (unsigned)(S_IFREG | 0600));
    if (mount("blockfile", words[2], "fuse", MS_NOSUID | MS_NODEV, options) < 0) fail("mount");
    puts("ready");
    fflush(stdout);
    static char request[MAX_WRITE + (1 << 16)] __attribute__((aligned(4096)));
    for (;;) {
        ssize_t length = read(device, request, sizeof request);
        if (length < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;
        if (length < 0 && errno == ENODEV) return 0;
        if (length < (ssize_t)sizeof(struct fuse_in_header)) fail("read");
        serve((const struct fuse_in_header *)request, request + sizeof(struct fuse_in_header));
    }
}
