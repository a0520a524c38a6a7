"""Mail to other hosts: a second Martlet, servers that behave badly, and what DNS says."""
import glob
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from mail_samples import named, samples, submit, without_trace
from martlet import Martlet, wait_until
from servers import A, MX, Drip, NameServer, SMTPServer

QUICK = {"retry": {"initial": "1 s", "maximum": "1 s"}}


def events(martlet, program, verb):
    """The records of one verb in a program's log, as dictionaries."""
    found = []
    for path in sorted(glob.glob(os.path.join(martlet.root, "spool", program, "events", "*.log"))):
        for line in pathlib.Path(path).read_bytes().split(b"\n"):
            words = line.decode("utf-8", "replace").split(" ")
            if words[0] == verb and len(words) > 2:
                found.append(dict({"id": words[1]}, **{k: urllib.parse.unquote(v) for k, v in (w.split("=", 1) for w in words[2:] if "=" in w)}))
    return found


def sent(martlet, address):
    return [e for e in events(martlet, "remoted", "sent") if e["final"] == address]


def waiting(martlet, address):
    """The recipient's entry in the queue, once it was tried and put off."""
    for message in martlet.queue():
        for recipient in message["recipients"]:
            if recipient["final"] == address and recipient["state"] == "waiting" and recipient.get("reason"):
                return recipient


def bounces(martlet, name, address):
    return [m for m in martlet.messages(name) if b"MAILER-DAEMON" in m and address.encode() in m]


