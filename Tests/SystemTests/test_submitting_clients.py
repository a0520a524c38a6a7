"""msmtp, s-nail and smtplib submit mail; swaks, curl and our sendmail are in test_clients.py."""
import os
import smtplib
import ssl
import subprocess
import tempfile
import unittest

from mail_samples import samples, send, without_trace
from martlet import PASSWORD, PATIENCE, Martlet, wait_until
from unpacked import environment, unpacked


class Submitting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(accounts=("alice", "bob"))
        cls.certificate = os.path.join(cls.martlet.root, "etc", "tls", "certificate.pem")

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def program(self, package, path):
        folder, reason = unpacked(package)
        if reason:
            self.skipTest(reason)
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        return folder + path, dict(environment(folder), HOME=home.name, LANG="C.UTF-8")

    def run_with(self, words, content, env, code=0):
        done = subprocess.run(words, input=content, capture_output=True, env=env, timeout=PATIENCE)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def arrived(self, mark):
        got = wait_until(lambda: [m for m in self.martlet.messages("bob") if mark in m], "%r for bob\n%s" % (mark, self.martlet.log()[-1500:]))
        self.assertEqual(len(got), 1)
        return got[0]

    def msmtp(self, service, *more, password=PASSWORD):
        program, env = self.program("msmtp", "/usr/bin/msmtp")
        words = [program, "--file=/dev/null", "--host=localhost", "--port=%d" % self.martlet.port(service), "--from=alice@example.org", "--auth=on",
                 "--user=alice@example.org", "--passwordeval=echo '%s'" % password, "--tls=on", "--tls-trust-file=" + self.certificate, *more, "bob@example.org"]
        return words, env

    def test_msmtp_by_starttls(self):
        for name in ("plain", "dots", "utf-8"):
            content = samples()[name]
            words, env = self.msmtp("submission")
            self.run_with(words, content.replace(b"\r\n", b"\n"), env)
            with self.subTest(name):
                self.assertEqual(without_trace(self.arrived(b"<%s@" % name.encode())), content)

    def test_msmtp_with_tls_from_the_start(self):
        words, env = self.msmtp("submissions", "--tls-starttls=off")
        self.run_with(words, samples()["300-KiB"].replace(b"\r\n", b"\n"), env)
        self.assertEqual(without_trace(self.arrived(b"<300-KiB@")), samples()["300-KiB"])

    def test_msmtp_hears_that_the_password_is_wrong(self):
        words, env = self.msmtp("submission", password="wrong")
        self.assertIn(b"535", self.run_with(words, samples()["plain"], env, code=77))

    def test_s_nail(self):
        program, env = self.program("s-nail", "/usr/bin/s-nail")
        for scheme, service in (("submission", "submission"), ("submissions", "submissions")):
            with self.subTest(scheme):
                words = [program, "-:/", "-Sv15-compat", "-Smta=%s://alice%%40example.org:%s@localhost:%d" % (scheme, PASSWORD.replace(" ", "%20"), self.martlet.port(service)),
                         "-Ssmtp-config=starttls,plain" if scheme == "submission" else "-Ssmtp-config=plain", "-Stls-ca-file=" + self.certificate, "-Stls-ca-no-defaults", "-Ssendwait",
                         "-r", "alice@example.org", "-s", "nail by " + scheme, "bob@example.org"]
                self.run_with(words, b"from s-nail\n.a line with a dot\n", env)
                self.assertIn(b"\r\nfrom s-nail\r\n.a line with a dot\r\n", self.arrived(b"Subject: nail by %s\r\n" % scheme.encode()))

    def test_smtplib(self):
        context = ssl.create_default_context(cafile=self.certificate)
        with smtplib.SMTP("localhost", self.martlet.port("submission"), timeout=PATIENCE) as client:
            client.starttls(context=context)
            client.login("alice@example.org", PASSWORD)
            for name in ("eight-bit", "long-lines"):
                send(client, samples()[name], "alice@example.org", ["bob@example.org"])
            with self.assertRaises(smtplib.SMTPRecipientsRefused):
                client.sendmail("alice@example.org", ["nobody@example.org"], b"Subject: x\r\n\r\nx\r\n")
        with smtplib.SMTP_SSL("localhost", self.martlet.port("submissions"), timeout=PATIENCE, context=context) as client:
            client.login("alice@example.org", PASSWORD)
            send(client, samples()["just-above-inline"], "alice@example.org", ["bob@example.org"])
        for name in ("eight-bit", "long-lines", "just-above-inline"):
            with self.subTest(name):
                self.assertEqual(without_trace(self.arrived(b"<%s@" % name.encode())), samples()[name])


if __name__ == "__main__":
    unittest.main()
