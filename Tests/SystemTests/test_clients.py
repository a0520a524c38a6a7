"""Real clients against the real programs: swaks, curl, mbsync, mutt, and sendmail as other programs call it."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from mail_samples import named, samples, submit, without_trace
from martlet import BIN, PASSWORD, PATIENCE, Martlet, wait_until


def needs(program):
    return unittest.skipUnless(shutil.which(program), program + " is not installed")


def run(*words, input=b"", code=0, **more):
    """Runs a program; its output, if it ended as it should."""
    result = subprocess.run(words, input=input, capture_output=True, timeout=PATIENCE, **more)
    if result.returncode != code:
        raise AssertionError("%s: exit %d instead of %d\n%s%s" % (" ".join(words), result.returncode, code, result.stdout.decode("utf-8", "replace"),
                                                                  result.stderr.decode("utf-8", "replace")))
    return result.stdout


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(accounts=("alice", "bob", "carol", "reader", "fetcher", "mover"))
        cls.certificate = os.path.join(cls.martlet.root, "etc", "tls", "certificate.pem")

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def arrived(self, name, mark, count=1):
        found = wait_until(lambda: [m for m in self.martlet.messages(name) if mark in m], "%r for %s\n%s" % (mark, name, self.martlet.log()[-1500:]))
        self.assertEqual(len(found), count)
        return found[0]


@needs("swaks")
class Swaks(Clients):
    def swaks(self, mark, port, *words, code=0, sender="alice@example.org"):
        return run("swaks", "--server", "127.0.0.1", "--port", str(self.martlet.port(port)), "--from", sender, "--to", "bob@example.org",
                   "--header", "Subject: " + mark, "--body", mark, "--timeout", "30", *words, code=code)

    def test_plain_smtp(self):
        self.swaks("swaks-plain", "smtp", sender="x@elsewhere.example")
        self.assertIn(b"with ESMTP id", b" ".join(self.arrived("bob", b"swaks-plain").split()))

    def test_starttls(self):
        self.assertIn(b"TLS started", self.swaks("swaks-tls", "smtp", "--tls", sender="x@elsewhere.example"))
        self.assertIn(b"ESMTPS", self.arrived("bob", b"swaks-tls"))

    def test_every_way_to_authenticate(self):
        for mechanism in ("PLAIN", "LOGIN"):
            for transport in (("submission", "--tls"), ("submissions", "--tls-on-connect"), ("submission",)):
                mark = "swaks-%s-%s-%d" % (mechanism, transport[0], len(transport))
                with self.subTest(mark):
                    self.swaks(mark, *transport, "--auth", mechanism, "--auth-user", "alice@example.org", "--auth-password", PASSWORD)
                    self.arrived("bob", mark.encode())

    def test_a_wrong_password(self):
        out = self.swaks("swaks-wrong", "submission", "--tls", "--auth", "PLAIN", "--auth-user", "alice@example.org", "--auth-password", "wrong", code=28)
        self.assertIn(b"535 5.7.8", out)

    def test_without_a_login_nothing_is_submitted(self):
        self.assertIn(b"530", self.swaks("swaks-none", "submission", "--tls", code=23))

    def test_an_attachment(self):
        with tempfile.NamedTemporaryFile(suffix=".bin") as file:
            file.write(os.urandom(200000))
            file.flush()
            self.swaks("swaks-attachment", "smtp", "--attach", "@" + file.name, sender="x@elsewhere.example")
        self.assertGreater(len(self.arrived("bob", b"swaks-attachment")), 260000)


@needs("curl")
class Curl(Clients):
    def curl(self, *words, code=0, input=b""):
        return run("curl", "-sS", "--max-time", "30", "--cacert", self.certificate, *words, code=code, input=input)

    def test_it_sends(self):
        message = named("curl-smtp", b"from curl\r\n")
        for scheme, port, more in (("smtp", "submission", ["--ssl-reqd"]), ("smtps", "submissions", [])):
            with self.subTest(scheme):
                content = message.replace(b"curl-smtp", b"curl-" + scheme.encode() + b"-sent")
                self.curl("%s://localhost:%d/client.example" % (scheme, self.martlet.port(port)), *more, "--user", "alice@example.org:" + PASSWORD,
                          "--mail-from", "alice@example.org", "--mail-rcpt", "bob@example.org", "--upload-file", "-", input=content)
                self.assertEqual(without_trace(self.arrived("bob", b"curl-" + scheme.encode() + b"-sent")), content)

    def test_it_fetches_by_pop3(self):
        content = samples()["dots"]
        submit(self.martlet, content, "reader@example.org")
        self.martlet.wait_for_mail("reader", 1)
        for scheme, port, more in (("pop3", "pop3", ["--ssl-reqd"]), ("pop3s", "pop3s", [])):
            with self.subTest(scheme):
                url = "%s://localhost:%d/" % (scheme, self.martlet.port(port))
                user = ["--user", "reader@example.org:" + PASSWORD]
                self.assertIn(b"1 %d" % len(self.martlet.messages("reader")[0]), self.curl(url, *more, *user))
                self.assertEqual(self.curl(url + "1", *more, *user), self.martlet.messages("reader")[0])
        self.curl("pop3s://localhost:%d/1" % self.martlet.port("pop3s"), "--user", "reader@example.org:wrong", code=67)

    def test_it_fetches_by_imap(self):
        content = samples()["300-KiB"]
        submit(self.martlet, content, "fetcher@example.org")
        self.martlet.wait_for_mail("fetcher", 1)
        for scheme, port, more in (("imap", "imap", ["--ssl-reqd"]), ("imaps", "imaps", [])):
            with self.subTest(scheme):
                url = "%s://localhost:%d/" % (scheme, self.martlet.port(port))
                user = ["--user", "fetcher@example.org:" + PASSWORD]
                self.assertIn(b"INBOX", self.curl(url, *more, *user))
                self.assertEqual(self.curl(url + "INBOX;MAILINDEX=1", *more, *user), self.martlet.messages("fetcher")[0])
                self.assertIn(b"* SEARCH 1", self.curl(url + "INBOX?SUBJECT%20300", *more, *user))

    def file(self, content):
        file = tempfile.NamedTemporaryFile()
        self.addCleanup(file.close)
        file.write(content)
        file.flush()
        return file.name

    def test_it_uploads_by_imap(self):
        content = named("curl-append", b"appended\r\n")
        self.curl("imaps://localhost:%d/Sent" % self.martlet.port("imaps"), "--user", "carol@example.org:" + PASSWORD, "--upload-file", self.file(content))
        folder = pathlib.Path(self.martlet.maildir("carol"), ".Sent")
        found = [path.read_bytes() for part in ("new", "cur") for path in (folder / part).iterdir()]
        self.assertEqual(found, [content])


class MailReaders(Clients):
    def fill(self, name):
        for content in samples().values():
            submit(self.martlet, content, name + "@example.org")
        self.martlet.wait_for_mail(name, len(samples()))

    def assert_same(self, copies, originals):
        """The same messages in any order, with the line ends of a local file or of the wire, and mbsync's mark taken out."""
        def by_name(messages):
            plain = [re.sub(rb"(?m)^X-TUID: .{12}\n", b"", m.replace(b"\r\n", b"\n"), count=1) for m in messages]
            return {m.split(b"Message-ID: ")[1].split(b"\n")[0]: m for m in plain}
        copies, originals = by_name(copies), by_name(originals)
        self.assertEqual(sorted(copies), sorted(originals))
        for name, original in originals.items():
            with self.subTest(name):
                self.assertEqual(len(copies[name]), len(original))
                self.assertTrue(copies[name] == original, "the bytes differ")

    @needs("mbsync")
    def test_mbsync_fetches_everything_and_brings_flags_back(self):
        self.fill("mover")
        with tempfile.TemporaryDirectory() as home:
            mail = pathlib.Path(home, "mail")
            mail.mkdir()
            config = pathlib.Path(home, "mbsyncrc")
            config.write_text("IMAPAccount martlet\nHost localhost\nPort %d\nUser mover@example.org\nPass \"%s\"\nSSLType STARTTLS\nCertificateFile %s\n"
                              "\nIMAPStore far\nAccount martlet\n\nMaildirStore near\nPath %s/\nInbox %s/INBOX\nSubFolders Verbatim\n"
                              "\nChannel all\nFar :far:\nNear :near:\nPatterns *\nCreate Near\nSync All\nExpunge Both\nSyncState *\n"
                              % (self.martlet.port("imap"), PASSWORD, self.certificate, mail, mail))
            def sync():
                run("mbsync", "-c", str(config), "all", env=dict(os.environ, HOME=home))
            def near():
                return [path for part in ("new", "cur") for path in (mail / "INBOX" / part).iterdir()]
            sync()
            self.assert_same([path.read_bytes() for path in near()], self.martlet.messages("mover"))
            seen, gone = sorted(near())[:2]
            for path, flags in ((seen, "S"), (gone, "ST")):
                path.rename(mail / "INBOX" / "cur" / (path.name.split(":")[0] + ":2," + flags))
            sync()
            files = [os.path.basename(path) for path in self.martlet.files("mover")]
            self.assertEqual(len(files), len(samples()) - 1)
            self.assertEqual(len([name for name in files if ":2," in name and "S" in name.split(":2,")[1]]), 1)
            before = sorted(near())
            sync()
            self.assertEqual(sorted(near()), before, "a sync without changes changes nothing")

    @needs("mutt")
    def test_mutt_copies_a_mailbox(self):
        submit(self.martlet, named("mutt", b"read by mutt\r\n"), "bob@example.org")
        self.arrived("bob", b"<mutt@")
        with tempfile.TemporaryDirectory() as home:
            rc = pathlib.Path(home, "muttrc")
            rc.write_text("set folder=\"imaps://localhost:%d/\"\nset imap_user=\"bob@example.org\"\nset imap_pass=\"%s\"\nset spoolfile=+INBOX\n"
                          "set ssl_starttls=yes\nset certificate_file=%s\nset ssl_verify_host=no\nset mbox_type=Maildir\nset header_cache=\"\"\nset quit=yes\n"
                          "set confirmappend=no\nset confirmcreate=no\nset delete=no\nset move=no\nset wait_key=no\nset sleep_time=0\n"
                          "push \"<tag-pattern>.<enter><tag-prefix><copy-message>%s/copy<enter><exit>\"\n"
                          % (self.martlet.port("imaps"), PASSWORD, self.certificate, home))
            run("timeout", "40", "script", "-qec", "mutt -n -F %s" % rc, "/dev/null", env=dict(os.environ, HOME=home, TERM="xterm", LANG="C.UTF-8"))
            copied = [path.read_bytes() for part in ("new", "cur") for path in pathlib.Path(home, "copy", part).iterdir()]
        self.assertEqual(len(copied), len(self.martlet.files("bob")))
        self.assertTrue(any(b"read by mutt" in message for message in copied))


