"""Port 25's policy on the real programs: what DNS says of a client, whom it lets in, what it writes down, and that `mailctl explain` says the same.

Clients come from 127.0.0.x, in trees where loopback is not trusted."""
import glob
import json
import os
import pathlib
import re
import smtplib
import time
import unittest

from martlet import PATIENCE, Martlet, wait_until
from milter import Milter
from milter import text as field
from servers import A, NameServer

PTR, TXT = 12, 16
HELO = "client.test.example"


def text(value):
    return bytes([len(value)]) + value.encode()


class Names(NameServer):
    """A name server that says nothing at all of some names and of what lies below them."""

    silent = ()

    def answer(self, query):
        answer = super().answer(query)
        name = self.asked[-1][0]
        return b"" if any(name == known or name.endswith("." + known) for known in self.silent) else answer


RECORDS = {
    ("2.0.0.127.in-addr.arpa", PTR): [NameServer.name("host2.test.example")],
    ("host2.test.example", A): ["127.0.0.2"],
    ("pass.example", TXT): [text("v=spf1 ip4:127.0.0.0/8 -all")],
    ("fail.example", TXT): [text("v=spf1 -all")],
    ("soft.example", TXT): [text("v=spf1 ~all")],
    ("10.0.0.127.bl.test.example", A): ["127.0.0.2"],
    ("11.0.0.127.half.test.example", A): ["127.0.0.2"],
    ("12.0.0.127.bl.test.example", A): ["127.0.0.2"],
    ("12.0.0.127.good.test.example", A): ["127.0.0.2"],
    ("15.0.0.127.bl.test.example", A): ["192.0.2.1"],
    ("listed.example.dbl.test.example", A): ["127.0.0.2"],
}
POLICY = {
    "trusted": [], "patience": "3 s", "address_recipients": "12 per 1 h", "address_unknown": "3 per 1 h",
    "lists": ["bl.test.example 10", "half.test.example 4", "good.test.example -20", "names dbl.test.example 10"],
}


class PolicyCase(unittest.TestCase):
    policy, failing, silent = POLICY, (), ()

    @classmethod
    def setUpClass(cls):
        cls.dns = Names(RECORDS, cls.failing)
        cls.dns.silent = cls.silent
        cls.martlet = Martlet(accounts=("alice",), start=False,
                              settings={"dns": {"servers": ["127.0.0.1:%d" % cls.dns.port]}, "policy": cls.policy})
        cls.host = cls.martlet.mailctl("config", "get", "hostname").stdout.strip()
        cls.martlet.start()
        # What is accepted stays in smtpd's log, to be looked at.
        cls.martlet.mailctl("stop", "queued", check=False)

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        cls.dns.close()

    def client(self, last, helo=HELO):
        client = smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), local_hostname=helo, timeout=PATIENCE, source_address=("127.0.0.%d" % last, 0))
        self.addCleanup(client.close)
        client.ehlo()
        return client

    def ask(self, last, sender, to="alice@example.org", helo=HELO):
        """The reply to RCPT: its code, and its text with the status."""
        with self.client(last, helo) as client:
            self.assertEqual(client.mail(sender)[0], 250)
            code, said = client.rcpt(to)
            return code, said.decode()

    def send(self, last, sender, content="Subject: x\r\n\r\nx\r\n", to="alice@example.org"):
        """Sends a message that must be accepted; its id."""
        with self.client(last) as client:
            self.assertEqual(client.mail(sender)[0], 250)
            self.assertEqual(client.rcpt(to)[0], 250)
            code, said = client.data(content)
            self.assertEqual(code, 250, said)
            return re.match(rb"2\.0\.0 (\S+)", said)[1].decode()

    def marks(self, id):
        """The `policy` of an accepted message."""
        line = self.martlet.wait_for_event("smtpd", "accept " + id)
        return re.search(r" policy=(\S+)", line)[1].split(",")

    def content(self, id):
        big = os.path.join(self.martlet.root, "spool/smtpd/mail/big", id)
        if os.path.exists(big):
            return pathlib.Path(big).read_bytes()
        for path in glob.glob(os.path.join(self.martlet.root, "spool/smtpd/mail/*.log")):
            found = re.search(rb"(?m)^accept " + id.encode() + rb" .*? content=(\d+):.*\n", pathlib.Path(path).read_bytes())
            if found:
                return pathlib.Path(path).read_bytes()[found.end():][:int(found[1])]
        self.fail("no content of " + id)

    def refused(self, to, rule):
        return self.martlet.wait_for_event("smtpd", "refuse -", "to=" + to, "policy=" + rule)

    def explain(self, last, sender, to="alice@example.org", helo=HELO, more=()):
        done = self.martlet.mailctl("explain", "--json", "--from", sender, "--to", to, "--ip", "127.0.0.%d" % last, "--helo", helo, *more)
        return json.loads(done.stdout)


