"""Peers at the edge of what SMTP allows: a bare postmaster wherever the domains are, and who is silent in a TLS handshake."""
import smtplib
import socket
import unittest

from martlet import PATIENCE, Martlet, wait_until


class BarePostmaster(unittest.TestCase):
    """RFC 5321 §4.5.1: `<postmaster>` without a domain is somebody here, and never refused for good."""

    def named(self, **settings):
        martlet = Martlet(accounts=("alice",), settings={None: settings})
        self.addCleanup(martlet.close)
        return martlet

    def rcpt(self, martlet, text, word="postmaster"):
        """The code of RCPT; the message goes out if it is taken."""
        with smtplib.SMTP("127.0.0.1", martlet.port("smtp"), timeout=PATIENCE) as client:
            client.ehlo()
            client.docmd("MAIL", "FROM:<stranger@elsewhere.example>")
            code, _ = client.docmd("RCPT", "TO:<%s>" % word)
            if code == 250:
                self.assertEqual(client.data("Subject: test\r\n\r\n%s\r\n" % text)[0], 250)
            return code

    def arrives(self, martlet, name, text):
        wait_until(lambda: any(text.encode() in m for m in martlet.messages(name)), "%r for %s\n%s" % (text, name, martlet.log()[-3000:]))

    def test_it_is_the_postmaster_of_the_domain_that_the_host_belongs_to(self):
        martlet = self.named(hostname="mx.example.org")
        martlet.mailctl("domain", "add", "another.org")
        martlet.add_account("postmaster@another.org")
        self.assertEqual(self.rcpt(martlet, "to nobody's domain"), 250)
        self.assertEqual(self.rcpt(martlet, "in capitals", "PostMaster"), 250)
        self.arrives(martlet, "postmaster", "to nobody's domain")
        self.arrives(martlet, "postmaster", "in capitals")
        self.assertEqual(martlet.messages("postmaster@another.org"), [])

    def test_a_host_of_another_name_takes_it_for_whom_the_configuration_names(self):
        martlet = self.named(hostname="mail.provider.example", postmaster="alice@example.org")
        self.assertEqual(self.rcpt(martlet, "to alice"), 250)
        self.arrives(martlet, "alice", "to alice")

    def test_a_host_of_another_name_takes_it_for_the_first_of_its_domains(self):
        martlet = self.named(hostname="mail.provider.example")
        self.assertEqual(self.rcpt(martlet, "to the first"), 250)
        self.arrives(martlet, "postmaster", "to the first")

    def test_without_a_domain_it_is_put_off(self):
        martlet = self.named(hostname="mx.example.org")
        for account in ("alice", "postmaster"):
            martlet.mailctl("account", "remove", account + "@example.org")
        martlet.mailctl("domain", "remove", "example.org")
        wait_until(lambda: self.rcpt(martlet, "to nobody") // 100 == 4, "put off")
        martlet.wait_for_event("smtpd", "refuse ", "to=postmaster ")
        martlet.mailctl("domain", "add", "example.org")
        martlet.add_account("carol")
        martlet.mailctl("alias", "add", "postmaster@example.org", "carol@example.org")
        wait_until(lambda: self.rcpt(martlet, "at last") == 250, "taken again")
        self.arrives(martlet, "carol", "at last")


class SilentHandshakes(unittest.TestCase):
    """A client that is silent in a TLS handshake is ended by the handshake's limit; that of the dialogue is minutes longer."""

    def test_each_is_ended(self):
        with Martlet() as martlet:
            started = {
                "smtp": [b"EHLO client.example.net", b"STARTTLS"], "submission": [b"EHLO client.example.net", b"STARTTLS"],
                "pop3": [b"STLS"], "imap": [b"a STARTTLS"],
            }
            silent = {name: self.upgrading(martlet.port(name), lines) for name, lines in started.items()}
            for name in ("submissions", "pop3s", "imaps"):
                silent[name] = self.connect(martlet.port(name))
            silent["half"] = self.connect(martlet.port("submissions"))
            silent["half"].sendall(b"\x16\x03\x01\x02\x00\x01")
            for name, client in silent.items():
                with self.subTest(name):
                    self.assertEqual(client.recv(4096), b"")

    def connect(self, port):
        made = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.addCleanup(made.close)
        return made

    def upgrading(self, port, lines):
        """A connection on which each line was said and answered."""
        made = self.connect(port)
        made.recv(4096)
        for line in lines:
            made.sendall(line + b"\r\n")
            answer = made.recv(4096)
        self.assertTrue(answer.startswith((b"220 ", b"+OK", b"a OK")), answer)
        return made


if __name__ == "__main__":
    unittest.main()