class Sendmail(Clients):
    """The options that programs use, and what comes of each."""

    def sendmail(self, *options, input=b"Subject: x\n\nbody\n", code=0):
        return run(BIN + "/sendmail", "-C", os.path.join(self.martlet.root, "etc", "martlet.toml"), *options, input=input, code=code)

    def message(self, mark, body=b"body\n", fields=b""):
        return fields + b"Subject: " + mark.encode() + b"\n\n" + body

    # name: options, fields before Subject, body, who gets it, the body that arrives
    TABLE = {
        "arguments": (["bob@example.org", "carol@example.org"], b"", b"b\n", ["bob", "carol"], b"b\r\n"),
        "t": (["-t"], b"To: bob@example.org\nCc: Carol <carol@example.org>\n", b"b\n", ["bob", "carol"], b"b\r\n"),
        "t-group": (["-t"], b"To: all: bob@example.org, carol@example.org;\n", b"b\n", ["bob", "carol"], b"b\r\n"),
        "i-keeps-a-dot": (["-i", "bob@example.org"], b"", b"a\n.\nb\n", ["bob"], b"a\r\n.\r\nb\r\n"),
        "oi-keeps-a-dot": (["-oi", "bob@example.org"], b"", b"a\n.\nb\n", ["bob"], b"a\r\n.\r\nb\r\n"),
        "without-i-a-dot-ends": (["bob@example.org"], b"", b"a\n.\nb\n", ["bob"], b"a\r\n"),
        "bm": (["-bm", "-oem", "-odb", "bob@example.org"], b"", b"b\n", ["bob"], b"b\r\n"),
        "f-apart": (["-f", "alice@example.org", "bob@example.org"], b"", b"b\n", ["bob"], b"b\r\n"),
        "f-joined": (["-falice@example.org", "--", "bob@example.org"], b"", b"b\n", ["bob"], b"b\r\n"),
        "F": (["-F", "A Program", "bob@example.org"], b"", b"b\n", ["bob"], b"b\r\n"),
        "crlf-input": (["-i", "bob@example.org"], b"", b"a\r\nb\r\n", ["bob"], b"a\r\nb\r\n"),
        "no-last-newline": (["-i", "bob@example.org"], b"", b"a", ["bob"], b"a\r\n"),
    }

    def test_the_table(self):
        for name, (options, fields, body, _, _) in self.TABLE.items():
            self.sendmail(*options, input=self.message("table-" + name, body, fields))
        for name, (_, _, _, people, wanted) in self.TABLE.items():
            for person in people:
                with self.subTest(name + " for " + person):
                    got = self.arrived(person, b"Subject: table-" + name.encode() + b"\r\n")
                    self.assertEqual(got.split(b"\r\n\r\n", 1)[1], wanted)
                    self.assertIn(b"\r\nMessage-ID: <", got)
                    self.assertIn(b"\r\nDate: ", got)
                    self.assertNotIn(b"\n", got.replace(b"\r\n", b""))

    def test_f_and_F_name_the_sender(self):
        self.sendmail("-f", "alice@example.org", "-F", "Al Ice", "bob@example.org", input=self.message("named-sender"))
        got = self.arrived("bob", b"Subject: named-sender")
        self.assertIn(b"\r\nFrom: Al Ice <alice@example.org>\r\n", got)

    def test_bcc_is_told_to_nobody(self):
        self.sendmail("-t", input=self.message("hidden", fields=b"To: bob@example.org\nBcc: carol@example.org,\n alice@example.org\n"))
        for person in ("bob", "carol", "alice"):
            got = self.arrived(person, b"Subject: hidden")
            self.assertNotIn(b"Bcc", got)
            if person == "bob":
                self.assertNotIn(b"carol@", got)

    def test_exit_codes(self):
        cases = {
            "no recipients": ([], 64), "-t without recipients": (["-t"], 64), "an unknown option": (["-Z", "bob@example.org"], 64),
            "a mode that is another program's": (["-bd"], 64), "an address that is none": (["not an address@"], (64, 65, 67)),
        }
        for name, (options, wanted) in cases.items():
            with self.subTest(name):
                result = subprocess.run([BIN + "/sendmail", "-C", os.path.join(self.martlet.root, "etc", "martlet.toml"), *options],
                                        input=b"Subject: x\n\nbody\n", capture_output=True, timeout=PATIENCE)
                self.assertIn(result.returncode, wanted if isinstance(wanted, tuple) else (wanted,), result.stderr)
                self.assertTrue(result.stderr.startswith(b"sendmail: "), result.stderr)
        missing = subprocess.run([BIN + "/sendmail", "-C", "/nonexistent/martlet.toml", "bob@example.org"], input=b"x\n", capture_output=True, timeout=PATIENCE)
        self.assertEqual(missing.returncode, 78, missing.stderr)

    def test_an_unknown_recipient_comes_back(self):
        self.sendmail("-f", "alice@example.org", "nobody@example.org", input=self.message("to-nobody"))
        self.arrived("alice", b"to-nobody")

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root and setpriv")
    def test_a_user_without_any_right_may_send(self):
        run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", BIN + "/sendmail", "-C",
            os.path.join(self.martlet.root, "etc", "martlet.toml"), "-i", "bob@example.org", input=self.message("by-nobody"))
        self.assertIn(b"nobody", self.arrived("bob", b"Subject: by-nobody").split(b"Subject:")[0])


if __name__ == "__main__":
    unittest.main()
