#!/usr/bin/env python3
"""Kill points: each program is killed at its Nth call of each kind, N = 1, 2, … until its script ends unhurt; then the invariant.

Inside: `MARTLET_FAULT=kill@sync:3` at the fault point of Kernel. Outside: strace kills the unmodified program as it enters its Nth
system call of a kind, counted for each thread. After each kill the program is started again (and, at points that the seed
chooses, killed once more in its recovery); then everything promised must be there, once, whole.

    kill_points.py --program locald --way inside            one program, one way, every point
    kill_points.py --sample 10 --seed 7                     every program, both ways, every tenth point from an offset of the seed
    kill_points.py --program smtpd --way outside --call fdatasync --from 3 --to 3     one point again
"""
import argparse
import collections
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import bench
import scripts
from bench import SERVICES, TRAPS, Bench, Fault
from scripts import ACCOUNTS, ALIASES, FAR, Site, Work, script

INSIDE = ("open", "create", "write", "sync", "truncate", "rename", "link", "unlink", "close", "make folder", "punch", "allocate")
OUTSIDE = ("write", "writev", "pwrite64", "fsync", "fdatasync", "syncfs", "rename", "renameat", "renameat2", "link", "linkat", "unlink",
           "unlinkat", "openat", "openat2", "close", "ftruncate", "fallocate", "mkdirat", "mkdir")
PROGRAMS = SERVICES + ("sendmail", "mailctl", "supervisor")
# Points on one tree before it is thrown away: logs and hidden folders grow with each restart.
TREE_LIFE = 60


def is_trap(code):
    return code is not None and -code in map(int, TRAPS) or code is not None and code - 128 in map(int, TRAPS)


class Table:
    """Counts, by program, way and call."""

    def __init__(self, seed, columns=("points", "kills", "again", "lost", "duplicated", "corrupt", "other")):
        self.seed, self.columns, self.rows, self.problems, self.path = seed, columns, [], [], None
        self.total = collections.Counter()

    def row(self, program, way, call, counts, seconds):
        self.rows.append({"program": program, "way": way, "call": call, **counts, "seconds": round(seconds, 1)})
        self.save()
        self.total.update(counts)
        cells = "".join("%11s" % counts.get(name, 0) for name in self.columns)
        print("%-11s %-8s %-12s%s%10.0f" % (program, way, call, cells, seconds), flush=True)

    def heading(self):
        print("%-11s %-8s %-12s" % ("program", "way", "call") + "".join("%11s" % n for n in self.columns)
              + "%10s" % "seconds", flush=True)

    def problem(self, point, lines):
        self.problems.append({"point": point, "problems": lines[:10]})
        print("  ! %s" % point, *("\n    " + line for line in lines[:10]), sep="", flush=True)

    # -- progress ---------------------------------------------------------------------------------------------------
    def keep_in(self, path):
        """Rows and problems go into this file as they come; those of this seed that stand there are taken over."""
        self.path = path
        with contextlib.suppress(OSError, ValueError):
            with open(path) as file:
                kept = json.load(file)
            if kept["seed"] == self.seed:
                self.rows = [row for row in kept["rows"] if not row.get("unfinished")]
                self.problems = kept["problems"]
                for row in self.rows:
                    self.total.update({k: v for k, v in row.items() if isinstance(v, int)})

    def save(self, **more):
        if self.path:
            with open(self.path + ".new", "w") as file:
                json.dump({"seed": self.seed, "rows": self.rows, "problems": self.problems, **more}, file, indent=1)
            os.replace(self.path + ".new", self.path)

    def has(self, *key):
        return any((row["program"], row["way"], row["call"]) == key for row in self.rows)

    def summary(self, **more):
        return {"seed": self.seed, **{n: self.total[n] for n in self.columns}, **more,
                "seeds": [p["point"] for p in self.problems]}


