#!/usr/bin/env python3
"""Errors: each program's system calls fail at the Nth of a kind, once or for a while; then the cause is gone.

Whatever fails, a client hears a temporary failure or nothing: never 250 without durability, never 5xx. Nobody sees part of a message,
nothing is left over, the program goes on by itself, and a segment whose sync failed is never synced again. The scripts are those of
the kill points: they repeat what was not done until it is, so a program that does not come back shows as `never accepted`.

    errors.py --program queued --way inside            one program; for each point the seed chooses error and duration
    errors.py --all                                    every error and both durations at every point
    errors.py --program smtpd --way outside --call fdatasync --error EIO --from 2 --to 2 --last-of 2     one point again
    errors.py --causes                                 real causes: a full disk, no inodes, no descriptors, no memory
"""
import argparse
import collections
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import causes
import command_errors
import kill_points
from bench import BIN, SERVICES, Fault
from kill_points import Walk, is_trap
from scripts import Work, script

INSIDE = {
    "open": ("EMFILE", "ENOMEM", "EIO", "EINTR"), "create": ("ENOSPC", "EDQUOT", "EMFILE", "EIO", "EINTR"), "read": ("EIO", "ENOMEM", "EINTR"),
    "write": ("ENOSPC", "EDQUOT", "EIO", "EINTR"), "sync": ("EIO", "ENOSPC", "EDQUOT", "EINTR"), "truncate": ("EIO", "EINTR"),
    "rename": ("ENOSPC", "EDQUOT", "EIO", "ENOMEM"), "unlink": ("EIO", "ENOMEM"), "close": ("EIO", "ENOSPC", "EDQUOT"), "lock": ("ENOMEM", "EINTR"),
    "examine": ("EIO", "ENOMEM"), "list": ("EMFILE", "EIO", "ENOMEM"), "make folder": ("ENOSPC", "EDQUOT", "EIO"), "allocate": ("ENOSPC", "EDQUOT", "EINTR"),
    "punch": ("EIO",), "watch": ("EMFILE", "ENOMEM", "ENOSPC"), "wait": ("EINTR",), "random": ("EINTR",), "spawn": ("ENOMEM",),
}
OUTSIDE = {
    "write": ("ENOSPC", "EDQUOT", "EIO", "EINTR"), "writev": ("ENOSPC", "EDQUOT", "EIO", "EINTR"), "fsync": ("EIO", "ENOSPC", "EDQUOT", "EINTR"),
    "fdatasync": ("EIO", "ENOSPC", "EDQUOT", "EINTR"), "syncfs": ("EIO",), "renameat": ("ENOSPC", "EIO", "ENOMEM"), "renameat2": ("ENOSPC", "EIO", "ENOMEM"),
    "rename": ("ENOSPC", "EIO"), "unlinkat": ("EIO", "ENOMEM"), "unlink": ("EIO",), "openat": ("EMFILE", "ENOMEM", "EIO", "ENOSPC", "EINTR"),
    "openat2": ("EMFILE", "ENOMEM", "EIO", "EINTR"), "pread64": ("EIO", "ENOMEM", "EINTR"), "read": ("EIO", "EINTR"), "ftruncate": ("EIO", "EINTR"),
    "fallocate": ("ENOSPC", "EDQUOT", "EINTR"), "getdents64": ("EIO", "ENOMEM"), "newfstatat": ("EIO", "ENOMEM"), "fstat": ("EIO",), "close": ("EIO",),
    "mkdirat": ("ENOSPC", "EDQUOT"), "flock": ("ENOMEM", "EINTR"), "accept4": ("EMFILE", "ENOMEM", "EINTR"), "mmap": ("ENOMEM",), "epoll_wait": ("EINTR",),
    "socket": ("EMFILE", "ENOMEM"), "connect": ("ENOMEM",), "clone3": ("ENOMEM",), "inotify_add_watch": ("ENOSPC", "ENOMEM"), "recvmsg": ("ENOMEM", "EINTR"),
    "sendmsg": ("ENOMEM", "EINTR"),
}
PROGRAMS = SERVICES + ("sendmail", "mailctl")
# What failed there and was tried again on the same file says nothing: only the logs promise what a sync said.
LOG_FILE = re.compile(r"(?P<pid>\d+) +(?:fsync|fdatasync)\((?P<fd>\d+)<(?P<path>[^>]*\.log)>.*= (?P<result>-?\d+)")


