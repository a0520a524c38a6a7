#!/usr/bin/env python3
"""Copies of a spool and its store: taken under load, started elsewhere; and older ones put back over newer ones.

What was promised before the copy of the spool began must be in the copy's mailboxes at least once, or wait there, or be named by the
report of `mailctl audit --store`, which says what a copy cannot know. A message whose content vanished while it was copied stays in the queue
and says so: told. So is one of sendmail's that queued took over after the time that the start names (`since`). Doubles are counted and allowed. usage: copies.py [CASE…] [--seed S] [--json FILE]

    cp          `cp -a` of a running tree            rsync       `rsync -a` of a running tree
    store-first the store, and seconds later the spool           spool-first the other way round
    store-back  an older store under a newer spool   spool-back  an older spool over a newer store
    both-back   an older copy of both over newer ones      scattered   each folder of the spool at another moment, services restarted in between
"""
import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "SystemTests"))
from invariant import Generator, Ledger, Sender, check, stored
from martlet import BIN, Martlet, wait_until

ACCOUNTS = ("ann", "ben", "cleo")
ALIASES = {"pair": ("ann", "ben"), "all": ("pair", "cleo")}
SETTINGS = {"retry": {"initial": "1 s", "maximum": "2 s"}}
PATIENCE = 180
# queued adopts a drop within this time of sendmail's end. Seconds.
ADOPTION = 1


def copy(kind, source, target):
    """Copies a folder while it may change: what vanished on the way is no error."""
    os.makedirs(target, exist_ok=True)
    words = ["cp", "-a", source + "/.", target] if kind == "cp" else ["rsync", "-a", source + "/", target]
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True)
    said = [line for line in done.stderr.split("\n") if line and not re.search(r"vanished|No such file|cannot open|special file|code 24|file has", line)]
    if said:
        raise AssertionError("%s: %s" % (kind, said[0]))


