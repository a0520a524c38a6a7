"""The golden transcripts, played against the real programs: the same files as the machines are tested with in memory."""
import json
import os
import pathlib
import imaplib
import ssl

import tempfile
import unittest

from martlet import Martlet, wait_until
from transcripts import Connection, Failed, Play, accepted, below_trace, transcripts, unescape

# Limits that no configuration of a real server may set so low.
UNSETTABLE = {b"size", b"recipients", b"commands", b"logins", b"hops", b"inline"}


class Worlds:
    """The fixed world once for each set of settings; queued stands still, so that the spool shows what was accepted."""

    def __init__(self):
        self.martlets = {}

    def of(self, settings, accounts):
        key = json.dumps(settings, sort_keys=True)
        if key not in self.martlets:
            merged = {"auth": {"failure_delay": "0 s"}, "": {"hostname": "mx.example.org"},
                      "limits": {"message_size": "1000000 B"}}
            for section, keys in settings.items():
                merged.setdefault(section, {}).update(keys)
            host = merged.pop("")["hostname"]
            martlet = Martlet(accounts=(), start=False, settings=merged)
            path = pathlib.Path(martlet.root, "etc", "martlet.toml")
            lines = path.read_text().split("\n")
            path.write_text("\n".join('hostname = "%s"' % host if l.lstrip("# ").startswith("hostname =") else l for l in lines))
            with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
                for name in ["alice", "bob"] + accounts:
                    file.write("%s@example.org,secret\n" % name)
                file.flush()
                martlet.mailctl("account", "import", file.name)
            martlet.mailctl("alias", "add", "team@example.org", "alice@example.org", "bob@example.org")
            martlet.start()
            martlet.mailctl("stop", "queued")
            wait_until(lambda: martlet.status()["queued"]["state"] != "running", "queued stopped")
            self.martlets[key] = martlet
        return self.martlets[key]

    def close(self):
        for martlet in self.martlets.values():
            martlet.close()


class Transcripts(unittest.TestCase):
    protocol = None
    mechanisms = ["SCRAM-SHA-256", "PLAIN", "LOGIN"]
    # Whether the world's listeners offer TLS where a transcript does not speak of it.
    offers_tls = False
    unplayable = {}

    @classmethod
    def setUpClass(cls):
        cls.worlds = Worlds()

    @classmethod
    def tearDownClass(cls):
        cls.worlds.close()

    def test_dialogues_go_as_written(self):
        everything = transcripts(self.protocol)
        self.accounts = {t.name: "t%03d" % i for i, t in enumerate(everything)}
        left_out = ["%s (%s)" % (t.name, self.unsuitable(t)) for t in everything if self.unsuitable(t)]
        suitable = [t for t in everything if not self.unsuitable(t)]
        # All before the first is played: a session that has just ended may still look into its mailbox.
        for transcript in suitable:
            self.prepare(transcript)
        for transcript in suitable:
            with self.subTest(transcript.name):
                try:
                    self.play(transcript)
                except Failed as failure:
                    self.fail(str(failure))
        print("\n%s: %d transcripts played, %d left out: %s" % (self.protocol, len(suitable), len(left_out), "; ".join(left_out)))
        self.assertGreater(len(suitable), 15)

    def prepare(self, transcript):
        """What the world of this transcript needs before."""

    def unsuitable(self, transcript):
        if transcript.is_memory_only:
            return "memory only"
        for limit in transcript.all("limit"):
            if limit.split(b" ")[0] in UNSETTABLE or not limit.split(b" ")[0].isalpha():
                return "limit " + limit.decode()
        for key, rest in transcript.settings:
            if key in self.unplayable:
                return key
        return None

    def settings(self, transcript):
        allows = transcript.has("plaintext") or transcript.has("cleartext")
        settings = {"auth": {"allow_plaintext": "loopback" if allows else "never", "mechanisms": self.mechanisms}}
        if not self.offers_tls and not transcript.has("tls"):
            settings["tls"] = {"certificate": "etc/tls/none.pem"}
        settings["smtp"] = {"extensions": [offer.split(b" ")[0].decode() for offer in transcript.all("offer")]}
        for limit in transcript.all("limit"):
            name, number = limit.split(b" ")
            settings["limits"] = {{b"errors": "session_errors"}[name]: int(number)}
        return settings

    def martlet(self, transcript):
        return self.worlds.of(self.settings(transcript), list(self.accounts.values()))


class SMTPTranscripts(Transcripts):
    protocol = "smtp"

    def play(self, transcript):
        martlet = self.martlet(transcript)
        service = "submission" if transcript.has("service", b"submission") else "smtpd"
        active = transcript.has("tls", b"active")
        port = martlet.port("submissions" if active else "submission" if service == "submission" else "smtp")
        before = len(accepted(martlet.root, service))
        Play(transcript, lambda: Connection(port, active), "alice@example.org").run()
        messages = accepted(martlet.root, service)[before:]
        for number, key, rest in transcript.expectations:
            found = self.found(key, rest, messages)
            if found is not None:
                raise Failed("line %d, then: %s %s: found %s" % (number, key, rest.decode("utf-8", "replace"), found))

    def found(self, key, rest, messages):
        """None if it holds, else what is the case."""
        if key in ("closed", "open", "discarded"):
            return None
        if key == "nothing":
            return None if not messages else "%d messages" % len(messages)
        if key == "queue":
            return None if len(messages) == int(rest) else "%d messages" % len(messages)
        number, _, wanted = rest.partition(b" ")
        if int(number) > len(messages):
            return "%d messages" % len(messages)
        fields, content = messages[int(number) - 1]
        trace, content = below_trace(content)
        has = {
            "sender": lambda: b"<" + fields["from"][0] + b">",
            "recipients": lambda: b" ".join(fields["to"]),
            "content": lambda: content,
            "size": lambda: b"%d" % len(content),
            "body": lambda: fields.get("body", [b"7BIT"])[0].upper(),
            "message-id": lambda: fields.get("msgid", [b"none"])[0],
            "hops": lambda: fields["hops"][0],
            "helo": lambda: fields["helo"][0],
            "identity": lambda: fields.get("auth", [b"none"])[0],
            "protocol": lambda: trace.split(b" with ")[1].split(b" ")[0].removesuffix(b"A"),
            "spilled": lambda: b"yes" if "big" in fields else b"no",
        }[key]()
        return None if has == unescape(wanted) else repr(has[:200])


