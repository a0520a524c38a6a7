"""Records with right checksums, each in a log whose owner may not say it: none has an effect (docs/security.md, "Whose word counts").

Two messages are open, one assigned to locald and one to remoted, which are stopped. What a captured program could write is
written into its log; behind it stands what the program may say, and when that was heard all before it was.
"""
import os
import re
import shutil
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "CrashLab"))
from logbook import Segment, crc32c, seal, segments

from martlet import Martlet, wait_until
from servers import SMTPServer

SERVICES = ("smtpd", "submission", "locald", "remoted", "pop3d", "imapd")
FORGED = "0123456789abcdefgh"


def forged_id(letter, number):
    return letter + FORGED[:13] + "%05d" % number


def accept(id, to, body, sender="", **keys):
    """An accept record and its content, as a mail log holds it."""
    content = b"Subject: %s\r\n\r\n%s\r\n" % (body, body)
    words = "".join(" %s=%s" % pair for pair in keys.items())
    return "accept %s at=1795305600.125 from=%s to=%s%s content=%d:%08x" % (id, sender, to, words, len(content), crc32c(content)), content


def append(root, log, records):
    """Writes records and a commit line behind what the newest segment has."""
    path = segments(root, log)[-1]
    segment = Segment(path)
    with open(path, "rb+") as file:
        file.seek(0, os.SEEK_END)
        for record in records:
            line, content = record if isinstance(record, tuple) else (record, None)
            file.write(seal(line.encode(), segment.seed) + (content + b"\n" if content is not None else b""))
        file.write(seal(b"commit - upto=%d" % file.tell(), segment.seed))


