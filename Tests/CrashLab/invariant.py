"""The invariant of the crash laboratory: nothing acknowledged is lost, doubled or changed; nothing refused appears.

    generator = Generator(seed, ("ann", "ben"), {"pair": ("ann", "ben")}, remote_domains=("far.example",))
    ledger = Ledger(path)                      on a file system that is not under test
    sink = Sink(ledger)                        `mailctl route add far.example 127.0.0.1:<sink.port>`
    Sender(ledger, port, sendmail).send(generator.message(0))      promised, refused, unknown or away
    verdict = check(ledger, root, ("ann", "ben"), sinks=[sink], mailctl=[…, "--root", root])
    verdict.ok, verdict.row(), verdict.details

What follows from a seed is what is sent, never the scheduling. The ledger is durable before anything is counted, and one
number says how much of it stands: a block log that notes `ledger.position` with each write can be judged as of that write.
"""
import base64
import collections
import hashlib
import json
import os
import random
import re
import socket
import socketserver
import subprocess
import threading

PASSWORD = "correct horse"
DOMAIN = "example.org"


# -- what is sent ----------------------------------------------------------------------------------------------------
class Generator:
    """Messages by number. `aliases`: name → targets, each an account, another alias or a remote address."""

    def __init__(self, seed, accounts, aliases=None, remote_domains=(), domain=DOMAIN, sizes=((200, 4000), (4000, 100_000), (128_000, 300_000))):
        self.seed, self.accounts, self.aliases = seed, tuple(accounts), dict(aliases or {})
        self.remote_domains, self.domain, self.sizes = tuple(remote_domains), domain, sizes
        self.details = tuple(a + "+x" for a in self.accounts[-2:])
        # How often a message comes by SMTP, by submission, by sendmail.
        self.ways = (12, 5, 1)
        self.remote_share = 0.5

    def expand(self, name):
        """The accounts and remote addresses behind a recipient."""
        if "@" in name and not name.endswith("@" + self.domain):
            return {name}
        name = name.split("@")[0].split("+")[0]
        return {a for target in self.aliases[name] for a in self.expand(target)} if name in self.aliases else {name}

    def message(self, number):
        return Message(self, number)