class WithAFilter(PolicyCase):
    """What the policy found stands in a message that a content filter has changed, or has not."""

    @classmethod
    def setUpClass(cls):
        cls.milter = Milter({"end": [(b"h", field(b"X-Filtered", b"yes")), (b"c", b"")]})
        cls.martlet = None
        cls.dns = Names(RECORDS, cls.failing)
        cls.martlet = Martlet(accounts=("alice",), start=False, settings={
            "dns": {"servers": ["127.0.0.1:%d" % cls.dns.port]}, "policy": cls.policy, "filter": {"smtpd": [cls.milter.name]}})
        cls.martlet.start()
        cls.martlet.mailctl("stop", "queued", check=False)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.milter.close()

    def test_short_and_long_messages_keep_what_the_policy_found(self):
        for content in ("Subject: x\r\n\r\nx\r\n", "Subject: x\r\n\r\n" + "a line of it\r\n" * 20000):
            id = self.send(2, "sender@soft.example", content)
            kept = self.content(id)
            self.assertRegex(kept[:2000], rb"(?s)Authentication-Results: .*spf=softfail")
            self.assertRegex(kept[:2000], rb"Received-SPF: softfail")
            self.assertIn(b"X-Filtered: yes\r\n", kept[:2000])
            self.assertIn("spf:noted", self.marks(id))


