"""Other mail systems take our mail, found by MX: Postfix, Exim, OpenSMTPD and smtp-sink. What arrives is what was sent, and what was asked goes with it."""
import email
import re
import unittest

import postfix
import receivingpeers
import sendingpeers
from mail_samples import named, samples, submit, without_trace
from martlet import Martlet, wait_until
from servers import A, MX, NameServer
from test_extensions import client, transaction
from test_remote import QUICK, bounces, events, sent, waiting


def contents():
    """The samples, and what is large."""
    return dict(samples(), **{"2-MiB": named("2-MiB", b"".join(b".%07d %s\r\n" % (number, b"two mebibytes of it" * 3) for number in range(31600)))})


def records(peer):
    """The peer's domain, with an exchanger that is dead before the one that takes mail."""
    host = "mx." + peer.domain
    return {(peer.domain, MX): [(10, "dead." + peer.domain), (20, host)], (host, A): [peer.address], ("dead." + peer.domain, A): ["127.0.0.99"]}


class ReceivingPeer:
    peer_class, options = None, ()
    # Samples that this peer changes, and why.
    changes = ()
    has_tls = True
    # What its reply to an unknown name says, and what its notice repeats of the sender's words.
    unknown, repeats = b"5.1.1", (b"three@old.example", b"order")

    @staticmethod
    def why_not():
        return None

    @classmethod
    def setUpClass(cls):
        if reason := cls.why_not():
            raise unittest.SkipTest(reason)
        cls.martlet = Martlet(start=False, settings=QUICK)
        cls.peer = cls.dns = None
        try:
            cls.peer = cls.peer_class(cls.martlet.port("smtp"), *cls.options)
            cls.dns = NameServer(records(cls.peer))
            cls.martlet.change_settings({"dns": {"servers": ["127.0.0.1:%d" % cls.dns.port]}, "remote": {"port": cls.peer.own}})
            cls.martlet.start()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        for other in filter(None, (cls.peer, cls.dns)):
            other.close()

    def address(self, name="carol"):
        return "%s@%s" % (name, self.peer.domain)

    def state(self):
        return "%r\n%s\n%s" % (self.martlet.queue()[:3], self.martlet.log()[-1500:], self.peer.log()[-3000:])

    def arrived(self, name, to="carol"):
        mark = b"Message-ID: <%s@" % name.encode()
        return wait_until(lambda: [m for m in self.peer.messages(to) if mark in m], lambda: "%s for %s\n%s" % (name, to, self.state()))

    def test_messages_arrive_byte_for_byte(self):
        sent_ones = {name: content for name, content in contents().items() if name not in self.changes}
        for content in sent_ones.values():
            submit(self.martlet, content, self.address())
        for name, content in sent_ones.items():
            with self.subTest(name):
                got = self.arrived(name)
                self.assertEqual(len(got), 1)
                self.assertEqual(without_trace(got[0]), content)
        said = wait_until(lambda: sent(self.martlet, self.address()), self.state)
        for event in said:
            self.assertRegex(event["tls"], r"^TLS1\.[23]" if self.has_tls else "^none$")
            self.assertIn("mx." + self.peer.domain, event["host"])

    def test_many_recipients_are_sent_a_hundred_at_a_time_and_each_has_it_once(self):
        submit(self.martlet, named("many", b"x\r\n"), [self.address(name) for name in receivingpeers.MANY])
        wait_until(lambda: {e["final"] for e in events(self.martlet, "remoted", "sent")} >= {self.address(name) for name in receivingpeers.MANY}, self.state)
        for name in receivingpeers.MANY:
            self.assertEqual([without_trace(m) for m in self.arrived("many", name)], [named("many", b"x\r\n")], name)
        # It is said within a second, and mail is faster than that.
        accepted = wait_until(lambda: [e["id"] for e in events(self.martlet, "submission", "accept") if "<many@" in e.get("msgid", "")], self.state)
        replies = [e["reason"] for e in events(self.martlet, "remoted", "sent") if e["id"] in accepted]
        self.assertEqual(len(replies), 250)
        self.assertGreaterEqual(len(set(replies)), 3, "transactions")

    def test_one_bad_recipient_among_good_ones_comes_back_alone(self):
        submit(self.martlet, named("mixed", b"x\r\n"), [self.address("u1"), self.address("nobody"), self.address("u2")])
        for name in ("u1", "u2"):
            self.assertEqual(len(self.arrived("mixed", name)), 1)
        bounce = wait_until(lambda: bounces(self.martlet, "alice", self.address("nobody")), self.state)
        self.assertEqual(len(bounce), 1)
        self.assertIn(self.unknown, bounce[0], bounce[0].split(b"Diagnostic-Code", 1)[-1][:200])
        self.assertNotIn(self.address("u1").encode(), bounce[0])

    def test_a_notice_that_was_asked_for_is_the_peers_to_send(self):
        transaction(client(self.martlet), "alice@example.org", [self.address("u3")], named("asked", b"x\r\n"), mail=" RET=HDRS ENVID=order+2B7",
                    rcpt=" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;three@old.example")
        self.assertEqual(len(self.arrived("asked", "u3")), 1)
        def notices():
            return [m for m in self.martlet.messages("alice") if self.address("u3").encode() in m]
        notice = wait_until(notices, lambda: "the notice\n" + self.state())
        self.assertEqual(len(notice), 1)
        self.assertRegex(notice[0], rb"(?i)Action: delivered\r\n")
        for word in self.repeats:
            self.assertIn(word, notice[0])
        self.assertIn(self.peer.domain.encode(), notice[0].split(b"\r\n\r\n")[0])
        wait_until(lambda: self.martlet.queue() == [], self.state)
        self.assertEqual(len(notices()), 1, "ours and theirs")


