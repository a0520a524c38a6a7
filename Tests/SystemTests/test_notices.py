"""What a sender hears of his message, as people read it and as programs that are not ours do; and content that a server cannot take."""
import email
import email.policy
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from mail_samples import named
from martlet import Martlet, wait_until
from servers import SMTPServer
from test_extensions import client, say, transaction
from test_remote import events

QUICK = {"retry": {"initial": "1 s", "maximum": "1 s"}}

# domain: what its server says to RCPT; the status in the notice, words of the part for people, what sisimai calls it.
REFUSALS = {
    "unknown.example": ("550 5.1.1 no such user here", "5.1.1", "There is no such mailbox at unknown.example", {"userunknown"}),
    "full.example": ("552 5.2.2 mailbox is full", "5.2.2", "The mailbox at full.example is full", {"mailboxfull"}),
    "large.example": ("552 5.3.4 message too big", "5.3.4", "larger than large.example takes", {"mesgtoobig", "exceedlimit"}),
    "closed.example": ("550 5.2.1 mailbox is disabled", "5.2.1", "takes no mail now or from you", {"suspend", "filtered", "userunknown", "mailboxfull"}),
    "policy.example": ("550 5.7.1 we do not like you", "5.7.1", "refuses the message by its own rules", {"policyviolation", "rejected", "securityerror", "spamdetected", "blocked", "norelaying", "filtered"}),
    "proof.example": ("550 5.7.26 fails DMARC", "5.7.26", "make sure that the message comes from whom it says", {"authfailure", "policyviolation", "securityerror"}),
    "bare.example": ("550 go away", "5.0.0", "no reason was given", {"rejected", "onhold", "undefined", "userunknown", "policyviolation", "blocked", "filtered"}),
    "lines.example": ("550-5.1.1 there is nobody\r\n550 5.1.1 of that name", "5.1.1", "There is no such mailbox at lines.example", {"userunknown"}),
}


def report(raw):
    """A notice as Python's parser sees it: the message, its words, the fields of each group of its machine part."""
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    assert message.get_content_type() == "multipart/report" and not any(part.defects for part in message.walk()), raw.decode()
    words, machine = message.get_payload(0), message.get_payload(1)
    groups = machine.get_payload()
    if machine.get_content_type() == "message/global-delivery-status":
        # A type that this parser takes for a message: its blocks are fields all the same.
        block = raw.split(b"message/global-delivery-status", 1)[1].split(b"\r\n\r\n", 1)[1].split(b"\r\n--", 1)[0]
        groups = [email.message_from_bytes(group, policy=email.policy.SMTPUTF8) for group in block.split(b"\r\n\r\n")]
    return message, words.get_payload(decode=True).decode(), groups


def sisimai(raws):
    """What Debian's libsisimai-perl makes of notices: a list of dictionaries."""
    with tempfile.TemporaryDirectory() as folder:
        for number, raw in enumerate(raws):
            with open(os.path.join(folder, "%d.eml" % number), "wb") as file:
                file.write(raw.replace(b"\r\n", b"\n"))
        said = subprocess.run(["perl", "-MSisimai", "-e", "print Sisimai->dump($ARGV[0], delivered => 1)", folder], check=True, capture_output=True)
        return json.loads(said.stdout or b"[]")


class Case(unittest.TestCase):
    def sent(self, name, recipient, mail="", rcpt="", content=None, sender="alice@example.org"):
        smtp = client(self.here)
        content = re.sub(rb"(?m)^\.", b"..", content if content is not None else named(name, b"x\r\n"))
        transaction(smtp, sender, [recipient], content, mail, rcpt)
        smtp.quit()

    def notice(self, name, words=b"", account="alice"):
        def found():
            return [m for m in self.here.messages(account) if b"MAILER-DAEMON" in m and b"<%s@" % name.encode() in m and words in m]
        return wait_until(found, lambda: "a notice about %s\n%s" % (name, self.here.log()[-2000:]), 60)[0]


