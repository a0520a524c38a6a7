"""The checker has teeth: each kind of damage, done to a tree that was in order, is seen and named."""
import hashlib
import json
import os
import shutil
import smtplib
import tempfile
import unittest

from invariant import Generator, Ledger, Sink, check

ACCOUNTS = ("ann", "ben", "cleo")


class Tree(unittest.TestCase):
    """Mailboxes as locald would leave them, made by hand."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="martlet-invariant-")
        self.addCleanup(shutil.rmtree, self.root)
        self.ledger = Ledger(os.path.join(self.root, "ledger"))
        self.addCleanup(self.ledger.close)
        self.generator = Generator("seed", ACCOUNTS, {"all": ACCOUNTS}, remote_domains=("far.example",), sizes=((200, 4000),))
        self.messages = [self.generator.message(n) for n in range(12)]
        for message in self.messages:
            self.ledger.begun(message.token, message.sha, message.mailboxes, message.remote)
            self.ledger.promised(message.token, message.sha, message.mailboxes, message.remote)
            for account in message.mailboxes:
                self.deliver(message.data(), account, message.number)
            for recipient in message.remote:
                self.ledger.taken("sink", message.token, recipient, message.sha, True)
        self.local = next(m for m in self.messages if m.mailboxes and not m.remote)
        self.remote = next(m for m in self.messages if m.remote)

    def path(self, account, number, folder="new"):
        place = os.path.join(self.root, "spool", "mail", "example.org", account, folder)
        os.makedirs(place, exist_ok=True)
        return os.path.join(place, "1795225858.s%018dR.mx,S=1" % number)

    def deliver(self, content, account, number, folder="new"):
        with open(self.path(account, number, folder), "wb") as file:
            file.write(b"Return-Path: <x@example.org>\r\n" + content)

    def check(self, **more):
        return check(self.ledger, self.root, ACCOUNTS, **more)

    def assertFound(self, token, **counts):
        verdict = self.check()
        expected = {**dict.fromkeys(verdict.COUNTS, 0), **counts}
        self.assertEqual({name: getattr(verdict, name) for name in verdict.COUNTS}, expected, verdict.details)
        self.assertFalse(verdict.ok)
        self.assertTrue(any(token in line for line in verdict.details), verdict.details)

    def test_order_is_order(self):
        verdict = self.check()
        self.assertTrue(verdict.ok, verdict.details)
        self.assertEqual(verdict.row()["promised"], 12)
        self.assertGreater(verdict.delivered, 0)
        self.assertGreater(verdict.sent, 0)

    def test_a_lost_copy(self):
        os.unlink(self.path(min(self.local.mailboxes), self.local.number))
        self.assertFound(self.local.token, lost=1)

    def test_an_expunged_copy_is_not_lost(self):
        account = min(self.local.mailboxes)
        hidden = self.path(account, self.local.number, "martlet/expunged")
        os.rename(self.path(account, self.local.number), hidden)
        self.assertTrue(self.check().ok)
        self.deliver(self.local.data(), account, self.local.number)
        self.assertFound(self.local.token, duplicated=1)

    def test_a_second_copy(self):
        self.deliver(self.local.data(), min(self.local.mailboxes), 777, "cur")
        self.assertFound(self.local.token, duplicated=1)

    def test_a_changed_byte(self):
        path = self.path(min(self.local.mailboxes), self.local.number)
        with open(path, "r+b") as file:
            file.seek(-5, os.SEEK_END)
            file.write(b"~")
        self.assertFound(self.local.token, corrupt=1)

    def test_a_torn_file(self):
        os.truncate(self.path(min(self.local.mailboxes), self.local.number), 0)
        self.assertFound(self.local.token, corrupt=1, lost=1)

    def test_a_refused_message_that_appears(self):
        message = self.generator.message(99)
        self.ledger.begun("no", message.sha, {"ann"})
        self.ledger.refused("no", "451 later")
        self.assertTrue(self.check().ok)
        self.deliver(message.data("no"), "ann", 99)
        self.assertFound("no", refused_delivered=1)

    def test_an_unknown_message_may_appear_once_and_everywhere(self):
        message = self.generator.message(99)
        self.ledger.begun("maybe", message.sha, {"ann", "ben"})
        self.ledger.unknown("maybe")
        self.assertTrue(self.check().ok)
        self.deliver(message.data("maybe"), "ann", 99)
        self.assertFound("maybe", lost=1)
        self.deliver(message.data("maybe"), "ben", 99)
        self.assertTrue(self.check().ok)
        self.deliver(message.data("maybe"), "cleo", 99)
        self.assertFound("maybe", stray=1)

    def test_a_message_that_nobody_sent(self):
        self.deliver(self.local.data("whence"), "ann", 99)
        self.assertFound("whence", stray=1)

    def test_remote_copies(self):
        recipient = min(self.remote.remote)
        self.ledger.taken("sink", self.remote.token, recipient, self.remote.sha, True)
        self.assertFound(self.remote.token, remote_duplicates=1)
        self.assertTrue(self.check(killed_in_flight=1).ok)

    def test_a_copy_after_a_lost_reply_is_rightly_sent(self):
        self.ledger.promised("l", "0", (), {"r@far.example"})
        self.ledger.taken("sink", "l", "r@far.example", "0", False)
        self.ledger.taken("sink", "l", "r@far.example", "0", True)
        self.assertTrue(self.check().ok)
        self.ledger.taken("sink", "l", "r@far.example", "0", True)
        self.assertFound("l", remote_duplicates=1)

    def test_the_queue_and_notices_account_for_copies(self):
        self.ledger.promised("waits", "0", {"ann"}, {"r1@far.example", "r2@far.example"})
        log = os.path.join(self.root, "spool", "smtpd", "mail")
        os.makedirs(log)
        content = b"X-Token: waits\r\n\r\nx"
        with open(os.path.join(log, "00000001.log"), "wb") as file:
            file.write(b"martlet-log 1\naccept s1 from=a to=ann content=%d:00 #0\n%s\n" % (len(content), content))
        queue = [{"id": "s1", "recipients": [{"address": r, "final": r, "state": "assigned"} for r in ("ann@example.org", "r1@far.example")]}]
        self.assertEqual(self.check(queue=queue).details, ["lost: waits for r2@far.example"])
        notice = (b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\nwords\r\n\r\n"
                  b"Final-Recipient: rfc822; r2@far.example\r\n\r\nX-Token: waits\r\n")
        self.deliver(notice, "ben", 98)
        verdict = self.check(queue=queue)
        self.assertTrue(verdict.ok, verdict.details)
        self.assertEqual((verdict.queued, verdict.bounced), (2, 1))
        self.deliver(notice, "ben", 97)
        self.assertEqual(self.check(queue=queue).duplicated, 1)

    def test_as_of_a_position(self):
        message = self.generator.message(99)
        before = self.ledger.position
        self.ledger.begun("late", message.sha, {"ann"})
        self.ledger.promised("late", message.sha, {"ann"})
        self.assertTrue(self.check(at=before).ok)
        self.assertEqual(self.check().lost, 1)
        self.deliver(message.data("late"), "ann", 99)
        self.assertTrue(self.check(at=before).ok, "what is promised later may be there already")

    def test_the_ledger_outlives_the_laboratory(self):
        count, known = self.ledger.position, self.ledger.entries()
        with open(self.ledger.path, "ab") as file:
            file.write(b'{"what":"promised","tok')
        again = Ledger(self.ledger.path)
        self.addCleanup(again.close)
        self.assertEqual(again.position, count)
        again.refused("next")
        self.assertEqual(again.position, count + 1)
        self.assertEqual(set(again.entries()), set(known) | {"next"})

    def test_a_seed_says_it_all(self):
        again = Generator("seed", ACCOUNTS, {"all": ACCOUNTS}, remote_domains=("far.example",), sizes=((200, 4000),))
        for message in self.messages:
            other = again.message(message.number)
            self.assertEqual((message.data(), message.recipients, message.way), (other.data(), other.recipients, other.way))
            self.assertEqual(hashlib.sha256(message.body).hexdigest(), message.sha)


class SinkBehaviour(unittest.TestCase):
    def test_each_behaviour(self):
        folder = tempfile.mkdtemp(prefix="martlet-invariant-")
        self.addCleanup(shutil.rmtree, folder)
        ledger = Ledger(os.path.join(folder, "ledger"))
        self.addCleanup(ledger.close)
        sink = Sink(ledger)
        self.addCleanup(sink.close)
        message = Generator("seed", ("ann",), remote_domains=("far.example",)).message(0)

        def send():
            with smtplib.SMTP("127.0.0.1", sink.port, timeout=60) as client:
                client.sendmail("a@b.example", ["r1@far.example", "r2@far.example"], message.data())

        outcomes = {"accept": None, "4xx": smtplib.SMTPDataError, "5xx": smtplib.SMTPDataError, "drop": smtplib.SMTPServerDisconnected,
                    "lost": smtplib.SMTPServerDisconnected}
        for behaviour, error in outcomes.items():
            with self.subTest(behaviour):
                sink.behaviour = behaviour
                if error:
                    self.assertRaises(error, send)
                else:
                    send()
        takings = ledger.takings()
        self.assertEqual([t["answered"] for t in takings], [True, True, False, False])
        self.assertEqual({(t["token"], t["sha"]) for t in takings}, {(message.token, message.sha)})
        self.assertEqual(json.loads(json.dumps(takings)), takings)


if __name__ == "__main__":
    unittest.main()
