"""A workload of clients and of the administrator, and what its answers promise after a loss of power.

A client's OK to APPEND, COPY, MOVE, EXPUNGE, CREATE, DELETE, RENAME, SUBSCRIBE, a POP3 QUIT after DELE, and the end of a mailctl command
with 0. Flags are promised after a second only (docs/store.md). What may be and what must stands in the ledger before each command and after it.
"""
import collections
import random
import smtplib
import subprocess
import time

from invariant import DOMAIN, PASSWORD, Client
from mailboxes import Drop, Lost, No, Shelf, imapd_during, pop3d_during
from power_images import ReadLedger, Recording
from power_tree import MAIL_SERVICES
from scripts import Letter

# A flag may be lost for as long.
FLAG_SECONDS = 2


class Promises:
    """What the judges of mailboxes ask of a `work`, on a tree whose power may fail."""

    letter = Letter

    def __init__(self, tree, token, ledger=None):
        self.tree, self.token, self.ledger, self.count, self.problems = tree, token, ledger, 0, []
        self.bench, self.shelf, self.last, self.since = self, None, None, {}

    def port(self, name):
        return self.tree.ports[name]

    def next_token(self):
        self.count += 1
        return "%s.%d" % (self.token, self.count)

    def note(self):
        """Writes what is promised by now, if that is news."""
        if self.ledger and self.shelf and (state := self.shelf.state_now(self.is_settled)) != self.last:
            self.ledger.shelf(self.shelf.kind + " " + self.token, state)
            self.last = state

    def is_settled(self, *fact):
        return time.monotonic() - self.since.setdefault(fact, time.monotonic()) > FLAG_SECONDS


class PowerDrop(Drop):
    """A maildrop whose promises can be written down."""
    kind = "pop3"

    def state_now(self, is_settled):
        return {"tokens": sorted(self.tokens), "state": dict(self.state)}

    def restore(self, state):
        self.tokens, self.state = set(state["tokens"]), state["state"]


class PowerShelf(Shelf):
    """Mailboxes whose promises can be written down."""
    kind = "imap"

    def __init__(self, work):
        super().__init__(work)
        # mailbox → whether it must be listed; None where that is under way.
        self.listed, self.subscribed = {}, {}

    def simple(self, verb, *words):
        facts = {"create": (self.listed, words[0], True), "delete": (self.listed, words[0], False), "subscribe": (self.subscribed, words[0], True)}
        facts, name, wanted = facts.get(verb, ({}, words[0], None))
        facts[name] = None
        super().simple(verb, *words)
        facts[name] = wanted

    def rename(self, old, new):
        for token, places in self.copies.items():
            if old in places:
                self.once[token], places[old], places[new] = (old, new), (0, 1), (0, 1)
        self.listed[old] = self.listed[new] = None
        self.simple("rename", old, new)
        self.listed[old], self.listed[new] = False, True
        for token, places in self.copies.items():
            if old in places:
                places.pop(old)
                self.once[token], places[new] = (new, new), (1, 1)
        for key in [k for k in self.uids if k[0] == old]:
            self.uids[(new, *key[1:])] = self.uids.pop(key)
        if self.session is not None:
            self.forget()

    def state_now(self, is_settled):
        flags = {token: {flag: True for flag, sure in known.items() if sure and is_settled(token, flag)} for token, known in self.flags.items()}
        return {"copies": {token: {box: list(span) for box, span in places.items()} for token, places in self.copies.items()},
                "once": {token: list(boxes) for token, boxes in self.once.items()}, "flags": flags, "shas": dict(self.shas),
                "uids": [[box, validity.decode() if isinstance(validity, bytes) else validity, uid, token] for (box, validity, uid), token in self.uids.items()],
                "listed": dict(self.listed), "subscribed": dict(self.subscribed)}

    def restore(self, state):
        self.copies = collections.defaultdict(dict, {t: {b: tuple(span) for b, span in places.items()} for t, places in state["copies"].items()})
        self.once = {t: tuple(boxes) for t, boxes in state["once"].items()}
        self.flags = collections.defaultdict(dict, state["flags"])
        self.shas, self.listed, self.subscribed = state["shas"], state["listed"], state["subscribed"]
        self.uids = {(box, validity.encode() if validity else validity, uid): token for box, validity, uid, token in state["uids"]}

    def judge(self):
        super().judge()
        for verb, facts in (("list", self.listed), ("lsub", self.subscribed)):
            there = {line.decode().split()[-1].strip('"') for line in self.say(verb) if line}
            for name, wanted in facts.items():
                if wanted is not None and (name in there) != wanted:
                    self.work.problems.append("%s is %s by %s" % (name, "not listed" if wanted else "listed", verb.upper()))
        self.forget()