class ErrorWalk(Walk):
    """The kill points' walk with errors for deaths; a point is over when nothing was struck."""

    syscalls = tuple(OUTSIDE)

    def __init__(self, program, way, table, options):
        super().__init__(program, way, table, options)
        self.codes = collections.Counter()
        self.error = None

    def fault(self, call, number):
        first, last = number, number
        if self.stays:
            last = number + self.chance.randrange(1, 6)
        if self.options.last_of:
            last = self.options.last_of
        if self.way == "inside":
            return Fault("%s@%s:%d" % (self.error, call, first) + ("-%d" % last if last > first else ""))
        span = "%d" % first if last == first else "%d..%d" % (first, last)
        trace = ["-y", "-e", "trace=%s,fsync,fdatasync" % call, "-e", "inject=%s:error=%s:when=%s" % (call, self.error, span)]
        return Fault(strace=trace, log=os.path.join(self.folder, "trace"))

    def point(self, call, number):
        """One point, or with --all one for each error and duration. (Was anything struck, counts.)"""
        errors = (INSIDE if self.way == "inside" else OUTSIDE)[call]
        self.chance = random.Random("%s/%s/%s/%s/%d" % (self.table.seed, self.program, self.way, call, number))
        if self.options.error:
            errors = (self.options.error,)
        plans = [(e, s) for e in errors for s in (False, True)] if self.options.all else [(self.chance.choice(errors), self.chance.random() < 0.5)]
        struck, counts = False, collections.Counter()
        for self.error, self.stays in plans:
            # An endless EINTR is an endless loop, rightly; a while of it is what signals are.
            one, found = self.one(call, number)
            struck = struck or one
            counts.update(found)
            if not one:
                break
        return struck, counts

    def one(self, call, number):
        made = self.tree()
        fault = self.fault(call, number)
        name = "%s/%s/%s/%s/%d%s" % (self.program, self.way, call.replace(" ", "-"), self.error, number, "-" if self.stays else "")
        work = Work(made, self.site, self.folder, "%s/%s" % (self.table.seed, name), self.program, judge_replies=True)
        before, during = script(self.program, call)
        made.take_ends()
        log_start = os.path.getsize(made.log_path)
        counts, struck = collections.Counter(other=1), True
        try:
            before(work)
            made.start(self.program, fault=fault)
            during(work)
            process = made.process(self.program)
            # It may have ended, and the one that runs now is whole.
            lived = bool(process and process.fault is fault and process.alive)
            self.finish(fault)
            made.start(self.program)
            work.settle()
            struck = self.was_struck(made, fault, log_start)
            counts = self.weigh(work, fault, lived, call, log_start)
            made.stop(self.program)
        except Exception as error:
            work.problems.append("%s: %s" % (type(error).__name__, error))
        counts.update(points=1, struck=int(struck))
        if work.problems:
            self.table.problem("%s [%s]" % (name, fault), work.problems)
            self.save(name)
            self.drop_tree(keep=self.options.keep)
        else:
            work.clear()
        return struck, counts

    def was_struck(self, made, fault, log_start):
        if self.way == "outside":
            with open(fault.log, errors="replace") as file:
                return "(INJECTED)" in file.read()
        with open(made.log_path, "rb") as file:
            file.seek(log_start)
            return b"fault: " in file.read()

    def may_trap(self, code, call, log_start):
        """Without memory or threads a process may end; and some of what strace does no kernel would do."""
        # A call that strace replaces by -1 is now and then shown to the program's own filter first.
        if code == -signal.SIGSYS or call in ("mmap", "clone3"):
            return True
        with open(self.bench.log_path, "rb") as file:
            file.seek(log_start)
            # An event counter has no disk that could fail.
            return b"eventfd_" in file.read()

    def weigh(self, work, fault, lived, call, log_start):
        """The invariant, how the program took it, and the rule that a failed sync is final."""
        ends = self.bench.take_ends()
        for service, code, _ in ends:
            if self.way == "outside" and service == self.program and self.may_trap(code, call, log_start):
                self.codes[code] += 1
            elif is_trap(code):
                work.problems.append("%s trapped: %d" % (service, code))
            elif service != self.program:
                work.problems.append("%s ended with %d beside the program under test" % (service, code))
            elif code not in (0, -15, 143):
                self.codes[code] += 1
        work.problems += self.stuck
        self.stuck = []
        verdict = work.judge(remote_duplicates=6 if self.program == "remoted" else 0)
        if self.way == "outside":
            work.problems += synced_again(fault.log)
        counts = collections.Counter(ended=int(not lived), lost=verdict.lost, duplicated=verdict.duplicated, corrupt=verdict.corrupt)
        counts["other"] = len(work.problems) - sum(1 for p in work.problems if p.split(":")[0] in ("lost", "duplicated", "corrupt"))
        return counts

    def calls(self):
        wanted = list(INSIDE) if self.way == "inside" else self.counted()
        return [c for c in wanted if not self.options.call or c == self.options.call]


