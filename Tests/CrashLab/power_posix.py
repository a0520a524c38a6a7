"""What POSIX promises of a tree after a loss of power, and no more: a model of a medium that keeps what was synced and perhaps the rest.

    medium = Medium(inodes)         a tree that lies there for certain: number → Inode, the root is 1
    medium.take(change)             the next entry of recordfs's log
    medium.image(seed)              number → Inode: one of the trees that may be found if the power goes now

Promised:
- A file has the data and the size of its last fsync or fdatasync, and the mode and owner of its last fsync; it is made with both.
- A folder has the names of its last fsync. Its own name, and that of a file in it, is another matter: the sync of neither brings it.
- A rename happens whole or not at all, also between two folders. A sync of the folder with the new name makes it certain; one of the
  folder with the old name does not.
- Changes of one name happen in their order: what is certain, or happens to arrive, brings all earlier changes of its names along; and
  the removal of a folder those of the names that were in it.
- syncfs makes all of it certain.

Not promised: any order between changes of different names, between names and data, or between two writes; that a write arrives
whole (a part of it may, cut at any byte, or only the size that it makes).
"""
import random
import stat
import struct

from power_disk import some_of

# How much of what was open arrives, of names and of data each; and how many of the writes that arrive are torn.
WAYS = ("none", "none", "none", "all", "all", "some", "some", "few", "most", "prefix", "one")
TEARS = (0, 0, 0.1, 0.5)
NAMING, DATA = "clur", "WTZM"


class Change:
    """One entry of the log: what happened, or a sync."""
    FORM = struct.Struct("=c7xQQQQQQ")
    __slots__ = ("kind", "order", "promised", "inode", "a", "b", "data", "names")

    def __init__(self, log, at):
        kind, self.order, self.promised, self.inode, self.a, self.b, length = self.FORM.unpack_from(log, at)
        self.kind, self.data = kind.decode(), memoryview(log)[at + self.FORM.size:at + self.FORM.size + length]
        # (folder, name) of each name that it changes, the new one last.
        self.names = ()
        if self.kind in NAMING:
            text = bytes(self.data)
            split = self.b if self.kind in "cr" else len(text)
            self.names = ((self.inode, text[:split]),) + (((self.a, text[split:]),) if self.kind == "r" else ())

    @property
    def folder(self):
        """Whose sync makes it certain."""
        return self.names[-1][0]

    @property
    def emptied(self):
        """The folder that it removes."""
        return self.a if self.kind == "u" and self.b else None


def read_changes(path):
    with open(path, "rb") as file:
        log = file.read()
    at, changes = 0, []
    while at + Change.FORM.size <= len(log):
        changes.append(Change(log, at))
        at += Change.FORM.size + len(changes[-1].data)
    return changes


class Inode:
    """`data` of a file or link, `names` of a folder: name → number."""
    __slots__ = ("mode", "uid", "gid", "data", "names", "open")

    def __init__(self, mode, uid, gid, data=b"", names=None):
        self.mode, self.uid, self.gid, self.data = mode, uid, gid, bytearray(data)
        self.names = dict(names or {})
        # What was done to it since its last sync.
        self.open = []

    @property
    def is_folder(self):
        return stat.S_ISDIR(self.mode)

    def copy(self):
        return Inode(self.mode, self.uid, self.gid, self.data, self.names)

    def apply(self, change, pieces=None, size=None):
        """Does what the change says; of a torn write only `pieces`, and the size that came."""
        if change.kind == "M":
            self.mode, self.uid, self.gid = change.a, change.b >> 32, change.b & 0xFFFFFFFF
        elif change.kind == "T":
            self.grow(change.a)
            del self.data[change.a:]
        elif change.kind == "Z":
            end = min(change.a + change.b, len(self.data))
            self.data[change.a:end] = bytes(max(0, end - change.a))
        elif pieces is None:
            self.grow(change.a)
            self.data[change.a:change.a + len(change.data)] = change.data
        else:
            self.grow(change.a + size)
            for start, end in pieces:
                self.grow(change.a + end)
                self.data[change.a + start:change.a + end] = change.data[start:end]

    def grow(self, size):
        if len(self.data) < size:
            self.data += bytes(size - len(self.data))

    def sync(self, with_mode=True):
        for change in self.open:
            if change.kind != "M" or with_mode:
                self.apply(change)
        self.open = [] if with_mode else [c for c in self.open if c.kind == "M"]


