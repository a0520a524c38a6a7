#!/usr/bin/env python3
"""A large queue: what a start of `queued` and of the others costs while N messages rest, and that finished content leaves the disk beside them.

The spool of a fresh tree is filled as submission would have filled it: N messages for hosts that refuse every connection, and among them, in
every segment, messages for a local account. The programs defer the ones and deliver the others; then each program is stopped and started.
The same is done with a tenth of N before, so that the cost of one message more is seen. Times are printed; what fails is a wrong count, memory of
`queued` beyond its bound (200 MiB up to 100,000 messages, 1 GiB for a million), content that stays, or what never happens.
usage: scale.py [--messages N] [--json FILE]
"""
import argparse
import functools
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "SystemTests"))
from logbook import TABLE, crc32c, seal, segments
from martlet import BIN, PATIENCE, Martlet, wait_until

MIB = 1 << 20
SEGMENT = 16 * MIB
DIGITS = b"0123456789abcdefghjkmnpqrstvwxyz"
PAIRS = [b"%c%c" % (high, low) for high in DIGITS for low in DIGITS]
DOMAINS, SENDERS = 10, 5000
LINE = b"What stands in a letter of no importance, again and again, up to its end.\r\n"
# A whole page or more of it is freed when it is done: all but a block at either end.
LOCAL_CONTENT, BLOCK = 64 << 10, 4096
# Nothing for so long, and it is never. Seconds.
STALL = max(300, PATIENCE)
# The logs of all programs, and what they say on stderr. Bytes on disk, measured 5,000.
ROOM_PER_MESSAGE = 10_000
MEASURED = ("queued", "remoted", "locald", "submission")


# -- records at the speed of the programs -----------------------------------------------------------------------------
def step(state, data):
    """CRC-32C without the inversions at either end."""
    for byte in data:
        state = TABLE[(state ^ byte) & 0xFF] ^ state >> 8
    return state


@functools.cache
def passing(length):
    """What `length` zero bytes make of a state, by each of its four bytes: CRC is linear, so that text that stays is one step."""
    bits = [step(1 << bit, bytes(length)) for bit in range(32)]
    tables = []
    for place in range(0, 32, 8):
        table = [0]
        for bit in bits[place:place + 8]:
            table += [value ^ bit for value in table]
        tables.append(table)
    return tables


class Pattern:
    """A record of which only some words of fixed places change, each `%b` of the text."""

    def __init__(self, text, seed):
        self.start = seed ^ 0xFFFFFFFF
        self.pieces = [(piece, step(0, piece), *passing(len(piece))) for piece in text.split(b"%b")]

    def line(self, *words):
        state, out = self.start, []
        for (piece, own, a, b, c, d), word in zip(self.pieces, (*words, b"")):
            state = step(a[state & 255] ^ b[state >> 8 & 255] ^ c[state >> 16 & 255] ^ d[state >> 24] ^ own, word)
            out += piece, word
        return b"%b #%08x\n" % (b"".join(out), state ^ 0xFFFFFFFF)


class Chain:
    """The segments of one log, each stating the sealed length of the one before."""

    def __init__(self, root, log, texts):
        """`texts(epoch)`: the records as patterns, by name."""
        self.root, self.log, self.texts = root, log, texts
        self.number, self.length, self.file = 0, 0, None
        if segments(root, log):
            raise SystemExit("%s is not empty" % log)
        self.begin()

    def begin(self):
        before = b" after=%08d sealed=%d" % (self.number, self.length) if self.file else b""
        self.close()
        self.number, self.sequence = self.number + 1, 0
        epoch, salt = self.number << 40 | secrets.randbits(40), secrets.randbits(32)
        self.seed = salt ^ (epoch ^ epoch >> 32) & 0xFFFFFFFF
        self.epoch = bytes(DIGITS[epoch >> place & 31] for place in range(60, -1, -5))
        self.patterns = {name: Pattern(text, self.seed) for name, text in self.texts(self.epoch).items()}
        path = os.path.join(self.root, "spool", self.log, "%08d.log" % self.number)
        self.file = open(path, "wb", buffering=MIB)
        os.fchmod(self.file.fileno(), 0o640)
        if os.geteuid() == 0:
            os.fchown(self.file.fileno(), os.stat(os.path.dirname(path)).st_uid, -1)
        self.length = self.file.write(seal(b"martlet-log 1 %s %08d epoch=%016x salt=%08x%s" % (self.log.encode(), self.number, epoch, salt, before)))
        self.commit()

    def write(self, *parts):
        for part in parts:
            self.length += self.file.write(part)

    def commit(self):
        """Says that all before is durable; the next record begins another segment when this one is full."""
        self.write(seal(b"commit - upto=%d" % self.length, self.seed))
        if self.length >= SEGMENT:
            self.begin()

    def close(self):
        if self.file:
            self.file.close()