class Rules(PolicyCase):
    failing = ("13.0.0.127.bl.test.example", "err.example")
    silent = ("14.0.0.127.bl.test.example", "14.0.0.127.in-addr.arpa", "silent.example")

    def test_spf_pass_and_the_confirmed_name_are_recorded_above_our_line(self):
        id = self.send(2, "bob@pass.example")
        self.assertEqual(self.marks(id), ["local-recipients"])
        said = re.sub(rb"\r\n[ \t]+", b" ", self.content(id)).split(b"\r\n")
        self.assertRegex(said[0], b"^Authentication-Results: %s; iprev=pass policy.iprev=127.0.0.2; .*spf=pass smtp.mailfrom=pass.example" % self.host.encode())
        self.assertRegex(said[1], rb"^Received-SPF: pass .*client-ip=127.0.0.2; envelope-from=\"?bob@pass.example")
        self.assertRegex(said[2], b"^Received: from client.test.example")

    def test_spf_fail_is_refused_and_the_event_names_the_rule(self):
        code, said = self.ask(3, "bob@fail.example")
        self.assertEqual(code, 550)
        self.assertRegex(said, r"^5\.7\.23 SPF of fail\.example does not permit 127\.0\.0\.3")
        self.assertIn("status=5.7.23", self.refused("alice@example.org", "spf"))

    def test_spf_softfail_is_noted(self):
        self.assertIn("spf:noted", self.marks(self.send(4, "bob@soft.example")))

    def test_a_policy_that_cannot_be_asked_refuses_nobody(self):
        self.assertIn("spf:unknown", self.marks(self.send(4, "bob@err.example")))

    def test_silence_of_dns_refuses_nobody(self):
        begun = time.monotonic()
        marks = self.marks(self.send(14, "bob@silent.example"))
        self.assertLessEqual({"reverse-dns:unknown", "lists:unknown", "spf:unknown"}, set(marks))
        self.assertLess(time.monotonic() - begun, PATIENCE)

    def test_postmaster_is_let_through(self):
        self.assertEqual(self.ask(3, "bob@fail.example", "postmaster@example.org")[0], 250)
        self.assertIn("spf:noted", self.marks(self.send(3, "bob@fail.example", to="postmaster@example.org")))

    def test_a_listed_client_is_refused(self):
        code, said = self.ask(10, "bob@pass.example")
        self.assertEqual((code, said[:6]), (550, "5.7.1 "))
        self.assertIn("bl.test.example", said)
        self.refused("alice@example.org", "lists")

    def test_points_below_the_threshold_are_noted(self):
        self.assertIn("lists:noted", self.marks(self.send(11, "bob@pass.example")))

    def test_an_allow_list_outweighs(self):
        self.assertEqual(self.ask(12, "bob@pass.example")[0], 250)

    def test_a_list_that_fails_refuses_nobody(self):
        self.assertIn("lists:unknown", self.marks(self.send(13, "bob@pass.example")))

    def test_an_answer_that_no_list_gives_refuses_nobody(self):
        self.assertEqual(self.ask(15, "bob@pass.example")[0], 250)

    def test_a_sender_on_a_list_of_names_is_refused(self):
        code, said = self.ask(16, "bob@listed.example")
        self.assertEqual(code, 550)
        self.assertIn("dbl.test.example", said)

    def test_an_unknown_user_is_refused_by_the_directory_alone(self):
        code, said = self.ask(10, "bob@fail.example", "nobody@example.org")
        self.assertEqual((code, said[:6]), (550, "5.1.1 "))

    def test_a_transaction_that_was_given_up_does_not_answer_for_the_next(self):
        with self.client(17) as client:
            for sender, code in (("a@fail.example", 550), ("b@pass.example", 250), ("c@fail.example", 550), ("d@soft.example", 250)):
                client.mail(sender)
                client.rset()
                client.mail(sender)
                self.assertEqual(client.rcpt("alice@example.org")[0], code, sender)
                client.rset()
            # Everything at once: answers of the first come while the second waits.
            client.send("MAIL FROM:<e@fail.example>\r\nRSET\r\nMAIL FROM:<f@pass.example>\r\nRCPT TO:<alice@example.org>\r\n")
            self.assertEqual([client.getreply()[0] for _ in range(4)], [250, 250, 250, 250])

    def test_too_many_recipients_are_put_off(self):
        with self.client(20) as client:
            replies = []
            for _ in range(13):
                client.mail("bob@pass.example")
                replies.append(client.rcpt("alice@example.org"))
                client.rset()
        self.assertEqual([code for code, _ in replies], [250] * 12 + [450])
        self.assertIn(b"recipients", replies[-1][1])
        self.refused("alice@example.org", "rates")
        self.assertEqual(self.ask(22, "bob@pass.example")[0], 250)

    def test_who_collects_addresses_is_put_off(self):
        with self.client(21) as client:
            client.mail("bob@pass.example")
            for name in "abc":
                self.assertEqual(client.rcpt("no-%s@example.org" % name)[0], 550)
            code, said = client.rcpt("alice@example.org")
        self.assertEqual(code, 450)
        self.assertIn(b"unknown-recipients", said)

    def test_results_in_our_name_do_not_survive(self):
        forged = "Subject: x\r\nAuthentication-Results:\r\n (a ; comment) %s; spf=pass smtp.mailfrom=bank.example\r\nauthentication-results : \"%s\" 1;\r\n\tdkim=pass\r\n" % (self.host, self.host.upper())
        kept = "Authentication-Results: mx.elsewhere.example; spf=pass\r\nTo: alice\r\n\r\nAuthentication-Results: %s; body\r\n" % self.host
        for name, filling in (("inline", ""), ("big", "filling\r\n" * 20_000)):
            with self.subTest(name):
                content = self.content(self.send(5, "bob@pass.example", forged + kept + filling))
                header, body = content.split(b"\r\n\r\n", 1)
                self.assertEqual(len(re.findall(rb"(?im)^authentication-results", header)), 2, header)
                self.assertNotIn(b"bank.example", header)
                self.assertNotIn(b"dkim=pass", header)
                self.assertTrue(content.endswith(b"Subject: x\r\n" + (kept + filling).encode()))
                self.assertTrue(header.startswith(b"Authentication-Results: " + self.host.encode()))

    def test_explain_says_what_smtpd_does(self):
        self.martlet.wait_for_event("smtpd", "start -")
        cases = [(2, "bob@pass.example", "alice@example.org"), (31, "bob@fail.example", "alice@example.org"), (32, "bob@soft.example", "alice@example.org"),
                 (10, "bob@pass.example", "alice@example.org"), (12, "bob@pass.example", "alice@example.org"), (33, "bob@listed.example", "alice@example.org"),
                 (34, "bob@err.example", "alice@example.org"), (35, "bob@fail.example", "postmaster@example.org"), (36, "bob@pass.example", "nobody@example.org"),
                 (37, "bob@pass.example", "somebody@elsewhere.example")]
        for last, sender, to in cases:
            with self.subTest(client=last, sender=sender, to=to):
                code, said = self.ask(last, sender, to)
                told = self.explain(last, sender, to)
                self.assertEqual(told["code"], code, told)
                if code != 250:
                    self.assertEqual(("%s %s" % (told["status"], told["text"])).lower(), said.lower())
                if told["policy"] and code != 250:
                    self.refused(to, told["rule"])

    def test_explain_shows_fields_counts_and_the_message(self):
        self.send(2, "bob@pass.example")
        path = os.path.join(self.martlet.root, "message")
        pathlib.Path(path).write_text("Received: a\nAuthentication-Results: %s; spf=pass\nSubject: x\n\nx\n" % self.host)
        told = wait_until(lambda: (lambda t: t["network"]["accepted"] > 0 and t)(self.explain(2, "bob@pass.example", more=("--file", path))), "the counts")
        self.assertEqual(told["network"]["network"], "127.0.0.0/24")
        self.assertTrue(told["fields"].startswith("Authentication-Results: " + self.host))
        self.assertEqual((told["message"]["hops"], told["message"]["forged_results"], told["message"]["taken"]), (1, True, True))
        page = self.martlet.mailctl("explain", "--from", "bob@pass.example", "--to", "alice@example.org", "--ip", "127.0.0.2", "--helo", HELO).stdout
        self.assertIn("  spf: pass for pass.example (ip4:127.0.0.0/8): passed\n", page)
        self.assertIn("account alice@example.org", page)
        self.assertIn("250 2.1.5", page)

    def test_zz_a_refusal_that_is_configured_holds_after_a_reload(self):
        self.assertEqual(self.ask(40, "bob@pass.example")[0], 250)
        self.martlet.change_settings({"policy": {"reverse_missing": "refuse"}})
        self.martlet.mailctl("reload", check=False)
        code, said = wait_until(lambda: (lambda r: r[0] == 550 and r)(self.ask(41, "bob@pass.example")), "the refusal")
        self.assertTrue(said.startswith("5.7.25 "), said)
        self.assertEqual(self.ask(2, "bob@pass.example")[0], 250)


