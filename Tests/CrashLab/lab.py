#!/usr/bin/env python3
"""The crash laboratory: all of its parts, one table. `make crash-lab` runs the sample, `make crash-lab FULL=1` everything.

usage: lab.py [fast|sample|full] [--only PART…] [--seed S] [--rows FILE]

Each part is a program of its own that prints rows of JSON and can be run alone with its seed. A part whose row of this seed and
size stands in the rows file already is not run again: a run that was interrupted goes on where it was.
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = [sys.executable, "-W", "ignore::ResourceWarning"]
CRASH = os.path.join("..", "SystemTests", "crash.py")
# A part: its command as fast selection (`make test`), as sample and in full; and whether it needs filesystems of its own.
PARTS = {
    "checker": (["test_invariant.py"], ["test_invariant.py"], ["test_invariant.py"], False),
    "mailbox judges": (["test_mailboxes.py"], ["test_mailboxes.py"], ["test_mailboxes.py"], False),
    "kill points": (
        ["kill_points.py", "--sample", "150", "--minutes", "1"], ["kill_points.py", "--sample", "40", "--minutes", "10"], ["kill_points.py"], False),
    "errors": (
        ["errors.py", "--no-causes", "--sample", "150", "--minutes", "1"], ["errors.py", "--sample", "60", "--minutes", "8"], ["errors.py", "--all"], False),
    "random kills": (None, [CRASH, "--rounds", "4", "--messages", "300"], [CRASH, "--rounds", "100", "--messages", "1000", "--threads", "16"], False),
    "shutdowns ext4": (
        ["power.py", "shutdown", "--fs", "ext4", "--cycles", "2"], ["power.py", "shutdown", "--fs", "ext4", "--cycles", "15"],
        ["power.py", "shutdown", "--fs", "ext4", "--cycles", "400"], True),
    "shutdowns xfs": (
        None, ["power.py", "shutdown", "--fs", "xfs", "--cycles", "10"], ["power.py", "shutdown", "--fs", "xfs", "--cycles", "300"], True),
    "shutdowns of the spool": (
        None, ["power.py", "shutdown", "--layout", "two-spool", "--cycles", "5"], ["power.py", "shutdown", "--layout", "two-spool", "--cycles", "200"], True),
    "shutdowns of the store": (
        None, ["power.py", "shutdown", "--layout", "two-store", "--cycles", "5"], ["power.py", "shutdown", "--layout", "two-store", "--cycles", "200"], True),
    "images ext4": (
        ["power.py", "images", "--fs", "ext4", "--images", "12"], ["power.py", "images", "--fs", "ext4", "--images", "150"],
        ["power.py", "images", "--fs", "ext4", "--images", "12000"], True),
    "images xfs": (None, ["power.py", "images", "--fs", "xfs", "--images", "80"], ["power.py", "images", "--fs", "xfs", "--images", "8000"], True),
    "promises of posix": (["test_power_posix.py"], ["test_power_posix.py"], ["test_power_posix.py"], True),
    "images posix": (
        ["power.py", "images", "--fs", "posix", "--images", "40"], ["power.py", "images", "--fs", "posix", "--images", "400"],
        ["power.py", "images", "--fs", "posix", "--images", "20000"], True),
    "teeth": (None, None, ["power.py", "teeth"], True),
    "clock": (["clock_lab.py", "--jumps", "+10y"], ["clock_lab.py"], ["clock_lab.py"], False),
    "restarts": (
        ["replacement.py", "restarts", "--rounds", "1"], ["replacement.py", "restarts", "--rounds", "3"], ["replacement.py", "restarts", "--rounds", "50"], False),
    "orders": (
        ["replacement.py", "orders", "--rounds", "10"], ["replacement.py", "orders", "--rounds", "60"], ["replacement.py", "orders", "--rounds", "300"], False),
    "scale": (["scale.py", "--messages", "3000"], ["scale.py"], ["scale.py", "--messages", "1000000"], False),
    "copies": (["copies.py", "store-first"], ["copies.py"], ["copies.py"], False),
}
SIZES = ("fast", "sample", "full")
# How many minutes one part may take before it is asked to end.
MINUTES = {"fast": 5, "sample": 20, "full": 2400}
UNSEEDED = {"checker", "scale", "mailbox judges", "clock", "promises of posix"}
COLUMNS = ("points", "kills", "images", "lost", "duplicated", "corrupt")


def run(command, minutes, rows):
    """Runs one part in a session of its own; what it printed as JSON, and whether it ended well."""
    process = subprocess.Popen([*PYTHON, *command], cwd=HERE, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    # The part is asked first, so that it ends what it has started and takes its mounts away.
    signal.signal(signal.SIGALRM, lambda *_: process.send_signal(signal.SIGINT))
    signal.alarm(minutes * 60)
    last = {}
    try:
        for line in process.stdout:
            sys.stdout.write("  " + line)
            sys.stdout.flush()
            if line.startswith("{"):
                try:
                    rows.append(json.loads(line))
                    last = rows[-1]
                except ValueError:
                    pass
        status = process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait(120)
        raise
    finally:
        signal.alarm(0)
    return status, last


def may_mount():
    """Whether this machine lets us make filesystems of our own."""
    if not (os.path.exists("/dev/fuse") and os.path.exists("/dev/loop-control")):
        return False
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return all(subprocess.run(words, **quiet).returncode == 0 for words in (["losetup", "--find"], ["unshare", "--mount", "--net", "true"]))


def figure(rows, column):
    names = {"points": ("points", "points_tried", "cycles", "promised"), "images": ("images", "images_mounted"), "kills": ("kills",)}
    for name in names.get(column, (column,)):
        found = [row[name] for row in rows if isinstance(row.get(name), int)]
        if found:
            return str(sum(found))
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("size", nargs="?", choices=SIZES, default="sample")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seed", default="%08x" % random.SystemRandom().getrandbits(32))
    parser.add_argument("--rows", help="where the rows are kept; the run goes on after what stands there")
    options = parser.parse_args()
    if os.geteuid():
        print("lab: the laboratory mounts filesystems and needs to be root", file=sys.stderr)
        return 77
    done = {}
    if options.rows and os.path.exists(options.rows):
        with open(options.rows) as kept:
            for line in kept:
                entry = json.loads(line)
                if entry["size"] == options.size:
                    done[entry["part"]] = entry
                    options.seed = entry["seed"]
    print("seed %s" % options.seed)
    table, failed = [], 0
    mounts = may_mount()
    for part, (*commands, needs_mounts) in PARTS.items():
        command = commands[SIZES.index(options.size)]
        if command is None or (options.only and part not in options.only):
            continue
        if needs_mounts and not mounts:
            table.append([part, *("" for _ in COLUMNS), "0", "not here: no loop devices or no FUSE"])
            continue
        entry = done.get(part)
        if entry is None:
            if part not in UNSEEDED:
                command = [*command, "--seed", options.seed]
            print("\n== %s: %s" % (part, " ".join(command)), flush=True)
            begun, rows = time.monotonic(), []
            status, _ = run(command, MINUTES[options.size], rows)
            entry = {"part": part, "size": options.size, "seed": options.seed, "status": status, "rows": rows, "seconds": round(time.monotonic() - begun)}
            if options.rows:
                with open(options.rows, "a") as kept:
                    kept.write(json.dumps(entry) + "\n")
        failed += entry["status"] != 0
        table.append([part, *(figure(entry["rows"], c) for c in COLUMNS), "%d" % entry["seconds"], "ok" if entry["status"] == 0 else "FAILED"])
    heads = ["part", *COLUMNS, "seconds", ""]
    widths = [max(len(row[i]) for row in [heads, *table]) for i in range(len(heads))]
    print()
    for row in [heads, *table]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
        if row is heads:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print("%d parts, %d failed, seed %s" % (len(table), failed, options.seed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
