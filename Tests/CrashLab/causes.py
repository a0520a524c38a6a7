"""Real causes: a file system without blocks or without inodes, a process without descriptors or without memory; then they are gone.

The scripts of the kill points run while the cause lasts and must come to their end after it, by themselves. Heap exhaustion may end
a process: it is started again without the limit, as the supervisor's next start would find the machine well again.
"""
import collections
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time

import scripts
from bench import SERVICES, Bench
from kill_points import Walk, is_trap
from scripts import SCRIPTS, Work

LASTS = 2.5


def everything(work):
    """What takes mail in, moves it and delivers it."""
    scripts.smtpd_during(work)
    scripts.submission_during(work)
    scripts.path_during(work)


def hungry(during):
    """The script, and beside it many large messages at once: who has no memory is to feel it."""
    def both(work):
        others = [threading.Thread(target=work.send, args=("ann", "ben"), kwargs={"way": "submission", "size": 3_000_000}) for _ in range(8)]
        for thread in others:
            thread.start()
        during(work)
        for thread in others:
            thread.join()
    return both


class CauseWalk(Walk):
    """One run for each cause and service, or for each cause and script where the cause befalls all."""

    def run_one(self, name, cause, service, before, during):
        if self.table.has(service or "all", "cause", name):
            return
        began, counts = time.monotonic(), collections.Counter(points=1)
        made = self.tree()
        work = Work(made, self.site, self.folder, "%s/%s" % (self.table.seed, re.sub(r"\W+", "-", name)), judge_replies=True)
        made.take_ends()
        try:
            made.start(*SERVICES)
            before(work)
            lift = threading.Event()
            ready = threading.Event()

            def keep():
                try:
                    with cause(made, service):
                        ready.set()
                        lift.wait()
                except Exception as error:
                    work.problems.append("the cause itself: %s: %s" % (type(error).__name__, error))
                finally:
                    ready.set()
            keeper = threading.Thread(target=keep)
            timer = threading.Timer(LASTS, lift.set)
            keeper.start()
            ready.wait(60)
            timer.start()
            during(work)
            lift.set()
            keeper.join()
            made.start(*SERVICES)
            work.settle()
            for ended, code, _ in made.take_ends():
                counts["ended"] += 1
                # Without memory Swift traps: that may be, on the service that has none.
                if is_trap(code) and not (ended == service and "memory" in name):
                    work.problems.append("%s trapped: %d" % (ended, code))
            verdict = work.judge(remote_duplicates=6 if service == "remoted" else 0)
            counts.update(struck=1, lost=verdict.lost, duplicated=verdict.duplicated, corrupt=verdict.corrupt)
        except Exception as error:
            work.problems.append("%s: %s" % (type(error).__name__, error))
        counts["other"] = len(work.problems)
        self.table.row(service or "all", "cause", name, counts, time.monotonic() - began)
        if work.problems:
            self.table.problem("causes/%s/%s" % (name, service or "all"), work.problems)
            self.save("%s-%s" % (name, service))
            self.drop_tree(keep=self.options.keep)
        else:
            work.clear()


# -- of one process --------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def limited(made, service, which, value):
    """A limit of the running process, set as its own user: even root may not reach across without CAP_SYS_RESOURCE."""
    process = made.process(service)
    pid = process.pids()[0] if process else None
    status = os.stat("/proc/%d" % pid)

    def limit(text):
        subprocess.run(["prlimit", "--pid", str(pid), "--%s=%s:" % (which, text)], check=True, user=status.st_uid, group=status.st_gid, extra_groups=[])
    old = subprocess.run(["prlimit", "--pid", str(pid), "--%s" % which, "--noheadings", "--raw", "-o", "SOFT"], check=True, stdout=subprocess.PIPE,
                         text=True, user=status.st_uid, group=status.st_gid, extra_groups=[]).stdout.strip()
    limit(value(pid))
    try:
        yield
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            limit(old)


def no_descriptors(made, service):
    """Not one descriptor more than it has."""
    return limited(made, service, "nofile", lambda pid: len(os.listdir("/proc/%d/fd" % pid)))


