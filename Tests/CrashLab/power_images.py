"""Power loss: a workload is recorded change by change; each crash image is made from the log, mounted, recovered and judged.

What is recorded, and which images that allows, is the ground's: `Blocks` (ext4 and XFS on disks that fail) or `Files` (what POSIX
promises of a tree). What an image must hold was promised before the sync that the crash came before was done.
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
from power_blocks import Blocks
from power_disk import Stamp, die_with_parent, own_world
from power_files import Files
from shims import compiled
from power_tree import ACCOUNTS, MAIL_SERVICES, SIZES, Ledger, Load, Never, Tree, far_site, generator, judged

MEMORY, PREFIX = "/dev/shm", "martlet-power-"


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
        self.binaries, self.shims, self.tools, self.templates = binaries, shims or {}, {}, {}

    def tool(self, source, shared=False):
        """A program or shim of the laboratory."""
        if source not in self.tools:
            self.tools[source] = compiled(source, self.folder, shared)
        return self.tools[source]

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def root(self, name="root"):
        """An empty place to mount a tree on."""
        os.makedirs(self.path(name), exist_ok=True)
        return self.path(name)

    def template(self, ground):
        """What a ground makes an initialised tree of."""
        key = (ground.kind, ground.layout)
        if key not in self.templates:
            self.templates[key] = ground.template(self)
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

    sizes, ways, services = SIZES, (12, 5, 1), tuple(MAIL_SERVICES)
    # How likely somebody else moves mail meanwhile, and an alias changes after mail to it was delivered.
    readers, changes = 0.6, 0.3
    remote_share, victims = 0.5, (None, None, ["locald"], ["queued"], ["remoted"], ["smtpd", "submission"], ["queued", "locald"])

    def __init__(self, lab, kind, layout, seed, messages, before=None):
        """`before`: a recording of the ground `posix`; this one begins with a tree that a loss of power has left of that."""
        self.lab, self.seed, self.messages = lab, seed, messages
        self.ground = (Files if kind == "posix" else Blocks)(kind, layout)
        self.ledger_path = lab.path("ledger-" + seed)
        self.history, self.started, self.cuts = None, 0, 1
        self.base = self.after(before) if before else lab.template(self.ground)

    def after(self, before):
        """A recovery can only fail to be durable where the power fails twice."""
        chance = random.Random(self.seed + "/before")
        moment = chance.choice(before.history.moments(before.started))
        images = before.ground.images(before, "before")
        promised, _ = images.make(moment, self.seed + "/before")
        ReadLedger(before.ledger_path).as_of(promised, self.ledger_path)
        self.cuts = before.cuts + 1
        return images.image

    def remove(self):
        for name in os.listdir(self.lab.folder):
            if name.startswith(("disk-%s-" % self.seed, "ledger-" + self.seed)):
                os.unlink(self.lab.path(name))

    def run(self):
        stamp = Stamp(self.lab.path("disk-%s-stamp" % self.seed))
        ledger = StampedLedger(self.ledger_path)
        ledger.stamp = stamp
        stamp.promise(ledger.position)
        shims = {program: dict(environment, MARTLET_LAB_STAMP=stamp.path) for program, environment in self.lab.shims.items()}
        sink = far_site(ledger)
        root, recorded = self.lab.root(), None
        tree = Tree(root, self.lab.path("workload.log"), self.lab.binaries, self.ground.shims(self.lab, shims))
        try:
            recorded = self.ground.record(self, root, stamp)
            self.started = stamp.order
            self.work(tree, ledger, sink)
        finally:
            tree.kill()
            if recorded:
                self.history = recorded.close()
            sink.close()
            ledger.close()

    def work(self, tree, ledger, sink):
        """Mail in a few lives of the programs: all of them, or one, are killed under way; perhaps a reader; perhaps a rest, in
        which content is erased."""
        chance = random.Random(self.seed + "/plan")
        reader = Reader(tree.root) if chance.random() < self.readers else None
        if reader:
            reader.start()
        try:
            self.live(tree, ledger, sink, chance)
        finally:
            if reader:
                reader.stop()

    def live(self, tree, ledger, sink, chance):
        load = Load(tree, ledger, generator(self.seed, sizes=self.sizes), [sink])
        self.outcomes, load.generator.ways, load.generator.remote_share = load.outcomes, self.ways, self.remote_share
        lives = chance.choice((1, 2, 3, 4))
        tree.start()
        load.run(self.messages, pause=chance.choice((0, 0, 0.02)))
        for _ in range(lives - 1):
            load.wait_for(chance.randint(1, self.messages // lives))
            tree.kill(chance.choice(self.victims))
            tree.start([s for s in MAIL_SERVICES if s not in tree.running])
        load.join()
        tree.settle()
        if chance.random() < 0.2:
            time.sleep(7)
        self.live_on(tree, load, random.Random(self.seed + "/later"))
        if self.ground.is_strict and random.Random(self.seed + "/alias").random() < self.changes:
            self.change_alias(tree, load)

    def change_alias(self, tree, load):
        """Where mail went is settled when it is routed: who gets the alias later gets none of it."""
        name, message = "to-%s@%s" % (re.sub(r"[^0-9a-z]", "-", self.seed.lower()), DOMAIN), load.generator.message(100_000)
        tree.mailctl("alias", "add", name, "ann@" + DOMAIN)
        message.way, message.recipients, message.mailboxes, message.remote = "smtp", [name], {"ann"}, set()
        load.sender.send(message)
        tree.settle()
        tree.mailctl("alias", "remove", name)
        tree.mailctl("alias", "add", name, "ben@" + DOMAIN)
        tree.kill(["locald"])
        tree.start(["locald"])
        load.run(load.next + 2)
        load.join()
        tree.settle()

    def live_on(self, tree, load, chance):
        """Shorter lives on what is done: state blocks forget, segments go. In some a service dies by itself, just before a call.

        Nothing comes by sendmail any more: its syncfs makes all certain that was left open."""
        load.generator.ways = (12, 5, 0)
        for _ in range(chance.choice((0, 1, 2, 4))):
            tree.kill(chance.choice((None, ["queued"], ["queued", "locald"], ["locald"], ["remoted"])))
            fault = chance.choice((None, "kill@sync:%d" % chance.randint(2, 40), "kill@%d" % chance.randint(50, 600)))
            doomed = {chance.choice(("locald", "locald", "queued", "smtpd")): fault} if fault else {}
            tree.kill(list(doomed))
            tree.start([s for s in MAIL_SERVICES if s not in tree.running], doomed)
            load.run(load.next + max(2, self.messages // 4))
            load.wait_for(self.messages // 4, patience=2)
            tree.kill(list(doomed))
            tree.start([s for s in MAIL_SERVICES if s not in tree.running])
            load.join()
            tree.settle()

    def judge_more(self, tree, promised):
        """What else was promised and is not so."""
        return []

    def plan(self, count, near=None):
        """(moment, seed of the choice), in the order of the log. `near`: orders, of which those within reach of the ground count (and all later ones, where nothing else brings what was left out)."""
        chance = random.Random(self.seed + "/images")
        moments = self.history.moments(self.started)
        if near:
            orders, reach = near, self.ground.reach
            starts = [bisect.bisect_left(moments, order) for order in orders]
            later = range(starts[0], len(moments)) if self.ground.is_strict and not self.ground.soon_only else ()
            soon = [n for n in sorted({s + k for s in starts for k in range(reach)}) if n < len(moments)]
            moments = [moments[n] for n in sorted([*soon, *later])]
        picks = [moments[n * len(moments) // count] for n in range(count)] if moments else []
        return [(moment, "%s/%d/%d" % (self.seed, number, chance.getrandbits(32))) for number, moment in enumerate(picks)]


class Worker:
    """Makes images of a recording, one after the other, and judges each."""

    def __init__(self, recording, name):
        self.recording, self.name = recording, name
        self.root = recording.lab.root("root-" + name)
        self.log = recording.lab.path("log-" + name)
        self.images = recording.ground.images(recording, name)

    def judge(self, moment, seed):
        """One image: a row. Images come in the order of their moments."""
        began = time.monotonic()
        promised, open_count = self.images.make(moment, seed)
        row = {"seed": seed, "moment": moment, "promises": promised, "open": open_count, "problem": ""}
        sink, ledger = None, None
        if os.path.exists(self.log):
            os.unlink(self.log)
        tree = Tree(self.root, self.log, self.recording.lab.binaries)
        after = self.recording.lab.path("ledger-%s-after-%s" % (self.recording.seed, self.name))
        try:
            self.images.mount(self.root)
            ledger = Ledger(after)
            # A refusal costs a second, so that few images have one.
            sink = far_site(ledger, is_patient=random.Random(seed + "/sink").random() < 0.9)
            self.recover(tree, promised, sink, row)
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
            self.images.unmount()
        row["seconds"] = round(time.monotonic() - began, 3)
        return row

    def recover(self, tree, promised, sink, row):
        tree.start(self.recording.services)
        try:
            tree.settle()
        except Never as error:
            # What is stuck for ever is lost.
            row["problem"] = str(error)
        verdict = judged(tree, ReadLedger(self.recording.ledger_path), promised, [sink], patience=0 if row["problem"] else 4, cuts=self.recording.cuts)
        row.update(verdict.row())
        more = [] if row["problem"] else self.recording.judge_more(tree, promised)
        row["shelf"] = len(more)
        complaints, troubles = tree.complaints(), tree.troubles()
        row.update(complaints=len(complaints), complaint=(complaints or [""])[0])
        if not verdict.ok or more:
            row["problem"] = "; ".join(verdict.details[:6] + more[:6] + [row["problem"]] * bool(row["problem"]))
        elif troubles and not row["problem"]:
            row["problem"] = troubles[0]


class ReadLedger(Ledger):
    """A ledger that is only read, by any number of processes."""

    def __init__(self, path):
        self.path = path

    def as_of(self, at, path):
        """Writes what stood at a loss of power to another ledger: whose end had not come then may have arrived."""
        with open(path, "w") as file:
            for number, line in enumerate(self.lines()):
                if number >= at and "sha" in line and line["what"] != "taken":
                    line["what"] = "begun"
                if number < at or line["what"] == "begun":
                    file.write(json.dumps(line, separators=(",", ":")) + "\n")

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
    worker.images.keep(place)
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


COUNTS = ("lost", "duplicated", "corrupt", "refused_delivered", "stray", "remote_duplicates", "shelf", "complaints")


def summary(rows):
    total = collections.Counter()
    for row in rows:
        total.update({name: row.get(name, 0) for name in COUNTS})
        total["points"] += 1
        total["mounted"] += "not mounted" not in row["problem"]
        total["failed"] += bool(row["problem"])
    return total
