#!/usr/bin/env python3
"""Power loss: shutdowns of filesystems, images of half-written disks, and the proof that the laboratory would notice.

usage: power.py shutdown --fs ext4|xfs --layout one|two-spool|two-store --cycles N [--seed S]
       power.py images   --fs ext4|xfs|posix --layout one|two --images N [--work mail|clients] [--messages M] [--seed S] [--keep FOLDER]
       power.py teeth    [--only NAME…] [--seed S]

One line a cycle or image with --verbose, else one for each that failed; the last line is a JSON object, which --json FILE also
appends to FILE. `--seed S --skip N` goes on with a run of that seed that has done N already. Root only; nothing but memory is written to.
"""
import argparse
import atexit
import json
import os
import random
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import power_disk
import power_images
import power_mailboxes
import power_shutdown
import power_teeth
import power_tree

# What is done on the recorded tree: mail; or what clients and the administrator do.
WORK = {"mail": power_images.Recording, "clients": power_mailboxes.MailboxRecording}
# Images of one workload; then another.
IMAGES_PER_RECORDING = 250


def show(row, options):
    if row.get("problem") or options.verbose:
        print(json.dumps(row) if options.verbose else "%s  %s" % (row["seed"], row["problem"][:2000]), flush=True)


def finish(what, options, rows, promised, began, failed):
    total = power_images.summary(rows)
    total["promised"] = promised
    summary = {"lab": "power", "what": what, "fs": options.fs, "layout": options.layout, "seed": options.seed, "skip": options.skip, **dict(total),
               "seconds": round(time.monotonic() - began), "failed_seeds": failed[:50],
               "complaint": next((row["complaint"] for row in rows if row.get("complaint")), "")}
    line = json.dumps(summary)
    print(line, flush=True)
    if options.json:
        with open(options.json, "a") as file:
            file.write(line + "\n")
    return 1 if failed else 0


def shutdown(options):
    began, rows, failed = time.monotonic(), [], []
    lab = power_images.Lab(options.bin)
    atexit.register(lab.close)
    promised = 0
    for row in power_shutdown.cycles(lab, options.fs, options.layout, options.seed, options.cycles, options.skip):
        rows.append(row)
        promised += row.get("new_promises", 0)
        if row["problem"]:
            failed.append(row["seed"])
        show(row, options)
    return finish("shutdown", options, rows, promised, began, failed)


def images(options):
    began, rows, failed = time.monotonic(), [], []
    lab = power_images.Lab(options.bin)
    atexit.register(lab.close)
    number, left, promised, before = options.skip // IMAGES_PER_RECORDING, options.images, 0, None
    while left > 0:
        # Every other workload on `posix` begins where the power has failed in the one before.
        begun_by = before if options.fs == "posix" and number % 2 else None
        recording = WORK[options.work](lab, options.fs, options.layout, "%s.%d" % (options.seed, number), options.messages, begun_by)
        if before:
            before.remove()
        number, before = number + 1, None
        try:
            recording.run()
        except power_tree.Never as error:
            row = {"seed": recording.seed, "problem": "workload: %s" % error}
            rows.append(row)
            failed.append(row["seed"])
            left -= IMAGES_PER_RECORDING
            show(row, options)
            continue
        promised += recording.outcomes.get("promised", 0)
        for row in power_images.judge_all(recording, min(left, IMAGES_PER_RECORDING), options.workers, options.keep):
            rows.append({name: row.get(name, "") for name in ("seed", "problem", "complaint")} | {name: row.get(name, 0) for name in power_images.COUNTS})
            if row["problem"]:
                failed.append(row["seed"])
            show(row, options)
        left -= IMAGES_PER_RECORDING
        before = recording
    return finish("images", options, rows, promised, began, failed)


def teeth(options):
    chosen = [t for t in power_teeth.TEETH if not options.only or t.name in options.only]
    toothless, seconds = [], time.monotonic()
    grounds = [g for g in power_teeth.GROUNDS if options.ground in (None, "%s-%s" % g)]
    for tooth in chosen:
        row = None
        for row in power_teeth.try_tooth(tooth, options.bin, grounds, options.seed, options.recordings, options.images, options.messages, options.workers):
            line = json.dumps(row)
            print(line, flush=True)
            if options.json:
                with open(options.json, "a") as file:
                    file.write(line + "\n")
        if not row["found"]:
            toothless.append(tooth.name)
    print(json.dumps({"lab": "power", "what": "teeth", "syncs": len(chosen), "bitten": len(chosen) - len(toothless), "not_bitten": toothless,
                      "seed": options.seed, "seconds": round(time.monotonic() - seconds)}), flush=True)
    return 0


def parsed(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, layouts in (("shutdown", sorted(power_shutdown.LAYOUTS)), ("images", ["one", "two"]), ("teeth", ["one"])):
        command = commands.add_parser(name)
        command.add_argument("--fs", choices=["ext4", "xfs"] + ["posix"] * (name != "shutdown"), default="ext4")
        command.add_argument("--layout", choices=layouts, default="one")
        command.add_argument("--seed", default="%08x" % random.SystemRandom().getrandbits(32))
        command.add_argument("--skip", type=int, default=0)
        command.add_argument("--json")
        command.add_argument("--bin", default=power_tree.BIN, help="the folder of the programs")
        command.add_argument("--workers", type=int, default=2)
        command.add_argument("--messages", type=int, default=20)
        command.add_argument("--verbose", action="store_true")
        if name == "shutdown":
            command.add_argument("--cycles", type=int, default=20)
        else:
            command.add_argument("--images", type=int, default=200)
        if name == "images":
            command.add_argument("--work", choices=sorted(WORK), default="mail")
            command.add_argument("--keep", help="a folder for the images that failed")
        if name == "teeth":
            command.add_argument("--only", nargs="*")
            command.add_argument("--ground", choices=["%s-%s" % g for g in power_teeth.GROUNDS])
            command.add_argument("--recordings", type=int, default=2)
    return parser.parse_args(words)


def main():
    options = parsed(sys.argv[1:])
    missing = [tool for tool in power_disk.TOOLS if not shutil.which(tool)]
    if os.getuid() != 0 or missing or not os.path.exists("/dev/fuse"):
        print("power.py needs root, /dev/fuse and %s" % ", ".join(missing or power_disk.TOOLS), file=sys.stderr)
        return 69
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    power_disk.own_world()
    print("seed %s" % options.seed, flush=True)
    return {"shutdown": shutdown, "images": images, "teeth": teeth}[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
