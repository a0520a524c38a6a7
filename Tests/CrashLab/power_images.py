"""Power loss at the level of blocks: a workload is recorded write by write; each crash image is mounted, recovered and judged.

An image is all writes up to a flush and a random choice of those between it and the next, torn sectors included. What it must
hold was promised before the next flush was done. Images of one workload are made from the log, so `keep` can make one again.
"""
import bisect
import collections
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

from invariant import DOMAIN
from power_disk import Crash, History, Mount, RecordedDisk, Stamp, apply, copy_sparse, die_with_parent, make_image, own_world
from shims import compiled
from power_tree import ACCOUNTS, MAIL_SERVICES, SIZES, Ledger, Load, Never, Tree, far_site, generator, judged

MEMORY, PREFIX = "/dev/shm", "martlet-power-"


def disks_of(layout):
    """disk → where it is mounted, the root first."""
    return {"one": {"a": ""}, "two": {"a": "", "b": "spool/mail"}}[layout]


def sweep():
    """Removes what a laboratory that was killed has left: mounts and processes end with it, a folder does not."""
    for name in os.listdir(MEMORY):
        found = re.match(PREFIX + r"(\d+)-", name)
        if found and not os.path.exists("/proc/" + found.group(1)):
            shutil.rmtree(os.path.join(MEMORY, name), ignore_errors=True)


class StampedLedger(Ledger):
    """A ledger whose durable length stands in each entry of the write logs."""
    stamp = None

    def append(self, entry, wait=True):
        super().append(entry, wait)
        if self.stamp:
            self.stamp.promise(self.position)


class Lab:
    """A folder in memory with a fresh tree for each filesystem and layout."""

    def __init__(self, binaries, shims=None):
        sweep()
        self.folder = tempfile.mkdtemp(prefix="%s%d-" % (PREFIX, os.getpid()), dir=MEMORY)
        os.chmod(self.folder, 0o755)
        self.binaries, self.shims, self.templates = binaries, shims or {}, {}
        self.blockfile = compiled("blockfile.c", self.folder, shared=False)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def root(self, layout, name="root"):
        """An empty place to mount the disks of a layout on."""
        os.makedirs(self.path(name), exist_ok=True)
        return self.path(name)

    def template(self, kind, layout, megabytes=None):
        """disk → image with an initialised tree."""
        key = (kind, layout)
        if key not in self.templates:
            images = {disk: self.path("%s-%s-%s" % (kind, layout, disk)) for disk in disks_of(layout)}
            root, mounts = self.root(layout), []
            for disk, place in disks_of(layout).items():
                make_image(kind, images[disk], megabytes)
                os.makedirs(os.path.join(root, place), exist_ok=True)
                mounts.append(Mount(kind, images[disk], os.path.join(root, place)))
                os.chmod(os.path.join(root, place), 0o755)
            Tree(root, self.path("init.log"), self.binaries).initialise()
            for mount in reversed(mounts):
                mount.unmount()
            self.templates[key] = images
        return self.templates[key]