class Refused(Case):
    @classmethod
    def setUpClass(cls):
        cls.here = Martlet(start=False, settings=QUICK)
        cls.servers = {domain: SMTPServer({"RCPT": said[0]}) for domain, said in REFUSALS.items()}
        for domain, server in cls.servers.items():
            cls.here.mailctl("route", "add", domain, "127.0.0.1:%d" % server.port)
        cls.here.start()

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers.values():
            server.close()
        cls.here.close()

    def test_each_refusal_is_told_in_words_and_read_by_other_programs(self):
        raws = {}
        for domain in REFUSALS:
            self.sent(domain, "user@" + domain, rcpt=" ORCPT=rfc822;first@" + domain)
        for domain, (said, status, words, reasons) in REFUSALS.items():
            with self.subTest(domain):
                raw = raws[domain] = self.notice(domain)
                message, text, machine = report(raw)
                plain = " ".join(text.split())
                self.assertIn(words, plain)
                self.assertIn("It was tried once, on ", plain)
                self.assertIn("What you can do: ", plain)
                self.assertIn("The host [127.0.0.1]:%d said:" % self.servers[domain].port, plain)
                reply = "550 5.1.1 there is nobody 5.1.1 of that name" if "\r\n" in said else said
                self.assertIn("%s (%s)" % (reply, status), plain)
                self.assertTrue(all(len(line) <= 100 for line in text.splitlines()), text)
                whole, each = machine
                self.assertEqual(whole["Reporting-MTA"].split(";")[0], "dns")
                self.assertTrue(whole["Arrival-Date"])
                self.assertEqual(each["Original-Recipient"], "rfc822; first@" + domain)
                self.assertEqual(each["Final-Recipient"], "rfc822; user@" + domain)
                self.assertEqual((each["Action"], each["Status"]), ("failed", status))
                self.assertEqual(each["Remote-MTA"], "dns; [127.0.0.1]:%d" % self.servers[domain].port)
                self.assertEqual(" ".join(each["Diagnostic-Code"].split()), "smtp; " + reply)
                self.assertTrue(each["Last-Attempt-Date"])
                self.assertIsNone(each["Will-Retry-Until"])
                self.assertEqual(message["In-Reply-To"], "<%s@example.org>" % domain)
                self.assertEqual(message["Auto-Submitted"], "auto-replied")
        if not shutil.which("perl") or subprocess.run(["perl", "-MSisimai", "-e", "1"], capture_output=True).returncode:
            self.skipTest("libsisimai-perl is not installed")
        found = {entry["recipient"]: entry for entry in sisimai(list(raws.values()))}
        for domain, (said, status, words, reasons) in REFUSALS.items():
            with self.subTest("sisimai: " + domain):
                entry = found["user@" + domain]
                self.assertIn(entry["reason"], reasons)
                if status != "5.0.0":
                    self.assertEqual(entry["deliverystatus"], status)
                self.assertEqual(entry["action"], "failed")
                self.assertEqual(entry["addresser"], "alice@example.org")

    def test_what_comes_back_is_as_long_as_was_asked_and_no_longer(self):
        self.sent("all", "user@unknown.example", mail=" RET=FULL", content=named("all", b"every word\r\n"))
        self.assertEqual(report(self.notice("all"))[0].get_payload(2).get_content_type(), "message/rfc822")
        self.sent("head", "user@unknown.example", mail=" RET=HDRS", content=named("head", b"every word\r\n"))
        self.assertEqual(report(self.notice("head"))[0].get_payload(2).get_content_type(), "text/rfc822-headers")
        self.sent("much", "user@unknown.example", mail=" RET=FULL", content=named("much", b"every word\r\n" * 100000))
        raw = self.notice("much")
        self.assertEqual(report(raw)[0].get_payload(2).get_content_type(), "text/rfc822-headers")
        self.assertLess(len(raw), 20000)


class Late(Case):
    def test_a_delay_and_the_end_of_it_tell_when_it_was_tried(self):
        retry = {"initial": "1 s", "maximum": "1 s", "delay_notice": "2 s", "give_up": "9 s", "jitter": 0}
        self.here = Martlet(start=False, settings={"retry": retry})
        self.addCleanup(self.here.close)
        server = SMTPServer({"RCPT": "450 4.2.0 come back later"})
        self.addCleanup(server.close)
        self.here.mailctl("route", "add", "later.example", "127.0.0.1:%d" % server.port)
        self.here.mailctl("route", "add", "dead.example", "127.0.0.1:1")
        self.here.start()
        self.sent("late", "user@later.example")
        self.sent("dead", "user@dead.example")
        raws = {}
        for name, reply in (("late", "the last reply was: 450 4.2.0 come back later"), ("dead", "connection refused")):
            message, text, (whole, each) = report(self.notice(name, b"Delayed mail, still being retried"))
            self.assertEqual(each["Action"], "delayed")
            self.assertRegex(each["Status"], r"^4\.")
            self.assertTrue(each["Will-Retry-Until"] and each["Last-Attempt-Date"])
            self.assertRegex(" ".join(text.split()), r"It was tried \d+ times,? .*It is tried again by itself until ")
            raws[name] = self.notice(name, b"Undelivered")
            message, text, (whole, each) = report(raws[name])
            self.assertEqual((each["Action"], each["Status"]), ("failed", "5.4.7"))
            self.assertTrue(each["Diagnostic-Code"].startswith("x-martlet; delivery time expired"), each["Diagnostic-Code"])
            self.assertIn(reply, " ".join(each["Diagnostic-Code"].split()))
            self.assertNotIn("gave up after", text)
            plain = " ".join(text.split())
            self.assertIn("could not be delivered in the time that it is kept for", plain)
            times = re.search(r"It was tried (\d+) times.*first on (.*?) and last on (.*?)\.", plain)
            self.assertGreater(int(times[1]), 4)
            first, last = (email.utils.parsedate_to_datetime(times[n]) for n in (2, 3))
            self.assertGreaterEqual((last - first).total_seconds(), 4)
            self.assertEqual(email.utils.parsedate_to_datetime(each["Last-Attempt-Date"]), last)
        if subprocess.run(["perl", "-MSisimai", "-e", "1"], capture_output=True).returncode == 0:
            found = {entry["recipient"]: entry for entry in sisimai(list(raws.values()))}
            for recipient in ("user@later.example", "user@dead.example"):
                self.assertEqual(found[recipient]["deliverystatus"], "5.4.7")
                self.assertEqual(found[recipient]["reason"], "expired")


