"""The grounds `ext4` and `xfs`: a workload on disks that blockfile.c records, and images of them as they may be after a loss of power.

An image is all writes up to a flush and a random choice of those between it and the next, torn sectors included.
"""
import os

from power_disk import Crash, History, Mount, RecordedDisk, apply, copy_sparse, make_image
from power_tree import Tree


def disks_of(layout):
    """disk → where it is mounted, the root first."""
    return {"one": {"a": ""}, "two": {"a": "", "b": "spool/mail"}}[layout]


class RecordedDisks:
    """Every disk of a layout under recording, with a copy of the base tree."""

    def __init__(self, recording, root, stamp):
        self.disks, ground, lab = [], recording.ground, recording.lab
        for disk, place in disks_of(ground.layout).items():
            image = lab.path("disk-%s-%s" % (recording.seed, disk))
            copy_sparse(recording.base[disk], image)
            self.disks.append(RecordedDisk(lab.tool("blockfile.c"), ground.kind, image, os.path.join(root, place), stamp, disk))

    def close(self):
        for disk in reversed(self.disks):
            disk.close()
        return History([disk.log for disk in self.disks])


class DiskImages:
    """Images of a recording, one after the other in the order of their moments."""

    def __init__(self, recording, name):
        self.recording, self.name, self.mounts = recording, name, []
        self.certain = {}
        for disk, base in recording.base.items():
            copy_sparse(base, self.certain_path(disk))
            self.certain[disk] = 0

    def certain_path(self, disk):
        return self.recording.lab.path("certain-%s-%s" % (self.name, disk))

    def image_path(self, disk):
        return self.recording.lab.path("image-%s-%s" % (self.name, disk))

    def make(self, moment, seed):
        """(how much had been promised, how many writes were open)."""
        crash = Crash(self.recording.history, moment)
        self.chosen = crash.choose(seed)
        for disk in self.chosen:
            with open(self.certain_path(disk), "r+b", buffering=0) as file:
                for entry in self.recording.history.disks[disk][self.certain[disk]:crash.certain[disk]]:
                    apply(file.fileno(), entry)
            self.certain[disk] = crash.certain[disk]
            self.write(disk, self.image_path(disk))
        return crash.promised, sum(map(len, crash.open.values()))

    def write(self, disk, path):
        copy_sparse(self.certain_path(disk), path)
        with open(path, "r+b", buffering=0) as file:
            for entry, sectors in self.chosen[disk]:
                apply(file.fileno(), entry, sectors)

    def mount(self, root):
        for disk, place in disks_of(self.recording.ground.layout).items():
            self.mounts.append(Mount(self.recording.ground.kind, self.image_path(disk), os.path.join(root, place)))

    def unmount(self):
        while self.mounts:
            self.mounts.pop().discard()

    def keep(self, folder):
        """The images as they were before recovery."""
        for disk in self.chosen:
            self.write(disk, os.path.join(folder, "image-" + disk))


class Blocks:
    """The ground itself."""
    # So many flushes after each sync that was left out are looked at: a later one brings along what it would have brought.
    reach, is_strict, soon_only = 12, False, False

    def __init__(self, kind, layout, megabytes=None):
        self.kind, self.layout, self.megabytes = kind, layout, megabytes

    def template(self, lab):
        """disk → image with an initialised tree."""
        images = {disk: lab.path("%s-%s-%s" % (self.kind, self.layout, disk)) for disk in disks_of(self.layout)}
        root, mounts = lab.root(), []
        for disk, place in disks_of(self.layout).items():
            make_image(self.kind, images[disk], self.megabytes)
            os.makedirs(os.path.join(root, place), exist_ok=True)
            mounts.append(Mount(self.kind, images[disk], os.path.join(root, place)))
            os.chmod(os.path.join(root, place), 0o755)
        Tree(root, lab.path("init.log"), lab.binaries).initialise()
        for mount in reversed(mounts):
            mount.unmount()
        return images

    def shims(self, lab, shims):
        return shims

    def record(self, recording, root, stamp):
        return RecordedDisks(recording, root, stamp)

    def images(self, recording, name):
        return DiskImages(recording, name)
