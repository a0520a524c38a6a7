"""What the mailboxes of a point must hold, kept beside what is done to them by POP3 and IMAP.

A command that was not answered may have been done or not; everything else is known. Both kinds of shelf repeat their commands until
they are answered with OK, and compare at the end by a session of their own.
"""
import collections
import hashlib
import imaplib
import poplib
import time

import invariant
from bench import PATIENCE
from invariant import DOMAIN, PASSWORD

imaplib._MAXLINE = 1 << 24


class Lost(Exception):
    """The connection went, or the answer was no: what became of the command is not known here."""


class No(Exception):
    """The server said no: nothing was done."""


def repeat(work, action, patience=PATIENCE):
    """Until it is answered with yes."""
    end = time.monotonic() + patience
    while True:
        try:
            return action()
        except (Lost, No) as error:
            if time.monotonic() > end:
                work.problems.append("never done: %s" % error)
                raise
            time.sleep(0.03)


def pop3_session(work):
    try:
        session = poplib.POP3("127.0.0.1", work.bench.port("pop3"), timeout=30)
        session.user("pat@" + DOMAIN)
        session.pass_(PASSWORD)
        return session
    except (poplib.error_proto, OSError, EOFError) as error:
        raise Lost("pop3 login: %s" % error)


def pop3_step(work, call, *arguments):
    work.note()
    try:
        return call(*arguments)
    except (poplib.error_proto, OSError, EOFError) as error:
        raise Lost("pop3 %s: %s" % (call.__name__, error))


class Drop:
    """What the maildrop of a point must hold: UIDL → token, and for each whether it may, must or must not be there."""

    def __init__(self, work, tokens):
        self.work, self.tokens = work, set(tokens)
        self.names, self.state = {}, {}

    def look(self, session):
        """UIDL → number; names that are seen for the first time are read."""
        numbers = {}
        for line in pop3_step(self.work, session.uidl)[1]:
            number, name = line.decode().split()
            numbers[name] = int(number)
            if name not in self.names:
                lines = pop3_step(self.work, session.retr, int(number))[1]
                content = b"".join(line + b"\r\n" for line in lines)
                token = invariant.Copy.token(content)
                self.names[name] = token
                self.state.setdefault(token, "there")
        return numbers

    def compare(self, numbers):
        there = {self.names[name] for name in numbers}
        for token in self.tokens:
            state = self.state.get(token, "there")
            if state == "there" and token not in there:
                self.work.problems.append("lost from the maildrop: %s" % token)
            if state == "gone" and token in there:
                self.work.problems.append("deleted and back in the maildrop: %s" % token)
        if len(numbers) != len(there):
            self.work.problems.append("a message has two unique-ids in the maildrop")

    def judge(self):
        session = repeat(self.work, lambda: pop3_session(self.work))
        self.compare(repeat(self.work, lambda: self.look(session)))
        session.close()
        return []


def pop3d_before(work):
    letters = [work.send("pat") for _ in range(4)]
    work.settle()
    work.shelf = Drop(work, [letter.token for letter in letters if letter])


def pop3d_during(work):
    drop = work.shelf

    def remove():
        session = pop3_session(work)
        numbers = drop.look(session)
        drop.compare(numbers)
        # The same two messages in every attempt: those that sort first.
        chosen = sorted(drop.tokens)[:2]
        names = [n for n in numbers if drop.names[n] in chosen]
        for name in names:
            pop3_step(work, session.dele, numbers[name])
        for name in names:
            drop.state[drop.names[name]] = "perhaps"
        pop3_step(work, session.quit)
        for token in chosen:
            drop.state[token] = "gone"

    def look_only():
        session = pop3_session(work)
        numbers = drop.look(session)
        drop.compare(numbers)
        pop3_step(work, session.dele, min(numbers.values()))
        pop3_step(work, session.rset)
        pop3_step(work, session.quit)

    repeat(work, remove)
    repeat(work, look_only)