class Reader(threading.Thread):
    """Somebody who reads his mail with other software: what is new becomes seen, by a rename that nobody syncs."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.store, self.stopping = os.path.join(root, "spool", "mail", DOMAIN), threading.Event()

    def run(self):
        while not self.stopping.wait(0.01):
            for account in ACCOUNTS:
                new, cur = (os.path.join(self.store, account, name) for name in ("new", "cur"))
                for name in os.listdir(new) if os.path.isdir(new) else ():
                    try:
                        os.rename(os.path.join(new, name), os.path.join(cur, name + ":2,S"))
                    except FileNotFoundError:
                        pass

    def stop(self):
        self.stopping.set()
        self.join()


class Recording:
    """A workload under recorded disks, and the images that its logs allow."""

    sizes = SIZES

    def __init__(self, lab, kind, layout, seed, messages):
        self.lab, self.kind, self.layout, self.seed, self.messages = lab, kind, layout, seed, messages
        self.base = lab.template(kind, layout)
        self.ledger_path = lab.path("ledger-" + seed)
        self.history, self.started = None, 0

    def remove(self):
        for name in os.listdir(self.lab.folder):
            if name.startswith(("disk-%s-" % self.seed, "ledger-" + self.seed)):
                os.unlink(self.lab.path(name))

    def run(self):
        stamp = Stamp(self.lab.path("disk-%s-stamp" % self.seed))
        ledger = StampedLedger(self.ledger_path)
        ledger.stamp = stamp
        shims = {program: dict(environment, MARTLET_LAB_STAMP=stamp.path) for program, environment in self.lab.shims.items()}
        sink = far_site(ledger)
        root, disks, logs = self.lab.root(self.layout), [], []
        tree = Tree(root, self.lab.path("workload.log"), self.lab.binaries, shims)
        try:
            for disk, place in disks_of(self.layout).items():
                image = self.lab.path("disk-%s-%s" % (self.seed, disk))
                copy_sparse(self.base[disk], image)
                disks.append(RecordedDisk(self.lab.blockfile, self.kind, image, os.path.join(root, place), stamp, disk))
                logs.append(disks[-1].log)
            self.started = stamp.order
            self.work(tree, ledger, sink)
        finally:
            tree.kill()
            for disk in reversed(disks):
                disk.close()
            sink.close()
            ledger.close()
        self.history = History(logs)

    def work(self, tree, ledger, sink):
        """Mail in a few lives of the programs: all of them, or one, are killed under way; perhaps a reader; perhaps a rest, in
        which content is erased."""
        chance = random.Random(self.seed + "/plan")
        reader = Reader(tree.root) if chance.random() < 0.6 else None
        if reader:
            reader.start()
        try:
            self.live(tree, ledger, sink, chance)
        finally:
            if reader:
                reader.stop()

    def live(self, tree, ledger, sink, chance):
        load = Load(tree, ledger, generator(self.seed, sizes=self.sizes), [sink])
        self.outcomes = load.outcomes
        lives = chance.choice((1, 2, 3, 4))
        tree.start()
        load.run(self.messages, pause=chance.choice((0, 0, 0.02)))
        for _ in range(lives - 1):
            load.wait_for(chance.randint(1, self.messages // lives))
            tree.kill(chance.choice((None, None, ["locald"], ["queued"], ["remoted"], ["smtpd", "submission"], ["queued", "locald"])))
            tree.start([s for s in MAIL_SERVICES if s not in tree.running])
        load.join()
        tree.settle()
        if chance.random() < 0.2:
            time.sleep(7)

    def plan(self, count, near=None):
        """(moment, seed of the choice), in the order of the log. `near`: orders, and how many flushes after each count."""
        chance = random.Random(self.seed + "/images")
        moments = self.history.moments(self.started)
        if near:
            orders, reach = near
            starts = [bisect.bisect_left(moments, order) for order in orders]
            moments = [moments[n] for n in sorted({s + k for s in starts for k in range(reach)}) if n < len(moments)]
        picks = [moments[n * len(moments) // count] for n in range(count)] if moments else []
        return [(moment, "%s/%d/%d" % (self.seed, number, chance.getrandbits(32))) for number, moment in enumerate(picks)]


class Worker:
    """Makes images of a recording, one after the other, and judges each."""

    def __init__(self, recording, name):
        self.recording, self.name = recording, name
        lab = recording.lab
        self.root = lab.root(recording.layout, "root-" + name)
        self.certain = {}
        for disk, base in recording.base.items():
            copy_sparse(base, self.certain_path(disk))
            self.certain[disk] = 0
        self.log = lab.path("log-" + name)

    def certain_path(self, disk):
        return self.recording.lab.path("certain-%s-%s" % (self.name, disk))

    def image_path(self, disk):
        return self.recording.lab.path("image-%s-%s" % (self.name, disk))

    def make(self, moment, seed):
        """The image of a crash at that moment; images come in the order of their moments."""
        crash = Crash(self.recording.history, moment)
        for disk, chosen in crash.choose(seed).items():
            with open(self.certain_path(disk), "r+b", buffering=0) as file:
                for entry in self.recording.history.disks[disk][self.certain[disk]:crash.certain[disk]]:
                    apply(file.fileno(), entry)
            self.certain[disk] = crash.certain[disk]
            copy_sparse(self.certain_path(disk), self.image_path(disk))
            with open(self.image_path(disk), "r+b", buffering=0) as file:
                for entry, sectors in chosen:
                    apply(file.fileno(), entry, sectors)
        return crash

    def judge(self, moment, seed):
        """One image: a row."""
        began = time.monotonic()
        crash = self.make(moment, seed)
        row = {"seed": seed, "moment": moment, "promises": crash.promised, "open": sum(map(len, crash.open.values())), "problem": ""}
        mounts, sink, ledger = [], None, None
        if os.path.exists(self.log):
            os.unlink(self.log)
        tree = Tree(self.root, self.log, self.recording.lab.binaries)
        after = self.recording.lab.path("ledger-%s-after-%s" % (self.recording.seed, self.name))
        try:
            for disk, place in disks_of(self.recording.layout).items():
                mounts.append(Mount(self.recording.kind, self.image_path(disk), os.path.join(self.root, place)))
            ledger = Ledger(after)
            sink = far_site(ledger)
            self.recover(tree, crash, sink, row)
        except OSError as error:
            row["problem"] = "not mounted: %s" % error
        except Never as error:
            row["problem"] = str(error)
        finally:
            tree.kill()
            if sink:
                sink.close()
                ledger.close()
                os.unlink(after)
            for mount in reversed(mounts):
                mount.discard()
        row["seconds"] = round(time.monotonic() - began, 3)
        return row

    def recover(self, tree, crash, sink, row):
        tree.start()
        try:
            tree.settle()
        except Never as error:
            # What is stuck for ever is lost.
            row["problem"] = str(error)
        verdict = judged(tree, ReadLedger(self.recording.ledger_path), crash.promised, [sink], patience=0 if row["problem"] else 4)
        row.update(verdict.row())
        complaints, troubles = tree.complaints(), tree.troubles()
        row.update(complaints=len(complaints), complaint=(complaints or [""])[0])
        if not verdict.ok:
            row["problem"] = "; ".join(verdict.details[:6] + [row["problem"]] * bool(row["problem"]))
        elif troubles and not row["problem"]:
            row["problem"] = troubles[0]


class ReadLedger(Ledger):
    """A ledger that is only read, by any number of processes."""

    def __init__(self, path):
        self.path = path

    def close(self):
        pass


def work(recording, name, plan, out, keep):
    """A process: judges its share of the plan, a JSON line an image."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    own_world()
    with os.fdopen(out, "w", buffering=1) as results:
        try:
            worker = Worker(recording, name)
            for moment, seed in plan:
                row = worker.judge(moment, seed)
                if row["problem"] and keep:
                    keep_image(worker, row, keep)
                results.write(json.dumps(row) + "\n")
        except BaseException:
            results.write(json.dumps({"seed": "?", "moment": 0, "problem": traceback.format_exc()}) + "\n")