class SubmissionTranscripts(SMTPTranscripts):
    protocol = "submission"


class MaildropTranscripts(Transcripts):
    """POP3 and IMAP: each transcript has an account of its own, whose Maildir is filled before."""

    mechanisms = ["PLAIN", "LOGIN"]
    offers_tls = True
    # When the messages of the world in memory arrived: 2 January 2026, 03:04:05 UTC.
    arrival = 1767323045

    def prepare(self, transcript):
        martlet, account = self.martlet(transcript), self.accounts[transcript.name]
        client = imaplib.IMAP4_SSL("127.0.0.1", martlet.port("imaps"), ssl_context=ssl._create_unverified_context(), timeout=30)
        client.login(account + "@example.org", "secret")
        # A new account has mailboxes that the world has not.
        for line in client.list()[1]:
            name = line.decode().split(' "." ')[1]
            if name != "INBOX":
                client.delete(name)
            client.unsubscribe(name)
        for mailbox in transcript.all("mailbox"):
            client.create(utf7(mailbox.split(b" ")[0].decode()))
        for mailbox in transcript.all("subscribed"):
            name = utf7(mailbox.decode())
            client.create(name)
            client.subscribe(name)
            if name != "INBOX":
                client.delete(name)
        client.logout()

    def setUpMaildir(self, martlet, account, messages):
        folder = os.path.join(martlet.root, "spool", "mail", "example.org", account)
        owner = os.stat(folder + "/new")
        self.names = []
        for number, message in enumerate(messages, 1):
            name = "%d.M%dP1.test" % (1000000000 + number, number)
            path = os.path.join(folder, "tmp", name)
            pathlib.Path(path).write_bytes(unescape(message))
            os.chmod(path, 0o440)
            os.chown(path, owner.st_uid, owner.st_gid)
            final = os.path.join(folder, "new", name)
            os.rename(path, final)
            os.utime(final, (self.arrival, self.arrival))
            self.names.append(name)
        return folder

    def play(self, transcript):
        martlet = self.martlet(transcript)
        account = self.accounts[transcript.name]
        folder = self.setUpMaildir(martlet, account, transcript.all("message"))
        tls = transcript.has("tls")
        port = martlet.port(self.protocol + ("s" if tls else ""))
        Play(transcript, lambda: Connection(port, tls), account + "@example.org").run()
        for number, key, rest in transcript.expectations:
            if key not in ("closed", "open"):
                found = wait_for(lambda: self.holds(key, rest, folder))
                if found is not None:
                    raise Failed("line %d, then: %s %s: found %s" % (number, key, rest.decode(), found))


def wait_for(judge):
    """What `judge` says when it has nothing against it, or a second later."""
    try:
        wait_until(lambda: judge() is None, "", 1)
    except AssertionError:
        pass
    return judge()


class POP3Transcripts(MaildropTranscripts):
    protocol = "pop3"

    def holds(self, key, rest, folder):
        assert key == "removed"
        left = [f for name in ("new", "cur") for f in os.listdir(os.path.join(folder, name))]
        removed = [i for i, name in enumerate(self.names, 1) if not any(f.split(":")[0].split(",")[0] == name for f in left)]
        return None if removed == [int(n) for n in rest.split()] else removed


class IMAPTranscripts(MaildropTranscripts):
    protocol = "imap"
    # What only the store in memory can be told to do.
    unplayable = {"quota": 1, "lost": 1}

    def unsuitable(self, transcript):
        if any(b" " in mailbox for mailbox in transcript.all("mailbox")):
            return "a mailbox with a use"
        return super().unsuitable(transcript)

    def holds(self, key, rest, folder):
        assert key == "messages"
        name, number = rest.decode().rsplit(" ", 1)
        place = folder if name == "INBOX" else os.path.join(folder, "." + utf7(name))
        count = sum(len(os.listdir(os.path.join(place, part))) for part in ("new", "cur")) if os.path.isdir(place) else -1
        return None if count == int(number) else "%d messages" % count


def utf7(name):
    """RFC 3501 §5.1.3"""
    return "".join(c if ord(c) < 128 and c != "&" else "&" + c.encode("utf-7").decode()[1:-1].replace("/", ",") + "-" for c in name)


def load_tests(loader, standard, pattern):
    """The base classes are no tests."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(c) for c in (SMTPTranscripts, SubmissionTranscripts, POP3Transcripts, IMAPTranscripts))


if __name__ == "__main__":
    unittest.main()
