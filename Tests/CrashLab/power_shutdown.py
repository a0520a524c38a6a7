"""Power loss at the level of the filesystem: under load the disk is shut down without its journal being written out.

    one         spool and mail store lie on one disk, which loses power
    two-spool   they lie on two; that of the spool loses power, the store keeps all that was written
    two-store   they lie on two; that of the store loses power, under programs that go on (but for locald, which held it)

Many cycles are made on one tree, and what any of them promised is asked for in all that follow.
"""
import os
import random
import time

from power_blocks import Blocks
from power_disk import Mount, copy_sparse
from power_tree import ACCOUNTS, IN_FLIGHT, MAIL_SERVICES, Ledger, Load, Never, Tree, check, far_site, generator

# After so many cycles a new tree: the cost of a check grows with what was promised.
CYCLES_PER_TREE = 20
LAYOUTS = {"one": ("one", "a"), "two-spool": ("two", "a"), "two-store": ("two", "b")}
PLACES = {"one": {"a": ""}, "two": {"a": "", "b": "spool/mail"}}
MEGABYTES = {"ext4": 400, "xfs": 400}


class Shutdowns:
    """One tree that loses power again and again."""

    def __init__(self, lab, kind, layout, seed):
        self.lab, self.kind, self.seed = lab, kind, seed
        self.disks, self.victim = LAYOUTS[layout]
        self.chance = random.Random(seed + "/shutdowns")
        self.root = lab.root()
        self.mounts = {}
        self.tree = Tree(self.root, lab.path("log-" + seed), lab.binaries, lab.shims)
        self.ledger = Ledger(lab.path("ledger-" + seed))
        self.sink = far_site(self.ledger)
        self.generator = generator(seed)
        self.load = Load(self.tree, self.ledger, self.generator, [self.sink], threads=6)
        self.cycles = self.doubled = 0
        for disk, base in lab.template(Blocks(kind, self.disks, MEGABYTES[kind])).items():
            copy_sparse(base, self.image(disk))
        for disk in PLACES[self.disks]:
            self.mount(disk)

    def image(self, disk):
        return self.lab.path("image-%s-%s" % (self.seed, disk))

    def mount(self, disk):
        self.mounts[disk] = Mount(self.kind, self.image(disk), os.path.join(self.root, PLACES[self.disks][disk]))

    def close(self):
        self.load.stopping = True
        self.tree.kill()
        for disk in sorted(self.mounts, reverse=True):
            try:
                self.mounts[disk].discard()
            except OSError:
                self.mounts[disk].unmount()
        self.sink.close()
        self.ledger.close()
        for name in os.listdir(self.lab.folder):
            if self.seed in name:
                os.unlink(self.lab.path(name))

    def cycle(self):
        """Load, power loss, recovery, judgement: a row."""
        began = time.monotonic()
        before = dict(self.load.outcomes)
        self.cycles += 1
        row = {"seed": "%s/%d" % (self.seed, self.cycles), "problem": ""}
        try:
            if not self.tree.running:
                self.tree.start()
            self.load.run(1 << 30)
            self.load.wait_for(self.chance.choice((1, 4, 10, 20, 40)))
            time.sleep(self.chance.random() * 0.02)
            self.lose_power()
            self.tree.settle()
            self.judge(row)
        except (Never, OSError, RuntimeError) as error:
            row["problem"] = str(error)
        row["new_promises"] = self.load.promised - before.get("promised", 0)
        row["messages"] = sum(self.load.outcomes.values()) - sum(before.values())
        row["seconds"] = round(time.monotonic() - began, 2)
        return row

    def lose_power(self):
        """The programs may live on for a moment in which each write and sync fails: nothing that they say may be untrue."""
        self.mounts[self.victim].power_off()
        if self.chance.random() < 0.5:
            time.sleep(self.chance.random() * 0.1)
        if self.victim == "b":
            return self.lose_store()
        self.tree.kill()
        self.load.stop()
        self.remount()
        self.tree.start()

    def lose_store(self):
        self.tree.kill(["locald"])
        time.sleep(self.chance.random() * 0.1)
        if self.chance.random() < 0.3:
            self.tree.kill()
        self.load.stop()
        self.remount()
        self.tree.start([s for s in MAIL_SERVICES if s not in self.tree.running])

    def remount(self):
        inner = [disk for disk in sorted(self.mounts, reverse=True) if disk >= self.victim]
        if self.victim == "a" and "b" in inner:
            # The store that did not lose power comes down in good order, because it is mounted below the one that did.
            self.mounts["b"].unmount()
        self.mounts[self.victim].unmount()
        for disk in sorted(inner):
            self.mount(disk)

    def judge(self, row):
        # The copies that were under way at each loss of power may have come twice.
        allowed = IN_FLIGHT * self.cycles
        end = time.monotonic() + 5
        while True:
            verdict = check(self.ledger, self.root, ACCOUNTS, queue=[], killed_in_flight=allowed)
            if not verdict.lost or time.monotonic() > end:
                break
            time.sleep(0.2)
            self.tree.settle()
        row.update(verdict.row())
        row["remote_duplicates"], self.doubled = verdict.remote_duplicates - self.doubled, verdict.remote_duplicates
        complaints, troubles = self.tree.complaints(), self.tree.troubles()
        row.update(complaints=len(complaints), complaint=(complaints or [""])[0])
        if not verdict.ok:
            row["problem"] = "; ".join(verdict.details[:6])
        elif troubles:
            row["problem"] = troubles[0]


def cycles(lab, kind, layout, seed, count, skip=0):
    """Rows of `count` cycles; a new tree after each that went wrong, or became large. `skip`: what an earlier run has done."""
    made, number = 0, skip // CYCLES_PER_TREE
    while made < count:
        tree_seed = "%s.%d" % (seed, number)
        number += 1
        run = Shutdowns(lab, kind, layout, tree_seed)
        try:
            for _ in range(min(CYCLES_PER_TREE, count - made)):
                row = run.cycle()
                made += 1
                yield row
                if row["problem"]:
                    break
        finally:
            run.close()
