"""What is done while a program is under a fault: for each program a script that reaches all it does, and what must be true afterwards.

A script has two halves. `before` runs while the program is down and leaves work for its start; `during` runs while it is up. Both
repeat what was not answered with yes until it is, as clients do. What was promised on the way stands in the point's ledger
(mail) and shelf (mailboxes); `settle` waits for the end of all work, `judge` compares.
"""
import collections
import hashlib
import json
import os
import random
import subprocess
import threading
import time

import invariant
from bench import BIN, PATIENCE, wait_until
from invariant import DOMAIN, Ledger, Sender, Sink
from mailboxes import imapd_before, imapd_during, pop3d_before, pop3d_during

ACCOUNTS = ("ann", "ben", "cleo", "pat", "ivy")
ALIASES = {"pair": ("ann", "ben"), "all": ("pair", "cleo", "r1@far.example"), "kept": ("held@far.example",)}
FAR = "far.example"
SMALL, BIG = 1500, 140_000


class Letter:
    """A message as the invariant's Sender takes it, made to order."""

    def __init__(self, token, names, way="smtp", size=SMALL, returned=False):
        self.token, self.way, self.returned = token, way, returned
        chance = random.Random(token)
        lines = ("%s%x" % ("." if chance.random() < 0.1 else "", chance.getrandbits(250)) for _ in range(size // 64 + 1))
        self.body = "".join(line + "\r\n" for line in lines).encode()
        self.sha = hashlib.sha256(self.body).hexdigest()
        reached = set().union(*map(self.expand, names))
        self.recipients = [n if "@" in n else "%s@%s" % (n, DOMAIN) for n in names]
        self.mailboxes, self.remote = {r for r in reached if "@" not in r}, {r for r in reached if "@" in r}

    @classmethod
    def expand(cls, name):
        if name in ALIASES:
            return {a for target in ALIASES[name] for a in cls.expand(target)}
        return {name if "@" in name else name.split("+")[0]}

    def data(self, token=None):
        return b"Subject: crash test\r\nX-Token: %s\r\nX-SHA256: %s\r\n\r\n" % ((token or self.token).encode(), self.sha.encode()) + self.body


class Site:
    """The remote site: `never…` is refused for good, `later…` once, `held` as long as `holds`; the rest is taken."""

    def __init__(self, ledger):
        self.holds = False
        self.seen = collections.Counter()
        self.sink = Sink(ledger, behaviour=self.behave)

    def behave(self, recipients):
        name = recipients[0]
        self.seen[name] += 1
        if name.startswith("never"):
            return "5xx"
        again = name.startswith("later") and self.seen[name] == 1 or name.startswith("held") and self.holds
        return "4xx" if again else "accept"


class Work:
    """One point: what is sent, promised, done to mailboxes, and found wrong."""

    def __init__(self, bench, site, folder, token, under_test=None, judge_replies=False):
        self.bench, self.site, self.token, self.under_test = bench, site, token, under_test
        self.ledger = Ledger(os.path.join(folder, token.replace("/", "-") + ".ledger"))
        site.sink.ledger = self.ledger
        self.count = 0
        self.problems = []
        self.judge_replies = judge_replies
        self.sender = Sender(self.ledger, bench.port, [os.path.join(BIN, "sendmail"), "-C", bench.config], login="ann@" + DOMAIN, patience=30)
        self.shelf = None

    def next_token(self):
        self.count += 1
        return "%s.%d" % (self.token, self.count)

    def note(self):
        """Called before each command to a mailbox: who looks at losses of power keeps what is promised by then."""

    # -- mail -------------------------------------------------------------------------------------------------------
    letter = Letter

    def send(self, *names, way="smtp", size=SMALL, patience=PATIENCE):
        """Sends until a 250 was read."""
        end = time.monotonic() + patience
        while True:
            letter = Letter(self.next_token(), names, way, size)
            outcome, reason = self.sender.send(letter)
            if outcome == "promised":
                return letter
            if self.judge_replies and outcome == "refused" and reason[:1] == "5":
                self.problems.append("refused for good: %s" % reason)
            if time.monotonic() > end:
                self.problems.append("never accepted: %s %s" % (outcome, reason))
                return None
            time.sleep(0.05)

    def abort(self, size):
        """A client that leaves in the middle of its message."""
        letter = Letter(self.next_token(), ("ann",), size=size)
        try:
            client = invariant.Client(self.bench.port("smtp"), None, 30)
        except invariant.Away:
            return
        self.ledger.begun(letter.token, letter.sha, letter.mailboxes)
        try:
            for text, code in (("MAIL FROM:<x@elsewhere.example>", 250), ("RCPT TO:<ann@%s>" % DOMAIN, 250), ("DATA", 354)):
                client.command(text, code)
            client.socket.sendall(letter.data()[:-10])
        except (OSError, invariant.Refused, invariant.Broken):
            pass
        client.close()
        self.ledger.refused(letter.token, "left")

    def refused(self, name):
        """Who does not exist is refused with 550 by a program that is well, and with nothing else that is final."""
        try:
            client = invariant.Client(self.bench.port("smtp"), None, 30)
        except invariant.Away:
            return
        try:
            client.command("MAIL FROM:<x@elsewhere.example>", 250)
            client.command("RCPT TO:<%s@%s>" % (name, DOMAIN), 550)
        except (OSError, invariant.Refused, invariant.Broken):
            pass
        client.close()

    def run(self, *words, check=True):
        done = subprocess.run([*self.bench.mailctl, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        if check and done.returncode:
            self.problems.append("mailctl %s: %d %s" % (" ".join(words), done.returncode, done.stderr.strip()[-300:]))
        return done

    # -- the end ----------------------------------------------------------------------------------------------------
    def queue(self):
        done = self.run("queue", "list", "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def is_settled(self):
        drops = [n for n in os.listdir(self.bench.path("spool", "drop")) if n.startswith("drop-")]
        return not drops and self.queue() == []

    def settle(self, patience=PATIENCE):
        # What hung once is not waited for again.
        patience = 1 if any("never empty" in problem for problem in self.problems) else patience
        end, retried = time.monotonic() + patience, 0.0
        while not self.is_settled():
            if time.monotonic() > end:
                self.problems.append("the queue is never empty: %s" % str(self.queue())[:600])
                return False
            if time.monotonic() - retried > 1:
                self.run("queue", "retry", check=False)
                retried = time.monotonic()
            time.sleep(0.03)
        return True

    def judge(self, remote_duplicates=0):
        """The invariant, with what was already found."""
        verdict = invariant.check(self.ledger, self.bench.root, ACCOUNTS, sinks=[self.site.sink], killed_in_flight=remote_duplicates,
                                  queue=self.queue() or [])
        if self.shelf:
            self.problems += self.shelf.judge()
        if not verdict.ok:
            self.problems += verdict.details
        return verdict

    def clear(self):
        """Makes room for the next point: what was judged goes, as if its readers had removed it."""
        for account in ACCOUNTS:
            top = self.bench.path("spool", "mail", DOMAIN, account)
            for folder, _, files in os.walk(top):
                if os.path.basename(folder) in ("new", "cur", "expunged"):
                    for name in files:
                        os.unlink(os.path.join(folder, name))
        self.ledger.close()
        os.unlink(self.ledger.path)


# -- the mail path ---------------------------------------------------------------------------------------------------
def nothing(work):
    pass


def smtpd_during(work):
    work.send("ann")
    work.refused("nobody")
    work.abort(SMALL)
    work.abort(BIG)
    work.send("pair", "cleo+x")
    work.send("ben", size=BIG)


def submission_during(work):
    work.send("ann", way="submission")
    work.send("ben", "r1@" + FAR, way="submission")
    work.send("cleo", size=BIG, way="submission")
    # 128 KiB at once, and the same for a second session beside the first.
    together = [threading.Thread(target=work.send, args=("ann",), kwargs={"way": "submission"}) for _ in range(3)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()


def punch_before(work):
    """A segment that holds an open message beside finished ones, and will have a successor: their content is to be punched out."""
    service = work.under_test
    way = "submission" if service == "submission" else "smtp"
    work.site.holds = True
    work.bench.start(service)
    work.send("kept", way=way)
    for _ in range(3):
        work.send("ann", way=way, size=9000)
    wait_until(lambda: len(work.queue() or ()) == 1, "one held message", PATIENCE)
    work.bench.stop(service)


def punch_during(work):
    """The owner of the segment waits some seconds before it erases."""
    service = work.under_test
    process = work.bench.process(service)
    end = time.monotonic() + 9
    while time.monotonic() < end and work.bench.process(service) is process and process.alive:
        time.sleep(0.1)
    work.site.holds = False
    work.run("queue", "retry", check=False)
    work.send("ben", way="submission" if service == "submission" else "smtp")
    work.settle()


def path_before(work):
    """Work that waits for its program: local, alias, big, remote, remote twice, bounce, drop."""
    work.send("ann")
    work.send("all", size=BIG, way="submission")
    work.send("later-%s@%s" % (work.token.replace("/", "-"), FAR), way="submission")
    work.send("never@" + FAR, way="submission")
    work.send("ben", way="sendmail")


def path_during(work):
    work.send("pair")
    work.send("r2@" + FAR, "cleo", way="submission")
    work.send("ann", way="sendmail")
    work.settle()


def sendmail_during(work):
    work.send("ann", "r3@" + FAR, way="sendmail")


SCRIPTS = {
    "smtpd": (nothing, smtpd_during),
    "submission": (nothing, submission_during),
    "queued": (path_before, path_during),
    "locald": (path_before, path_during),
    "remoted": (path_before, path_during),
    "pop3d": (pop3d_before, pop3d_during),
    "imapd": (imapd_before, imapd_during),
}
# Calls that only a work of its own reaches.
SPECIAL = {(service, call): (punch_before, punch_during) for service in ("smtpd", "submission") for call in ("punch", "fallocate")}


def script(program, call=None):
    return SPECIAL.get((program, call)) or SCRIPTS[program]
