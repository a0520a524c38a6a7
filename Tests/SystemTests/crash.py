#!/usr/bin/env python3
"""The crash test: mail comes in while every daemon, and the supervisor, is killed with SIGKILL at random.

Every message that was acknowledged must be in each of its mailboxes exactly once, whole; what was refused, or broken off
before its end was sent, must be in none. The full form is `crash.py --rounds 20 --messages 500`; each round prints its
seed, and `--seed` repeats the plan of one round (what is sent where, who is killed in which order; not the scheduling).
"""
import argparse
import base64
import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from martlet import BIN, PASSWORD, Martlet, wait_until

ACCOUNTS = ("ann", "ben", "cleo", "dan")
ALIASES = {"pair": ("ann", "ben"), "all": ("pair", "cleo", "dan", "ann")}
SERVICES = ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")
# The mail path is hit harder than those who only look on.
TARGETS = ("smtpd",) * 4 + ("submission",) * 2 + ("queued",) * 5 + ("locald",) * 5 + ("remoted", "pop3d", "imapd")
PATIENCE = 180


def expand(name):
    """The accounts behind a recipient."""
    name = name.split("+")[0]
    return {a for target in ALIASES[name] for a in expand(target)} if name in ALIASES else {name}


class Refused(Exception):
    """The server said no: the message must not appear."""


class Away(Exception):
    """The service could not be reached: nothing was sent."""


class Broken(Exception):
    """The connection went before the end of the message was sent: it must not appear."""


class Unknown(Exception):
    """The end was sent and no answer came: it may appear, once."""


class Client:
    """One SMTP transaction that knows how far it came."""

    def __init__(self, port, login):
        try:
            self.socket = socket.create_connection(("127.0.0.1", port), 60)
            self.lines = self.socket.makefile("rb")
            self.expect(220)
            self.command("EHLO client.example", 250)
            if login:
                secret = base64.b64encode(b"\0" + login.encode() + b"\0" + PASSWORD.encode()).decode()
                self.command("AUTH PLAIN " + secret, 235)
        except (OSError, Broken, Refused) as error:
            raise Away(str(error))

    def expect(self, code):
        while True:
            line = self.lines.readline()
            if not line.endswith(b"\n"):
                raise Broken("the connection ended")
            if line[3:4] != b"-":
                break
        if int(line[:3]) != code:
            raise Refused(line.decode(errors="replace").strip())
        return line

    def command(self, text, code):
        self.socket.sendall(text.encode() + b"\r\n")
        return self.expect(code)

    def send(self, sender, recipients, data):
        try:
            self.command("MAIL FROM:<%s>" % sender, 250)
            for recipient in recipients:
                self.command("RCPT TO:<%s>" % recipient, 250)
            self.command("DATA", 354)
            self.socket.sendall(data)
        except OSError as error:
            raise Broken(str(error))
        try:
            self.socket.sendall(b".\r\n")
            return self.expect(250)
        except (OSError, Broken) as error:
            raise Unknown(str(error))

    def close(self):
        self.lines.close()
        self.socket.close()