class ToPostfix(ReceivingPeer, unittest.TestCase):
    peer_class = receivingpeers.Postfix

    @staticmethod
    def why_not():
        return postfix.missing()


class ToExim(ReceivingPeer, unittest.TestCase):
    peer_class = receivingpeers.Exim

    @staticmethod
    def why_not():
        return sendingpeers.missing("exim4-daemon-light")


class ToOpenSMTPD(ReceivingPeer, unittest.TestCase):
    """It has no PIPELINING. Its STARTTLS breaks in the handshake (Debian's 6.8 cannot use its key with OpenSSL 3), after which mail goes in clear."""

    peer_class, has_tls = receivingpeers.OpenSMTPD, False
    unknown, repeats = b"nobody@opensmtpd.example", ()

    @staticmethod
    def why_not():
        return sendingpeers.missing("opensmtpd")


def seen(content, takes_eight):
    """The bytes themselves, or what a reader sees where 8-bit content is said in 7 bits for the server."""
    if takes_eight:
        return content
    message = email.message_from_bytes(content)
    return content if message.is_multipart() else (message["Subject"] or "").encode() + b": " + message.get_payload(decode=True)


class ToSmtpSink(unittest.TestCase):
    """What a server lacks takes nothing from a message: one that has everything, one that has only HELO, one without pipelining, one that is slow."""

    SINKS = {"full.example": (), "helo.example": ("-e",), "plain.example": ("-p", "-8"), "slow.example": ("-w", "1")}

    @classmethod
    def setUpClass(cls):
        if not receivingpeers.Sink.program():
            raise unittest.SkipTest("there is no smtp-sink here")
        cls.sinks = {domain: receivingpeers.Sink(None, *options) for domain, options in cls.SINKS.items()}
        cls.martlet = Martlet(start=False, settings=QUICK)
        for domain, sink in cls.sinks.items():
            cls.martlet.mailctl("route", "add", domain, "%s:%d" % (sink.address, sink.own))
        cls.martlet.start()

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        for sink in cls.sinks.values():
            sink.close()

    def taken(self, domain):
        """What the sink wrote: the arguments of MAIL and RCPT, and the message with CRLF again; it adds an empty line."""
        found = []
        for dump in self.sinks[domain].dumps():
            head, message = re.match(rb"((?:X-[^\n]*\n)*)(.*)\n\Z", dump, re.S).groups()
            found.append((re.findall(rb"X-Mail-Args: (.*)\n", head), re.findall(rb"X-Rcpt-Args: <(.*?)>", head), without_trace(message.replace(b"\n", b"\r\n"))))
        return found

    def test_messages_arrive_byte_for_byte(self):
        given = samples()
        for domain in self.SINKS:
            for content in given.values():
                submit(self.martlet, content, "carol@" + domain)
        for domain in self.SINKS:
            wait_until(lambda: len(sent(self.martlet, "carol@" + domain)) >= len(given), lambda: "%s\n%r" % (domain, self.martlet.queue()[:3]))
            with self.subTest(domain):
                takes_eight = domain in ("full.example", "slow.example")
                taken = [content for _, _, content in self.taken(domain) if b"<many-" not in content]
                self.assertEqual(sorted(seen(c, takes_eight) for c in taken), sorted(seen(c, takes_eight) for c in given.values()))
                self.assertTrue(takes_eight or all(c.isascii() for c in taken))
                arguments = {argument for mail, _, _ in self.taken(domain) for argument in mail}
                self.assertEqual(any(b"BODY=8BITMIME" in a for a in arguments), takes_eight, arguments)

    def test_many_recipients_are_sent_a_hundred_at_a_time(self):
        for domain in ("full.example", "plain.example"):
            everybody = ["u%d@%s" % (number, domain) for number in range(250)]
            submit(self.martlet, named("many-" + domain, b"x\r\n"), everybody)
            wait_until(lambda: {e["final"] for e in events(self.martlet, "remoted", "sent")} >= set(everybody), lambda: repr(self.martlet.queue()[:3]))
            groups = [recipients for _, recipients, content in self.taken(domain) if b"<many-" in content]
            self.assertEqual(sorted(map(len, groups)), [50, 100, 100])
            self.assertEqual(sorted(r.decode() for group in groups for r in group), sorted(everybody))


if __name__ == "__main__":
    unittest.main()
