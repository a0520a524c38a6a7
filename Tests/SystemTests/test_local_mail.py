"""Mail between two local accounts, through the real programs."""
import os
import smtplib
import socket
import ssl
import subprocess
import unittest

from martlet import BIN, PASSWORD, Martlet, wait_until


class LocalMail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(accounts=("alice", "bob", "carol"))
        cls.martlet.mailctl("alias", "add", "team@example.org", "bob@example.org", "carol@example.org")
        cls.martlet.mailctl("alias", "add", "everybody@example.org", "team@example.org", "alice@example.org", "everybody@example.org")

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def count(self, name):
        return len(self.martlet.files(name))

    def delivered(self, to, names, body):
        before = {n: self.count(n) for n in names}
        self.martlet.send(to, body)
        for name in names:
            self.martlet.wait_for_mail(name, before[name] + 1)
            self.assertTrue(any(body.encode() in m for m in self.martlet.messages(name)))

    def test_a_message_arrives_with_its_trace(self):
        self.martlet.send("alice", "trace me\r\n", sender="s@elsewhere.example")
        message = next(m for m in wait_until(lambda: [m for m in self.martlet.messages("alice") if b"trace me" in m], "the message"))
        self.assertTrue(message.startswith(b"Return-Path: <s@elsewhere.example>\r\nDelivered-To: alice@example.org\r\nReceived: from "))
        self.assertIn(b"for <alice@example.org>", message)
        self.assertTrue(message.endswith(b"Subject: test\r\n\r\ntrace me\r\n"))

    def test_an_alias_reaches_each_target_once(self):
        self.delivered("team", ["bob", "carol"], "for the team\r\n")

    def test_nested_aliases_with_a_cycle_reach_everybody_once(self):
        before = {n: self.count(n) for n in ("alice", "bob", "carol")}
        self.martlet.send(["everybody", "bob"], "for everybody once\r\n")
        for name in before:
            wait_until(lambda: any(b"for everybody once" in m for m in self.martlet.messages(name)), "mail for " + name)
        wait_until(lambda: self.martlet.queue() == [], "empty queue")
        for name in before:
            self.assertEqual(sum(b"for everybody once" in m for m in self.martlet.messages(name)), 1, name)

    def test_a_tag_reaches_its_user(self):
        self.delivered("bob+lists", ["bob"], "tagged\r\n")

    def test_postmaster_and_abuse_are_always_accepted(self):
        self.delivered("abuse", ["postmaster"], "to abuse\r\n")

    def test_an_unknown_recipient_is_refused_at_rcpt(self):
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
            self.martlet.send("nobody", "x\r\n")
        self.assertEqual(list(caught.exception.recipients.values())[0][0], 550)
        self.assertIn(b"5.1.1", list(caught.exception.recipients.values())[0][1])

    def test_a_stranger_may_not_relay(self):
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
            self.martlet.send("x@elsewhere.example", "x\r\n")
        self.assertEqual(list(caught.exception.recipients.values())[0][0], 550)

    def test_submission_needs_a_login(self):
        with self.assertRaises(smtplib.SMTPSenderRefused) as caught:
            self.martlet.send("bob", "x\r\n", service="submission")
        self.assertEqual(caught.exception.smtp_code, 530)
        self.martlet.send("bob", "with a login\r\n", service="submission", login="alice", sender="alice@example.org")
        wait_until(lambda: any(b"with a login" in m for m in self.martlet.messages("bob")), "submitted mail")

    def test_a_wrong_password_is_refused(self):
        with smtplib.SMTP("127.0.0.1", self.martlet.port("submission"), timeout=60) as client:
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.login("alice@example.org", "wrong")

    def test_starttls_and_implicit_tls(self):
        context = ssl.create_default_context(cafile=os.path.join(self.martlet.root, "etc", "tls", "certificate.pem"))
        with smtplib.SMTP("localhost", self.martlet.port("submission"), timeout=60) as client:
            client.starttls(context=context)
            client.login("alice@example.org", PASSWORD)
            client.sendmail("alice@example.org", ["bob@example.org"], "Subject: t\r\n\r\nby starttls\r\n")
        with smtplib.SMTP_SSL("localhost", self.martlet.port("submissions"), context=context, timeout=60) as client:
            client.login("alice@example.org", PASSWORD)
            client.sendmail("alice@example.org", ["bob@example.org"], "Subject: t\r\n\r\nby implicit tls\r\n")
        for text in (b"by starttls", b"by implicit tls"):
            wait_until(lambda: any(text in m for m in self.martlet.messages("bob")), text.decode())

    def test_a_large_message_arrives_byte_for_byte(self):
        body = "".join("%07d %s\r\n" % (i, "x" * 60) for i in range(40000))
        self.martlet.send("carol", body, headers="Subject: large\r\n")
        large = wait_until(lambda: [m for m in self.martlet.messages("carol") if b"Subject: large" in m], "the large message")[0]
        self.assertTrue(large.endswith(("Subject: large\r\n\r\n" + body).encode()))

    def test_a_client_that_leaves_in_the_middle_of_data_delivers_nothing(self):
        with socket.create_connection(("127.0.0.1", self.martlet.port("smtp")), 30) as client:
            client.sendall(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nSubject: half\r\n\r\nhalf a mess")
        self.martlet.send("alice", "after the half\r\n")
        wait_until(lambda: any(b"after the half" in m for m in self.martlet.messages("alice")), "the next message")
        self.assertFalse(any(b"half a mess" in m for m in self.martlet.messages("alice")))

    def test_a_bare_line_feed_in_data_is_refused_with_the_reason(self):
        with socket.create_connection(("127.0.0.1", self.martlet.port("smtp")), 30) as client:
            stream = client.makefile("rb")
            stream.readline()
            for line in (b"HELO x", b"MAIL FROM:<a@b.example>", b"RCPT TO:<alice@example.org>", b"DATA"):
                client.sendall(line + b"\r\n")
                stream.readline()
            client.sendall(b"Subject: smuggled\r\n\r\nfirst\n.\r\nMAIL FROM:<evil@x.example>\r\n.\r\n")
            reply = stream.readline()
        self.assertTrue(reply.startswith(b"55"), reply)
        self.assertIn(b"LF", reply)

    def test_sendmail_delivers_for_its_caller(self):
        config = os.path.join(self.martlet.root, "etc", "martlet.toml")
        subprocess.run([BIN + "/sendmail", "-C", config, "-t", "-oi"], check=True, timeout=60,
                       input=b"To: bob@example.org\nBcc: carol@example.org\nSubject: from a program\n\n.\nbody\n")
        for name in ("bob", "carol"):
            message = wait_until(lambda: [m for m in self.martlet.messages(name) if b"from a program" in m], "mail for " + name)[0]
            self.assertNotIn(b"Bcc", message)
            self.assertTrue(message.endswith(b"\r\n\r\n.\r\nbody\r\n"))

    def drop_as(self, user, subject):
        """What sendmail wrote for a user, as bob has it."""
        config = os.path.join(self.martlet.root, "etc", "martlet.toml")
        subprocess.run(["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups", BIN + "/sendmail", "-C", config, "bob@example.org"], check=True,
                       timeout=60, cwd="/", input=b"Subject: %s\n\nbody\n" % subject)
        return wait_until(lambda: [m for m in self.martlet.messages("bob") if subject in m], "mail of %s" % user)[0]

    @unittest.skipIf(os.geteuid(), "only root can be somebody else")
    def test_a_confined_queue_knows_the_names_of_local_users(self):
        self.assertTrue(self.drop_as("games", b"of an old user").startswith(b"Return-Path: <games@localhost>\r\n"))
        # Who came after queued's start is not in its list: it begins anew.
        name, before = "martlet-late-%d" % os.getpid(), self.martlet.pid("queued")
        subprocess.run(["useradd", "--system", "--no-create-home", name], check=True)
        try:
            self.assertTrue(self.drop_as(name, b"of a new user").startswith(b"Return-Path: <%s@localhost>\r\n" % name.encode()))
        finally:
            subprocess.run(["userdel", name], check=True)
        self.assertNotEqual(self.martlet.pid("queued"), before)

    def test_a_message_that_cannot_be_delivered_later_is_returned(self):
        self.martlet.add_account("leaver")
        self.martlet.mailctl("stop", "queued")
        self.addCleanup(self.martlet.mailctl, "start", "queued")
        wait_until(lambda: self.martlet.status()["queued"]["state"] != "running", "queued stopped")
        self.martlet.send("leaver", "too late\r\n", sender="alice@example.org")
        self.martlet.mailctl("account", "remove", "leaver@example.org")
        self.martlet.mailctl("start", "queued")
        bounce = wait_until(lambda: [m for m in self.martlet.messages("alice") if b"MAILER-DAEMON" in m and b"leaver@example.org" in m], "the bounce")[0]
        self.assertIn(b"Return-Path: <>\r\n", bounce)
        self.assertIn(b"multipart/report", bounce)

    def test_while_locald_is_stopped_mail_waits(self):
        self.martlet.mailctl("stop", "locald")
        wait_until(lambda: self.martlet.status()["locald"]["state"] != "running", "locald stopped")
        self.martlet.send("bob", "patience\r\n")
        wait_until(lambda: any("bob@example.org" in str(q) for q in self.martlet.queue()), "the queue shows it")
        self.assertFalse(any(b"patience" in m for m in self.martlet.messages("bob")))
        self.martlet.mailctl("start", "locald")
        wait_until(lambda: any(b"patience" in m for m in self.martlet.messages("bob")), "delivery after the start")


if __name__ == "__main__":
    unittest.main()
