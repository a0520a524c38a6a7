"""`mailctl debug`: the dialogues of one address or one account are written down for a while, without secrets and content."""
import base64
import os
import pathlib
import smtplib
import time
import unittest

from martlet import PASSWORD, PATIENCE, Martlet, wait_until


class Transcripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(accounts=("alice", "bob"))

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def lines(self, word=""):
        return [l for l in self.martlet.log().split("\n") if "transcript - " in l and word in l]

    def heard(self, service, source):
        """Says EHLO with a name of its own until the transcript has it: the wish has reached the service."""
        def seen():
            name = "probe%d.example" % time.monotonic_ns()
            with smtplib.SMTP("127.0.0.1", self.martlet.port(service), timeout=PATIENCE, source_address=(source, 0)) as client:
                client.ehlo(name)
            return wait_briefly(lambda: self.lines(name))
        return seen

    def test_an_address_is_followed_and_no_other(self):
        answer = self.martlet.mailctl("debug", "smtp", "--ip", "127.0.0.5", "--minutes", "10").stdout
        self.assertIn("10 min", answer)
        wait_until(self.heard("smtp", "127.0.0.5"), "the transcript began")
        with smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE, source_address=("127.0.0.5", 0)) as client:
            client.sendmail("s@elsewhere.example", ["alice@example.org"], "Subject: hush\r\n\r\nnobody may read this\r\n")
            client.docmd("XYZZY")
        self.martlet.send("alice", "neither this\r\n", sender="other@elsewhere.example")
        wait_until(lambda: self.lines("C: XYZZY"), "the last command")
        text = "\n".join(self.lines())
        for part in ("smtpd: transcript - peer=127.0.0.5 C: mail FROM:<s@elsewhere.example>", "S: 250 2.1.5", "S: 354", "octets)", "S: 500"):
            self.assertIn(part.lower(), text.lower())
        log = self.martlet.log()
        for secret in ("nobody may read this", "hush", "neither this"):
            self.assertNotIn(secret, log)
        self.assertNotIn("other@elsewhere.example", text)
        self.martlet.mailctl("debug", "smtp", "--ip", "127.0.0.5", "--minutes", "0")
        seen = self.heard("smtp", "127.0.0.5")
        wait_until(lambda: not seen(), "the transcript ended")

    def test_an_account_is_followed_without_its_password(self):
        self.martlet.mailctl("debug", "submission", "--account", "alice@example.org")
        plain = base64.b64encode(b"\0alice@example.org\0" + PASSWORD.encode()).decode()

        def seen():
            with smtplib.SMTP("127.0.0.1", self.martlet.port("submission"), timeout=PATIENCE) as client:
                client.ehlo("account.example")
                client.docmd("AUTH", "PLAIN " + plain)
                client.sendmail("alice@example.org", ["bob@example.org"], "Subject: x\r\n\r\nwords of alice\r\n")
            return wait_briefly(lambda: self.lines("RCPT TO:<bob@example.org>") or self.lines("rcpt TO:<bob@example.org>"))
        wait_until(seen, "the transcript of alice")
        before = len(self.lines())
        with smtplib.SMTP("127.0.0.1", self.martlet.port("submission"), timeout=PATIENCE) as client:
            client.login("bob@example.org", PASSWORD)
            client.docmd("NOOP")
        self.assertEqual(len(self.lines()), before)
        log = self.martlet.log()
        for secret in (plain, PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), "words of alice"):
            self.assertNotIn(secret, log)

    def test_a_log_level_does_not_end_it_and_wishes_are_few(self):
        published = os.path.join(self.martlet.root, "spool", "mailctl", "configuration", "log-levels")
        self.martlet.mailctl("debug", "smtp", "--ip", "2001:db8::5")
        self.martlet.mailctl("log-level", "queued", "debug")
        self.martlet.mailctl("log-level", "queued", "events")
        self.assertIn("smtpd transcript address 2001:db8::5 ", pathlib.Path(published).read_text())
        for number in range(8):
            last = self.martlet.mailctl("debug", "smtp", "--ip", "192.0.2.%d" % number, check=False)
        self.assertEqual(last.returncode, 64)
        self.assertIn("run already", last.stderr)
        for number in range(8):
            self.martlet.mailctl("debug", "smtp", "--ip", "192.0.2.%d" % number, "--minutes", "0")

    def test_wrong_words_are_explained(self):
        for words in (["smtp"], ["imap", "--ip", "192.0.2.1"], ["smtp", "--ip", "192.0.2"], ["smtp", "--ip", "192.0.2.0/24"],
                      ["smtp", "--ip", "192.0.2.1", "--account", "a@example.org"], ["smtp", "--account", "nobody"], ["smtp", "--ip", "192.0.2.1", "--minutes", "2000"]):
            result = self.martlet.mailctl("debug", *words, check=False)
            self.assertEqual(result.returncode, 64, words)
            self.assertIn("\n", result.stderr.strip(), words)


def wait_briefly(condition):
    """A line on its way to the log: a second, then it was not written."""
    for _ in range(50):
        if condition():
            return True
        time.sleep(0.02)
    return False


if __name__ == "__main__":
    unittest.main()