def no_memory(made, service):
    """Not one page more of address space than it has."""
    def value(pid):
        with open("/proc/%d/statm" % pid) as file:
                return int(file.read().split()[0]) * os.sysconf("SC_PAGESIZE")
    return limited(made, service, "as", value)


@contextlib.contextmanager
def memory_group(made, service):
    """A cgroup that allows one MiB more than the process has, which stays charged where it was: the kernel kills what takes more."""
    group = "/sys/fs/cgroup/memory/martlet-lab-%d" % os.getpid()
    process = made.process(service)
    os.mkdir(group)
    try:
        if process:
            for pid in process.pids():
                with open(group + "/cgroup.procs", "w") as file:
                    file.write(str(pid))
            with open(group + "/memory.limit_in_bytes", "w") as file:
                file.write(str(1 << 20))
        yield
    finally:
        with contextlib.suppress(OSError):
            with open(group + "/memory.limit_in_bytes", "w") as file:
                file.write("-1")
        for pid in open(group + "/cgroup.procs").read().split():
            with contextlib.suppress(OSError):
                with open("/sys/fs/cgroup/memory/cgroup.procs", "w") as file:
                    file.write(pid)
        for _ in range(50):
            with contextlib.suppress(OSError):
                os.rmdir(group)
                break
            time.sleep(0.1)


# -- of the file system ----------------------------------------------------------------------------------------------
class DiskWalk(CauseWalk):
    """The tree on a small ext4 of its own."""

    def make_bench(self, accounts):
        own = tempfile.mkdtemp(prefix="martlet-lab-disk-")
        image, root = os.path.join(own, "image"), os.path.join(own, "root")
        os.mkdir(root)
        with open(image, "wb") as file:
            file.truncate(160 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-N", "2048", image], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "loop", image, root], check=True)
        self.mounted = root
        return Bench(accounts, root=own)

    def drop_tree(self, keep=False):
        root = self.bench and self.bench.root
        if root:
            self.check_leftovers()
            own, self.bench.own = self.bench.own, "/nonexistent"
            self.bench.close()
            self.site.sink.close()
            subprocess.run(["umount", "-l", root], check=True)
            if not keep:
                shutil.rmtree(own, ignore_errors=True)
        self.bench = self.site = None


@contextlib.contextmanager
def no_blocks(made, service):
    filler = made.path("filler")
    with open(filler, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 512):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    pass
        with contextlib.suppress(OSError):
            os.fsync(file.fileno())
    try:
        yield
    finally:
        os.unlink(filler)


@contextlib.contextmanager
def no_inodes(made, service):
    folder = made.path("fillers")
    os.mkdir(folder)
    with contextlib.suppress(OSError):
        for number in range(1 << 20):
            os.close(os.open("%s/%d" % (folder, number), os.O_CREAT | os.O_WRONLY))
    try:
        yield
    finally:
        shutil.rmtree(folder)


def stopped_then_started(cause):
    """Everything that moves mail starts while the cause lasts, with work waiting for it."""
    @contextlib.contextmanager
    def both(made, service):
        with cause(made, service):
            made.start(*SERVICES)
            yield
    return both


def waiting(work):
    work.bench.stop("queued", "locald", "remoted")
    scripts.path_before(work)


def run(table, options):
    """All causes; rows as the walks make them."""
    disk = DiskWalk("disk", "cause", table, options)
    try:
        for name, cause in (("no blocks", no_blocks), ("no inodes", no_inodes)):
            for label, before, during in (("mail", scripts.nothing, everything), ("pop3", *SCRIPTS["pop3d"]), ("imap", *SCRIPTS["imapd"])):
                disk.run_one("%s, %s" % (name, label), cause, None, before, during)
            disk.run_one("%s, start" % name, stopped_then_started(cause), None, waiting, everything)
    finally:
        disk.close()
    for name, cause in (("descriptors", no_descriptors), ("memory", no_memory), ("memory cgroup", memory_group)):
        walk = CauseWalk("causes", "cause", table, options)
        try:
            for service in SERVICES:
                before, during = SCRIPTS[service]
                walk.run_one(name, cause, service, before, hungry(during) if "memory" in name else during)
        finally:
            walk.close()