class Message:
    """Message `number` of a generator: `mailboxes` must get one copy each, `remote` addresses one each."""

    def __init__(self, generator, number):
        chance = random.Random("%s/%d" % (generator.seed, number))
        pool = generator.accounts + tuple(generator.aliases) + generator.details
        self.number, self.token = number, "%s-%d" % (generator.seed, number)
        names = chance.sample(pool, min(len(pool), chance.choice((1, 1, 2, 3))))
        self.way = chance.choices(("smtp", "submission", "sendmail"), generator.ways)[0]
        self.pause = chance.random() * 0.3
        size = chance.choices([chance.randrange(*span) for span in generator.sizes], (7, 2, 1)[:len(generator.sizes)])[0]
        words = ("%x" % chance.getrandbits(280) for _ in range(size // 70 + 1))
        self.body = "".join((("." if chance.random() < 0.05 else "") + word + "\r\n") for word in words).encode()
        self.sha = hashlib.sha256(self.body).hexdigest()
        if generator.remote_domains and chance.random() < generator.remote_share:
            # Only who has logged in, or is on the machine, may send to others.
            self.way = self.way if self.way != "smtp" else "submission"
            far = ["r%d@%s" % (n, chance.choice(generator.remote_domains)) for n in chance.sample(range(9), chance.choice((1, 1, 2)))]
            names = far + names[:chance.choice((0, 1))]
        self.recipients = [n if "@" in n else "%s@%s" % (n, generator.domain) for n in names]
        reached = set().union(*map(generator.expand, names))
        self.mailboxes = {r for r in reached if "@" not in r}
        self.remote = reached - self.mailboxes

    def attempt(self, again):
        """The token of the message's attempt `again`: what became of one says nothing of another."""
        return "%s-%d" % (self.token, again)

    def data(self, token=None):
        head = "Subject: crash test\r\nX-Token: %s\r\nX-SHA256: %s\r\n\r\n" % (token or self.token, self.sha)
        return head.encode() + self.body


# -- what was promised -----------------------------------------------------------------------------------------------
class Entry:
    """What the ledger says of one token."""

    def __init__(self, sha=None, mailboxes=(), remote=()):
        self.sha, self.mailboxes, self.remote = sha, set(mailboxes), set(remote)
        self.outcome = "unknown"
        self.reason = ""


class Ledger:
    """Append-only JSON lines, each durable before the call returns. Any number of threads; one process at a time writes it."""

    def __init__(self, path):
        self.path = path
        self.lock, self.syncing = threading.Lock(), threading.Lock()
        whole, count = 0, 0
        if os.path.exists(path):
            with open(path, "rb") as old:
                for line in old:
                    if line.endswith(b"\n"):
                        whole, count = whole + len(line), count + 1
        self.file = open(path, "ab", buffering=0)
        self.file.truncate(whole)  # Half a line was never counted.
        self.written = self.synced = count
        os.fsync(self.file.fileno())
        folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    @property
    def position(self):
        """How many entries are durable. What happens after this was read happened after them."""
        return self.synced

    def append(self, entry, wait=True):
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        with self.lock:
            self.file.write(line)
            self.written += 1
            mine = self.written
        if wait:
            with self.syncing:
                if self.synced < mine:
                    upto = self.written
                    os.fsync(self.file.fileno())
                    self.synced = upto

    def begun(self, token, sha, mailboxes, remote=()):
        """Before the first byte is sent. Not synced by itself: without what follows it promises nothing."""
        self.append({"what": "begun", "token": token, "sha": sha, "mailboxes": sorted(mailboxes), "remote": sorted(remote)}, wait=False)

    def promised(self, token, sha, mailboxes, remote=()):
        """A 250 was read."""
        self.append({"what": "promised", "token": token, "sha": sha, "mailboxes": sorted(mailboxes), "remote": sorted(remote)})

    def refused(self, token, reason=""):
        """A refusal was read, or the end of the message was never sent: it must not appear."""
        self.append({"what": "refused", "token": token, "reason": reason})

    def unknown(self, token, reason=""):
        """The end was sent and no answer came: it may appear, once and everywhere."""
        self.append({"what": "unknown", "token": token, "reason": reason})

    def taken(self, sink, token, recipient, sha, answered, covers=()):
        """A sink has a message; `answered`: whether it will say so. `covers`: (token, address) of a failure notice."""
        self.append({"what": "taken", "sink": sink, "token": token, "recipient": recipient, "sha": sha, "answered": answered,
                     "covers": [list(c) for c in covers]})

    def shelf(self, name, state):
        """What mailboxes must hold by now: before a command what it may do, after its OK what it did."""
        self.append({"what": "shelf", "name": name, "state": state})

    def shelves(self, at=None):
        """name → the last state."""
        return {line["name"]: line["state"] for line in self.lines(at) if line["what"] == "shelf"}

    def lines(self, at=None):
        """The entries, or the first `at` of them."""
        with open(self.path, "rb") as file:
            for number, line in enumerate(file):
                if not line.endswith(b"\n") or (at is not None and number >= at):
                    return
                yield json.loads(line)

    def entries(self, at=None):
        """token → Entry. As of `at`, a token whose end stands later is unknown."""
        entries = {}
        for number, line in enumerate(self.lines()):
            if line["what"] in ("taken", "shelf"):
                continue
            entry = entries.setdefault(line["token"], Entry())
            if "sha" in line:
                entry.sha, entry.mailboxes, entry.remote = line["sha"], set(line["mailboxes"]), set(line["remote"])
            if line["what"] != "begun" and (at is None or number < at):
                entry.outcome, entry.reason = line["what"], line.get("reason", "")
        return entries

    def takings(self, at=None):
        return [line for line in self.lines(at) if line["what"] == "taken"]

    def close(self):
        self.file.close()


# -- how it is sent --------------------------------------------------------------------------------------------------
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

    def __init__(self, port, login=None, patience=60):
        try:
            self.socket = socket.create_connection(("127.0.0.1", port), patience)
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
        """`data` as it is to arrive; the last reply."""
        try:
            self.command("MAIL FROM:<%s>" % sender, 250)
            for recipient in recipients:
                self.command("RCPT TO:<%s>" % recipient, 250)
            self.command("DATA", 354)
            self.socket.sendall(re.sub(rb"(?m)^\.", b"..", data))
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


class Sender:
    """Sends messages and writes down what came of each. `port`: service → port; `sendmail`: the command without recipients."""

    def __init__(self, ledger, port, sendmail=(), login="ann@" + DOMAIN, stranger="stranger@elsewhere.example", patience=60):
        self.ledger, self.port, self.sendmail = ledger, port, list(sendmail)
        self.login, self.stranger, self.patience = login, stranger, patience

    def send(self, message, token=None):
        """(outcome, reason): promised, refused (the message must not appear), unknown, or away (nothing was sent)."""
        token = token or message.token
        facts = (token, message.sha, message.mailboxes, message.remote)
        try:
            (self.drop if message.way == "sendmail" else self.converse)(message, token, facts)
            self.ledger.promised(*facts)
            return "promised", ""
        except Away as error:
            return "away", str(error)
        except (Refused, Broken) as error:
            self.ledger.refused(token, str(error))
            return "refused", str(error)
        except Unknown as error:
            self.ledger.unknown(token, str(error))
            return "unknown", str(error)

    def converse(self, message, token, facts):
        login = self.login if message.way == "submission" else None
        client = Client(self.port("submission" if login else "smtp"), login, self.patience)
        try:
            self.ledger.begun(*facts)
            client.send(login or self.stranger, message.recipients, message.data(token))
        finally:
            client.close()

    def drop(self, message, token, facts):
        self.ledger.begun(*facts)
        done = subprocess.run(self.sendmail + ["-i", *message.recipients], input=message.data(token).replace(b"\r\n", b"\n"),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode < 0:
            raise Unknown("signal %d" % -done.returncode)
        if done.returncode:
            raise Refused(done.stdout.decode(errors="replace"))


class Sink:
    """A remote site: an SMTP server on loopback. `behaviour` may be changed, or be a function of the recipients' list:

    accept   takes the message          4xx, 5xx  refuses it at its end
    drop     ends the connection before it takes it
    lost     takes it, and its reply is lost: the copies that follow are not the sender's fault
    """

    def __init__(self, ledger, name="sink", behaviour="accept", port=0):
        self.ledger, self.name, self.behaviour = ledger, name, behaviour
        sink = self

        class Session(socketserver.StreamRequestHandler):
            timeout = 120

            def handle(self):
                try:
                    sink.serve(self)
                except OSError:
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True
            request_queue_size = 64

        self.server = Server(("127.0.0.1", port), Session)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()

    def serve(self, session):
        say = lambda text: session.wfile.write(text.encode() + b"\r\n")
        say("220 sink ESMTP")
        recipients = []
        for line in session.rfile:
            verb = line[:4].upper().strip()
            if verb == b"MAIL":
                recipients = []
            if verb == b"RCPT":
                recipients.append(re.search(rb"<(.*?)>", line).group(1).decode())
            if verb == b"DATA":
                say("354 go on")
                if not self.take(recipients, self.content(session), say):
                    return
                continue
            say("250-sink\r\n250 8BITMIME" if verb == b"EHLO" else "221 bye" if verb == b"QUIT" else "250 2.0.0 ok")
            if verb == b"QUIT":
                return

    def content(self, session):
        lines = []
        for line in session.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
        raise OSError("ended within a message")

    def take(self, recipients, content, say):
        """False if the connection is to end."""
        behaviour = self.behaviour(recipients) if callable(self.behaviour) else self.behaviour
        if behaviour in ("accept", "lost"):
            token, sha = Copy.token(content), hashlib.sha256(Copy.body(content)).hexdigest()
            covers = [] if token else Copy.covered(content)
            for recipient in recipients:
                self.ledger.taken(self.name, token, recipient, sha, behaviour == "accept", covers)
        if behaviour in ("drop", "lost"):
            return False
        say({"accept": "250 2.0.0 taken", "4xx": "451 4.3.0 not now", "5xx": "554 5.6.0 never"}[behaviour])
        return True

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# -- what came of it -------------------------------------------------------------------------------------------------
class Copy:
    """A message as it was found: in a mailbox, at a sink, in a log."""

    def __init__(self, path, content):
        self.path, self.content = path, content
        self.token, self.sha = Copy.token(content), hashlib.sha256(Copy.body(content)).hexdigest()
        self.covers = [] if self.token else Copy.covered(content)

    @staticmethod
    def at(path):
        with open(path, "rb") as file:
            return Copy(path, file.read())

    @staticmethod
    def head(content):
        return re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]

    @staticmethod
    def body(content):
        end = re.search(rb"\r?\n\r?\n", content)
        return content[end.end():] if end else b""

    @staticmethod
    def token(content):
        """Of the header alone: a notice repeats its original's header in its body."""
        found = re.search(rb"(?m)^X-Token: (\S+)\r?$", Copy.head(content))
        return found.group(1).decode() if found else None

    @staticmethod
    def covered(content):
        """(token, final address) of each failure that a notice tells."""
        if b"report-type=delivery-status" not in Copy.head(content):
            return []
        token = re.search(rb"(?m)^X-Token: (\S+)\r?$", content)
        finals = re.findall(rb"(?m)^Final-Recipient: rfc822; (\S+)\r?$", content)
        return [(token.group(1).decode(), f.decode()) for f in finals] if token else []


def stored(root, account, domain=DOMAIN):
    """The delivered copies of an account wherever its owner put them, hidden folders included; not those that a client appended.

    Listing is no snapshot: if a file is renamed meanwhile, all are listed again.
    """
    top = os.path.join(root, "spool", "mail", domain, account)
    for _ in range(100):
        copies = []
        try:
            for folder, _, files in os.walk(top):
                if os.path.basename(folder) in ("new", "cur", "expunged"):
                    copies += [Copy.at(os.path.join(folder, n)) for n in files if not re.match(r"\d+\.A[0-9a-z]{18}\.", n)]
            if all(os.path.exists(copy.path) for copy in copies):
                return copies
        except FileNotFoundError:
            pass
    raise RuntimeError("no rest in " + top)


def tokens_of_queue(root, ids):
    """id → token of accepted messages, from the mail logs; and the tokens of drops that nobody has adopted."""
    spool, tokens, drops = os.path.join(root, "spool"), {}, set()
    for program in ("smtpd", "submission", "queued"):
        folder = os.path.join(spool, program, "mail")
        for name in sorted(n for n in os.listdir(folder) if n.endswith(".log")) if ids and os.path.isdir(folder) else ():
            with open(os.path.join(folder, name), "rb") as file:
                text = file.read()
            for line in re.finditer(rb"(?m)^accept (\S+) ([^\n]*)\n", text):
                id = line.group(1).decode()
                length = re.search(rb" content=(\d+):", line.group(2))
                if id not in ids:
                    continue
                content = text[line.end():line.end() + int(length.group(1))] if length else read(os.path.join(folder, "big", id))
                tokens[id] = Copy.token(content or b"") or tokens.get(id)
    folder = os.path.join(spool, "drop")
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        found = re.search(rb"(?m)^X-Token: (\S+)\r?$", read(os.path.join(folder, name)) or b"") if name.startswith("drop-") else None
        if found:
            drops.add(found.group(1).decode())
    return tokens, drops


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def waiting(root, queue):
    """token → final addresses that are still to be served, or None if all of them are."""
    tokens, drops = tokens_of_queue(root, {message["id"] for message in queue})
    pending = {token: None for token in drops}
    for message in queue:
        token = tokens.get(message["id"])
        open_copies = [r for r in message["recipients"] if r["state"] in ("unrouted", "waiting", "assigned", "failed")]
        if not token or not open_copies and message["recipients"]:
            continue
        finals = {r["final"] or r["address"] for r in open_copies}
        whole = not open_copies or any(r["state"] == "unrouted" for r in open_copies)
        pending[token] = None if whole or pending.get(token, ()) is None else finals | set(pending.get(token, ()))
    return pending


class Verdict:
    """What was found wrong, counted; `details` names the first of each kind."""

    COUNTS = ("lost", "duplicated", "corrupt", "refused_delivered", "stray", "remote_duplicates")

    def __init__(self, allowed_remote_duplicates=0):
        for name in self.COUNTS + ("promised", "delivered", "sent", "queued", "bounced"):
            setattr(self, name, 0)
        self.allowed = allowed_remote_duplicates
        self.details = []

    def add(self, kind, *what):
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.details) < 20_000:
            self.details.append("%s: %s" % (kind, " ".join(map(str, what))))

    @property
    def ok(self):
        return not (self.lost or self.duplicated or self.corrupt or self.refused_delivered or self.stray) and self.remote_duplicates <= self.allowed

    def row(self):
        return {name: getattr(self, name) for name in ("promised", "delivered", "sent", "bounced", "queued") + self.COUNTS}


def check(ledger, root, accounts, sinks=(), killed_in_flight=0, at=None, mailctl=None, queue=None, others=(), domain=DOMAIN):
    """Compares what was promised (as of position `at`) with what is there.

    `killed_in_flight`: remote copies that may be double, because a sender died between a host's reply and its own record.
    `mailctl`: the command with its --root, asked for the queue unless `queue` is given. `others`: ledgers whose messages
    are in these mailboxes too and are judged elsewhere. `sinks` that write another ledger are read from there, whole.
    """
    verdict = Verdict(killed_in_flight)
    entries = ledger.entries(at)
    foreign = {token for other in others for token in other.entries()}
    if queue is None:
        queue = json.loads(subprocess.run([*mailctl, "queue", "list", "--json"], stdout=subprocess.PIPE, check=True).stdout) if mailctl else []
    pending = waiting(root, queue)
    found, notices = collections.defaultdict(list), collections.Counter()
    for account in accounts:
        for copy in stored(root, account, domain):
            if copy.token is None and not copy.covers:
                verdict.add("corrupt", copy.path, "has no token")
            elif copy.token not in foreign:
                notices.update((cover, account) for cover in copy.covers)
                if copy.token:
                    found[copy.token, account].append(copy)
    takings = ledger.takings(at) + [t for s in {id(s.ledger): s for s in sinks if s.ledger is not ledger}.values() for t in s.ledger.takings()]
    taken = collections.defaultdict(list)
    for taking in takings:
        notices.update((tuple(cover), taking["recipient"]) for cover in taking["covers"] if taking["answered"])
        if taking["token"] and taking["token"] not in foreign:
            taken[taking["token"], taking["recipient"]].append(taking)
    told = {cover for cover, _ in notices}
    _judge_copies(verdict, entries, found, taken, told, domain)
    for (cover, place), count in notices.items():
        if count > 1:
            verdict.add("duplicated" if place in accounts else "remote_duplicates", "notice about", *cover, "in", place)
    seen = {token for token, _ in found} | {token for token, _ in taken} | {token for token, _ in told} | set(pending)
    for token, entry in entries.items():
        if entry.outcome == "refused" and token in seen:
            verdict.add("refused_delivered", token, entry.reason)
        elif entry.outcome == "promised" or entry.outcome == "unknown" and token in seen:
            _judge_completeness(verdict, token, entry, found, taken, told, pending, domain)
    return verdict


def _judge_copies(verdict, entries, found, taken, told, domain):
    for (token, account), copies in found.items():
        entry = entries.get(token)
        if entry is None or entry.outcome != "refused" and account not in entry.mailboxes:
            verdict.add("stray", token, "in", account)
        for copy in copies:
            if entry and copy.sha != entry.sha:
                verdict.add("corrupt", token, copy.path)
        if len(copies) > 1:
            verdict.add("duplicated", token, *(copy.path for copy in copies))
        elif (token, "%s@%s" % (account, domain)) in told:
            verdict.add("duplicated", token, "in", account, "and returned as undelivered")
        verdict.delivered += len(copies)
    for (token, recipient), takings in taken.items():
        entry = entries.get(token)
        if entry is None or entry.outcome != "refused" and recipient not in entry.remote:
            verdict.add("stray", token, "at", recipient)
        for taking in takings:
            if entry and taking["sha"] != entry.sha:
                verdict.add("corrupt", token, "at", recipient)
        # Whose reply was lost is sent again, rightly.
        for _ in range(max(0, len(takings) - 1 - sum(not t["answered"] for t in takings[:-1]))):
            verdict.add("remote_duplicates", token, "at", recipient)
        verdict.sent += 1


def _judge_completeness(verdict, token, entry, found, taken, told, pending, domain):
    verdict.promised += entry.outcome == "promised"
    goals = [("%s@%s" % (a, domain), (token, a) in found) for a in entry.mailboxes] + [(r, (token, r) in taken) for r in entry.remote]
    for address, there in sorted(goals):
        if there:
            continue
        if (token, address) in told:
            verdict.bounced += 1
        elif token in pending and (pending[token] is None or address in pending[token]):
            verdict.queued += 1
        else:
            verdict.add("lost", token, "for", address)