def synced_again(log):
    """Segments that were synced after a sync of theirs had failed."""
    failed, found = set(), []
    with open(log, errors="replace") as file:
        for line in file:
            call = LOG_FILE.match(line)
            if not call:
                continue
            if call["path"] in failed:
                found.append("synced again after a failure: %s" % call["path"])
            # An interruption is no failure: the call is to be repeated.
            if call["result"] == "-1" and "EINTR" not in line:
                failed.add(call["path"])
    return found[:3]


def understands_spans():
    """Whether the programs know `EIO@write:2-9`: an older one would take it for no plan at all and nothing would be tested."""
    done = subprocess.run([BIN + "/mailctl", "--root", "/nowhere", "status"], env=dict(os.environ, MARTLET_FAULT="kill@1-1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode in (-9, 137)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", action="append", choices=PROGRAMS)
    parser.add_argument("--way", choices=("inside", "outside"))
    parser.add_argument("--call")
    parser.add_argument("--error", choices=("ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENOMEM", "EINTR"))
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="last", type=int, default=10 ** 9)
    parser.add_argument("--last-of", type=int, help="the last call that fails")
    parser.add_argument("--all", action="store_true", help="every error and both durations at each point")
    parser.add_argument("--causes", action="store_true", help="real causes only")
    parser.add_argument("--no-causes", action="store_true")
    parser.add_argument("--sample", type=int, default=1)
    parser.add_argument("--seed", default="%08x" % random.SystemRandom().getrandbits(32))
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--json", help="rows go there as they come; a run with the same seed goes on after what stands there")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root: services run as their own users")
    options.deadline = time.monotonic() + options.minutes * 60
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    ways = (options.way,) if options.way else ("inside", "outside")
    if "inside" in ways and not understands_spans():
        sys.exit("these programs do not know spans of calls (MARTLET_FAULT=EIO@write:2-9): build them anew")
    table = kill_points.Table(options.seed, ("points", "struck", "ended", "lost", "duplicated", "corrupt", "other"))
    if options.json:
        table.keep_in(options.json)
    print("seed %s" % options.seed)
    table.heading()
    began, codes = time.monotonic(), collections.Counter()
    if not options.causes:
        for program in options.program or PROGRAMS:
            for way in ways:
                walk = command_errors.WALKS.get(program, ErrorWalk)(program, way, table, options)
                try:
                    walk.run()
                finally:
                    walk.close()
                codes.update(getattr(walk, "codes", ()))
    if not options.no_causes and not options.program:
        causes.run(table, options)
    summary = table.summary(sample=options.sample, seconds=round(time.monotonic() - began), leftovers=table.total["leftovers"],
                            unfinished=table.total["unfinished"], exits={str(c): n for c, n in codes.items()})
    table.save(summary=summary)
    print(json.dumps(summary), flush=True)
    sys.exit(1 if table.problems else 0)


command_errors.CommandErrors.tables = {"inside": INSIDE, "outside": OUTSIDE}

if __name__ == "__main__":
    main()