class TwoMartlets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Martlet(start=False, settings=QUICK)
        cls.there = Martlet(domain="other.example", accounts=("carol", "dave"), start=False, settings=QUICK)
        cls.here.mailctl("route", "add", "other.example", "127.0.0.1:%d" % cls.there.port("smtp"))
        cls.there.mailctl("route", "add", "example.org", "127.0.0.1:%d" % cls.here.port("smtp"))
        cls.there.mailctl("alias", "add", "back@other.example", "bob@example.org")
        cls.here.start()
        cls.there.start()

    @classmethod
    def tearDownClass(cls):
        cls.here.close()
        cls.there.close()

    def arrived(self, martlet, name, mark):
        return wait_until(lambda: [m for m in martlet.messages(name) if mark in m], "mail %r for %s\n%s" % (mark, name, self.here.log()[-1500:]))

    def test_messages_arrive_byte_for_byte(self):
        for name, content in samples().items():
            submit(self.here, content, "carol@other.example", tls=(name == "300-KiB"))
        for name, content in samples().items():
            with self.subTest(name):
                got = self.arrived(self.there, "carol", b"Message-ID: <%s@" % name.encode())
                self.assertEqual(len(got), 1)
                self.assertEqual(without_trace(got[0]), content)
                self.assertTrue(got[0].startswith(b"Return-Path: <alice@example.org>\r\n"))

    def test_an_empty_message_arrives_with_the_fields_it_lacked(self):
        submit(self.here, b"", "dave@other.example")
        got = wait_until(lambda: [m for m in self.there.messages("dave") if b"Return-Path: <alice@example.org>" in m], "the empty message")[0]
        rest = without_trace(got)
        self.assertTrue(all(line.split(b":")[0] in (b"Date", b"Message-ID", b"From") for line in rest.split(b"\r\n") if line), rest)

    def test_the_hop_is_encrypted_where_the_other_host_offers_it(self):
        submit(self.here, named("hop", b"over tls\r\n"), "carol@other.example")
        self.arrived(self.there, "carol", b"<hop@")
        said = wait_until(lambda: sent(self.here, "carol@other.example"), "the event")[-1]
        self.assertRegex(said["tls"], r"^TLS1\.[23]$")
        self.assertIn("127.0.0.1", said["host"])
        self.assertIn("250", said["reason"])

    def test_one_message_for_several_recipients_goes_once_to_each(self):
        submit(self.here, named("several", b"x\r\n"), ["carol@other.example", "dave@other.example", "bob@example.org"])
        for martlet, name in ((self.there, "carol"), (self.there, "dave"), (self.here, "bob")):
            self.assertEqual(len(self.arrived(martlet, name, b"<several@")), 1)

    def test_an_alias_of_the_other_host_leads_back_here(self):
        submit(self.here, named("back", b"there and back\r\n"), "back@other.example")
        got = self.arrived(self.here, "bob", b"<back@")[0]
        self.assertEqual(without_trace(got), named("back", b"there and back\r\n"))
        self.assertGreaterEqual(got.count(b"\r\nReceived: "), 3)

    def test_an_unknown_user_there_is_returned_in_plain_words(self):
        submit(self.here, named("unknown", b"x\r\n"), "nobody@other.example")
        bounce = wait_until(lambda: bounces(self.here, "alice", "nobody@other.example"), "the bounce")[0]
        text = bounce.split(b"\r\n\r\n", 1)[1]
        self.assertIn(b"Return-Path: <>\r\n", bounce)
        self.assertIn(b"Your message could not be delivered to the addresses below. It will not be tried again.", text)
        self.assertIn(b"<nobody@other.example>:", text)
        self.assertIn(b"5.1.1", text)
        self.assertIn(b"Message-ID: <unknown@example.org>", text)
        self.assertEqual(waiting(self.here, "nobody@other.example"), None)

    def test_while_the_other_host_is_down_mail_waits_and_is_sent_once(self):
        self.there.mailctl("stop", "smtpd")
        # The supervisor keeps the sockets and lets clients wait; a host that is down refuses them.
        self.there.stop()
        try:
            submit(self.here, named("patience", b"wait\r\n"), "dave@other.example")
            reason = wait_until(lambda: waiting(self.here, "dave@other.example"), "the reason in the queue")
            self.assertIn("connection refused", reason["reason"])
            self.assertTrue(reason["status"].startswith("4."))
            shown = self.here.mailctl("queue", "list").stdout
            self.assertIn("dave@other.example", shown)
            self.assertIn("connection refused", shown)
        finally:
            self.there.start()
        self.here.mailctl("queue", "retry")
        self.arrived(self.there, "dave", b"<patience@")
        wait_until(lambda: not waiting(self.here, "dave@other.example") and self.here.queue() == [], "an empty queue")
        time.sleep(1.5)
        self.assertEqual(len(self.arrived(self.there, "dave", b"<patience@")), 1)

    def test_remoted_may_be_killed_at_any_time(self):
        count = 30
        for number in range(count):
            submit(self.here, named("kill-%d" % number, b"k\r\n" * 3000), "carol@other.example")
            if number % 6 == 3:
                self.here.kill("remoted")
        for number in range(count):
            copies = self.arrived(self.there, "carol", b"<kill-%d@" % number)
            self.assertTrue(all(without_trace(c) == named("kill-%d" % number, b"k\r\n" * 3000) for c in copies))

    def test_a_stopped_remoted_leaves_mail_in_the_queue(self):
        self.here.mailctl("stop", "remoted")
        self.addCleanup(self.here.mailctl, "start", "remoted")
        wait_until(lambda: self.here.status()["remoted"]["state"] != "running", "remoted stopped")
        submit(self.here, named("stopped", b"x\r\n"), "carol@other.example")
        wait_until(lambda: "carol@other.example" in str(self.here.queue()), "the queue shows it")
        self.here.mailctl("start", "remoted")
        self.assertEqual(len(self.arrived(self.there, "carol", b"<stopped@")), 1)



