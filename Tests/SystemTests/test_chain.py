"""Three Martlets in a row, with aliases that lead on and back: what was asked at the first host is known at the last, and its answers come home."""
import re
import unittest

from mail_samples import named, samples, submit, without_trace
from martlet import Martlet, wait_until
from test_extensions import client, transaction
from test_remote import QUICK, events

DOMAINS = {"a": "a.example", "b": "b.example", "c": "c.example"}


class ThreeMartlets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        accounts = {"a": ("alice", "bob"), "b": ("bert",), "c": ("carol",)}
        cls.host = {name: Martlet(domain=domain, accounts=accounts[name], start=False, settings=QUICK) for name, domain in DOMAINS.items()}
        for name, here in cls.host.items():
            for other, there in cls.host.items():
                if other != name:
                    here.mailctl("route", "add", DOMAINS[other], "127.0.0.1:%d" % there.port("smtp"))
        for here, alias, target in (
            ("b", "on@b.example", "carol@c.example"), ("b", "nowhere@b.example", "nobody@c.example"),
            ("b", "round@b.example", "back@c.example"), ("c", "back@c.example", "bob@a.example"),
            ("b", "circle@b.example", "circle@c.example"), ("c", "circle@c.example", "circle@b.example"),
        ):
            cls.host[here].mailctl("alias", "add", alias, target)
        for here in cls.host.values():
            here.start()

    @classmethod
    def tearDownClass(cls):
        for here in cls.host.values():
            here.close()

    def send(self, name, recipient, mail="", rcpt=""):
        smtp = client(self.host["a"])
        transaction(smtp, "alice@a.example", [recipient], named(name, b"x\r\n"), mail, rcpt)
        smtp.quit()

    def state(self):
        return "\n".join("%s: %r\n%s" % (name, here.queue()[:2], here.log()[-800:]) for name, here in self.host.items())

    def arrived(self, host, user, name):
        got = wait_until(lambda: [m for m in self.host[host].messages(user) if b"Message-ID: <%s@" % name.encode() in m and b"MAILER-DAEMON" not in m[:40]],
                         lambda: "%s for %s\n%s" % (name, user, self.state()))
        self.assertEqual(len(got), 1)
        return got[0]

    def notices(self, name):
        return [m for m in self.host["a"].messages("alice") if b"MAILER-DAEMON" in m and b"<%s@" % name.encode() in m]

    def notice(self, name):
        """The one notice about a message, once all queues are empty: no other is to come."""
        wait_until(lambda: self.notices(name), lambda: "a notice about %s\n%s" % (name, self.state()))
        wait_until(lambda: all(here.queue() == [] for here in self.host.values()), self.state)
        got = self.notices(name)
        self.assertEqual(len(got), 1)
        return got[0]

    def accepted(self, host, name):
        """The record with which a host took a message in from the one before it."""
        return wait_until(lambda: [e for e in events(self.host[host], "smtpd", "accept") if ("<%s@" % name) in e.get("msgid", "")], lambda: "%s at %s" % (name, host))[0]

    def test_messages_go_through_unchanged_and_come_back_to_the_first_host(self):
        for name, content in samples().items():
            submit(self.host["a"], content, "on@b.example", sender="alice@a.example")
        for name, content in samples().items():
            with self.subTest(name):
                self.assertEqual(without_trace(self.arrived("c", "carol", name)), content)
        self.send("round", "round@b.example")
        got = self.arrived("a", "bob", "round")
        self.assertEqual(without_trace(got), named("round", b"x\r\n"))
        self.assertGreaterEqual(len(re.findall(rb"(?m)^Received: ", got)), 4)

    def test_success_is_told_once_by_the_last_host_in_the_senders_words(self):
        self.send("success", "on@b.example", " RET=HDRS ENVID=one+2Btwo", " NOTIFY=SUCCESS ORCPT=rfc822;her@old.example")
        self.arrived("c", "carol", "success")
        got = self.notice("success")
        for words in (b"Action: delivered\r\n", b"Original-Envelope-Id: one+two\r\n", b"Original-Recipient: rfc822; her@old.example\r\n", b"Reporting-MTA: dns; "):
            self.assertIn(words, got)

    def test_a_failure_two_hosts_away_is_told_once_and_names_what_the_sender_wrote(self):
        self.send("failure", "nowhere@b.example")
        got = self.notice("failure")
        self.assertIn(b"Action: failed\r\n", got)
        self.assertIn(b"5.1.1", got)
        self.assertIn(b"nowhere@b.example", got)

    def test_nobody_hears_of_what_was_to_be_silent(self):
        self.send("never", "nowhere@b.example", rcpt=" NOTIFY=NEVER")
        self.accepted("b", "never")
        self.send("behind", "on@b.example")
        self.arrived("c", "carol", "behind")
        wait_until(lambda: all(here.queue() == [] for here in self.host.values()), self.state)
        self.assertEqual(self.notices("never"), [])

    def test_the_time_that_is_left_shrinks_and_a_priority_is_no_strangers_to_raise(self):
        self.send("urgent", "on@b.example", " BY=900;N MT-PRIORITY=-4")
        self.send("pushy", "on@b.example", " MT-PRIORITY=6")
        seconds = [int(self.accepted(host, "urgent")["by"].split(";")[0]) for host in ("b", "c")]
        self.assertTrue(900 >= seconds[0] >= seconds[1] > 600, seconds)
        for host in ("b", "c"):
            self.assertEqual(self.accepted(host, "urgent")["priority"], "-4")
            self.assertIn(self.accepted(host, "pushy").get("priority", "0"), ("0", "6"))
        self.arrived("c", "carol", "urgent")
        self.arrived("c", "carol", "pushy")

    def test_a_hold_is_over_when_the_message_leaves_the_first_host(self):
        self.send("held", "on@b.example", " HOLDFOR=3")
        self.arrived("c", "carol", "held")
        first = wait_until(lambda: [e for e in events(self.host["a"], "submission", "accept") if "<held@" in e.get("msgid", "")], "the record")[0]
        second = self.accepted("b", "held")
        self.assertGreaterEqual(float(second["at"]) - float(first["at"]), 2)
        self.assertNotIn("holdfor", second)

    def test_a_circle_of_aliases_ends_with_one_bounce(self):
        self.send("circle", "circle@b.example")
        got = self.notice("circle")
        self.assertIn(b"5.4.6", got)

    def test_nothing_is_unaccounted_for_at_any_host(self):
        self.send("audited", "round@b.example")
        self.arrived("a", "bob", "audited")
        wait_until(lambda: all(here.queue() == [] for here in self.host.values()), self.state)
        for here in self.host.values():
            said = here.mailctl("audit", check=False)
            self.assertEqual(said.returncode, 0, said.stdout)


if __name__ == "__main__":
    unittest.main()