class Shelf:
    """What the mailboxes of a point must hold: token → mailbox → (at least, at most); flags; and which UID was shown for what."""

    def __init__(self, work):
        self.work = work
        self.name = work.token.replace("/", "-").replace(".", "-")
        self.copies = collections.defaultdict(dict)
        self.once = {}
        self.flags = collections.defaultdict(dict)
        self.uids = {}
        self.shas = {}
        self.session = None
        self.boxes = []

    def box(self, letter):
        return "%s-%s" % (self.name, letter)

    # -- talking ----------------------------------------------------------------------------------------------------
    def connect(self):
        try:
            session = imaplib.IMAP4("127.0.0.1", self.work.bench.port("imap"), timeout=30)
            session.login("ivy@" + DOMAIN, PASSWORD)
            self.session = session
        except (imaplib.IMAP4.error, OSError, EOFError) as error:
            raise Lost("imap login: %s" % error)

    def say(self, name, *arguments):
        """The data of an OK; No; or Lost, after which the next command begins with a new session."""
        if self.session is None:
            self.connect()
        self.work.note()
        try:
            answer, data = getattr(self.session, name)(*arguments)
        except (imaplib.IMAP4.abort, OSError, EOFError) as error:
            self.forget()
            raise Lost("imap %s: %s" % (name, error))
        except imaplib.IMAP4.error as error:
            raise No("imap %s: %s" % (name, error))
        if answer != "OK":
            # imaplib would add the half of an answer to the next one.
            self.session.untagged_responses.clear()
            raise No("imap %s: %r" % (name, data))
        return data

    def forget(self):
        session, self.session = self.session, None
        try:
            session.shutdown()
        except OSError:
            pass

    def on(self, box, name, *arguments):
        """A command in a selected mailbox, selected again after a loss."""
        if self.session is None or getattr(self.session, "martlet_box", None) != box:
            self.say("select", box)
            self.session.martlet_box = box
            self.session.martlet_validity = self.session.untagged_responses.get("UIDVALIDITY", [None])[0]
        return self.say(name, *arguments)

    # -- commands ---------------------------------------------------------------------------------------------------
    def simple(self, *words):
        """A command whose repetition may say that it was done already."""
        tries = []

        def action():
            tries.append(1)
            try:
                self.say(*words)
            except No as error:
                if len(tries) > 1 and any(w in str(error) for w in ("ALREADYEXISTS", "NONEXISTENT")):
                    return
                raise
        repeat(self.work, action)

    def append(self, box, flags=""):
        def action():
            token = self.work.next_token()
            letter = self.work.letter(token, ("ivy",))
            self.shas[token] = letter.sha
            self.copies[token][box] = (0, 1)
            try:
                data = self.say("append", box, flags, None, letter.data())
            except No:
                self.copies[token][box] = (0, 0)
                raise
            self.copies[token][box] = (1, 1)
            for flag in flags.strip("()").split():
                self.flags[token][flag] = True
            return token
        return repeat(self.work, action)

    def look(self, box):
        """token → (uid, flags); what is shown must be what was shown before."""
        found, counts = {}, collections.Counter()
        self.on(box, "noop")
        validity = self.session.martlet_validity
        data = self.on(box, "uid", "FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
        for part in data:
            if not isinstance(part, tuple):
                continue
            content = part[1]
            token = invariant.Copy.token(content)
            words = part[0].decode()
            uid = int(words.split("UID ")[1].split()[0].strip(")"))
            flags = set(words.split("FLAGS (")[1].split(")")[0].split()) if "FLAGS (" in words else set()
            if hashlib.sha256(invariant.Copy.body(content)).hexdigest() != self.shas.get(token):
                self.work.problems.append("corrupt: %s in %s" % (token, box))
            counts[token] += 1
            known = self.uids.setdefault((box, validity, uid), token)
            if known != token:
                self.work.problems.append("UID %d of %s was %s and is %s" % (uid, box, known, token))
            found[token] = (uid, flags)
        for token, count in counts.items():
            # A COPY that was not answered and is repeated may rightly be there twice.
            if count > max(1, self.copies[token].get(box, (0, 1))[1]):
                self.work.problems.append("%d times in %s: %s" % (count, box, token))
        return found

    def uid_of(self, box, tokens):
        """The UIDs of those that are there; all of them must be that have to."""
        found = self.look(box)
        return {token: found[token][0] for token in tokens if token in found}

    def store(self, box, token, flag):
        def action():
            uids = self.uid_of(box, [token])
            if token not in uids:
                self.work.problems.append("lost before STORE: %s in %s" % (token, box))
                return
            self.flags[token].setdefault(flag, None)
            self.on(box, "uid", "STORE", str(uids[token]), "+FLAGS", "(%s)" % flag)
            self.flags[token][flag] = True
        repeat(self.work, action)

    def copy(self, box, tokens, target):
        def action():
            uids = self.uid_of(box, tokens)
            for token in tokens:
                low, high = self.copies[token].get(target, (0, 0))
                self.copies[token][target] = (low, high + 1)
            try:
                self.on(box, "uid", "COPY", ",".join(map(str, uids.values())), target)
            except No:
                for token in tokens:
                    low, high = self.copies[token][target]
                    self.copies[token][target] = (low, high - 1)
                raise
            for token in tokens:
                low, high = self.copies[token][target]
                self.copies[token][target] = (low + 1, high)
        repeat(self.work, action)

    def move(self, box, tokens, target):
        def action():
            uids = self.uid_of(box, tokens)
            for token in tokens:
                self.once[token] = (box, target)
                self.copies[token][box], self.copies[token][target] = (0, 1), (0, 1)
            if uids:
                self.on(box, "uid", "MOVE", ",".join(map(str, uids.values())), target)
            for token in tokens:
                self.copies[token][box], self.copies[token][target] = (0, 0), (1, 1)
        repeat(self.work, action)

    def expunge(self, box, tokens):
        def action():
            for token in tokens:
                self.copies[token][box] = (0, 1)
            self.on(box, "expunge")
            for token in tokens:
                self.copies[token][box] = (0, 0)
        repeat(self.work, action)

    def rename(self, old, new):
        self.simple("rename", old, new)
        for places in self.copies.values():
            if old in places:
                places[new] = places.pop(old)
        self.once = {token: tuple(new if b == old else b for b in boxes) for token, boxes in self.once.items()}
        for key in [k for k in self.uids if k[0] == old]:
            self.uids[(new, *key[1:])] = self.uids.pop(key)
        if self.session is not None:
            self.forget()

    # -- the end ----------------------------------------------------------------------------------------------------
    def judge(self):
        """By a new session, after the last restart."""
        if self.session is not None:
            self.forget()
        contents = {}
        listed = {line.decode().split('"')[-2] if line.endswith(b'"') else line.decode().split()[-1] for line in repeat(self.work, lambda: self.say("list")) if line}
        for box in sorted({b for places in self.copies.values() for b in places} & (listed | {"INBOX"})):
            contents[box] = repeat(self.work, lambda: self.look(box))
        for token, places in self.copies.items():
            for box, (low, high) in places.items():
                count = token in contents.get(box, {})
                if not min(low, 1) <= count <= high:
                    self.work.problems.append("%s is %d times in %s, promised %d to %d" % (token, count, box, low, high))
            if token in self.once and sum(token in contents.get(b, {}) for b in set(self.once[token])) != 1:
                self.work.problems.append("%s is not in exactly one of %s" % (token, self.once[token]))
            for flag, wanted in self.flags[token].items():
                for box, found in contents.items():
                    if wanted and token in found and flag not in found[token][1] and self.home(token) == box:
                        self.work.problems.append("%s in %s lacks %s" % (token, box, flag))
        known = {token for token in self.copies}
        for box, found in contents.items():
            for token in found:
                if token not in known:
                    self.work.problems.append("stray: %s in %s" % (token, box))
        self.forget()
        return []

    def home(self, token):
        """Where it was appended, or moved to."""
        return self.once[token][1] if token in self.once else next(iter(self.copies[token]), None)


def imapd_before(work):
    work.shelf = Shelf(work)


def imapd_during(work):
    shelf = work.shelf
    a, b, c = shelf.box("a"), shelf.box("b"), shelf.box("c")
    shelf.simple("create", a)
    shelf.simple("create", b)
    shelf.simple("subscribe", a)
    tokens = [shelf.append(a, "(\\Flagged)" if n == 0 else "") for n in range(6)]
    shelf.store(a, tokens[0], "\\Seen")
    shelf.store(a, tokens[1], "work")
    shelf.store(a, tokens[2], "\\Deleted")
    shelf.copy(a, tokens[0:1], b)
    shelf.move(a, tokens[3:5], b)
    shelf.expunge(a, tokens[2:3])
    shelf.rename(b, c)
    shelf.simple("create", b)
    shelf.simple("delete", b)
    shelf.store(c, tokens[3], "\\Answered")
    if shelf.session is not None:
        try:
            shelf.say("logout")
        except (Lost, No):
            pass
        shelf.session = None