class Walk:
    """The points of one program in one way, on trees that live for a while."""

    make_bench = Bench
    starts_services = True
    syscalls = OUTSIDE

    def __init__(self, program, way, table, options):
        self.program, self.way, self.table, self.options = program, way, table, options
        self.bench = self.site = None
        self.used, self.stuck = 0, []
        self.folder = tempfile.mkdtemp(prefix="martlet-lab-ledger-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)

    # -- trees ------------------------------------------------------------------------------------------------------
    def tree(self):
        if self.bench and self.used >= TREE_LIFE:
            self.drop_tree()
        if not self.bench:
            made = self.make_bench(ACCOUNTS)
            self.site = Site(scripts.Ledger(os.path.join(self.folder, "none")))
            made.martlet.mailctl("route", "add", FAR, "127.0.0.1:%d" % self.site.sink.port)
            for alias, targets in ALIASES.items():
                made.martlet.mailctl("alias", "add", alias + "@example.org", *(t if "@" in t else t + "@example.org" for t in targets))
            self.bench, self.used = made, 0
            if self.starts_services:
                made.start(*(s for s in SERVICES if s != self.program))
        self.used += 1
        return self.bench

    def drop_tree(self, keep=False):
        if self.bench:
            self.check_leftovers()
            self.bench.close(keep)
            self.site.sink.close()
            if keep:
                print("kept:", self.bench.own, flush=True)
        self.bench = self.site = None

    def check_leftovers(self):
        """What recovery should have removed, looked for once in the life of a tree, when all of it rests."""
        if self.program in SERVICES:
            self.bench.start(self.program)
        end = time.monotonic() + 30
        while (found := leftovers(self.bench.root)) and time.monotonic() < end:
            time.sleep(0.3)
        if found:
            self.table.total["leftovers"] += len(found)
            self.table.problem("%s/%s leftovers after %d points" % (self.program, self.way, self.used), found)

    def close(self):
        self.drop_tree()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- points -----------------------------------------------------------------------------------------------------
    def fault(self, call, number):
        if self.way == "inside":
            return Fault("kill@%s:%d" % (call, number))
        return Fault(strace=["-e", "trace=" + call, "-e", "inject=%s:signal=KILL:when=%d" % (call, number)])

    def point(self, call, number):
        """(was it killed, counts of what was found wrong)."""
        name = "%s/%s/%s/%d" % (self.program, self.way, call.replace(" ", "-"), number)
        made = self.tree()
        work = Work(made, self.site, self.folder, "%s/%s" % (self.table.seed, name), self.program)
        before, during = script(self.program, call)
        chance = random.Random("%s/%s" % (self.table.seed, name))
        made.take_ends()
        again = chance.random() < 0.3
        try:
            before(work)
            made.next_fault.clear()
            if again:
                made.next_fault[self.program] = Fault("kill@%d" % chance.randrange(1, 120))
            fault = self.fault(call, number)
            made.start(self.program, fault=fault)
            during(work)
            hurt = self.finish(fault)
            made.next_fault.clear()
            made.start(self.program)
            work.settle()
            killed = hurt
            counts, kills = self.judge(work, killed)
            made.stop(self.program, number=chance.choice((signal.SIGTERM, signal.SIGKILL)))
        except Exception as error:
            work.problems.append("%s: %s" % (type(error).__name__, error))
            killed, kills, counts = True, 0, collections.Counter(other=1)
        counts.update(points=1, kills=kills)
        if work.problems:
            self.table.problem(name, work.problems)
            self.save(name)
            self.drop_tree(keep=self.options.keep)
        else:
            work.clear()
        return killed, counts

    def finish(self, fault):
        """Ends a program that lived through its script, by SIGTERM, which is part of the script; whether the fault killed it."""
        process = self.bench.process(self.program)
        if process and process.fault is fault and process.alive:
            self.bench.expected_end.add(self.program)
            process.tell(signal.SIGTERM)
            try:
                code = process.popen.wait(60)
            except subprocess.TimeoutExpired:
                process.end(signal.SIGKILL, 1)
                code = None
                self.stuck.append("%s did not end within a minute of SIGTERM under %s" % (self.program, fault))
            bench.wait_until(lambda: self.bench.process(self.program) is not process, "the watch of a process", 10)
            return code in (-9, 137)
        return True

    def judge(self, work, killed):
        ends = self.bench.take_ends()
        kills = sum(1 for service, code, _ in ends if service == self.program and code in (-9, 137))
        for service, code, fault in ends:
            if is_trap(code):
                work.problems.append("%s trapped: %d under %s" % (service, code, fault))
            elif service != self.program:
                work.problems.append("%s ended with %d beside the program under test" % (service, code))
        work.problems += self.stuck
        self.stuck = []
        verdict = work.judge(remote_duplicates=6 * max(kills, killed) if self.program == "remoted" else 0)
        counts = collections.Counter(again=max(0, kills - 1), lost=verdict.lost, duplicated=verdict.duplicated, corrupt=verdict.corrupt)
        counts["other"] = len(work.problems) - sum(1 for p in work.problems if p.split(":")[0] in ("lost", "duplicated", "corrupt"))
        return counts, kills

    def save(self, name):
        path = os.path.join(tempfile.gettempdir(), "martlet-kill-%s.log" % re.sub(r"\W+", "-", "%s-%s" % (self.table.seed, name)))
        shutil.copy(self.bench.log_path, path)
        print("    log:", path, flush=True)

    # -- the walk ---------------------------------------------------------------------------------------------------
    def numbers(self, call):
        """All; or one of the first three, since some calls are made but once, and then every k-th from an offset of the seed."""
        step, number = self.options.sample, self.options.first or 1
        if step > 1 and not self.options.first:
            chance = random.Random("%s/%s/%s/%s" % (self.table.seed, self.label, self.way, call))
            early = 1 + chance.randrange(3)
            yield early
            number = early + 1 + chance.randrange(step)
        while number <= self.options.last:
            yield number
            number += step

    def run(self):
        try:
            calls = self.calls()
        except Exception as error:
            self.give_up("%s/%s" % (self.label, self.way), error)
            return
        for call in calls:
            if self.table.has(self.label, self.way, call):
                continue
            began, counts, unhurt = time.monotonic(), collections.Counter(), 0
            for number in self.numbers(call):
                if time.monotonic() > self.options.deadline:
                    counts["unfinished"] = 1
                    break
                try:
                    killed, found = self.point(call, number)
                except Exception as error:
                    self.give_up("%s/%s/%s/%d" % (self.label, self.way, call, number), error)
                    counts["other"] += 1
                    break
                counts.update(found)
                # Threads come in no order: one point more before it is the end.
                unhurt = 0 if killed else unhurt + 1
                if unhurt >= (1 if self.options.sample > 1 else 2):
                    break
            self.table.row(self.label, self.way, call, counts, time.monotonic() - began)

    def give_up(self, where, error):
        """The lab itself failed, on a tree that cannot be trusted any more."""
        self.table.problem(where, ["the lab: %s: %s" % (type(error).__name__, error)])
        with contextlib.suppress(Exception):
            self.drop_tree()
        self.bench = self.site = None

    @property
    def label(self):
        """What the rows of this walk are called."""
        return self.program

    def calls(self):
        wanted = INSIDE if self.way == "inside" else self.counted()
        return [c for c in wanted if not self.options.call or c == self.options.call]

    def counted(self):
        """The system calls that the script makes at all."""
        made = self.tree()
        log = os.path.join(self.folder, "calls")
        work = Work(made, self.site, self.folder, "%s/%s/count" % (self.table.seed, self.program), self.program)
        self.trace(work, Fault(strace=["-e", "trace=" + ",".join(self.syscalls)], log=log))
        work.settle()
        work.clear()
        with open(log, errors="replace") as file:
            seen = collections.Counter(m.group(1) for m in re.finditer(r"(?m)^(?:\d+ +)?(\w+)\(", file.read()))
        print("# %s makes: %s" % (self.program, " ".join("%s=%d" % (c, seen[c]) for c in self.syscalls if seen[c])), flush=True)
        return [c for c in self.syscalls if seen[c] or (self.program, c) in scripts.SPECIAL]

    def trace(self, work, fault):
        """The whole script once, unhurt."""
        before, during = script(self.program)
        before(work)
        self.bench.start(self.program, fault=fault)
        during(work)
        self.finish(fault)
        self.bench.start(self.program)
        work.settle()
        self.bench.stop(self.program)


def leftovers(root, everything=False):
    """Files that belong to nobody once everything was recovered and rests; with `everything` those too that go after 36 hours."""
    found = []
    spool = os.path.join(root, "spool")
    for folder, _, files in os.walk(spool):
        where = os.path.relpath(folder, root)
        for name in files:
            # A replacement that was cut short is one file under one name, which the next replacement removes.
            strange = name.startswith(".new-") or re.match(r"\.tmp-.*-\d+$", name) or name.endswith("-journal")
            # What is nobody's for 36 hours goes then: unfinished drops, and mailboxes that were never created.
            strange = strange and (everything or "/creating-" not in where)
            strange = strange or where == "spool/mail/.stage" and name != "STORE-ID"
            strange = strange or where == "spool/drop" and (everything or not name.startswith("new-")) or where.endswith("/mail/big")
            if strange:
                found.append(os.path.join(where, name))
    return sorted(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", action="append", choices=PROGRAMS)
    parser.add_argument("--way", choices=("inside", "outside"))
    parser.add_argument("--call")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="last", type=int, default=10 ** 9)
    parser.add_argument("--sample", type=int, default=1, help="every k-th point")
    parser.add_argument("--seed", default="%08x" % random.SystemRandom().getrandbits(32))
    parser.add_argument("--minutes", type=float, default=600, help="stop walking after this time and say so")
    parser.add_argument("--keep", action="store_true", help="keep the trees of points that found something")
    parser.add_argument("--json", help="rows go there as they come; a run with the same seed goes on after what stands there")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root: services run as their own users")
    options.deadline = time.monotonic() + options.minutes * 60
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    table = Table(options.seed)
    if options.json:
        table.keep_in(options.json)
    print("seed %s" % options.seed)
    table.heading()
    began = time.monotonic()
    for program in options.program or PROGRAMS:
        for way in (options.way,) if options.way else ("inside", "outside"):
            walk = make_walk(program, way, table, options)
            try:
                walk.run()
            finally:
                walk.close()
    summary = table.summary(sample=options.sample, seconds=round(time.monotonic() - began), leftovers=table.total["leftovers"],
                            unfinished=table.total["unfinished"])
    table.save(summary=summary)
    print(json.dumps(summary), flush=True)
    sys.exit(1 if table.problems else 0)


def make_walk(program, way, table, options):
    """Walks of commands are a Walk themselves, and so know this file."""
    from kill_commands import WALKS
    return WALKS.get(program, Walk)(program, way, table, options)


if __name__ == "__main__":
    # The commands' walks import this file: one and the same module.
    sys.modules["kill_points"] = sys.modules["__main__"]
    main()