# name: what the server does, what must come of it, what the reason must say.
BEHAVIOURS = {
    "no-service": ({"greeting": "554 5.3.2 no mail here"}, "deferred", "no mail here"),
    "busy": ({"greeting": "421 4.3.2 busy"}, "deferred", "busy"),
    "slams": ({"greeting": None}, "deferred", ""),
    "not-smtp": ({"greeting": b"\x00\xff\x16\x03garbage\r\n\r\n"}, "deferred", "not an SMTP reply"),
    "endless-line": ({"greeting": b"220 " + b"x" * 500000}, "deferred", "not an SMTP reply"),
    "endless-lines": ({"EHLO": b"250-x\r\n" * 100000}, "deferred", "not an SMTP reply"),
    "dripping-greeting": ({"greeting": Drip(b"2", 0.5)}, "deferred", ""),
    "dripping-lines": ({"EHLO": Drip(b"250-x\r\n", 0.5)}, "deferred", "timeout"),
    "ehlo-refused": ({"EHLO": "500 what", "HELO": "550 5.7.1 not you"}, "deferred", "not you"),
    "helo-only": ({"EHLO": "500 what"}, "delivered", ""),
    "mail-4xx": ({"MAIL": "451 4.3.0 later"}, "deferred", "later"),
    "mail-5xx": ({"MAIL": "550 5.7.1 we do not like you"}, "bounced", "we do not like you"),
    "mail-drop": ({"MAIL": None}, "deferred", ""),
    "rcpt-4xx": ({"RCPT": "450 4.2.1 greylisted"}, "deferred", "greylisted"),
    "rcpt-5xx": ({"RCPT": "550 5.1.1 no such user"}, "bounced", "no such user"),
    "rcpt-without-code": ({"RCPT": "550 go away"}, "bounced", "go away"),
    "rcpt-long": ({"RCPT": "".join("550-5.1.1 %s\r\n" % ("long" * 400) for _ in range(98)) + "550 5.1.1 end"}, "bounced", "longlong"),
    "rcpt-odd": ({"RCPT": b"250-ok\r\n550 no\r\n"}, "deferred", "not an SMTP reply"),
    "rcpt-drop": ({"RCPT": None}, "deferred", ""),
    "data-4xx": ({"DATA": "452 4.3.1 full"}, "deferred", "full"),
    "data-5xx": ({"DATA": "554 5.6.0 no data"}, "bounced", "no data"),
    "data-2xx": ({"DATA": "250 fine"}, "deferred", ""),
    "data-drop": ({"DATA": None}, "deferred", ""),
    "content-4xx": ({"content": "451 4.7.1 come again"}, "deferred", "come again"),
    "content-5xx": ({"content": "554 5.7.1 spam"}, "bounced", "spam"),
    "content-garbage": ({"content": b"hello\r\n"}, "deferred", "not an SMTP reply"),
    "content-drop": ({"content": None}, "deferred", ""),
    "quit-drop": ({"QUIT": None}, "delivered", ""),
    "quit-silent": ({"QUIT": b""}, "delivered", ""),
    "talks-ahead": ({"greeting": b"220 hi\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"}, "deferred", ""),
    "starttls-refused": ({"EHLO": "250-x\r\n250 STARTTLS", "STARTTLS": "454 4.7.0 not now"}, "delivered", ""),
    "starttls-injection": ({"EHLO": "250-x\r\n250 STARTTLS", "STARTTLS": b"220 go\r\n250 injected\r\n"}, "deferred", ""),
    "starttls-broken": ({"EHLO": "250-x\r\n250 STARTTLS", "STARTTLS": b"220 go\r\n"}, "delivered", ""),
    "size-limit": ({"EHLO": "250-x\r\n250 SIZE 100"}, "bounced", "limit"),
}