class Message:
    """Message `number` of a round: what it is follows from the seed alone."""

    def __init__(self, seed, number):
        chance = random.Random("%s/%d" % (seed, number))
        pool = ACCOUNTS + tuple(ALIASES) + ("ben+lists", "dan+x")
        self.recipients = chance.sample(pool, chance.choice((1, 1, 2, 3)))
        self.mailboxes = set().union(*map(expand, self.recipients))
        self.way = chance.choices(("smtp", "submission", "sendmail"), (12, 5, 1))[0]
        self.pause = chance.random() * 0.3
        size = chance.choices((chance.randrange(200, 4000), chance.randrange(4000, 100_000), chance.randrange(128_000, 300_000)), (7, 2, 1))[0]
        words = ("%x" % chance.getrandbits(280) for _ in range(size // 70 + 1))
        self.body = "".join((("." if chance.random() < 0.05 else "") + word + "\r\n") for word in words).encode()
        self.hash = hashlib.sha256(self.body).hexdigest()

    def data(self, token):
        return b"Subject: crash test\r\nX-Token: %s\r\nX-SHA256: %s\r\n\r\n%s" % (token.encode(), self.hash.encode(), self.body)


class Round:
    def __init__(self, seed, messages, threads=8, keep=False):
        self.seed, self.count, self.threads, self.keep = seed, messages, threads, keep
        self.lock = threading.Lock()
        self.todo = iter(range(messages))
        # token → (number of the message, what is known): acknowledged, refused, broken, unknown
        self.attempts = {}
        self.sending = True
        self.kills = {}
        self.problems = []

    # -- sending ----------------------------------------------------------------------------------------------------
    def record(self, token, number, what):
        """Writes the ledger before anything is counted."""
        with self.lock:
            self.ledger.write("%s %d %s\n" % (token, number, what))
            self.ledger.flush()
            self.attempts[token] = (number, what)

    def attempt(self, message, token):
        if message.way == "sendmail":
            return self.drop(message, token)
        login = "ann@example.org" if message.way == "submission" else None
        client = Client(self.martlet.port("submission" if login else "smtp"), login)
        try:
            stuffed = re.sub(rb"(?m)^\.", b"..", message.data(token))
            client.send(login or "stranger@elsewhere.example", [r + "@example.org" for r in message.recipients], stuffed)
        finally:
            client.close()

    def drop(self, message, token):
        config = os.path.join(self.martlet.root, "etc", "martlet.toml")
        text = message.data(token).replace(b"\r\n", b"\n")
        done = subprocess.run([BIN + "/sendmail", "-C", config, "-i", *(r + "@example.org" for r in message.recipients)], input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise Refused(done.stdout.decode(errors="replace"))

    def sender(self):
        while True:
            with self.lock:
                number = next(self.todo, None)
            if number is None:
                return
            message = Message(self.seed, number)
            time.sleep(message.pause)
            end = time.monotonic() + PATIENCE
            again = 0
            while time.monotonic() < end and not self.problems:
                again += 1
                token = "%s-%d-%d" % (self.seed, number, again)
                try:
                    self.attempt(message, token)
                    self.record(token, number, "acknowledged")
                    break
                except Away:
                    pass
                except Refused as error:
                    self.record(token, number, "refused")
                    if str(error).startswith("5"):
                        self.problems.append("message %d refused for good: %s" % (number, error))
                        break
                except Broken:
                    self.record(token, number, "broken")
                except Unknown:
                    self.record(token, number, "unknown")
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
        self.ledger = open(os.path.join(self.martlet.root, "ledger"), "w")
        try:
            for alias, targets in ALIASES.items():
                self.martlet.mailctl("alias", "add", alias + "@example.org", *(t + "@example.org" for t in targets))
            self.martlet.start()
            self.send_and_kill()
            self.settle()
            result = self.check()
        except BaseException:
            self.keep = True
            raise
        finally:
            self.martlet.stop()
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

    def found(self):
        """(token, mailbox) → whether each copy there is whole."""
        copies, strange = {}, []
        for account in ACCOUNTS:
            for content in self.martlet.messages(account):
                token = re.search(rb"(?m)^X-Token: (\S+)\r$", content)
                if not token:
                    strange.append(content[:200])
                    continue
                head, _, body = content.partition(b"\r\n\r\n")
                stated = re.search(rb"(?m)^X-SHA256: (\S+)\r?$", head)
                whole = bool(stated) and hashlib.sha256(body).hexdigest().encode() == stated.group(1)
                copies.setdefault((token.group(1).decode(), account), []).append(whole)
        return copies, strange

    def check(self):
        copies, strange = self.found()
        lost, duplicated, corrupt, ghosts = [], [], [], []
        for token, (number, what) in self.attempts.items():
            message = Message(self.seed, number)
            there = [a for a in ACCOUNTS if (token, a) in copies]
            if what in ("refused", "broken") and there:
                ghosts.append((token, what, there))
            if what == "acknowledged" or (what == "unknown" and there):
                lost += [(token, a) for a in message.mailboxes - set(there)]
                ghosts += [(token, a) for a in set(there) - message.mailboxes]
        for place, wholes in copies.items():
            if place[0] not in self.attempts:
                ghosts.append(place)
            if len(wholes) > 1:
                duplicated.append(place)
            if not all(wholes):
                corrupt.append(place)
        self.check_logs()
        acknowledged = sum(what == "acknowledged" for _, what in self.attempts.values())
        for name, found in (("lost", lost), ("duplicated", duplicated), ("corrupt", corrupt), ("ghosts", ghosts), ("strange", strange)):
            if found:
                self.problems.append("%s: %r" % (name, found[:5]))
        if acknowledged != self.count:
            self.problems.append("%d of %d messages acknowledged" % (acknowledged, self.count))
        return {"sent": len(self.attempts), "acknowledged": acknowledged, "delivered": sum(map(len, copies.values())), "lost": len(lost),
                "duplicated": len(duplicated), "corrupt": len(corrupt), "ghosts": len(ghosts) + len(strange), "kills": sum(self.kills.values())}

    def check_logs(self):
        """No program trapped, nothing was damaged, nothing was only presumed to be delivered."""
        for line in self.martlet.log().split("\n"):
            trapped = re.search(r"supervisor: exit .*code=(\d+)", line)
            if trapped and int(trapped.group(1)) not in (0, 75, 128 + 9, 128 + 15, 137, 143):
                self.problems.append(line)
            torn = "unfinished%20at%20the%20end" in line  # A write that a SIGKILL cut short: nobody was told of it.
            if re.search(r"^\w+: corrupt ", line) and not torn or "Fatal error" in line or "result=presumed" in line:
                self.problems.append(line)


COLUMNS = ("sent", "acknowledged", "delivered", "lost", "duplicated", "corrupt", "ghosts", "kills")


def run(rounds, messages, seed=None, keep=False, threads=8):
    """Runs the rounds and prints the table; the problems found, by seed."""
    problems = {}
    print("%-12s" % "seed" + "".join("%13s" % c for c in COLUMNS) + "      seconds")
    for _ in range(rounds):
        chosen = seed or "%08x" % random.SystemRandom().getrandbits(32)
        began = time.monotonic()
        one = Round(chosen, messages, threads, keep)
        try:
            result = one.run()
            print("%-12s" % chosen + "".join("%13d" % result[c] for c in COLUMNS) + "%13.0f" % (time.monotonic() - began), flush=True)
        except AssertionError as error:
            one.problems.append(str(error))
            print("%-12s  failed" % chosen, flush=True)
        if one.problems:
            problems[chosen] = one.problems
            print("\n".join("  " + p for p in one.problems[:20]), flush=True)
    return problems


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seed", help="repeat the plan of one round")
    parser.add_argument("--keep", action="store_true", help="keep the trees")
    options = parser.parse_args()
    sys.exit(1 if run(options.rounds, options.messages, options.seed, options.keep, options.threads) else 0)
