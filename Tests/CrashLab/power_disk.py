"""Disks whose power can fail: images on loop devices, shut down from below, or recorded write by write by blockfile.c.

A laboratory process first takes a world of its own (`own_world`): mounts and network are private, children die with it. So
whatever becomes of it, no mount, loop device, port or process stays behind.
"""
import bisect
import ctypes
import fcntl
import mmap
import os
import random
import signal
import socket
import struct
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_RDONLY, MS_REC, MS_PRIVATE = 1, 0x4000, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
# EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are one number; 2: the journal is not written out before.
SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
# Of one megabyte each.
SIZES = {"ext4": 112, "xfs": 300}
TOOLS = ("mkfs.ext4", "mkfs.xfs", "losetup", "mount", "umount")


def succeed(result, what):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, "%s: %s" % (what, os.strerror(code)))


def own_world():
    """Private mounts and a network with nothing but loopback, for this process and its children."""
    succeed(LIBC.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    succeed(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "private mounts")
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS: up


def die_with_parent(number=signal.SIGKILL):
    LIBC.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def make_image(kind, path, megabytes=None):
    """An empty filesystem in a sparse file. No lazy work is left for after the mount: it would be noise in the write log."""
    with open(path, "wb") as file:
        file.truncate((megabytes or SIZES[kind]) << 20)
    command = {"ext4": ["mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-N", "8192", "-J", "size=8",
                        "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"],
               "xfs": ["mkfs.xfs", "-q", "-f", "-K"]}[kind]
    subprocess.run(command + [path], check=True, stdout=subprocess.DEVNULL)


def copy_sparse(source, target):
    """Copies what is in `source`; what was never written stays a hole."""
    a, b = os.open(source, os.O_RDONLY), os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        size = os.fstat(a).st_size
        os.ftruncate(b, size)
        at = 0
        while at < size:
            try:
                at = os.lseek(a, at, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(a, at, os.SEEK_HOLE)
            while at < end:
                at += os.sendfile(b, a, os.lseek(b, at, os.SEEK_SET), min(end - at, 1 << 24))
    finally:
        os.close(a)
        os.close(b)


class Mount:
    """A filesystem that is mounted from a file, by a loop device that goes with the mount."""

    def __init__(self, kind, source, place):
        self.kind, self.source, self.place = kind, source, place
        options = "loop" + (",nouuid" if kind == "xfs" else "")
        done = subprocess.run(["mount", "-t", kind, "-o", options, source, place], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise OSError("cannot mount %s: %s" % (source, done.stdout.strip()))
        self.is_mounted = True

    def power_off(self):
        """What no sync has brought to the disk is gone; every later access fails."""
        folder = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def unmount(self):
        if self.is_mounted:
            if LIBC.umount2(self.place.encode(), 0) < 0:
                code = ctypes.get_errno()
                LIBC.umount2(self.place.encode(), MNT_DETACH)
                self.is_mounted = False
                raise OSError(code, "cannot unmount %s: %s" % (self.place, os.strerror(code)))
            self.is_mounted = False

    def discard(self):
        """The image is not needed any more: nothing of it is written."""
        self.power_off()
        self.unmount()


class Stamp:
    """What all recorded disks share: how much was promised, and the order of their entries."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(16))
        os.chmod(path, 0o644)
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 16)
        self.path = path

    def promise(self, position):
        self.page[0:8] = struct.pack("=Q", position)

    @property
    def promised(self):
        return struct.unpack("=Q", self.page[0:8])[0]

    @property
    def order(self):
        return struct.unpack("=Q", self.page[8:16])[0]


class RecordedDisk:
    """blockfile under a loop device under a filesystem."""

    def __init__(self, program, kind, image, place, stamp, disk):
        self.log = image + ".log"
        self.file = image + ".block"
        open(self.file, "wb").close()
        self.process = subprocess.Popen([program, image, self.file, self.log, stamp.path, disk], stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        if self.process.stdout.readline() != b"ready\n":
            raise OSError("blockfile did not start")
        self.mount = Mount(kind, self.file, place)

    def close(self):
        """No clean end: the log is what counts."""
        self.mount.discard()
        LIBC.umount2(self.file.encode(), MNT_DETACH)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Entry:
    """One line of a write log."""
    FORM = struct.Struct("=cc6xQQQQ")
    __slots__ = ("kind", "disk", "order", "promised", "offset", "data", "length")

    def __init__(self, head, log, at):
        kind, disk, self.order, self.promised, self.offset, self.length = head
        self.kind, self.disk = kind.decode(), disk.decode()
        self.data = memoryview(log)[at:at + self.length] if self.kind == "W" else None


def read_log(path):
    with open(path, "rb") as file:
        log = file.read()
    at, entries = 0, []
    while at + Entry.FORM.size <= len(log):
        entry = Entry(Entry.FORM.unpack_from(log, at), log, at + Entry.FORM.size)
        at += Entry.FORM.size + (entry.length if entry.kind == "W" else 0)
        entries.append(entry)
    return entries


def apply(fd, entry, sectors=None):
    """Does what the entry says; of a torn write only some sectors arrive."""
    if entry.kind == "Z":
        fcntl_punch(fd, entry.offset, entry.length)
    elif entry.kind == "W" and sectors is None:
        os.pwrite(fd, entry.data, entry.offset)
    elif entry.kind == "W":
        for sector in sectors:
            os.pwrite(fd, entry.data[sector * 512:(sector + 1) * 512], entry.offset + sector * 512)


def fcntl_punch(fd, offset, length):
    # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
    succeed(LIBC.fallocate(fd, 3, ctypes.c_long(offset), ctypes.c_long(length)), "fallocate")


# How much of what was open arrives.
WAYS = ("none", "all", "some", "some", "some", "few", "most", "prefix", "one")


def some_of(entries, way, chance):
    share = {"none": 0, "all": 1, "some": chance.random(), "few": 0.1, "most": 0.9}.get(way)
    if share is not None:
        return [e for e in entries if chance.random() < share]
    if way == "prefix":
        return entries[:chance.randint(0, len(entries))]
    return [chance.choice(entries)] if entries else []


class Crash:
    """A moment just before a flush was done: on each disk all writes up to its last flush, and some of those after it."""

    def __init__(self, history, order):
        self.order = order
        self.promised = history.promised(order)
        self.certain, self.open = {}, {}
        for disk, entries in history.disks.items():
            end = bisect.bisect_left(history.orders[disk], order)
            start = history.last_flush(disk, end)
            self.certain[disk] = start
            self.open[disk] = [e for e in entries[start:end] if e.kind != "F"]

    def choose(self, seed):
        """disk → what of its open writes arrives: (entry, sectors or None for all of them)."""
        chance = random.Random(seed)
        way = chance.choice(WAYS)
        torn = chance.choice((0, 0, 0.1, 0.5))
        return {disk: self.choose_of(self.open[disk], way, torn, chance) for disk in sorted(self.open)}

    def choose_of(self, entries, way, torn, chance):
        chosen = some_of(entries, way, chance)
        return [(e, self.tear(e, chance) if e.kind == "W" and chance.random() < torn else None) for e in chosen]

    @staticmethod
    def tear(entry, chance):
        count = entry.length // 512
        cut = chance.randint(0, count)
        return chance.choice((range(cut), range(cut, count), [s for s in range(count) if chance.random() < 0.5]))


class History:
    """The write logs of disks that share one order."""

    def __init__(self, logs):
        self.disks = {}
        for path in logs:
            for entry in read_log(path):
                self.disks.setdefault(entry.disk, []).append(entry)
        self.orders = {disk: [e.order for e in entries] for disk, entries in self.disks.items()}
        self.flushes = {disk: [n for n, e in enumerate(entries) if e.kind == "F"] for disk, entries in self.disks.items()}
        self.all = sorted((e for entries in self.disks.values() for e in entries), key=lambda e: e.order)

    def last_flush(self, disk, end):
        """The place behind the last flush among the first `end` entries."""
        before = bisect.bisect_left(self.flushes[disk], end)
        return self.flushes[disk][before - 1] + 1 if before else 0

    def promised(self, order):
        """What had been promised when the entry of that order came."""
        return self.all[bisect.bisect_left([e.order for e in self.all], order)].promised

    def moments(self, start):
        """The flushes from `start` on: a crash just before each is worth a look."""
        return [e.order for e in self.all if e.kind == "F" and e.order >= start]
