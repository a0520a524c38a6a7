#!/usr/bin/env python3
"""The clock jumps under the running programs: an hour, ten years, forward and back, and back again.

For each jump: mail that waited for another host before it, mail in flight and mail that comes after it arrive once; nothing is
given up early; nobody spins; the ids of a program stay unique and in order. The programs are unmodified: clock.c moves what
they read. usage: clock_lab.py [--jumps NAME…] [--json FILE]
"""
import argparse
import glob
import json
import os
import re
import shutil
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "SystemTests"))
import martlet
import shims
from martlet import Martlet, wait_until
from servers import SMTPServer

HOUR, YEARS = 3600, 10 * 365 * 86400
# Each jump is made under load, stays, is restarted in, and is taken back.
JUMPS = {"+1h": HOUR, "-1h": -HOUR, "+10y": YEARS, "-10y": -YEARS}
DAEMONS = ("smtpd", "queued", "locald", "remoted", "pop3d", "imapd")
PATIENCE = 180


class Clock:
    def __init__(self, path):
        self.path = path
        self.move(0)
        os.chmod(path, 0o644)

    def move(self, seconds):
        # In place: the programs have it mapped.
        mode = "r+b" if os.path.exists(self.path) else "wb"
        with open(self.path, mode) as file:
            file.write(struct.pack("<q", seconds))


class Round:
    """One Martlet, one jump."""

    def __init__(self, name, seconds, folder):
        self.name, self.seconds = name, seconds
        self.clock = Clock(os.path.join(folder, "clock"))
        self.sink = SMTPServer(say={"RCPT": lambda _: "250 ok" if self.open else "451 4.3.0 later"})
        self.open = False
        self.sent, self.problems = {"local": [], "remote": []}, []
        self.mail = Martlet(accounts=("alice",), settings={"retry": {"initial": "1 s", "maximum": "2 s"}})
        self.mail.mailctl("route", "add", "far.example", "127.0.0.1:%d" % self.sink.port)

    def say(self, problem):
        self.problems.append("%s: %s" % (self.name, problem))

    def send(self, way):
        token = "token-%s-%d" % (way, len(self.sent[way]))
        if way == "local":
            self.mail.send("alice", token + "\r\n")
        else:
            self.mail.send("bob@far.example", token + "\r\n", sender="alice@example.org", service="submission", login="alice")
        self.sent[way].append(token)

    def local(self):
        return [line for message in self.mail.messages("alice") for line in message.decode(errors="replace").split("\r\n") if line.startswith("token-")]

    def remote(self):
        contents = [content.decode(errors="replace") for _, _, content, _ in list(self.sink.messages)]
        return [line for content in contents for line in content.split("\r\n") if line.startswith("token-")]

    def attempts(self):
        """How often the queue has tried to send what waits for the other host."""
        return sum(line.startswith("temporary ") for line in self.mail.events("remoted"))

    def run(self):
        for _ in range(3):
            self.send("local")
            self.send("remote")
        wait_until(lambda: self.attempts() >= 3, "first attempts", PATIENCE)
        for offset in (self.seconds, 0):
            self.clock.move(offset)
            self.still(offset)
        for service in ("queued", "locald", "remoted", "smtpd"):
            self.clock.move(self.seconds)
            self.mail.mailctl("restart", service)
            self.send("local")
            self.send("remote")
        self.still(self.seconds)
        self.clock.move(0)
        self.still(0)
        self.open = True
        wait_until(lambda: len(set(self.remote())) == len(self.sent["remote"]), lambda: "remote mail sent: %r" % self.mail.queue(), PATIENCE)
        wait_until(lambda: self.mail.queue() == [], lambda: "the queue empty: %r" % self.mail.queue(), PATIENCE)
        self.compare()

    def still(self, offset):
        """Under this clock mail comes in, arrives, and is tried again; nobody spins."""
        before = self.attempts()
        self.send("local")
        self.send("remote")
        waited = len(self.sent["remote"])
        # As many attempts as would let a queue give up that only looks at the clock and counts a few.
        wait_until(lambda: self.attempts() >= before + 10 * waited, lambda: "retries at %+d s (%d)" % (offset, self.attempts() - before), PATIENCE)
        wait_until(lambda: len(self.local()) >= len(self.sent["local"]), "local mail at %+d s" % offset, PATIENCE)
        used = self.processor_seconds()
        time.sleep(5)
        for name, seconds in self.processor_seconds().items():
            if seconds - used.get(name, seconds) > 2:
                self.say("%s used %.1f s of processor in five seconds of rest at %+d s" % (name, seconds - used[name], offset))

    def processor_seconds(self):
        out = {}
        for service, entry in self.mail.status().items():
            try:
                fields = open("/proc/%d/stat" % entry["pid"]).read().rsplit(")", 1)[1].split()
                out[service] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            except (OSError, TypeError):
                pass
        return out

    def compare(self):
        for way, arrived in (("local", self.local()), ("remote", self.remote())):
            for token in self.sent[way]:
                if arrived.count(token) != 1:
                    self.say("%s arrived %d times" % (token, arrived.count(token)))
        bounces = [line for line in self.mail.events("queued") if line.startswith("bounced ")]
        if bounces:
            self.say("%d bounces; the first: %s" % (len(bounces), bounces[0]))
        for program in ("smtpd", "submission", "queued"):
            ids = self.ids(program)
            if ids != sorted(set(ids)):
                self.say("the ids of %s are not unique and in order" % program)

    def ids(self, program):
        """The ids of a program in the order in which it gave them; what a new segment repeats is not given again."""
        out = []
        for path in sorted(glob.glob(os.path.join(self.mail.root, "spool", program, "mail", "*.log"))):
            for found in re.finditer(rb"(?m)^accept (\S+) ", open(path, "rb").read()):
                if found[1] not in out:
                    out.append(found[1])
        return out

    def close(self):
        self.mail.close()
        self.sink.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jumps", nargs="*", choices=JUMPS, default=list(JUMPS))
    parser.add_argument("--json")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="martlet-lab-")
    os.chmod(folder, 0o755)
    problems = []
    try:
        environment = {"LD_PRELOAD": shims.compiled("clock.c", folder), "MARTLET_LAB_CLOCK": os.path.join(folder, "clock")}
        martlet.BIN = shims.programs(martlet.BIN, os.path.join(folder, "bin"), {name: environment for name in DAEMONS})
        for name in options.jumps:
            lab = Round(name, JUMPS[name], folder)
            try:
                lab.run()
            except AssertionError as failure:
                lab.say(str(failure).split("\n")[0][:400])
            finally:
                lab.close()
            print("%-5s local %d, remote %d, %s" % (name, len(lab.sent["local"]), len(lab.sent["remote"]), "; ".join(lab.problems) or "ok"), flush=True)
            problems += lab.problems
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    row = {"lab": "clock", "points": len(options.jumps), "failed": len({p.split(":")[0] for p in problems}), "problems": problems}
    if options.json:
        with open(options.json, "a") as out:
            out.write(json.dumps(row) + "\n")
    print(json.dumps(row))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