class Case:
    """A Martlet under load, and the copies that are made of it."""

    def __init__(self, seed):
        self.folder = tempfile.mkdtemp(prefix="martlet-copies-")
        os.chmod(self.folder, 0o755)
        self.ledger = Ledger(os.path.join(self.folder, "ledger"))
        self.chance = random.Random(seed)
        self.mail = self.made = Martlet(accounts=ACCOUNTS, settings=SETTINGS)
        for name, targets in ALIASES.items():
            self.mail.mailctl("alias", "add", self.mail.address(name), *map(self.mail.address, targets))
        # A file of many megabytes takes no part: what counts is how many messages are on their way.
        self.generator = Generator(seed, ACCOUNTS, ALIASES, sizes=((200, 4000), (4000, 60_000), (130_000, 140_000)))
        self.sender = Sender(self.ledger, self.mail.port, [os.path.join(BIN, "sendmail"), "-C", self.mail.root + "/etc/martlet.toml"])
        self.over, self.number, self.lock, self.threads = threading.Event(), 0, threading.Lock(), []
        self.dropped = {}  # token → when sendmail had ended, for what went by it

    def load(self):
        def loop():
            while not self.over.is_set():
                with self.lock:
                    number, self.number = self.number, self.number + 1
                message = self.generator.message(number)
                self.sender.send(message)
                if message.way == "sendmail":
                    self.dropped[message.token] = time.time()
        self.over.clear()
        self.threads = [threading.Thread(target=loop, daemon=True) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def calm(self):
        self.over.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def rest(self, seconds=None):
        time.sleep(seconds if seconds is not None else 1 + self.chance.random() * 2)

    def start(self, root):
        self.owed = self.lacks(root, lambda entry: entry["content"])
        self.made = Martlet(root=root, adopt=True)

    def lacks(self, root, wanted):
        """What `mailctl audit --store` names, by id and final address."""
        words = [os.path.join(BIN, "mailctl"), "--root", root, "audit", "--store", "--json"]
        report = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if report.returncode not in (0, 65):
            raise AssertionError("audit --store ended with %d: %s" % (report.returncode, report.stderr))
        return {(m["id"], m["final"]) for m in json.loads(report.stdout)["missing"] if wanted(m)}

    def settle(self):
        """Ends the load and waits until the original has delivered everything: then its store tells every id."""
        self.calm()
        wait_until(lambda: self.mail.queue() == [], lambda: "the queue empty: %r\n%s" % (self.mail.queue()[:2], self.mail.log()[-1500:]), PATIENCE)
        self.ids = ids_by_token(self.mail.root)

    def judge(self, at):
        """What was promised before entry `at` is in the tree that runs now, or told."""
        drops = os.path.join(self.made.root, "spool", "drop")
        waits = lambda: [n for n in os.listdir(drops) if n.startswith("drop-")] + [m for m in self.made.queue() if "no content" not in json.dumps(m)]
        wait_until(lambda: not waits(), lambda: "the queue of the copy empty: %r\n%s" % (waits()[:2], self.made.log()[-1500:]), PATIENCE)
        queue = self.made.queue()
        verdict = check(self.ledger, self.made.root, ACCOUNTS, queue=queue, at=at)
        told = self.lacks(self.made.root, lambda entry: True)
        told |= {(m["id"], r["final"] or r["address"]) for m in queue for r in m["recipients"]}
        since = [float(s) for line in self.made.events("supervisor") for s in re.findall(r" recognised .*\bsince=([0-9.]+)", " " + line)]
        self.told, unknown = 0, []
        for detail in verdict.details:
            if detail.startswith("lost"):
                _, token, _, address = detail.split()
                keys = {(i, address) for i in self.ids.get(token, ())}
                if keys & self.owed:
                    unknown.append(detail + ", whose content was in a mail log")
                elif keys & told or since and self.dropped.get(token, 0) + ADOPTION > since[-1]:
                    self.told += 1
                else:
                    unknown.append(detail + ", of which nothing is said")
        # The checker names so many and no more: what it does not name was not looked at, and is no success.
        hidden = verdict.lost - self.told - len(unknown)
        return verdict, unknown + ["%d more that the checker did not name" % hidden] * bool(hidden)

    def close(self):
        self.calm()
        if self.made is not self.mail:
            self.made.stop()
        self.mail.close()
        self.ledger.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def ids_by_token(root):
    """token → the ids under which it was accepted, by the names of its copies in the store."""
    out = {}
    for account in ACCOUNTS:
        for copy in stored(root, account):
            found = re.match(r"\d+\.([suq][0-9a-z]{18})R", os.path.basename(copy.path))
            if found and copy.token:
                out.setdefault(copy.token, set()).add(found[1])
    return out


def running(case, kind):
    """A copy of a running tree, started elsewhere while the original goes on."""
    case.load()
    case.rest()
    at = case.ledger.position
    target = os.path.join(case.folder, "copy")
    copy(kind, case.mail.root, target)
    case.settle()
    os.chmod(target, 0o755)
    case.start(target)
    return at


def parted(case, order):
    """Store and spool at different moments, with seconds of load between them."""
    case.load()
    case.rest()
    root, target = case.mail.root, os.path.join(case.folder, "copy")
    copy("rsync", root + "/etc", target + "/etc")
    os.makedirs(target + "/spool")
    words = {"store": ["rsync", "-a", root + "/spool/mail/", target + "/spool/mail"], "spool": ["rsync", "-a", "--exclude=/mail", root + "/spool/", target + "/spool"]}
    for part in order:
        if part == "spool":
            # What is promised between the two copies is in the copy of the spool: it must come, or be told.
            at = case.ledger.position
        subprocess.run(words[part], stderr=subprocess.DEVNULL)
        if part != order[-1]:
            case.rest(4)
    case.settle()
    os.chmod(target, 0o755)
    case.start(target)
    return at


def scattered(case):
    """Each folder of the spool at another moment, in any order, and services that begin new segments in between."""
    case.load()
    case.rest()
    root, target = case.mail.root, os.path.join(case.folder, "copy")
    at = case.ledger.position
    copy("rsync", root + "/etc", target + "/etc")
    parts = sorted(os.listdir(root + "/spool"))
    case.chance.shuffle(parts)
    for part in parts:
        if os.path.isdir(os.path.join(root, "spool", part)):
            copy("rsync", os.path.join(root, "spool", part), os.path.join(target, "spool", part))
        case.mail.mailctl("restart", *case.chance.sample(("smtpd", "submission", "queued", "locald", "remoted"), 2))
        case.rest(1)
    case.settle()
    subprocess.run(["rsync", "-a", "--exclude=*/", "--include=*", root + "/spool/", target + "/spool"], check=True)
    for folder in (target, target + "/spool"):
        shutil.copystat(root + folder[len(target):], folder)
        status = os.stat(root + folder[len(target):])
        os.chown(folder, status.st_uid, status.st_gid)
    case.start(target)
    return at


def back(case, parts):
    """An older copy is put back over what has gone on since."""
    root, older = case.mail.root, os.path.join(case.folder, "older")
    store, kept = os.path.join(root, "spool", "mail"), os.path.join(case.folder, "kept")
    case.load()
    case.rest()
    first = case.ledger.position
    for part in parts:
        copy("cp", os.path.join(root, part), os.path.join(older, part))
    case.rest(4)
    case.settle()
    last = case.ledger.position
    case.mail.stop()
    if "spool/mail" not in parts:
        os.rename(store, kept)
    for part in parts[:1]:
        shutil.rmtree(os.path.join(root, part))
        subprocess.run(["cp", "-a", os.path.join(older, part), os.path.join(root, part)], check=True)
    if "spool/mail" not in parts:
        shutil.rmtree(store)
        os.rename(kept, store)
    os.truncate(case.mail.log_path, 0)
    case.owed = case.lacks(root, lambda entry: entry["content"])
    case.mail.start()
    # An older spool cannot know what came later. Where only the store went back, what came later is delivered again, or told.
    return first if "spool" in parts else last


CASES = {
    "cp": lambda case: running(case, "cp"),
    "rsync": lambda case: running(case, "rsync"),
    "scattered": scattered,
    "store-first": lambda case: parted(case, ("store", "spool")),
    "spool-first": lambda case: parted(case, ("spool", "store")),
    "store-back": lambda case: back(case, ["spool/mail"]),
    "spool-back": lambda case: back(case, ["spool"]),
    "both-back": lambda case: back(case, ["spool", "spool/mail"]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help="all unless named: " + " ".join(CASES))
    parser.add_argument("--seed", type=lambda text: int(text, 16), default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--json")
    options = parser.parse_args()
    names = options.cases or list(CASES)
    rows, failed = [], 0
    for name in names:
        case = Case(options.seed)
        problems, verdict = [], None
        try:
            at = CASES[name](case)
            verdict, unknown = case.judge(at)
            verdict.lost = len(unknown)
            problems += ["not told: " + u for u in unknown] + [d for d in verdict.details if d.split(":")[0] in ("corrupt", "refused_delivered")]
            if not re.search(r"is a copy|are copies|is older", case.made.log()):
                problems.append("nobody said that this is a copy")
            if not any(" recognised " in " " + line for line in case.made.events("supervisor")):
                problems.append("no event says that this is a copy")
        except AssertionError as failure:
            problems.append(str(failure)[:1500])
        finally:
            case.close()
        row = dict(verdict.row() if verdict else {}, lab="copies " + name, seed="%08x" % options.seed, told=getattr(case, "told", 0), problems=problems[:20])
        failed += bool(problems)
        print(json.dumps(row), flush=True)
        if options.json:
            with open(options.json, "a") as out:
                out.write(json.dumps(row) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
