"""Other mail systems send to port 25, under TLS, and what arrives is what they were given. Postfix is in test_postfix.py."""
import smtplib
import unittest

import sendingpeers
from mail_samples import samples, send, without_trace
from martlet import PATIENCE, Martlet, wait_until


class SendingPeer:
    peer_class = None

    @classmethod
    def setUpClass(cls):
        if reason := sendingpeers.missing(cls.peer_class.package):
            raise unittest.SkipTest(reason)
        cls.martlet = Martlet(accounts=("bob", "carol"))
        cls.peer = None
        try:
            cls.peer = cls.peer_class(cls.martlet.port("smtp"))
        except BaseException:
            cls.martlet.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.peer.close()
        cls.martlet.close()

    def give(self, content, recipient):
        raise NotImplementedError

    def test_messages_arrive_byte_for_byte(self):
        sent = {name: content for name, content in samples().items() if name not in self.changes}
        for content in sent.values():
            self.give(content, "bob@example.org")
        def arrived(name):
            return [m for m in self.martlet.messages("bob") if b"Message-ID: <%s@" % name.encode() in m]
        for name, content in sent.items():
            with self.subTest(name):
                got = wait_until(lambda: arrived(name), lambda: "%s\n%s\n%s" % (name, self.martlet.log()[-1500:], self.peer.log()[-3000:]))
                self.assertEqual(len(got), 1)
                self.assertEqual(without_trace(got[0]), content)
                self.assertIn(b"ESMTPS (TLS", b" ".join(got[0].split()))
                self.assertIn(self.peer_name, got[0])

    # Samples that this peer does not send as they are.
    changes = ()


class FromExim(SendingPeer, unittest.TestCase):
    peer_class, peer_name = sendingpeers.Exim, b"exim.example"

    def give(self, content, recipient):
        self.peer.send(content, "carol@exim.example", recipient)

    def test_what_is_refused_for_good_is_returned(self):
        """To a sender here, so that the notice of Exim comes back to where we can see it."""
        self.peer.send(samples()["plain"], "carol@example.org", "nobody@example.org")
        notice = wait_until(lambda: [m for m in self.martlet.messages("carol") if b"nobody@example.org" in m], lambda: "Exim's notice\n" + self.peer.log()[-3000:])
        self.assertIn(b"5.1.1", notice[0])


class FromOpenSMTPD(SendingPeer, unittest.TestCase):
    peer_class, peer_name = sendingpeers.OpenSMTPD, b"opensmtpd.example"

    def give(self, content, recipient):
        with smtplib.SMTP("127.0.0.1", self.peer.own, timeout=PATIENCE) as client:
            client.ehlo()
            send(client, content, "carol@opensmtpd.example", [recipient])


if __name__ == "__main__":
    unittest.main()