def keep_image(worker, row, folder):
    """What is needed to look at an image again: the image itself as it was before recovery, the ledger, the daemons' words."""
    place = os.path.join(folder, row["seed"].replace("/", "-"))
    os.makedirs(place, exist_ok=True)
    shutil.copy(worker.recording.ledger_path, place)
    if os.path.exists(worker.log):
        shutil.copy(worker.log, os.path.join(place, "log"))
    again = Crash(worker.recording.history, row["moment"]).choose(row["seed"])
    for disk, chosen in again.items():
        image = os.path.join(place, "image-" + disk)
        copy_sparse(worker.certain_path(disk), image)
        with open(image, "r+b", buffering=0) as file:
            for entry, sectors in chosen:
                apply(file.fileno(), entry, sectors)
    with open(os.path.join(place, "row.json"), "w") as file:
        json.dump(row, file, indent=1)


def judge_all(recording, count, workers, keep=None, until=None, near=None):
    """Rows of `count` images, from several processes; `until(row)` true ends it early."""
    plan = recording.plan(count, near)
    parts = [plan[n * len(plan) // workers:(n + 1) * len(plan) // workers] for n in range(workers)]
    context = multiprocessing.get_context("fork")
    running, pipes = [], []
    for number, part in enumerate(parts):
        receive, send = os.pipe()
        process = context.Process(target=work, args=(recording, "w%d" % number, part, send, keep))
        process.start()
        os.close(send)
        running.append(process)
        pipes.append(os.fdopen(receive))
    try:
        for row in merged(pipes):
            yield row
            if until and until(row):
                break
    finally:
        for process in running:
            if process.is_alive() and (until or sys.exc_info()[0]):
                process.kill()
            process.join()
        for pipe in pipes:
            pipe.close()


def merged(pipes):
    """Lines of several pipes as they come."""
    import selectors
    selector = selectors.DefaultSelector()
    for pipe in pipes:
        selector.register(pipe, selectors.EVENT_READ)
    while selector.get_map():
        for key, _ in selector.select():
            line = key.fileobj.readline()
            if line:
                yield json.loads(line)
            else:
                selector.unregister(key.fileobj)


COUNTS = ("lost", "duplicated", "corrupt", "refused_delivered", "stray", "remote_duplicates", "complaints")


def summary(rows):
    total = collections.Counter()
    for row in rows:
        total.update({name: row.get(name, 0) for name in COUNTS})
        total["points"] += 1
        total["mounted"] += "not mounted" not in row["problem"]
        total["failed"] += bool(row["problem"])
    return total
