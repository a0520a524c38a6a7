"""`mailctl setup`: from nothing to mail in and out in two commands, asked nothing, and the same again changes nothing."""
import contextlib
import json
import os
import shutil
import smtplib
import ssl
import subprocess
import tempfile
import unittest

from martlet import BIN, PATIENCE, Martlet, free_base


class Setup(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="martlet-setup-")
        os.chmod(self.root, 0o755)
        self.addCleanup(shutil.rmtree, self.root, True)

    def setup_tree(self, *words, check=True, **options):
        done = subprocess.run([BIN + "/mailctl", "--root", self.root, "setup", *words], text=True, capture_output=True, timeout=120, **options)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def tree(self):
        """Every file of the tree but mailctl's log, of which each command makes a segment."""
        found = {}
        for place, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(place, name)
                if "/mailctl/events" not in path:
                    with open(path, "rb") as file:
                        found[path] = (os.stat(path).st_mode, file.read())
        return found

    def test_one_command_makes_all_and_again_it_changes_nothing(self):
        words = ("you@example.org", "--hostname", "mail.example.org", "--public-address", "192.0.2.1", "--public-address", "2001:db8::1", "--json")
        said = json.loads(self.setup_tree(*words).stdout)
        self.assertTrue(said["changed"])
        self.assertTrue(all(step["made"] for step in said["steps"]), said)
        self.assertEqual([s["kind"] for s in said["steps"]], ["configuration", "spool", "certificate", "domain", "account", "alias", "alias", "alias"])
        self.assertRegex(said["password"], r"^[a-z0-9]{4}(-[a-z0-9]{4}){3}$")
        lines = ["%(name)s %(type)s %(value)s" % r for r in said["records"]]
        self.assertEqual(lines, [
            "mail.example.org A 192.0.2.1", "mail.example.org AAAA 2001:db8:0:0:0:0:0:1", "example.org MX 10 mail.example.org.", 'example.org TXT "v=spf1 mx -all"',
            "_submissions._tcp.example.org SRV 0 1 465 mail.example.org.", "_submission._tcp.example.org SRV 10 1 587 mail.example.org.",
            "_imaps._tcp.example.org SRV 0 1 993 mail.example.org.", "_imap._tcp.example.org SRV 10 1 143 mail.example.org.",
            "_pop3s._tcp.example.org SRV 20 1 995 mail.example.org.", "_pop3._tcp.example.org SRV 30 1 110 mail.example.org."])
        self.assertEqual(said["reverse"][0]["name"], "1.2.0.192.in-addr.arpa")
        self.assertEqual(said["reverse"][1]["name"], "1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa")
        before = self.tree()
        again = json.loads(self.setup_tree(*words).stdout)
        self.assertEqual((again["changed"], again["password"], again["records"]), (False, None, said["records"]))
        self.assertEqual(self.tree(), before)
        names = subprocess.run(["openssl", "x509", "-in", self.root + "/etc/tls/certificate.pem", "-noout", "-ext", "subjectAltName"], text=True, capture_output=True).stdout
        self.assertIn("DNS:mail.example.org", names)
        self.assertEqual(os.stat(self.root + "/etc/tls/key.pem").st_mode & 0o777, 0o640)

    def test_what_is_printed_promises_nothing_that_is_not_done(self):
        text = self.setup_tree("you@example.org", "--hostname", "mail.example.org").stdout
        self.assertIn("✓ made    account you@example.org", text)
        self.assertRegex(text, r"shown this once: \S+\n")
        self.assertIn('example.org. IN TXT "v=spf1 mx -all"', text)
        self.assertNotRegex(text, r"(?m)^  \S*_(dmarc|domainkey|mta-sts|smtp\._tls)")
        self.assertIn("DKIM (it signs nothing)", text)
        self.assertIn("certbot certonly", text)
        self.assertIn("mailctl --root %s doctor" % self.root, text)
        again = self.setup_tree("you@example.org").stdout
        self.assertIn("· stands  account you@example.org", again)
        self.assertNotIn("shown this once", again)

    def test_what_cannot_be_is_refused_with_a_remedy(self):
        for words, status in ((("nobody",), 65), (("you@[192.0.2.1]",), 64), (("you@example.org", "--public-address", "x"), 64), (("you@example.org", "--hostname", "a b"), 65)):
            with self.subTest(words):
                done = self.setup_tree(*words, check=False)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertEqual(os.listdir(self.root), [])
        self.setup_tree("you@example.org", "--hostname", "mail.example.org")
        done = self.setup_tree("you@example.org", "--hostname", "other.example.org", check=False)
        self.assertEqual(done.returncode, 73)
        self.assertIn("mail.example.org", done.stderr)

    def test_a_second_domain_joins_the_first(self):
        self.setup_tree("you@example.org", "--hostname", "mail.example.org")
        said = json.loads(self.setup_tree("she@example.net", "--json", "--password-stdin", input="a password of hers\n").stdout)
        self.assertIsNone(said["password"])
        self.assertEqual([(s["kind"], s["made"]) for s in said["steps"]][:5],
                         [("configuration", False), ("spool", False), ("certificate", False), ("domain", True), ("account", True)])

    def test_mail_goes_in_and_out_after_setup_and_run(self):
        base = free_base()
        said = json.loads(self.setup_tree("you@example.org", "--dev", "--base-port", str(base), "--json").stdout)
        martlet = Martlet(root=self.root, adopt=True)
        try:
            martlet.send("postmaster@example.org", "for whoever reads postmaster\r\n")
            martlet.send("hostmaster@example.org", "and hostmaster\r\n")
            martlet.wait_for_mail("you", 2)
            with smtplib.SMTP_SSL("127.0.0.1", martlet.port("submissions"), timeout=PATIENCE, context=ssl._create_unverified_context()) as client:
                client.login("you@example.org", said["password"])
                client.sendmail("you@example.org", ["you@example.org"], "From: you@example.org\r\nSubject: out\r\n\r\nand in\r\n")
            martlet.wait_for_mail("you", 3)
            findings = json.loads(martlet.mailctl("doctor", "--json").stdout)
            self.assertEqual([f for f in findings if f["result"] == "problem"], [])
        finally:
            with contextlib.suppress(AssertionError):
                martlet.stop()


if __name__ == "__main__":
    unittest.main()
