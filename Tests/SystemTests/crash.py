#!/usr/bin/env python3
"""The crash test: mail comes in while every daemon, and the supervisor, is killed with SIGKILL at random.

Every message that was acknowledged must be in each of its mailboxes exactly once, whole, or at the remote site; what was
refused, or broken off before its end was sent, must be in none (Tests/CrashLab/invariant.py). At the end of each round
`mailctl audit` must find the event logs in balance. The full form is `crash.py --rounds 20 --messages 500`; each round prints its
seed, and `--seed` repeats the plan of one round (what is sent where, who is killed in which order; not the scheduling).
The last line is JSON: the sums of all rounds.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sys
import threading
import time

from martlet import BIN, Martlet, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "CrashLab"))
from invariant import Generator, Ledger, Sender, Sink, check

ACCOUNTS = ("ann", "ben", "cleo", "dan")
ALIASES = {"pair": ("ann", "ben"), "all": ("pair", "cleo", "dan", "ann"), "away": ("dan", "someone@far.example")}
SERVICES = ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")
# The mail path is hit harder than those who only look on.
TARGETS = ("smtpd",) * 4 + ("submission",) * 2 + ("queued",) * 5 + ("locald",) * 5 + ("remoted", "pop3d", "imapd")
PATIENCE = 180
# Copies that remoted may have under way to one domain: remote.connections_per_domain.
IN_FLIGHT = 5


class Round:
    def __init__(self, seed, messages, threads=8, keep=False):
        self.seed, self.count, self.threads, self.keep = seed, messages, threads, keep
        self.generator = Generator(seed, ACCOUNTS, ALIASES, remote_domains=("far.example",))
        self.lock = threading.Lock()
        self.todo = iter(range(messages))
        self.sent = 0
        self.sending = True
        self.kills = {}
        self.problems = []

    # -- sending ----------------------------------------------------------------------------------------------------
    def sender(self):
        while True:
            with self.lock:
                number = next(self.todo, None)
            if number is None:
                return
            message = self.generator.message(number)
            time.sleep(message.pause)
            end = time.monotonic() + PATIENCE
            again = 0
            while time.monotonic() < end and not self.problems:
                again += 1
                outcome, reason = self.post.send(message, message.attempt(again))
                self.sent += outcome != "away"
                if outcome == "promised":
                    break
                if outcome == "refused" and reason.startswith("5"):
                    self.problems.append("message %d refused for good: %s" % (number, reason))
                    break
                time.sleep(0.05)
            else:
                self.problems.append("message %d was never acknowledged" % number)

    # -- killing ----------------------------------------------------------------------------------------------------
    def processes(self):
        """pid and service of each daemon of this tree, fronts included."""
        found = []
        mark = os.path.join(self.martlet.root, "etc", "martlet.toml").encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = pathlib.Path("/proc/%s/cmdline" % pid).read_bytes().split(b"\0")
            except OSError:
                continue
            if mark in words and b"--service" in words:
                found.append((int(pid), words[words.index(b"--service") + 1].decode()))
        return found

    def killer(self):
        chance = random.Random("%s/killer" % self.seed)
        while self.sending:
            time.sleep(chance.expovariate(8))
            if chance.random() < 0.02:
                self.kill_supervisor()
                continue
            names = chance.sample(TARGETS, chance.choice((1, 1, 1, 2)))
            pick = chance.random()
            for name in names:
                pids = [p for p, service in self.processes() if service == name]
                if pids:
                    self.kill(pids[int(pick * len(pids))], name)

    def healer(self):
        """Spares the test the supervisor's growing pauses between restarts, so that there is somebody to kill."""
        while self.sending:
            time.sleep(0.5)
            self.martlet.mailctl("start", check=False)

    def kill(self, pid, name):
        try:
            os.kill(pid, signal.SIGKILL)
            self.kills[name] = self.kills.get(name, 0) + 1
        except ProcessLookupError:
            pass

    def kill_supervisor(self):
        self.kill(self.martlet.supervisor.pid, "supervisor")
        self.martlet.supervisor.wait()
        self.start_again()

    def start_again(self):
        """Its services end by themselves once it is gone; only then are the ports free."""
        def attempt():
            try:
                self.martlet.start()
                return True
            except AssertionError as error:
                if not str(error).startswith(("mailctl run ended with 69", "mailctl run ended with 75")):
                    raise
                self.martlet.supervisor = None
        try:
            wait_until(attempt, "the supervisor started again", PATIENCE)
        except AssertionError as error:
            self.problems.append(str(error))
            self.sending = False

    # -- the round --------------------------------------------------------------------------------------------------
    def run(self):
        self.martlet = Martlet(accounts=ACCOUNTS, settings={"retry": {"initial": "1 s", "maximum": "2 s"}}, start=False)
        self.ledger = Ledger(os.path.join(self.martlet.root, "ledger"))
        # Strangers sit at the sink too: what goes back to them has somewhere to go.
        self.sink = Sink(self.ledger)
        self.post = Sender(self.ledger, self.martlet.port, [BIN + "/sendmail", "-C", os.path.join(self.martlet.root, "etc", "martlet.toml")])
        try:
            for alias, targets in ALIASES.items():
                self.martlet.mailctl("alias", "add", alias + "@example.org", *(t if "@" in t else t + "@example.org" for t in targets))
            for domain in ("far.example", "elsewhere.example"):
                self.martlet.mailctl("route", "add", domain, "127.0.0.1:%d" % self.sink.port)
            self.martlet.start()
            self.send_and_kill()
            self.settle()
            result = self.judge()
        except BaseException:
            self.keep = True
            raise
        finally:
            self.martlet.stop()
            self.sink.close()
            self.ledger.close()
            if not self.keep and not self.problems:
                shutil.rmtree(self.martlet.root, ignore_errors=True)
            else:
                print("kept:", self.martlet.root)
        return result

    def send_and_kill(self):
        senders = [threading.Thread(target=self.sender) for _ in range(self.threads)]
        others = [threading.Thread(target=self.killer), threading.Thread(target=self.healer)]
        for thread in senders + others:
            thread.start()
        for thread in senders:
            thread.join()
        self.sending = False
        for thread in others:
            thread.join()

    def settle(self):
        """Everything runs, the queue is empty; once more after a restart, which must bring nothing back."""
        self.martlet.mailctl("start")
        wait_until(lambda: self.queue_is_empty(), "the queue empty", PATIENCE)
        self.martlet.stop()
        self.martlet.start()
        wait_until(lambda: self.queue_is_empty(), "the queue empty after the restart", PATIENCE)

    def queue_is_empty(self):
        drops = [n for n in os.listdir(os.path.join(self.martlet.root, "spool", "drop")) if n.startswith("drop-")]
        return not drops and self.martlet.queue() == []

    def judge(self):
        # Who dies between a host's reply and its own record sends once more: no more copies than it had under way each time.
        allowed = IN_FLIGHT * (self.kills.get("remoted", 0) + self.kills.get("supervisor", 0))
        verdict = check(self.ledger, self.martlet.root, ACCOUNTS, killed_in_flight=allowed, queue=self.martlet.queue())
        if not verdict.ok:
            self.problems += verdict.details[:10]
        if verdict.promised != self.count:
            self.problems.append("%d of %d messages acknowledged" % (verdict.promised, self.count))
        self.check_logs()
        self.audit()
        return {"attempts": self.sent, **verdict.row(), "kills": sum(self.kills.values())}

    def audit(self):
        """The event logs say the same: all that was accepted has come to its end, message by message."""
        audit = self.martlet.mailctl("audit", "--json", check=False)
        if audit.returncode:
            self.problems.append("mailctl audit ended with %d: %s" % (audit.returncode, (audit.stdout + audit.stderr)[:2000]))

    def check_logs(self):
        """No program trapped, nothing was damaged, nothing was only presumed to be delivered."""
        for line in self.martlet.log().split("\n"):
            trapped = re.search(r"supervisor: exit .*code=(\d+)", line)
            if trapped and int(trapped.group(1)) not in (0, 75, 128 + 9, 128 + 15, 137, 143):
                self.problems.append(line)
            torn = "unfinished%20at%20the%20end" in line  # A write that a SIGKILL cut short: nobody was told of it.
            if re.search(r"^\w+: corrupt ", line) and not torn or "Fatal error" in line or "result=presumed" in line:
                self.problems.append(line)


