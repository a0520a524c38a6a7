"""Debian's rspamd and OpenDKIM beside the real programs."""
import base64
import hashlib
import re
import shutil
import smtplib
import socket
import subprocess
import tempfile
import unittest

import debian
import rspamd
from martlet import Martlet, wait_until


def unpacked(package, program):
    root, missing = debian.tree(package, program)
    if missing:
        print("test_milter_debian: left out: " + missing)
        raise unittest.SkipTest(missing)
    return root


class WithRspamd(unittest.TestCase):
    GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"

    @classmethod
    def setUpClass(cls):
        root = unpacked("rspamd", "/usr/bin/rspamd")
        cls.rspamd = rspamd.Rspamd(root)
        cls.martlet = Martlet(settings={"filter": {"smtpd": ["inet:127.0.0.1:%d" % cls.rspamd.port]}})

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        cls.rspamd.close()

    def test_gtube_is_refused_and_clean_mail_has_its_field(self):
        with self.assertRaises(smtplib.SMTPDataError) as caught:
            self.martlet.send("alice", self.GTUBE, headers="From: s@elsewhere.example\r\nSubject: spam\r\nMessage-ID: <1@elsewhere.example>\r\n")
        self.assertEqual(caught.exception.smtp_code // 100, 5, caught.exception)
        self.assertIn(b"Gtube", caught.exception.smtp_error)
        self.martlet.send("alice", "how are you?\r\n", headers="From: s@elsewhere.example\r\nSubject: clean\r\nMessage-ID: <2@elsewhere.example>\r\n")
        got = self.martlet.wait_for_mail("alice", 1)
        self.assertEqual(len(got), 1)
        self.assertIn(b"Subject: clean\r\n", got[0])
        self.assertRegex(got[0], rb"(?m)^X-Rspamd-Server: |^X-Spamd-Result: ", self.rspamd.said())


class WithOpenDKIM(unittest.TestCase):
    """It signs what our users send, above 128 KiB too: what it saw is what is delivered, or the signature's body hash would not hold."""

    @classmethod
    def setUpClass(cls):
        root = unpacked("opendkim", "/usr/sbin/opendkim")
        cls.folder = tempfile.mkdtemp(prefix="martlet-opendkim-")
        subprocess.run(["openssl", "genrsa", "-out", cls.folder + "/key", "2048"], check=True, capture_output=True)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        name = "inet:127.0.0.1:%d" % port
        with open(cls.folder + "/conf", "w") as file:
            file.write("Socket inet:%d@127.0.0.1\nMode s\nDomain example.org\nSelector mail\nKeyFile %s/key\nCanonicalization simple/simple\n"
                       "RequireSafeKeys no\nSyslog no\n" % (port, cls.folder))
        cls.opendkim = subprocess.Popen(
            [root + "/usr/sbin/opendkim", "-f", "-x", cls.folder + "/conf"], env=debian.environment(root), stdin=subprocess.DEVNULL)
        try:
            wait_until(lambda: cls.listens(port), "opendkim listening")
            cls.martlet = Martlet(settings={"filter": {"submission": [name]}})
        except BaseException:
            cls.end()
            raise

    @classmethod
    def listens(cls, port):
        if cls.opendkim.poll() is not None:
            raise AssertionError("opendkim ended with %d" % cls.opendkim.returncode)
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    @classmethod
    def end(cls):
        cls.opendkim.terminate()
        cls.opendkim.wait(60)
        shutil.rmtree(cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        cls.end()

    def test_what_a_user_sends_is_signed(self):
        for number, body in enumerate(("short\r\n", "".join("%07d a line of some length\r\n" % line for line in range(9000))), 1):
            self.martlet.send("bob", body, sender="alice@example.org", service="submission", login="alice",
                              headers="From: alice@example.org\r\nSubject: %d\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n" % number)
            got = next(m for m in self.martlet.wait_for_mail("bob", number) if b"Subject: %d\r\n" % number in m)
            self.assertEqual(got.split(b"\r\n\r\n", 1)[1], body.encode())
            field = re.sub(rb"\s", b"", re.search(rb"(?m)^DKIM-Signature:((?:.*\r\n)(?:[ \t].*\r\n)*)", got)[1])
            said = base64.b64decode(re.search(rb"bh=([^;]*)", field)[1])
            self.assertEqual(said, hashlib.sha256(body.encode()).digest(), field)


if __name__ == "__main__":
    unittest.main()
