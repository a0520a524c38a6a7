"""The promises of power_posix.py, one by one, and that recordfs says what happened."""
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
from power_posix import Change, Inode, Medium

FILE, FOLDER = 0o100600, 0o40700


def change(kind, inode, a=0, b=0, data=b""):
    return Change(Change.FORM.pack(kind.encode(), 0, 0, inode, a, b, len(data)) + data, 0)


def made(folder, name, number, mode=FILE):
    return [change("M", number, mode), change("c", folder, number, len(name), name)]


def renamed(old, name, new, to):
    return change("r", old, new, len(name), name + to)


def trees(*changes):
    """All trees that are found in many images: sorted paths, those of files with their content."""
    medium = Medium({1: Inode(FOLDER, 0, 0, names={b"a": 2, b"b": 3}), 2: Inode(FOLDER, 0, 0), 3: Inode(FOLDER, 0, 0)})
    for group in changes:
        for one in group if isinstance(group, list) else [group]:
            medium.take(one)
    return {tuple(sorted(paths(medium.image(str(seed))))) for seed in range(300)}


def paths(inodes, number=1, at=""):
    for name, child in inodes[number].names.items():
        path, inode = "%s/%s" % (at, name.decode()), inodes[child]
        if inode.is_folder:
            yield from paths(inodes, child, path)
        else:
            yield "%s=%s" % (path, inode.data.decode())


X, WRITTEN = made(2, b"x", 4), change("W", 4, data=b"ok")


class Promises(unittest.TestCase):
    def test_nothing_is_certain_without_a_sync(self):
        self.assertLessEqual({(), ("/a/x=",), ("/a/x=ok",)}, trees(X, WRITTEN))

    def test_a_file_brings_its_data_and_not_its_name(self):
        self.assertEqual(trees(X, WRITTEN, change("D", 4)), {(), ("/a/x=ok",)})

    def test_a_folder_brings_names_and_no_data(self):
        found = trees(X, WRITTEN, change("f", 2))
        self.assertLessEqual({("/a/x=",), ("/a/x=ok",)}, found)
        self.assertNotIn((), found)

    def test_a_folder_does_not_bring_its_own_name(self):
        self.assertEqual(trees(made(2, b"d", 4, FOLDER), made(4, b"x", 5), change("f", 4)), {(), ("/a/d/x=",)})

    def test_a_rename_is_whole_and_the_sync_of_its_new_folder_is_needed(self):
        before = [X, change("f", 2), renamed(2, b"x", 3, b"y")]
        both = {("/a/x=",), ("/b/y=",)}
        self.assertEqual(trees(*before), both)
        self.assertEqual(trees(*before, change("f", 2)), both)
        self.assertEqual(trees(*before, change("f", 3)), {("/b/y=",)})

    def test_a_name_replaced_is_the_old_or_the_new(self):
        new = made(2, b"n", 5) + [change("W", 5, data=b"new"), change("F", 5), renamed(2, b"n", 2, b"x")]
        found = trees(X, WRITTEN, change("F", 4), change("f", 2), new)
        self.assertEqual(found, {("/a/x=ok",), ("/a/n=new", "/a/x=ok"), ("/a/x=new",)})

    def test_different_names_have_no_order(self):
        self.assertEqual(trees(X, made(2, b"y", 5)), {(), ("/a/x=",), ("/a/y=",), ("/a/x=", "/a/y=")})

    def test_a_removed_folder_was_empty(self):
        found = trees(X, change("f", 2), renamed(2, b"x", 3, b"x"), change("u", 1, 2, 1, b"a"), change("f", 1))
        self.assertEqual(found, {("/b/x=",)})

    def test_a_write_may_be_torn_and_a_cut_may_be_undone(self):
        self.assertLessEqual({("/a/x=",), ("/a/x=o",), ("/a/x=\0k",), ("/a/x=\0\0",), ("/a/x=ok",)}, trees(X, change("f", 2), WRITTEN))
        self.assertEqual(trees(X, WRITTEN, change("F", 4), change("f", 2), change("T", 4, 1)), {("/a/x=ok",), ("/a/x=o",)})

    def test_the_sync_of_all_brings_all(self):
        self.assertEqual(trees(X, WRITTEN, renamed(2, b"x", 3, b"y"), change("S", 1)), {("/b/y=ok",)})


# In a process of its own: a laboratory takes private mounts for good.
SAME_TREE = """
import fcntl, hashlib, os, random, sys, tempfile
sys.path.insert(0, %r)
import power_files, power_posix
from power_disk import Stamp, own_world
from shims import compiled
own_world()

class Lab:
    def __init__(self, folder): self.folder = folder
    def path(self, name): return os.path.join(self.folder, name)
    def tool(self, source): return compiled(source, self.folder, False)

class Recording: pass

def seen(top):
    out = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            data = os.readlink(path).encode() if os.path.islink(path) else b"" if os.path.isdir(path) else open(path, "rb").read()
            out[os.path.relpath(path, top)] = (status.st_ino, status.st_mode, status.st_uid, status.st_gid, status.st_nlink, data)
    return out

def work(top, chance):
    os.chdir(top)
    os.mkdir("d"); os.chown("d", 7, 8); os.chmod("d", 0o2775)
    for n in range(200):
        name = os.path.join(chance.choice((".", "d", "d/e")), str(chance.randrange(30)))
        os.makedirs(os.path.dirname(name), exist_ok=True)
        file = os.open(name, os.O_RDWR | os.O_CREAT | chance.choice((0, os.O_APPEND, os.O_TRUNC)), 0o640)
        os.pwrite(file, bytes([n]) * chance.randrange(9000), chance.randrange(5000))
        chance.choice((os.fsync, os.fdatasync, lambda f: os.ftruncate(f, chance.randrange(3000))))(file)
        os.close(file)
        chance.choice((lambda: os.rename(name, "d/other"), lambda: os.unlink(name), lambda: os.chmod(name, 0o400), lambda: None))()
    os.link("d/other", "again"); os.symlink("d/other", "link")
    os.chdir("/")

with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
    recording, lab = Recording(), Lab(folder)
    recording.lab, recording.seed, recording.base = lab, "t", {1: power_posix.Inode(0o40755, 0, 0)}
    recording.ground = power_files.Files("posix", "one")
    root, again = lab.path("root"), lab.path("again")
    os.mkdir(root)
    recorded = power_files.RecordedFolder(recording, root, Stamp(lab.path("stamp")))
    work(root, random.Random(3))
    before = seen(root)
    recording.history = recorded.close()
    images = power_files.TreeImages(recording, "w")
    power_posix.WAYS, recording.ground.tears = ("all",), (0,)
    images.make(recording.history.end, "1")
    images.mount(again)
    assert seen(again) == before, (seen(again), before)
    images.unmount()
    os.rmdir(again)
""" % HERE


@unittest.skipUnless(os.getuid() == 0 and os.path.exists("/dev/fuse"), "needs root and FUSE")
class RecordFS(unittest.TestCase):
    def test_the_log_leads_to_the_tree_that_was_there(self):
        subprocess.run([sys.executable, "-c", SAME_TREE], check=True)


if __name__ == "__main__":
    unittest.main()
