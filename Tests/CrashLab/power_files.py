"""The ground `posix`: a workload on recordfs, and trees that may be left of it under the promises of power_posix.py.

Trees are planted on a fresh tmpfs, which numbers its inodes from 2 on: so each has the number that it had in the workload, as on a
real disk (an adopted drop's id derives from it). Recovery runs there without FUSE.
"""
import bisect
import os
import shutil
import stat
import subprocess

from power_disk import LIBC, MNT_DETACH, die_with_parent, succeed
from power_posix import TEARS, Inode, Medium, read_changes
from power_tree import Tree

SYNCS = "FDfS"


def mount_memory(place):
    """An empty tmpfs."""
    os.makedirs(place, exist_ok=True)
    succeed(LIBC.mount(b"martlet-lab", place.encode(), b"tmpfs", 0, b"mode=755"), "tmpfs")


def unmount(place):
    LIBC.umount2(place.encode(), MNT_DETACH)


def gathered(top):
    """number → Inode of a tree of files, folders and links that lies in a folder, numbered anew."""
    inodes, numbers = {}, {}

    def gather(path):
        status = os.lstat(path)
        if status.st_ino in numbers:
            return numbers[status.st_ino]
        number = numbers[status.st_ino] = len(numbers) + 1
        inode = inodes[number] = Inode(status.st_mode, status.st_uid, status.st_gid)
        if stat.S_ISREG(status.st_mode):
            with open(path, "rb") as file:
                inode.data = bytearray(file.read())
        elif stat.S_ISLNK(status.st_mode):
            inode.data = bytearray(os.readlink(path))
        elif inode.is_folder:
            for name in sorted(os.listdir(path)):
                inode.names[name] = gather(os.path.join(path, name))
        return number

    gather(os.fsencode(top))
    return inodes


def plant(inodes, place):
    """Makes the tree on the empty tmpfs at `place`, each inode under its number."""
    top = os.fsencode(place)
    next_number = 2
    for number in sorted(inodes):
        inode, path = inodes[number], b"%s/\1%d" % (top, number)
        if number > 1:
            for _ in range(next_number, number):
                os.mknod(path)
                os.unlink(path)
            make(inode, path)
            next_number = number + 1
        else:
            path = top
        os.lchown(path, inode.uid, inode.gid)
        if not stat.S_ISLNK(inode.mode):
            os.chmod(path, stat.S_IMODE(inode.mode))
    if len(inodes) > 1 and os.lstat(path).st_ino != number:
        raise OSError("tmpfs numbers its inodes in another way")
    arrange(inodes, 1, top, top, {})


def make(inode, path):
    if inode.is_folder:
        os.mkdir(path)
    elif stat.S_ISLNK(inode.mode):
        os.symlink(bytes(inode.data), path)
    else:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        if inode.data:
            os.write(file, inode.data)
        os.close(file)


def arrange(inodes, folder, path, top, placed):
    """Gives all that is beneath a folder its place."""
    for name, number in inodes[folder].names.items():
        target = path + b"/" + name
        if number in placed:
            os.link(placed[number], target, follow_symlinks=False)
            continue
        os.rename(b"%s/\1%d" % (top, number), target)
        placed[number] = target
        if inodes[number].is_folder:
            arrange(inodes, number, target, top, placed)


class FileHistory:
    """The log of a workload, and what was promised at its end."""

    def __init__(self, path, order, promised):
        self.changes = read_changes(path)
        self.orders = [c.order for c in self.changes]
        self.end, self.promised_at_end = order, promised

    def promised(self, order):
        at = bisect.bisect_left(self.orders, order)
        return self.changes[at].promised if at < len(self.changes) else self.promised_at_end

    def moments(self, start):
        """A crash just before each sync, and one at the end, is worth a look."""
        return [c.order for c in self.changes if c.kind in SYNCS and c.order >= start] + [self.end]


class RecordedFolder:
    """recordfs over a tmpfs with a copy of the base tree."""

    def __init__(self, recording, root, stamp):
        lab, self.root, self.stamp = recording.lab, root, stamp
        self.backing, self.log = lab.path("backing-" + recording.seed), lab.path("disk-%s-log" % recording.seed)
        mount_memory(self.backing)
        plant(recording.base, self.backing)
        self.process = subprocess.Popen([lab.tool("recordfs.c"), self.backing, root, self.log, stamp.path], stdout=subprocess.PIPE,
                                        preexec_fn=die_with_parent)
        if self.process.stdout.readline() != b"ready\n":
            raise OSError("recordfs did not start")

    def close(self):
        unmount(self.root)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        unmount(self.backing)
        os.rmdir(self.backing)
        return FileHistory(self.log, self.stamp.order, self.stamp.promised)


class TreeImages:
    """Trees of a recording, one after the other in the order of their moments."""

    def __init__(self, recording, name):
        self.history, self.medium, self.taken, self.tears = recording.history, Medium(recording.base), 0, recording.ground.tears

    def make(self, moment, seed):
        while self.taken < len(self.history.changes) and self.history.orders[self.taken] < moment:
            self.medium.take(self.history.changes[self.taken])
            self.taken += 1
        self.image = self.medium.image(seed, self.tears)
        return self.history.promised(moment), self.medium.uncertain()

    def mount(self, root):
        self.root = root
        mount_memory(root)
        plant(self.image, root)

    def unmount(self):
        unmount(self.root)

    def keep(self, folder):
        """The tree as it was before recovery."""
        place = os.path.join(folder, "tree")
        mount_memory(place)
        plant(self.image, place)
        subprocess.run(["tar", "-C", place, "-cf", os.path.join(folder, "tree.tar"), "."], check=True)
        unmount(place)
        os.rmdir(place)


class Files:
    """The ground itself."""
    # So many syncs after each that was left out are looked at, and all later ones: none stands in for it.
    reach, is_strict, soon_only, tears = 12, True, False, TEARS

    def __init__(self, kind, layout):
        self.kind, self.layout = kind, layout

    def template(self, lab):
        top = lab.path("posix-template")
        os.makedirs(top)
        os.chmod(top, 0o755)
        Tree(top, lab.path("init.log"), lab.binaries).initialise()
        base = gathered(top)
        shutil.rmtree(top)
        return base

    def shims(self, lab, shims):
        """Linux asks no FUSE server for syncfs."""
        ours = {"LD_PRELOAD": lab.tool("nosync.c", shared=True), "MARTLET_LAB_SYNCFS": "ioctl"}
        return {**shims, "sendmail": {**shims.get("sendmail", {}), **ours}}

    def record(self, recording, root, stamp):
        return RecordedFolder(recording, root, stamp)

    def images(self, recording, name):
        return TreeImages(recording, name)