def tear(change, chance):
    """The pieces of a write that arrive, and the size that it makes at least."""
    count = len(change.data)
    cut = chance.randint(0, count)
    pieces = chance.choice(([(0, cut)], [(cut, count)], [], [(n, min(n + 512, count)) for n in range(0, count, 512) if chance.random() < 0.5]))
    return pieces, chance.choice((0, count))


class Medium:
    def __init__(self, inodes):
        self.inodes = {number: inode.copy() for number, inode in inodes.items()}
        # Changes of names that no sync has made certain.
        self.open = []

    def take(self, change):
        inode = self.inodes.get(change.inode)
        if change.kind == "M" and inode is None:
            self.inodes[change.inode] = Inode(change.a, change.b >> 32, change.b & 0xFFFFFFFF)
        elif change.kind in DATA:
            inode.open.append(change)
        elif change.kind in NAMING:
            self.open.append(change)
            if change.kind == "c":
                self.inodes[change.a].data += change.data[change.b:]
        elif change.kind == "f":
            inode.sync()
            self.settle(lambda name: name.folder == change.inode)
        elif change.kind == "S":
            for inode in self.inodes.values():
                inode.sync()
            self.settle(lambda name: True)
        else:
            inode.sync(with_mode=change.kind == "F")

    def settle(self, wanted):
        certain = with_earlier(self.open, wanted)
        rename(self.inodes, certain)
        if certain:
            gone = set(map(id, certain))
            self.open = [c for c in self.open if id(c) not in gone]

    def uncertain(self):
        """How many changes are open."""
        return len(self.open) + sum(len(inode.open) for inode in self.inodes.values())

    def image(self, seed, tears=TEARS):
        chance = random.Random(seed)
        way_of_names, way_of_data, torn = chance.choice(WAYS), chance.choice(WAYS), chance.choice(tears)
        arrived = set(map(id, some_of(self.open, way_of_names, chance)))
        found = dict(self.inodes)
        for number, inode in self.inodes.items():
            if inode.is_folder:
                found[number] = inode.copy()
        rename(found, with_earlier(self.open, lambda change: id(change) in arrived))
        reached = reachable(found)
        open_data = sorted((c for number in reached for c in self.inodes[number].open), key=lambda c: c.order)
        changed = set()
        for change in some_of(open_data, way_of_data, chance):
            if change.inode not in changed and not found[change.inode].is_folder:
                found[change.inode] = found[change.inode].copy()
            changed.add(change.inode)
            found[change.inode].apply(change, *(tear(change, chance) if change.kind == "W" and chance.random() < torn else ()))
        return {number: found[number] for number in reached}


def with_earlier(changes, wanted):
    """Those that are wanted, and what must have come before them, in order."""
    names, folders, out = set(), set(), []
    for change in reversed(changes):
        if wanted(change) or any(name in names or name[0] in folders for name in change.names):
            out.append(change)
            names.update(change.names)
            if change.emptied:
                folders.add(change.emptied)
    return out[::-1]


def rename(inodes, changes):
    for change in changes:
        folder, name = change.names[0]
        if change.kind in "cl":
            inodes[folder].names[name] = change.a
        else:
            number = inodes[folder].names.pop(name)
            if change.kind == "r":
                to, new = change.names[1]
                inodes[to].names[new] = number


def reachable(inodes):
    seen, waiting = set(), [1]
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen.add(number)
            waiting += inodes[number].names.values()
    return sorted(seen)