class StrangeServers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = {name: SMTPServer(say) for name, (say, _, _) in BEHAVIOURS.items()}
        cls.servers["early"] = SMTPServer(early=b"552 5.3.4 enough already\r\n")
        cls.servers["mixed"] = SMTPServer({"RCPT": lambda a: "550 5.1.1 unknown" if a.startswith("bad") else "451 4.2.0 later" if a.startswith("slow") else "250 ok"})
        cls.martlet = Martlet(start=False, settings=dict(QUICK, remote={"command_timeout": "3 s"}))
        for name, server in cls.servers.items():
            cls.martlet.mailctl("route", "add", name + ".example", "127.0.0.1:%d" % server.port)
        cls.silent = SMTPServer({"greeting": b""})
        cls.martlet.mailctl("route", "add", "silent.example", "127.0.0.1:%d" % cls.silent.port)
        cls.martlet.start()
        cls.started = cls.martlet.pid("remoted")

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        for server in cls.servers.values():
            server.close()

    def tearDown(self):
        self.assertEqual(self.martlet.pid("remoted"), self.started, "remoted died:\n" + self.martlet.log()[-2000:])

    def test_every_behaviour_has_its_outcome(self):
        for name in BEHAVIOURS:
            submit(self.martlet, named(name, b"x\r\n.\r\n"), "user@%s.example" % name)
        for name, (_, outcome, reason) in BEHAVIOURS.items():
            with self.subTest(name):
                getattr(self, outcome)(name, "user@%s.example" % name, reason)
        for name in BEHAVIOURS:
            with self.subTest("no copy too many: " + name):
                self.assertLessEqual(len(bounces(self.martlet, "alice", "user@%s.example" % name)), 1)

    def deferred(self, name, address, reason):
        entry = wait_until(lambda: waiting(self.martlet, address), "%s put off" % name, 30)
        self.assertIn(reason, entry["reason"])
        self.assertTrue(entry["status"].startswith("4."), entry)
        self.assertEqual(bounces(self.martlet, "alice", address), [])
        self.assertEqual(sent(self.martlet, address), [])

    def bounced(self, name, address, reason):
        bounce = wait_until(lambda: bounces(self.martlet, "alice", address), "%s returned" % name, 30)[0]
        self.assertIn(reason.encode(), bounce)
        self.assertEqual(self.servers[name].messages if name != "content-5xx" else [], [])

    def delivered(self, name, address, reason):
        wait_until(lambda: sent(self.martlet, address), "%s sent" % name, 30)
        messages = self.servers[name].messages
        self.assertEqual(len(messages), 1)
        self.assertEqual(without_trace(messages[0][2]), named(name, b"x\r\n.\r\n"))

    def test_a_refusal_before_the_end_of_the_message_is_heard(self):
        submit(self.martlet, named("early", b"x" * 70 + b"\r\n" * 300000), "user@early.example")
        wait_until(lambda: bounces(self.martlet, "alice", "user@early.example") or waiting(self.martlet, "user@early.example"), "an outcome", 30)

    def test_each_recipient_has_its_own_outcome(self):
        submit(self.martlet, named("mixed", b"x\r\n"), ["good@mixed.example", "bad@mixed.example", "slow@mixed.example"])
        wait_until(lambda: sent(self.martlet, "good@mixed.example"), "good sent")
        wait_until(lambda: bounces(self.martlet, "alice", "bad@mixed.example"), "bad returned")
        wait_until(lambda: waiting(self.martlet, "slow@mixed.example"), "slow put off")
        time.sleep(2.5)
        self.assertEqual([m[1] for m in self.servers["mixed"].messages], [["good@mixed.example"]])
        self.assertEqual(len(bounces(self.martlet, "alice", "bad@mixed.example")), 1)

    def test_a_silent_server_is_given_up(self):
        submit(self.martlet, named("silent", b"x\r\n"), "user@silent.example")
        self.assertIn("timeout", wait_until(lambda: waiting(self.martlet, "user@silent.example"), "put off", 30)["reason"])


