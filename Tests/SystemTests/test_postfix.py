"""Mail to Postfix and from Postfix, compared byte by byte."""
import smtplib
import unittest

import postfix
from mail_samples import samples, send, submit, without_trace
from martlet import PATIENCE, Martlet, wait_until
from test_remote import QUICK, bounces, sent


@unittest.skipIf(postfix.missing(), postfix.missing())
class WithPostfix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(start=False, settings=QUICK)
        cls.peer = postfix.Postfix({"example.org": cls.martlet.port("smtp")})
        cls.martlet.mailctl("route", "add", "postfix.example", "127.0.0.1:%d" % cls.peer.port)
        cls.martlet.start()

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        cls.peer.close()

    def expect(self, messages, name, content):
        mark = b"Message-ID: <%s@" % name.encode()
        got = wait_until(lambda: [m for m in messages() if mark in m], "%s\n%s\n%s" % (name, self.martlet.log()[-1500:], self.peer.log()[-1500:]))
        self.assertEqual(len(got), 1)
        self.assertEqual(without_trace(got[0]), content)

    def test_messages_to_postfix_arrive_byte_for_byte(self):
        for name, content in samples().items():
            submit(self.martlet, content, "carol@postfix.example")
        for name, content in samples().items():
            with self.subTest(name):
                self.expect(self.peer.messages, name, content)
        said = wait_until(lambda: sent(self.martlet, "carol@postfix.example"), "sent")
        self.assertTrue(all(e["tls"].startswith("TLS1.") for e in said), said)

    def test_messages_from_postfix_arrive_byte_for_byte(self):
        with smtplib.SMTP("127.0.0.1", self.peer.port, timeout=PATIENCE) as client:
            client.ehlo()
            for content in samples().values():
                send(client, content, "carol@postfix.example", ["bob@example.org"])
        for name, content in samples().items():
            with self.subTest(name):
                self.expect(lambda: self.martlet.messages("bob"), name, content)
        self.assertTrue(any(b"ESMTPS (TLS" in m for m in self.martlet.messages("bob")))

    def test_an_unknown_user_at_postfix_is_returned(self):
        submit(self.martlet, samples()["plain"], "nobody@postfix.example")
        bounce = wait_until(lambda: bounces(self.martlet, "alice", "nobody@postfix.example"), "the bounce")[0]
        self.assertIn(b"5.1.1", bounce)

    def test_postfix_returns_what_martlet_refuses(self):
        with smtplib.SMTP("127.0.0.1", self.peer.port, timeout=PATIENCE) as client:
            client.ehlo()
            send(client, samples()["plain"], "carol@postfix.example", ["nobody@example.org"])
        got = wait_until(lambda: [m for m in self.peer.messages() if b"nobody@example.org" in m], "Postfix's bounce\n" + self.peer.log()[-2000:])
        self.assertIn(b"5.1.1", got[0])


if __name__ == "__main__":
    unittest.main()