class DoubleBounce(Case):
    def setUp(self):
        self.here = Martlet(start=False, settings=QUICK)
        self.addCleanup(self.here.close)
        self.server = SMTPServer({"RCPT": lambda address: "550 5.1.1 nobody wants " + address})
        self.addCleanup(self.server.close)
        self.here.mailctl("route", "add", "lost.example", "127.0.0.1:%d" % self.server.port)
        self.here.mailctl("alias", "add", "out@example.org", "gone@lost.example")

    def stray(self, name):
        """A message from nobody to an alias that leads nowhere: its notice can go nowhere either."""
        smtp = client(self.here, "smtp")
        transaction(smtp, "stranger@lost.example", ["out@example.org"], named(name, b"x\r\n"))
        smtp.quit()

    def ends(self, words):
        return [e for e in events(self.here, "queued", "bounced") if words in e.get("result", "")]

    def test_a_bounce_that_fails_goes_to_the_postmaster_once_and_no_further(self):
        self.here.change_settings({None: {"postmaster": "bob@example.org"}})
        self.here.start()
        self.stray("stray")
        raw = self.notice("stray", b"Undelivered notice returned to the postmaster", account="bob")
        message, text, (whole, each) = report(raw)
        self.assertEqual(message["To"], "bob@example.org")
        self.assertEqual(each["Final-Recipient"], "rfc822; stranger@lost.example")
        self.assertIn("nobody wants stranger@lost.example", " ".join(text.split()))
        inner = message.get_payload(2)
        self.assertEqual(inner.get_content_type(), "message/rfc822")
        self.assertIn("gone@lost.example", inner.as_string())
        self.here.kill("queued")
        wait_until(lambda: self.here.queue() == [], "an empty queue")
        self.assertEqual(len([m for m in self.here.messages("bob") if b"returned to the postmaster" in m]), 1)
        self.assertEqual(self.here.mailctl("audit", check=False).returncode, 0)

    def test_a_postmaster_who_cannot_be_reached_ends_it(self):
        self.here.change_settings({None: {"postmaster": "master@lost.example"}})
        self.here.start()
        self.stray("ring")
        wait_until(lambda: self.ends("it was the postmaster's notice"), lambda: "the end\n" + self.here.log()[-2000:])
        wait_until(lambda: self.here.queue() == [], "an empty queue")
        self.assertEqual(len([1 for d in self.server.dialogues for line in d.commands if b"master@lost.example" in line]), 1)
        self.assertEqual(self.here.mailctl("audit", check=False).returncode, 0)

    def test_the_null_sender_of_others_is_told_nothing(self):
        self.here.start()
        smtp = client(self.here, "smtp")
        transaction(smtp, "", ["out@example.org"], named("null", b"x\r\n"))
        wait_until(lambda: self.ends("the null sender is told nothing"), "the end")
        self.assertEqual([m for name in ("alice", "bob") for m in self.here.messages(name) if b"MAILER-DAEMON" in m], [])


def leaves(raw):
    message = email.message_from_bytes(raw)
    return [(part.get_content_type(), part.get_payload(decode=True)) for part in message.walk() if not part.is_multipart()]