class Stopping(unittest.TestCase):
    def test_a_stop_gives_up_what_has_not_begun_and_the_next_start_sends_it(self):
        hanging = SMTPServer({"MAIL": b""})
        with Martlet(start=False) as martlet:
            martlet.mailctl("route", "add", "hanging.example", "127.0.0.1:%d" % hanging.port)
            martlet.start()
            submit(martlet, named("hanging", b"x\r\n"), "user@hanging.example")
            wait_until(lambda: any(b"MAIL" in b" ".join(d.commands) for d in hanging.dialogues), "MAIL said")
            began = time.monotonic()
            martlet.mailctl("stop", "remoted")
            wait_until(lambda: martlet.status()["remoted"]["state"] != "running", "remoted stopped")
            self.assertLess(time.monotonic() - began, 8)
            self.assertEqual(events(martlet, "remoted", "temporary"), [])
            hanging.say = {}
            martlet.mailctl("start", "remoted")
            wait_until(lambda: sent(martlet, "user@hanging.example"), "sent after the start\n" + martlet.log()[-1500:])
        hanging.close()
        self.assertEqual(len(hanging.messages), 1)


class OpportunisticTLS(unittest.TestCase):
    def test_a_self_signed_certificate_serves(self):
        with tempfile.TemporaryDirectory() as folder, Martlet(start=False, settings=QUICK) as martlet:
            key, certificate = folder + "/key.pem", folder + "/certificate.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                            "-subj", "/CN=somebody.else.example"], check=True, capture_output=True)
            server = SMTPServer(certificate=(certificate, key))
            martlet.mailctl("route", "add", "secure.example", "127.0.0.1:%d" % server.port)
            martlet.start()
            submit(martlet, named("secure", b"secret\r\n"), "user@secure.example")
            said = wait_until(lambda: sent(martlet, "user@secure.example"), "sent\n" + martlet.log()[-1500:])[0]
            server.close()
        self.assertEqual(len(server.messages), 1)
        self.assertRegex(server.messages[0][3], "^TLSv1")
        self.assertRegex(said["tls"], r"^TLS1\.[23]$")
        commands = [re.split(b"[ :]", c)[0] for c in server.dialogues[0].commands]
        self.assertEqual(commands[:3], [b"EHLO", b"STARTTLS", b"EHLO"])