class Forgery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sink = SMTPServer()
        cls.martlet = Martlet(settings={"retry": {"initial": "1 s", "maximum": "1 s"}})
        cls.martlet.mailctl("route", "add", "elsewhere.example", "127.0.0.1:%d" % cls.sink.port)

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        cls.sink.close()

    def stop(self, *services):
        for service in services:
            self.martlet.mailctl("stop", service)
        for service in services:
            wait_until(lambda: self.martlet.status()[service]["state"] == "stopped", service + " stopped")

    def assignment(self, agent, word):
        """The id of an assigned copy, and the position of its assignment."""
        self.martlet.wait_for_event("queued", "assign ", "agent=" + agent, word)
        found = None
        for path in segments(self.martlet.root, "queued/events"):
            with open(path, "rb") as file:
                data = file.read()
            for match in re.finditer(rb"^assign (\w+) recipient=\S+ final=\S*%s.* agent=%s" % (word.encode(), agent.encode()), data, re.M):
                found = match[1].decode(), "%s:%d" % (os.path.basename(path)[:8], match.start())
        return found

    def forge(self, log, records, own):
        append(self.martlet.root, log, records + [own])

    def said(self, *words):
        return [line for line in self.martlet.events("queued") if all(word in line for word in words)]

    def test_no_record_counts_but_from_its_owner(self):
        martlet = self.martlet
        self.stop("locald", "remoted")
        martlet.send("bob", "local copy\r\n", sender="friend@far.example")
        martlet.send("victim@elsewhere.example", "remote copy\r\n", sender="alice@example.org", service="submission", login="alice")
        local, local_at = self.assignment("locald", "bob@example.org")
        remote, remote_at = self.assignment("remoted", "victim@elsewhere.example")
        self.stop("smtpd", "submission", "pop3d", "imapd")
        bob = "recipient=bob@example.org final=bob@example.org"
        victim = "recipient=victim@elsewhere.example final=victim@elsewhere.example"
        to_bob = "agent=locald account=example.org/bob attempt=1 from= accepted=1 location=s/00000001:0+1:00000000"
        # What only queued, mailctl and the agents may say, in everybody's logs.
        strange = [
            "done %s result=delivered:1,bounced:0" % local, "done %s result=delivered:1,bounced:0" % remote,
            "route %s recipient=bob@example.org final=alice@example.org agent=locald account=example.org/alice" % local,
            "assign %s %s %s" % (local, "recipient=bob@example.org final=alice@example.org", to_bob.replace("/bob", "/alice")),
            "assign %s %s agent=remoted attempt=1 host=127.0.0.1:1 from= accepted=1 location=s/00000001:0+1:00000000" % (local, bob),
            "released %s" % local, "released %s" % remote, "bounced %s %s status=5.0.0 reason=forged target=%s" % (local, bob, forged_id("q", 1)),
            "request - command=stop service=supervisor uid=0", "request - command=stop service=queued uid=0",
            "request - command=retry target=%s uid=0" % local, "withdrawn %s %s account=example.org/bob file=x" % (remote, victim),
        ]
        by_locald = ["delivered %s %s account=example.org/bob file=x" % (local, bob), "delivered %s %s" % (remote, victim)]
        by_remoted = ["sent %s %s host=far tls=TLS1.3" % (local, bob), "failed %s %s status=5.0.0 reason=forged" % (local, bob)]
        sent = ["sent %s %s host=far tls=TLS1.3" % (remote, victim), "failed %s %s status=5.0.0 reason=forged" % (remote, victim)]
        accepts = [accept(forged_id(letter, n), "alice@example.org", b"forged") for n, letter in enumerate("suq")]
        notice = accept(forged_id("q", 9), "alice@example.org", b"forged", parent=local, covers="bob@example.org", final="bob@example.org")
        notices = [(notice[0].replace(" q", " %s" % letter, 1), notice[1]) for letter in "su"]
        relayed = [accept(forged_id("s", 20), "victim@elsewhere.example", b"relayed", auth="alice@example.org", sender="bob@example.org"),
                   accept(forged_id("s", 21), "anybody@unrouted.example", b"relayed", auth="alice@example.org")]
        agents = by_locald + by_remoted + sent

        for service in ("smtpd", "submission", "pop3d", "imapd"):
            self.forge(service + "/events", strange + agents + accepts + notices + relayed, "problem - reason=marker")
        self.forge("smtpd/mail", strange + agents + accepts[1:] + notices + relayed,
                   accept(forged_id("s", 30), "alice@example.org", b"marker of smtpd"))
        self.forge("submission/mail", strange + agents + [accepts[0], accepts[2]] + notices,
                   accept(forged_id("u", 30), "alice@example.org", b"marker of submission"))
        self.forge("locald/events", strange + by_locald[1:] + sent + accepts + notices + relayed
                   + ["temporary %s %s answers=%s status=4.0.0 reason=forged" % (remote, victim, remote_at)],
                   "temporary %s %s answers=%s status=4.0.0 reason=its-own" % (local, bob, local_at))
        self.forge("remoted/events", strange[:-1] + by_locald[:1] + by_remoted + accepts + notices + relayed
                   + ["temporary %s %s answers=%s status=4.0.0 reason=forged" % (local, bob, local_at)],
                   "temporary %s %s answers=%s host=far status=4.0.0 reason=its-own" % (remote, victim, remote_at))
        self.forge("mailctl/events", [r for r in strange if not r.startswith("request")] + agents + accepts + notices + relayed,
                   "request - command=retry target=%s uid=0" % remote)

        # Each marker was heard, and it stands last.
        for words in (("deferred " + local, "reason=its-own"), ("deferred " + remote, "reason=its-own")):
            martlet.wait_for_event("queued", *words)
        for number, letter in (("30", "s"), ("30", "u")):
            martlet.wait_for_event("queued", "route " + letter + FORGED[:13] + "000" + number)
        martlet.wait_for_event("queued", "done " + forged_id("s", 21))

        self.assertEqual(self.said("reason=forged"), [])
        self.assertEqual([line for line in self.said(local) if line.split()[0] in ("done", "bounced") or "alice" in line], [])
        self.assertEqual([line for line in self.said(remote) if line.split()[0] in ("done", "bounced")], [])
        for letter, number in (("s", 0), ("u", 1), ("q", 2), ("q", 1), ("q", 9), ("s", 9), ("u", 9)):
            self.assertEqual(self.said(forged_id(letter, number)), [], forged_id(letter, number))
        # smtpd may not relay: what it accepted for others is refused, whoever it says has logged in.
        for number in (20, 21):
            self.assertEqual(len(self.said("route " + forged_id("s", number), "status=5.7.1")), 1)
            self.assertEqual(self.said("assign " + forged_id("s", number)), [])
        martlet.check_supervisor()
        self.assertEqual(martlet.status()["queued"]["state"], "running")

        # A segment of another's log, and one of another's user, are not believed either.
        self.copied_segments()

        for service in SERVICES:
            martlet.mailctl("start", service)
        martlet.wait_for_event("queued", "done " + local, "delivered:1,bounced:0")
        martlet.wait_for_event("queued", "done " + remote, "delivered:1,bounced:0")
        self.assertEqual(sum(b"local copy" in m for m in martlet.messages("bob")), 1)
        martlet.wait_for_mail("alice", 2)
        wait_until(lambda: martlet.queue() == [], lambda: "an empty queue: %r" % martlet.queue())
        self.assertEqual([b"remote copy" in content for _, _, content, _ in self.sink.messages], [True])
        self.assertEqual([m for name in ("alice", "bob") for m in martlet.messages(name) if b"forged" in m and b"MAILER-DAEMON" not in m], [])
        self.assertEqual(sum(b"marker of" in m for m in martlet.messages("alice")), 2)

    def copied_segments(self):
        root = os.path.join(self.martlet.root, "spool")
        foreign = segments(self.martlet.root, "submission/mail")[-1]
        number = int(os.path.basename(segments(self.martlet.root, "smtpd/mail")[-1])[:8]) + 1
        target = os.path.join(root, "smtpd/mail", "%08d.log" % number)
        shutil.copy2(foreign, target)
        owner = os.stat(os.path.join(root, "smtpd/mail"))
        if os.geteuid() == 0:
            os.chown(target, owner.st_uid, owner.st_gid)
        wait_until(lambda: "corrupt" in "".join(self.said("smtpd/mail")) or self.said("problem", "smtpd/mail"), "the foreign segment told")
        os.unlink(target)


if __name__ == "__main__":
    unittest.main()