class SevenBits(Case):
    """A server that offers neither 8BITMIME nor SMTPUTF8."""

    @classmethod
    def setUpClass(cls):
        cls.here = Martlet(start=False, settings=QUICK)
        cls.server = SMTPServer(offers=("PIPELINING", "SIZE"))
        for domain in ("seven.example", "bücher.example"):
            cls.here.mailctl("route", "add", domain, "127.0.0.1:%d" % cls.server.port)
        cls.here.mailctl("alias", "add", "out@example.org", "user@seven.example")
        cls.here.start()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.here.close()

    def got(self, name):
        return wait_until(lambda: [m for m in self.server.messages if b"<%s@" % name.encode() in m[2]], lambda: "%s there\n%s\n%s" % (name, self.here.queue(), self.here.log()[-2000:]), 60)[0]

    def mixed(self, name, *parts, kind="mixed"):
        content = named(name, b"")[:-2] + b"MIME-Version: 1.0\r\nContent-Type: multipart/%s; boundary=cut\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" % kind.encode()
        return content + b"".join(b"--cut\r\n" + part + b"\r\n" for part in parts) + b"--cut--\r\n"

    def test_content_beyond_ascii_is_said_in_seven_bits_and_decodes_to_what_it_was(self):
        text = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        inner = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: inside\r\n" + text + "drinnen: ü\r\n.\r\n..\r\n".encode()
        image = b"Content-Type: image/x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + (bytes(range(1, 10)) + bytes(range(14, 256)) + b"\r\n") * 3000
        for name, content in {
            "mixed": self.mixed("mixed", text + "Grüße \r\n.\r\nund = mehr\t\r\n".encode() * 9, b"Content-Type: text/plain\r\n\r\nascii", inner, image),
            "simple": named("simple", "ein Wort: grün\r\n".encode()),
        }.items():
            with self.subTest(name):
                self.sent(name, "user@seven.example", mail=" BODY=8BITMIME", content=content)
                sender, _, raw, _ = self.got(name)
                self.assertTrue(all(byte < 128 for byte in raw))
                self.assertNotIn(b"BODY=", sender)
                size = int(re.search(rb"SIZE=(\d+)", sender)[1])
                self.assertEqual(size, len(raw))
                self.assertEqual(leaves(raw), leaves(content))

    def test_what_is_signed_comes_back_in_plain_words(self):
        part = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + "grün\r\n".encode()
        self.sent("signed", "user@seven.example", mail=" BODY=8BITMIME", content=self.mixed("signed", part, b"Content-Type: application/pgp-signature\r\n\r\nx", kind="signed"))
        message, text, (whole, each) = report(self.notice("signed"))
        self.assertEqual(each["Status"], "5.6.3")
        self.assertIn("it is signed, and a change would break the signature", " ".join(text.split()))
        self.assertIn("In the words of this mail system:", text)
        self.assertTrue(each["Diagnostic-Code"].startswith("x-martlet; "))

    def test_a_header_beyond_ascii_comes_back(self):
        # Submission refuses it at once; from other hosts it is taken, and may be forwarded.
        smtp = client(self.here, "smtp")
        content = named("header", "grün\r\n".encode()).replace(b"Subject: ", "Subject: ü".encode())
        transaction(smtp, "alice@example.org", ["out@example.org"], content, mail=" BODY=8BITMIME")
        smtp.quit()
        self.assertEqual(report(self.notice("header"))[2][1]["Status"], "5.6.9")

    def test_smtputf8_that_is_not_needed_is_left_out(self):
        self.sent("ascii", "user@seven.example", mail=" SMTPUTF8")
        self.assertNotIn(b"SMTPUTF8", self.got("ascii")[0])
        self.sent("label", "user@bücher.example", mail=" SMTPUTF8")
        self.assertEqual(self.got("label")[1], ["user@xn--bcher-kva.example"])

    def test_smtputf8_that_is_needed_comes_back_in_the_senders_alphabet(self):
        self.sent("greek", "δ@seven.example", mail=" SMTPUTF8")
        message, text, (whole, each) = report(self.notice("greek"))
        self.assertEqual(message.get_payload(1).get_content_type(), "message/global-delivery-status")
        self.assertEqual(message.get_payload(2).get_content_type(), "message/global-headers")
        self.assertEqual(each["Status"], "5.6.7")
        self.assertIn("<δ@seven.example>", text)
        self.sent("subject", "user@seven.example", mail=" SMTPUTF8", content=named("subject", b"x\r\n").replace(b"Subject: ", "Subject: ü".encode()))
        self.assertEqual(report(self.notice("subject"))[2][1]["Status"], "5.6.9")


if __name__ == "__main__":
    unittest.main()