class Administration:
    """Changes of the directory: address → what RCPT must be answered, None while a command is under way."""
    kind = "directory"

    def __init__(self, work):
        self.work, self.answers = work, {}

    def change(self, answer, name, *words):
        self.answers[name] = None
        self.work.note()
        self.work.tree.mailctl(*words, input=PASSWORD + "\n" if "--password-stdin" in words else None)
        self.answers[name] = answer
        self.work.note()

    def state_now(self, is_settled):
        return dict(self.answers)

    def restore(self, state):
        self.answers = state

    def judge(self):
        for name, answer in self.answers.items():
            if answer is None:
                continue
            client = Client(self.work.port("smtp"))
            client.command("MAIL FROM:<x@elsewhere.example>", 250)
            client.socket.sendall(b"RCPT TO:<%s@%s>\r\n" % (name.encode(), DOMAIN.encode()))
            found = int(client.lines.readline()[:3])
            client.close()
            if found != answer:
                self.work.problems.append("%s@ is answered %d, not %d" % (name, found, answer))
        # The snapshots may have it, and the database, of which the next ones are made, may not.
        known = self.work.tree.mailctl("account", "list") + self.work.tree.mailctl("alias", "list")
        for name, answer in self.answers.items():
            if answer is not None and ("%s@%s" % (name, DOMAIN) in known) != (answer == 250):
                self.work.problems.append("%s@ is %s the database" % (name, "not in" if answer == 250 else "still in"))


KINDS = {"pop3": PowerDrop, "imap": PowerShelf, "directory": Administration}


class MailboxRecording(Recording):
    """Clients and the administrator at work on a recorded tree."""

    services = (*MAIL_SERVICES, "pop3d", "imapd")

    def work(self, tree, ledger, sink):
        chance = random.Random(self.seed + "/plan")
        self.outcomes = {}
        tree.start(self.services)
        directory = Promises(tree, self.seed, ledger)
        directory.shelf = Administration(directory)
        there = tree.mailctl("account", "list")
        for name in ("pat", "ivy"):
            if "%s@%s" % (name, DOMAIN) not in there:
                directory.shelf.change(250, name, "account", "add", "%s@%s" % (name, DOMAIN), "--password-stdin")
        for life in range(chance.choice((1, 2))):
            if life:
                tree.kill(chance.choice((None, ["imapd", "pop3d"], ["imapd"])))
                tree.start([s for s in self.services if s not in tree.running])
            name = "list%d-%08x" % (life, chance.getrandbits(32))
            directory.shelf.change(250, name, "alias", "add", "%s@%s" % (name, DOMAIN), "ann@" + DOMAIN)
            for step in chance.sample((self.read_by_pop3, self.read_by_imap), 2):
                step(tree, ledger, "%s-%d" % (self.seed, life))
            directory.shelf.change(550, name, "alias", "remove", "%s@%s" % (name, DOMAIN))
        tree.settle()

    def read_by_pop3(self, tree, ledger, token):
        work = Promises(tree, token, ledger)
        letters = [Letter(work.next_token(), ("pat",)) for _ in range(3)]
        for letter in letters:
            with smtplib.SMTP("127.0.0.1", tree.ports["smtp"]) as client:
                client.sendmail("x@elsewhere.example", ["pat@" + DOMAIN], letter.data())
        tree.settle()
        work.shelf = PowerDrop(work, [letter.token for letter in letters])
        self.finish(work, pop3d_during)

    def read_by_imap(self, tree, ledger, token):
        work = Promises(tree, token, ledger)
        work.shelf = PowerShelf(work)
        self.finish(work, imapd_during)
        time.sleep(FLAG_SECONDS + 0.2)
        work.note()
        work.shelf.look(work.shelf.box("a"))

    def finish(self, work, during):
        during(work)
        work.note()
        if work.problems:
            raise RuntimeError("the judge is wrong, or the programs are without any loss of power: %s" % work.problems[:3])

    def judge_more(self, tree, promised):
        problems = []
        for name, state in ReadLedger(self.ledger_path).shelves(promised).items():
            work = Promises(tree, name.split(" ", 1)[1])
            work.shelf = KINDS[name.split(" ", 1)[0]](*([work, []] if name.startswith("pop3") else [work]))
            work.shelf.restore(state)
            try:
                work.shelf.judge()
            except (Lost, No, OSError, subprocess.SubprocessError) as error:
                work.problems.append("%s: %s" % (type(error).__name__, error))
            problems += work.problems
        return problems