class Names(unittest.TestCase):
    """MX, A and their absence. Servers share one port and differ by loopback address."""

    @classmethod
    def setUpClass(cls):
        cls.first = SMTPServer(address="127.0.0.1")
        port = cls.first.port
        cls.second = SMTPServer(address="127.0.0.2", port=port)
        cls.dns = NameServer({
            ("preferred.example", MX): [(20, "mx2.names.example"), (10, "mx1.names.example")],
            ("second.example", MX): [(10, "dead.names.example"), (20, "mx2.names.example")],
            ("refusing.example", MX): [(10, "refusing.names.example"), (20, "mx2.names.example")],
            ("no-mx.example", A): ["127.0.0.1"],
            ("null.example", MX): [(0, "")],
            ("lost.example", MX): [(10, "nowhere.names.example")],
            ("odd.example", MX): [(10, "-odd-.names.example")],
            ("odd.example", A): ["127.0.0.1"],
            ("unsure.example", MX): [(10, "broken.names.example")],
            ("mx1.names.example", A): ["127.0.0.1"],
            ("mx2.names.example", A): ["127.0.0.2"],
            ("dead.names.example", A): ["127.0.0.9"],
            ("refusing.names.example", A): ["127.0.0.3"],
        }, failing=["servfail.example", "broken.names.example"])
        cls.refusing = SMTPServer({"greeting": "554 5.3.2 no service"}, address="127.0.0.3", port=port)
        cls.martlet = Martlet(settings=dict(QUICK, dns={"servers": ["127.0.0.1:%d" % cls.dns.port]}, remote={"port": port}))

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        for server in (cls.first, cls.second, cls.refusing, cls.dns):
            server.close()

    def send(self, domain):
        submit(self.martlet, named(domain, b"x\r\n"), "user@" + domain)
        return "user@" + domain

    def assertTaken(self, domain, server, host):
        address = self.send(domain)
        said = wait_until(lambda: sent(self.martlet, address), "sent\n" + self.martlet.log()[-1500:])[0]
        self.assertEqual([m for m in server.messages if m[1] == [address]].__len__(), 1)
        self.assertIn(host, said["host"])

    def assertReturned(self, domain, *words):
        address = self.send(domain)
        bounce = wait_until(lambda: bounces(self.martlet, "alice", address), "the bounce\n" + self.martlet.log()[-1500:])[0]
        for word in words:
            self.assertIn(word.encode(), bounce)

    def test_the_lowest_preference_comes_first(self):
        self.assertTaken("preferred.example", self.first, "mx1.names.example")

    def test_the_next_exchanger_takes_over_from_a_dead_one(self):
        self.assertTaken("second.example", self.second, "mx2.names.example")

    def test_the_next_exchanger_takes_over_from_one_that_refuses_to_talk(self):
        self.assertTaken("refusing.example", self.second, "mx2.names.example")

    def test_without_mx_the_address_is_used(self):
        self.assertTaken("no-mx.example", self.first, "no-mx.example")

    def test_an_address_literal_is_its_own_host(self):
        submit(self.martlet, named("literal", b"x\r\n"), "user@[127.0.0.2]")
        wait_until(lambda: [m for m in self.second.messages if m[1] == ["user@[127.0.0.2]"]], "sent")

    def test_a_null_mx_is_returned(self):
        self.assertReturned("null.example", "5.1.10", "takes no mail")

    def test_a_domain_that_does_not_exist_is_returned(self):
        self.assertReturned("missing.example", "5.1.2", "there is no domain missing.example")

    def test_an_exchanger_without_address_is_returned(self):
        self.assertReturned("lost.example", "5.4.4", "nowhere.names.example")

    def test_when_dns_fails_mail_waits(self):
        for domain in ("servfail.example", "unsure.example"):
            address = self.send(domain)
            entry = wait_until(lambda: waiting(self.martlet, address), domain + " put off")
            self.assertEqual(entry["status"], "4.4.3")
            self.assertEqual(bounces(self.martlet, "alice", address), [])

    def test_a_domain_with_unusable_exchangers_waits_and_its_address_is_not_used(self):
        address = self.send("odd.example")
        found = wait_until(lambda: waiting(self.martlet, address), "the reason\n" + self.martlet.log()[-1500:])
        self.assertTrue(found["status"].startswith("4."))
        self.assertEqual([m for m in self.first.messages if m[1] == [address]], [])

    def test_a_route_to_a_host_that_does_not_exist_waits_for_the_administrator(self):
        # For a moment queued has not heard of the route, and DNS must not end the message then.
        self.dns.failing.add("routed.example")
        self.martlet.mailctl("route", "add", "routed.example", "no-such-host.names.example:25")
        address = self.send("routed.example")
        wait_until(lambda: (waiting(self.martlet, address) or {}).get("status") == "4.4.4", lambda: "the reason: %r" % self.martlet.queue())
        self.martlet.mailctl("route", "remove", "routed.example")
        self.martlet.mailctl("route", "add", "routed.example", "127.0.0.1:%d" % self.first.port)
        wait_until(lambda: sent(self.martlet, address), "sent\n" + self.martlet.log()[-1500:])

    def test_a_domain_comes_back_when_dns_does(self):
        self.dns.failing.add("returning.example")
        address = self.send("returning.example")
        wait_until(lambda: waiting(self.martlet, address), "put off")
        self.dns.records[("returning.example", MX)] = [(5, "mx1.names.example")]
        self.dns.failing.discard("returning.example")
        self.martlet.mailctl("queue", "retry")
        wait_until(lambda: sent(self.martlet, address), "sent at last")


if __name__ == "__main__":
    unittest.main()