class Greylisting(PolicyCase):
    policy = {"trusted": [], "spf": False, "reverse_dns": False, "greylist": "all", "greylist_delay": "4 s"}

    def test_a_stranger_waits_once_and_is_known_after_a_restart(self):
        code, said = self.ask(50, "bob@pass.example")
        self.assertEqual((code, said[:6]), (450, "4.7.1 "))
        self.refused("alice@example.org", "greylist")
        self.assertEqual(self.ask(51, "bob@pass.example")[0], 450)
        self.assertEqual(self.ask(50, "carol@pass.example")[0], 450)
        wait_until(lambda: self.ask(50, "bob@pass.example")[0] == 250, "the stranger is let in")
        self.assertEqual(self.ask(50, "postmaster@pass.example", "postmaster@example.org")[0], 250)
        self.martlet.wait_for_event("smtpd", "greylist -", "from=bob@pass.example", "count=1")
        time.sleep(4)
        pid = self.martlet.pid("smtpd")
        self.martlet.kill("smtpd")
        wait_until(lambda: self.martlet.status()["smtpd"].get("pid") not in (None, pid), "smtpd runs again")
        # Before its log is read again nobody waits; from then on strangers do.
        wait_until(lambda: self.ask(50, "d%d@pass.example" % time.monotonic_ns())[0] == 450, "strangers wait again")
        self.assertEqual(self.ask(50, "bob@pass.example")[0], 250)
        self.assertEqual(self.ask(50, "carol@pass.example")[0], 250)
        self.assertEqual(self.explain(50, "bob@pass.example")["code"], 250)
        self.assertEqual(self.explain(50, "stranger@pass.example")["code"], 450)


class Development(unittest.TestCase):
    def test_loopback_is_trusted_and_nothing_is_asked(self):
        dns = Names(RECORDS)
        with Martlet(start=False, settings={"dns": {"servers": ["127.0.0.1:%d" % dns.port]}}) as martlet:
            martlet.start()
            martlet.send("alice", "x\r\n", sender="bob@fail.example")
            self.assertIn("policy=local-recipients,trusted", martlet.wait_for_event("smtpd", "accept "))
            self.assertEqual(dns.asked, [])
        dns.close()


if __name__ == "__main__":
    unittest.main()