def letter(subject, size):
    head = (b"Received: from mx.elsewhere.example (mx.elsewhere.example [192.0.2.1]) by localhost (Martlet) with ESMTP;\r\n"
            b" Sat, 21 Nov 2026 05:17:42 +0000\r\nFrom: sender@elsewhere.example\r\nSubject: %s\r\n\r\n" % subject)
    return (head + LINE * (size // len(LINE) + 1))[:size - 2] + b"\r\n"


def fill(root, count, local, account):
    """`count` messages that will rest and `local` for the account, evenly among them, with the events that submission writes beside them."""
    contents = {"rest": letter(b"rest", 600), "local": letter(b"local", LOCAL_CONTENT)}
    recipients = {"rest": b"r%b.example", "local": account.encode()}
    at = b"%d.000" % time.time()

    def text(kind, epoch, ending):
        return b"accept u%s%%b from=sender%%b@elsewhere.example to=%s size=%d peer=192.0.2.1 helo=mx.elsewhere.example auth=%s hops=0 policy=authenticated at=%s%s" % (
            epoch, recipients[kind], len(contents[kind]), account.encode(), at, ending)

    def accepts(epoch):
        return {kind: text(kind, epoch, b" content=%d:%08x" % (len(body), crc32c(body))) for kind, body in contents.items()}

    mail = Chain(root, "submission/mail", accepts)
    # The id names the mail log's epoch, which changes in other places than the segments of the events.
    events = Chain(root, "submission/events", lambda _: {kind: text(kind, b"%b", b"") for kind in contents})
    every = max(1, count // max(1, local))

    def add(kind, number, *recipient):
        mail.sequence += 1
        id = DIGITS[mail.sequence >> 20:][:1] + PAIRS[mail.sequence >> 10 & 1023] + PAIRS[mail.sequence & 1023]
        sender = b"%04d" % (number % SENDERS)
        mail.write(mail.patterns[kind].line(id, sender, *recipient), contents[kind], b"\n")
        events.write(events.patterns[kind].line(mail.epoch, id, sender, *recipient))

    for number in range(count):
        add("rest", number, b"%07d@dead%d" % (number, number % DOMAINS))
        if number % every == every // 2 and number // every < local:
            add("local", number)
        if number % 64 == 63:
            mail.commit()
            events.commit()
    for chain in (mail, events):
        chain.commit()
        chain.close()


# -- looking at what runs ---------------------------------------------------------------------------------------------
def usage(pid):
    """CPU seconds, RSS and peak RSS in MiB."""
    with open("/proc/%d/stat" % pid) as file:
        words = file.read().rsplit(")", 1)[1].split()
    with open("/proc/%d/status" % pid) as file:
        facts = dict(line.split(":", 1) for line in file)
    return {"cpu": round((int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"), 2),
            "rss": int(facts["VmRSS"].split()[0]) // 1024, "peak": int(facts["VmHWM"].split()[0]) // 1024}


class Counter:
    """How many records of a verb a log has had so far; each byte is read once."""

    def __init__(self, root, log, verb):
        self.root, self.log, self.mark = root, log, b"\n%s " % verb.encode()
        self.offsets, self.count = {}, 0

    def look(self):
        for path in segments(self.root, self.log):
            with open(path, "rb") as file:
                while True:
                    file.seek(self.offsets.get(path, 0))
                    data = file.read(4 * MIB)
                    keep = len(self.mark) - 1
                    if len(data) <= keep:
                        break
                    self.count += data.count(self.mark)
                    self.offsets[path] = self.offsets.get(path, 0) + len(data) - keep
        return self.count


def used(paths):
    """Bytes that these files have on disk, and their lengths."""
    found = [os.stat(path) for path in paths if os.path.exists(path)]
    return sum(s.st_blocks * 512 for s in found), sum(s.st_size for s in found)


def load():
    return round(os.getloadavg()[0], 1)


class World:
    """One tree with `count` messages that rest."""

    def __init__(self, count):
        self.count, self.local = count, max(20, min(1000, count // 100))
        self.problems, self.row = [], {"messages": count, "local": self.local}
        # Bound and never listening: nobody else can have the port, and every connection is refused.
        self.dead = socket.socket()
        self.dead.bind(("127.0.0.1", 0))
        port = self.dead.getsockname()[1]
        self.mail = Martlet(accounts=("ann",), start=False, settings={"retry": {"initial": "12 h", "maximum": "24 h"}})
        for number in range(DOMAINS):
            self.mail.mailctl("route", "add", "dead%d.example" % number, "127.0.0.1:%d" % port)
        self.mail.mailctl("alias", "add", self.mail.address("far"), "0@dead0.example")

    def say(self, problem):
        self.problems.append(problem)
        print("  PROBLEM %s" % problem, flush=True)

    def note(self, name, value, show=None):
        self.row[name] = value
        print("  %-28s %s" % (name, show or value), flush=True)

    def usages(self):
        return {name: usage(self.mail.pid(name)) for name in MEASURED}

    # -- the parts ----------------------------------------------------------------------------------------------------
    def flood(self):
        began = time.monotonic()
        fill(self.mail.root, self.count, self.local, self.mail.address("ann"))
        paths = segments(self.mail.root, "submission/mail")
        self.note("fill", round(time.monotonic() - began, 1), "%.1f s, %d segments" % (time.monotonic() - began, len(paths)))
        began = time.monotonic()
        self.mail.start()
        self.wait_for("delivered", Counter(self.mail.root, "locald/events", "delivered"), self.local)
        self.freed("freed", paths, self.local)
        self.wait_for("deferred", Counter(self.mail.root, "queued/events", "deferred"), self.count)
        self.note("all_deferred", round(time.monotonic() - began, 1), "%.1f s, load %s" % (time.monotonic() - began, load()))
        self.beside()
        lives = self.usages()
        self.note("first_life", lives)
        self.bound("its first life", lives["queued"]["peak"])

    def wait_for(self, what, counter, target):
        """Waits while it goes on."""
        seen, since = -1, time.monotonic()
        while counter.look() < target:
            if counter.count > seen:
                seen, since = counter.count, time.monotonic()
            if time.monotonic() - since > STALL:
                raise AssertionError("never: %d %s, but %d\n%s" % (target, what, counter.count, self.tail()))
            time.sleep(0.5)

    def freed(self, name, paths, local):
        """Waits until the content of local messages, delivered just now, has left the disk, though their neighbours rest."""
        since = time.monotonic()
        whole = sum(os.path.getsize(path) for path in paths)
        wanted = whole - local * (LOCAL_CONTENT - 2 * BLOCK) + BLOCK * len(paths)
        wait_until(lambda: used(paths)[0] <= wanted, lambda: "%d bytes used of %d, %d at most\n%s" % (used(paths)[0], whole, wanted, self.tail()), STALL)
        if not all(os.path.exists(path) for path in paths):
            self.say("a segment with messages that rest is gone")
        after = time.monotonic() - since
        self.note(name, round(after, 1), "%.1f s after the last delivery was seen, %d of %d MiB still used" % (after, used(paths)[0] // MIB, whole // MIB))

    def beside(self):
        """The same for messages that come now, in the segment that is being written."""
        for _ in range(4):
            for recipient, text in (("ann", LINE.decode() * (LOCAL_CONTENT // len(LINE))), ("far", "rest\r\n")):
                self.mail.send(recipient, text, sender=self.mail.address("ann"), service="submission", login="ann")
        newest = segments(self.mail.root, "submission/mail")[-1:]
        self.local, self.count = self.local + 4, self.count + 4
        self.wait_for("delivered", Counter(self.mail.root, "locald/events", "delivered"), self.local)
        self.freed("freed_beside", newest, 4)
        self.wait_for("deferred", Counter(self.mail.root, "queued/events", "deferred"), self.count)

    def start_again(self):
        """Stops and starts each program alone: until its `start` event, what that cost, and what it costs at rest."""
        starts = {}
        for service in MEASURED:
            log = "%s/events" % service
            before = segments(self.mail.root, log)[-1]
            self.mail.mailctl("stop", service)
            began = time.monotonic()
            self.mail.mailctl("start", service)
            event = wait_until(lambda: self.start_event(log, before), lambda: "%s started\n%s" % (service, self.tail()), STALL)
            starts[service] = dict(seconds=round(time.monotonic() - began, 2), **usage(int(event.group(1))))
            if service == "queued" and int(event.group(2) or 0) != self.count:
                self.say("queued started with %s messages, not %d" % (event.group(2), self.count))
        self.bound("its start", starts["queued"]["peak"])
        self.settle()
        earlier = self.usages()
        time.sleep(10)
        for service, now in self.usages().items():
            starts[service].update(rest_cpu=earlier[service]["cpu"], rest_rss=now["rss"], rest_peak=now["peak"],
                                   idle_cpu=round(now["cpu"] - earlier[service]["cpu"], 2))
        self.bound("its rest", starts["queued"]["rest_peak"])
        for service in MEASURED:
            self.note("start_" + service, starts[service])
        self.note("load", load())

    def settle(self):
        """Waits until nobody works any more: agents read on after their `start`."""
        began = time.monotonic()

        def rests():
            earlier = self.usages()
            time.sleep(2)
            return all(now["cpu"] - earlier[service]["cpu"] <= 0.1 for service, now in self.usages().items())

        wait_until(rests, lambda: "at rest: %r\n%s" % (self.usages(), self.tail()), STALL)
        self.note("settled", round(time.monotonic() - began, 1))

    def start_event(self, log, before):
        newest = segments(self.mail.root, log)[-1]
        if newest == before:
            return None
        with open(newest, "rb") as file:
            file.seek(max(0, os.path.getsize(newest) - MIB))
            return re.search(rb"\nstart - pid=(\d+)(?: count=(\d+))? ", file.read())

    def bound(self, when, peak):
        messages = self.row["messages"]
        most = 200 if messages <= 100_000 else 1024 * max(1, messages / 1_000_000)
        if peak > most:
            self.say("queued had %d MiB in %s, of %d at most" % (peak, when, most))

    def judge(self):
        """Every message that rests is in the queue once, and every other one in its mailbox."""
        began = time.monotonic()
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen([os.path.join(BIN, "mailctl"), "--root", self.mail.root, "queue", "list", "--json"], stdout=out)
            _, status, spent = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.monotonic() - began
            out.seek(0)
            # One message a line.
            found, ids, strange = set(), 0, 0
            for line in out:
                if not line.startswith(b"  {"):
                    continue
                message = json.loads(line.rstrip(b",\n"))
                copies = message["recipients"]
                ids += 1
                found.add(copies[0]["address"] + message["id"])
                strange += len(copies) != 1 or copies[0]["state"] != "waiting" or copies[0]["attempts"] != 1
        self.note("queue_list", {"seconds": round(seconds, 1), "cpu": round(spent.ru_utime + spent.ru_stime, 1), "peak": spent.ru_maxrss // 1024})
        mails = len(self.mail.files("ann"))
        self.row.update(lost=max(0, self.count - len(found)) + max(0, self.local - mails), duplicated=ids - len(found) + max(0, mails - self.local), corrupt=strange)
        if process.returncode or ids != self.count or len(found) != ids or strange:
            self.say("queue list: exit %d, %d messages, %d of them different, %d in another state, of %d" % (process.returncode, ids, len(found), strange, self.count))
        if mails != self.local:
            self.say("%d messages in the mailbox, not %d" % (mails, self.local))
        logs = {log: used(segments(self.mail.root, log))[1] // MIB for log in ("submission/mail", "submission/events", "queued/events", "remoted/events")}
        self.note("mib_of_logs", logs)
        self.note("accepts_said_again", Counter(self.mail.root, "submission/events", "accept").look() - self.count - self.local)

    def tail(self):
        with open(self.mail.log_path, "rb") as file:
            file.seek(max(0, os.path.getsize(self.mail.log_path) - 3000))
            return file.read().decode(errors="replace")

    def close(self):
        self.mail.close()
        self.dead.close()


def measure(count):
    print("%d messages, load %s" % (count, load()), flush=True)
    world = World(count)
    try:
        world.flood()
        world.start_again()
        world.judge()
    except (AssertionError, subprocess.TimeoutExpired) as failure:
        world.say(str(failure)[:2000])
    finally:
        world.close()
    return dict(world.row, problems=world.problems)


def per_message(small, large):
    """What one message more costs a start of each program, once from nothing to the small queue's size and once from there on."""
    costs = {}
    for service in MEASURED:
        a, b = small.get("start_" + service), large.get("start_" + service)
        if a and b:
            more = large["messages"] - small["messages"]
            costs[service] = {"bytes": round((b["peak"] - a["peak"]) * MIB / more), "cpu_us": round((b["cpu"] - a["cpu"]) * 1e6 / more, 1),
                              "cpu_us_small": round(a["cpu"] * 1e6 / small["messages"], 1)}
    return costs


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--json")
    options = parser.parse_args()
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < options.messages * ROOM_PER_MESSAGE:
        raise SystemExit("%d messages need %d MiB of disk, and there are %d" % (options.messages, options.messages * ROOM_PER_MESSAGE // MIB, free // MIB))
    runs = [measure(count) for count in (max(100, options.messages // 10), options.messages)]
    problems = [problem for run in runs for problem in run["problems"]]
    row = {"lab": "scale", "points": sum(run["messages"] for run in runs), "per_message": per_message(*runs), "runs": runs, "problems": problems[:50]}
    row.update({name: sum(run.get(name, 0) for run in runs) for name in ("lost", "duplicated", "corrupt")})
    if options.json:
        with open(options.json, "a") as out:
            out.write(json.dumps(row) + "\n")
    print(json.dumps(row))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
