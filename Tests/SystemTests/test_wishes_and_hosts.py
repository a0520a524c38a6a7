"""What a sender asked for where a domain has several hosts: TLS that some of them lack, and a time that passes between them."""
import os
import tempfile
import time
import unittest

from mail_samples import named, without_trace
from martlet import Martlet, wait_until
from servers import A, MX, NameServer, SMTPServer
from test_extensions import certificate, client, transaction
from test_remote import QUICK, bounces, events, sent, waiting


class SeveralHosts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        os.chmod(cls.folder.name, 0o755)
        roots, pair = certificate(cls.folder.name, "lacking.peer.example,DNS:both.peer.example")
        # Without REQUIRETLS; silent; one that breaks the handshake and is busy in clear; and one that does all.
        cls.lacking = SMTPServer(offers=("PIPELINING",), certificate=pair, address="127.0.3.1")
        port = cls.lacking.port
        cls.silent = SMTPServer({"greeting": b""}, address="127.0.3.2", port=port)
        cls.broken = SMTPServer({"EHLO": lambda _: cls.broken_hello(), "STARTTLS": b"220 go\r\n"}, address="127.0.3.3", port=port)
        cls.full = SMTPServer(offers=("PIPELINING", "REQUIRETLS", "DELIVERBY"), certificate=pair, address="127.0.3.4", port=port)
        addresses = {"lacking": ["127.0.3.1"], "both": ["127.0.3.9", "127.0.3.1"], "silent": ["127.0.3.2"], "full": ["127.0.3.4"], "broken": ["127.0.3.3"]}
        records = {("%s.peer.example" % name, A): found for name, found in addresses.items()}
        records[("late.example", MX)] = [(10, "silent.peer.example"), (20, "full.peer.example")]
        records[("half.example", MX)] = [(10, "broken.peer.example"), (20, "full.peer.example")]
        cls.dns = NameServer(records)
        cls.here = Martlet(start=False, settings=dict(QUICK, dns={"servers": ["127.0.0.1:%d" % cls.dns.port]}, remote={"port": port, "command_timeout": "3 s", "roots": roots}))
        cls.here.mailctl("route", "add", "lacking.example", "lacking.peer.example:%d" % port)
        cls.here.mailctl("route", "add", "doubt.example", "both.peer.example:%d" % port)
        cls.here.start()

    @classmethod
    def broken_hello(cls):
        """Offers STARTTLS first; when the client comes again in clear it is busy."""
        return "250-test\r\n250 STARTTLS" if len(cls.broken.dialogues) < 2 else "421 4.3.2 busy"

    @classmethod
    def tearDownClass(cls):
        cls.here.close()
        for one in (cls.lacking, cls.silent, cls.broken, cls.full, cls.dns):
            one.close()
        cls.folder.cleanup()

    def send(self, name, recipient, mail="", tls=False):
        smtp = client(self.here, tls=tls)
        transaction(smtp, "alice@example.org", [recipient], named(name, b"x\r\n"), mail)
        smtp.quit()

    def test_where_one_host_lacks_requiretls_and_another_cannot_be_asked_nothing_is_final(self):
        self.send("lacking", "user@lacking.example", " REQUIRETLS", tls=True)
        bounce = wait_until(lambda: bounces(self.here, "alice", "user@lacking.example"), lambda: "the bounce: %r" % self.here.queue())[0]
        self.assertIn(b"Status: 5.7.30\r\n", bounce)
        self.send("doubt", "user@doubt.example", " REQUIRETLS", tls=True)
        entry = wait_until(lambda: waiting(self.here, "user@doubt.example"), lambda: "put off: %r" % self.here.queue())
        self.assertEqual(entry["status"], "4.7.30")
        self.assertEqual(bounces(self.here, "alice", "user@doubt.example"), [])
        self.assertEqual(self.lacking.messages, [])

    def test_what_became_late_while_its_agent_was_away_goes_to_nobody(self):
        self.here.mailctl("stop", "remoted")
        self.addCleanup(self.here.mailctl, "start", "remoted")
        wait_until(lambda: self.here.status()["remoted"]["state"] != "running", "remoted stopped")
        self.send("away", "user@late.example", " BY=2;R")
        wait_until(lambda: [e for e in events(self.here, "queued", "assign") if e.get("final") == "user@late.example"], "assigned")
        accepted = wait_until(lambda: [e for e in events(self.here, "submission", "accept") if "<away@" in e.get("msgid", "")], "the record")[0]
        wait_until(lambda: time.time() > float(accepted["at"]) + 3, "its time is over")
        self.here.mailctl("start", "remoted")
        self.assertComesBackLate("away", "user@late.example")

    def test_what_becomes_late_at_the_first_host_does_not_go_to_the_next(self):
        self.send("silent", "other@late.example", " BY=2;R")
        self.assertComesBackLate("silent", "other@late.example")

    def assertComesBackLate(self, name, address):
        bounce = wait_until(lambda: bounces(self.here, "alice", address), lambda: "the bounce: %r" % self.here.queue())[0]
        self.assertIn(b"Status: 5.4.7\r\n", bounce)
        self.assertIn(b"within the time that its sender allowed", bounce)
        self.assertEqual([m for m in self.full.messages if m[1] == [address]], [])
        self.assertEqual(sent(self.here, address), [])

    def test_that_one_host_cannot_encrypt_says_nothing_of_the_next(self):
        self.send("encrypted", "user@half.example")
        said = wait_until(lambda: sent(self.here, "user@half.example"), lambda: "sent: %r" % self.here.queue())[0]
        self.assertEqual(len(self.broken.dialogues), 2)
        self.assertRegex(said["tls"], r"^TLS1\.[23]")
        taken = [m for m in self.full.messages if m[1] == ["user@half.example"]]
        self.assertEqual([without_trace(m[2]) for m in taken], [named("encrypted", b"x\r\n")])
        self.assertTrue(taken[0][3], "in clear")


if __name__ == "__main__":
    unittest.main()
