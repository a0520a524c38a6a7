"""mailctl audit: in balance whatever mail does, also while it does it and after history was dropped; and it bites."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from martlet import BIN, Martlet, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "CrashLab"))
import logbook
from invariant import Ledger, Sink

ACCOUNTS = ("ann", "ben", "cleo")
QUICK = {"retry": {"initial": "1 s", "maximum": "1 s"}}


class Tree(Martlet):
    """A Martlet with aliases of every kind and a remote site."""

    def __init__(self, settings=None):
        super().__init__(accounts=ACCOUNTS, settings={**QUICK, **(settings or {})}, start=False)
        self.ledger = Ledger(os.path.join(self.root, "ledger"))
        self.behaviours = {}
        self.sink = Sink(self.ledger, behaviour=lambda recipients: self.behaviours.get(recipients[0].split("@")[0], "accept"))
        for alias, targets in {"pair": ["ann", "ben"], "team": ["pair", "cleo", "member@far.example"], "": ["cleo"], "broken": ["never@far.example"]}.items():
            self.mailctl("alias", "add", "%s@example.org" % alias, *(self.address(t) for t in targets))
        for domain in ("far.example", "elsewhere.example"):
            self.mailctl("route", "add", domain, "127.0.0.1:%d" % self.sink.port)
        self.behaviours["never"] = "5xx"
        self.behaviours["later"] = "4xx"
        self.start()

    def close(self):
        super().close()
        self.sink.close()
        self.ledger.close()

    def drop(self, *recipients, sender=None):
        command = [BIN + "/sendmail", "-C", os.path.join(self.root, "etc", "martlet.toml"), "-i", *(["-f", sender] if sender else [])]
        subprocess.run(command + [self.address(r) for r in recipients], input=b"Subject: drop\n\ndropped\n", check=True)

    def audit(self, *words, code=0):
        result = self.mailctl("audit", "--json", *words, check=False)
        if result.returncode != code:
            raise AssertionError("audit ended with %d: %s%s" % (result.returncode, result.stdout, result.stderr))
        return json.loads(result.stdout)

    def every_kind(self):
        """Mail of each kind."""
        self.send("ann", "one\r\n")
        self.send(["ann+lists", "ann", "pair"], "one mailbox, one copy\r\n")
        self.send(["team", "nobody-has-this"], "list, and catch-all\r\n")
        self.send("ben", "big\r\n" + ("x" * 70 + "\r\n") * 3000)
        self.send(["far1@far.example", "far2@far.example"], "away\r\n", service="submission", login="ann", sender="ann@example.org")
        self.send("never@far.example", "comes back\r\n", service="submission", login="ann", sender="ann@example.org")
        self.send("broken", "comes back to a stranger\r\n")
        self.send("broken", "has no sender\r\n", sender="")
        self.drop("cleo", "far3@far.example")

    def settle(self):
        wait_until(lambda: self.queue() == [] and not os.listdir(os.path.join(self.root, "spool", "drop")), "the queue empty")


class Balance(unittest.TestCase):
    def test_mail_of_every_kind_balances(self):
        with Tree() as tree:
            tree.every_kind()
            tree.settle()
            found = tree.audit()
            sums = found["sums"]
            self.assertEqual((found["balance"], found["imbalances"], found["damage"]), ("even", [], []))
            self.assertEqual((sums["smtpd"], sums["submission"], sums["drops"], sums["notices"]), (6, 2, 1, 2), sums)
            self.assertEqual(sums["copies"], sum(sums[k] for k in ("delivered", "sent", "bounced", "discarded", "queued")))
            self.assertEqual((sums["queued"], sums["missing"], sums["open"]), (0, 0, 0))
            self.assertEqual(sums["bounced"], 2, sums)
            self.assertEqual(sums["discarded"], 1, sums)
            delivered = sum(len(tree.files(a)) for a in ACCOUNTS)
            self.assertEqual(sums["delivered"], delivered)
            self.assertEqual(sums["sent"], len(tree.ledger.takings()))
            self.assertGreater(sums["merged"], 0)
            text = tree.mailctl("audit").stdout
            self.assertIn("in balance", text)
            self.assertEqual(tree.audit("--since", "1h")["sums"]["smtpd"], 6)
            tree.stop()
            self.assertEqual(tree.audit()["sums"], sums)

    def test_what_waits_is_queued(self):
        with Tree() as tree:
            tree.send(["later@far.example", "ann"], "waits\r\n", service="submission", login="ann", sender="ann@example.org")
            wait_until(lambda: any(r.get("reason") for m in tree.queue() for r in m["recipients"]), "the message put off")
            tree.wait_for_mail("ann", 1)
            tree.stop()
            sums = tree.audit()["sums"]
            self.assertEqual((sums["queued"], sums["delivered"], sums["open"], sums["copies"]), (1, 1, 1, 2))
            # Not yet routed, not even read by queued.
            tree.start()
            tree.mailctl("stop", "queued")
            tree.send(["pair", "cleo"], "nobody has read this\r\n")
            tree.stop()
            sums = tree.audit()["sums"]
            self.assertEqual((sums["queued"], sums["open"]), (3, 2))

    def test_a_system_under_load_is_not_accused(self):
        with Tree() as tree:
            ending = threading.Event()

            def load(number):
                while not ending.is_set():
                    tree.send([("ann", "team", "broken", "pair")[number % 4], "ben"], "load\r\n")
                    number += 1

            senders = [threading.Thread(target=load, args=(n,)) for n in range(4)]
            for sender in senders:
                sender.start()
            try:
                for _ in range(12):
                    found = tree.audit()
                    self.assertEqual(found["imbalances"], [])
            finally:
                ending.set()
                for sender in senders:
                    sender.join()
            tree.settle()
            sums = tree.audit()["sums"]
            self.assertEqual(sums["open"], 0)
            self.assertGreater(sums["smtpd"], 12)


class Teeth(unittest.TestCase):
    """One tree at rest; each test damages a copy of it."""

    @classmethod
    def setUpClass(cls):
        cls.tree = Tree()
        try:
            cls.tree.every_kind()
            cls.tree.settle()
            cls.tree.send("later@far.example", "waits\r\n", service="submission", login="ann", sender="ann@example.org")
            wait_until(lambda: cls.tree.queue(), "the message queued")
            cls.tree.stop()
            cls.tree.audit()
        except BaseException:
            cls.tree.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.tree.close()

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="martlet-test-")
        self.addCleanup(shutil.rmtree, self.root)
        shutil.rmtree(self.root)
        shutil.copytree(self.tree.root, self.root, symlinks=True)

    def records(self, log, verb):
        return [r for path in logbook.segments(self.root, log) for r in logbook.Segment(path).records if r.startswith(verb + " ")]

    def audit(self, code):
        result = subprocess.run([BIN + "/mailctl", "--root", self.root, "audit", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(result.returncode, code, result.stdout.decode() + result.stderr.decode())
        return json.loads(result.stdout)

    def assertFound(self, kind, id, recipient=None):
        found = self.audit(65)
        self.assertEqual({f["id"] for f in found["imbalances"]}, {id}, found)
        self.assertIn(kind, [f["kind"] for f in found["imbalances"]])
        if recipient:
            self.assertIn(recipient, [f["recipient"] for f in found["imbalances"]])
        return found

    def test_a_copy_as_it_is(self):
        logbook.edit(self.root, "locald/events", lambda r: r)
        self.assertEqual(self.audit(0)["balance"], "even")

    def test_a_delivered_that_is_gone(self):
        victim = self.records("locald/events", "delivered")[0]
        id, recipient = victim.split()[1], victim.split("recipient=")[1].split()[0]
        logbook.edit(self.root, "locald/events", lambda r: None if r.startswith("delivered " + id) and "recipient=%s " % recipient in r else r)
        self.assertFound("unanswered", id, recipient)

    def test_a_sent_that_is_gone(self):
        id = self.records("remoted/events", "sent")[0].split()[1]
        logbook.edit(self.root, "remoted/events", lambda r: None if r.startswith("sent " + id) else r)
        self.assertFound("unanswered", id)

    def test_a_bounced_that_is_gone(self):
        id = self.records("queued/events", "bounced")[0].split()[1]
        logbook.edit(self.root, "queued/events", lambda r: None if r.startswith("bounced " + id) else r)
        self.assertFound("unanswered", id)

    def test_a_forged_second_delivery(self):
        victim = self.records("locald/events", "delivered")[0]
        logbook.insert(self.root, "locald/events", victim.replace("file=", "file=9"))
        self.assertFound("twice", victim.split()[1])

    def test_a_delivery_of_a_message_that_nobody_accepted(self):
        victim = self.records("locald/events", "delivered")[0]
        id = victim.split()[1]
        forged = id[:-1] + ("0" if id[-1] != "0" else "1")
        logbook.insert(self.root, "locald/events", victim.replace(id, forged))
        self.assertFound("unaccepted", forged)

    def test_a_delivery_to_somebody_else(self):
        victim = self.records("locald/events", "delivered")[0]
        logbook.insert(self.root, "locald/events", victim.replace("final=", "final=other-"))
        self.assertFound("unassigned", victim.split()[1])

    def test_a_message_that_was_dropped(self):
        id = self.records("submission/events", "accept")[-1].split()[1]
        for log in ("submission/mail",):
            for path in logbook.segments(self.root, log):
                os.unlink(path)
        found = self.assertFound("lost", id, "later@far.example")
        self.assertIn("submission/events", found["imbalances"][0]["where"])

    def test_a_done_that_is_gone(self):
        id = self.records("smtpd/events", "accept")[0].split()[1]
        for path in logbook.segments(self.root, "smtpd/mail"):
            os.unlink(path)
        logbook.edit(self.root, "queued/events", lambda r: None if r.startswith("done " + id) else r)
        self.assertFound("lost", id)

    def test_a_recipient_that_was_forgotten(self):
        victim = next(r for r in self.records("queued/events", "route") if "result=duplicate" in r)
        logbook.edit(self.root, "queued/events", lambda r: None if r == victim else r)
        self.assertFound("unrouted", victim.split()[1])

    def test_damage_allows_no_proof(self):
        path = logbook.segments(self.root, "locald/events")[0]
        with open(path, "r+b") as file:
            text = file.read()
            file.seek(text.index(b"\ndelivered ") + 30)
            file.write(b"~")
        found = self.audit(74)
        self.assertEqual(found["balance"], "unproven")
        self.assertEqual(found["damage"][0]["log"], "locald/events")

    def test_a_segment_that_is_gone_uncounted_allows_no_proof(self):
        self.tree.start()
        wait_until(lambda: len(logbook.segments(self.tree.root, "queued/events")) > 1, "a second segment of queued")
        self.tree.stop()
        shutil.rmtree(self.root)
        shutil.copytree(self.tree.root, self.root, symlinks=True)
        self.assertEqual(self.audit(0)["balance"], "even")
        os.unlink(logbook.segments(self.root, "queued/events")[0])
        self.assertIn("queued/events", [d["log"] for d in self.audit(74)["damage"]])


class Retention(unittest.TestCase):
    """Each program's history is dropped at another time; messages straddle each drop, and the sums hold them together."""

    def drop(self, tree, *services):
        """Makes all that these programs said so far old, and starts them, so that retention is looked at."""
        # A start gives back what the newest segment has allocated, which counts as its last change: it begins another one first.
        tree.stop()
        tree.start()
        tree.stop()
        aged = []
        for service in services:
            paths = logbook.segments(tree.root, service + "/events")
            newest = os.path.basename(paths.pop())[:8]
            if service in ("locald", "remoted"):
                # An agent's history goes once a state block of queued says that it was read, which takes 16 MiB: as if it did.
                logbook.edit(tree.root, "queued/events", lambda record: self.advanced(record, service, newest))
            aged += paths
        for path in aged:
            os.utime(path, (time.time() - 200_000,) * 2)
        tree.start()
        wait_until(lambda: not any(map(os.path.exists, aged)), "the old events of %s gone" % " and ".join(services))
        tree.audit()

    def advanced(self, record, service, segment):
        """A cursor moved to the beginning of a segment; the record stays as long as it is."""
        cursor = re.fullmatch(r"(cursor - log=%s/events upto=)\d{8}:(\d+)" % service, record)
        return "%s%s:%s" % (cursor.group(1), segment, "0" * len(cursor.group(2))) if cursor else record

    def fill(self, tree):
        tree.every_kind()
        tree.send("later@far.example", "waits, and straddles\r\n", service="submission", login="ann", sender="ann@example.org")
        wait_until(lambda: len(tree.queue()) == 1, "all but one message done")
        tree.stop()
        tree.start()

    def test_history_is_dropped_at_different_times(self):
        with Tree(settings={"retention": {"events": "1 d"}}) as tree:
            self.fill(tree)
            before = tree.audit()["sums"]
            for services in (("smtpd",), ("locald",), ("queued",), ("remoted", "submission")):
                with self.subTest(services):
                    self.drop(tree, *services)
            gone = tree.audit()["gone"]
            self.assertEqual(gone["accepted"], before["smtpd"] + before["submission"])
            self.assertEqual(gone["delivered"] + gone["sent"], before["delivered"] + before["sent"])
            tree.behaviours["later"] = "accept"
            self.fill(tree)
            tree.settle()
            after = tree.audit()
            self.assertEqual(after["gone"], gone)
            for services in (("queued", "remoted"), ("submission", "locald"), ("smtpd",)):
                with self.subTest(services):
                    self.drop(tree, *services)
            total = tree.audit()["gone"]
            self.assertEqual(total["accepted"], 2 * gone["accepted"])

    def test_a_loss_across_a_drop_is_missed_in_the_sums(self):
        with Tree(settings={"retention": {"events": "1 d"}}) as tree:
            self.fill(tree)
            victim = tree.events("smtpd")[0]
            self.drop(tree, "queued")
            tree.stop()
            victim = next(r for r in logbook.Segment(logbook.segments(tree.root, "smtpd/events")[0]).records if r.startswith("accept "))
            # One more was accepted than ended, long ago: nobody can say any more which.
            id = victim.split()[1]
            logbook.insert(tree.root, "smtpd/events", victim.replace(id, id[:-1] + "z"))
            found = tree.audit(code=65)
            self.assertTrue(any(f["kind"] in ("sums", "lost") for f in found["imbalances"]), found)


if __name__ == "__main__":
    unittest.main()