COLUMNS = {"attempts": 9, "promised": 9, "delivered": 10, "sent": 6, "bounced": 8, "queued": 7, "lost": 5, "duplicated": 11, "corrupt": 8,
           "refused_delivered": 18, "stray": 6, "remote_duplicates": 18, "kills": 6}


def run(rounds, messages, seed=None, keep=False, threads=8, first=0):
    """Runs the rounds and prints the table; the problems found, by seed."""
    problems, totals = {}, collections.Counter()
    seed = seed or "%08x" % random.SystemRandom().getrandbits(32)
    print("%-12s" % "seed" + "".join("%*s" % (w, c) for c, w in COLUMNS.items()) + "  seconds")
    for number in range(first, first + rounds):
        chosen = "%s.%d" % (seed, number) if rounds > 1 else seed
        began = time.monotonic()
        one = Round(chosen, messages, threads, keep)
        try:
            result = one.run()
            totals.update(result)
            print("%-12s" % chosen + "".join("%*d" % (w, result[c]) for c, w in COLUMNS.items()) + "%9.0f" % (time.monotonic() - began), flush=True)
        except AssertionError as error:
            one.problems.append(str(error))
            print("%-12s  failed" % chosen, flush=True)
        if one.problems:
            problems[chosen] = one.problems
            print("\n".join("  " + p for p in one.problems[:20]), flush=True)
    print(json.dumps({"lab": "random kills", "seed": seed, "first": first, "rounds": rounds, **{c: totals[c] for c in COLUMNS}, "failed": len(problems)}))
    return problems


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seed", help="the plan of one round, or what the plans of several derive from: SEED.0, SEED.1, …")
    parser.add_argument("--first", type=int, default=0, help="begin with this round of several")
    parser.add_argument("--keep", action="store_true", help="keep the trees")
    options = parser.parse_args()
    sys.exit(1 if run(options.rounds, options.messages, options.seed, options.keep, options.threads, options.first) else 0)
