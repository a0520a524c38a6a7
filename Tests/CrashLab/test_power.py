"""A small form of the power laboratory (power.py has the full one), and that it bites."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

# In a process of its own: a laboratory takes private mounts for good.
SYNC_ARRIVES = """
import os, sys, tempfile
sys.path.insert(0, %r)
from power_disk import RecordedDisk, Stamp, make_image, own_world, read_log
from shims import compiled
own_world()
with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
    for kind in ("ext4", "xfs"):
        image, place = os.path.join(folder, kind), os.path.join(folder, "mount-" + kind)
        make_image(kind, image)
        os.mkdir(place)
        disk = RecordedDisk(compiled("blockfile.c", folder, shared=False), kind, image, place, Stamp(os.path.join(folder, "stamp")), "a")
        seen = len(read_log(disk.log))
        with open(os.path.join(place, "file"), "wb") as file:
            file.write(b"x" * 5000)
            file.flush()
            assert not any(b"x" * 4096 in bytes(e.data) for e in read_log(disk.log)[seen:] if e.kind == "W"), "written before the sync"
            os.fsync(file.fileno())
        after = read_log(disk.log)[seen:]
        written = [n for n, e in enumerate(after) if e.kind == "W" and b"x" * 4096 in bytes(e.data)]
        assert written and any(e.kind == "F" for e in after[written[0]:]), "no flush after the data of a sync"
        disk.close()
""" % HERE


def power(*words):
    """The last line of power.py, and its exit status."""
    done = subprocess.run([sys.executable, os.path.join(HERE, "power.py"), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1500)
    lines = done.stdout.strip().split("\n")
    if not lines[-1].startswith("{"):
        raise AssertionError(done.stdout)
    return json.loads(lines[-1]), done.returncode, done.stdout


@unittest.skipUnless(os.getuid() == 0 and os.path.exists("/dev/fuse"), "needs root and FUSE")
class Power(unittest.TestCase):
    def test_a_sync_inside_arrives_as_a_flush_below(self):
        subprocess.run([sys.executable, "-c", SYNC_ARRIVES], check=True)

    def test_acknowledged_mail_survives_shutdowns(self):
        # On XFS whose store shut down under running programs mail was lost: the sync of a folder succeeded there.
        for kind, layout, cycles in (("ext4", "one", 3), ("xfs", "two-spool", 3), ("xfs", "two-store", 10)):
            total, status, said = power("shutdown", "--fs", kind, "--layout", layout, "--cycles", str(cycles))
            self.assertEqual((total["points"], total["failed"], status), (cycles, 0, 0), said)

    def test_acknowledged_mail_is_in_half_written_images(self):
        for kind, layout in (("ext4", "one"), ("xfs", "two")):
            total, status, said = power("images", "--fs", kind, "--layout", layout, "--images", "30", "--messages", "12")
            self.assertEqual((total["mounted"], total["failed"], status), (30, 0, 0), said)

    def test_the_laboratory_bites(self):
        with tempfile.NamedTemporaryFile() as table:
            total, _, said = power("teeth", "--only", "mail-commit", "new-folder", "--json", table.name)
        self.assertEqual(total["not_bitten"], [], said)


if __name__ == "__main__":
    unittest.main()
