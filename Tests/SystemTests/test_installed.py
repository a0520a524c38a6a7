"""A system installation: `init` without --dev, as root, on the standard ports, with a user for each service.

Each test runs in a mount and a network namespace of its own, with copies of /etc, /var/spool and /var/cache, so the machine is not touched.
"""
import contextlib
import glob
import imaplib
import json
import os
import poplib
import pwd
import re
import smtplib
import ssl
import subprocess
import tempfile
import unittest

from martlet import BIN, PATIENCE, wait_until
from namespace import Inside, enter_a_system_of_its_own, run

MAILCTL = os.path.join(BIN, "mailctl")
LOGIN = ("ann@example.org", "a password of hers")


class Installation:
    """What `init` made, and its supervisor."""

    def __init__(self, *words, root=""):
        self.words = words
        self.spool = root + "/spool" if root else "/var/spool/martlet"
        self.etc = root + "/etc" if root else "/etc/martlet"
        self.said = self.mailctl("init", "--domain", "example.org").stdout
        self.mailctl("account", "add", LOGIN[0], "--password-stdin", input=LOGIN[1] + "\n")

    def mailctl(self, *words, **options):
        return run(MAILCTL, *self.words, *words, **options)

    def status(self):
        return json.loads(self.mailctl("status", "--json").stdout)

    def bring_certificate(self):
        """As docs/operations.md says."""
        folder = self.etc + "/tls"
        os.makedirs(folder, exist_ok=True)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", folder + "/key.pem", "-out", folder + "/certificate.pem")
        run("chgrp", "martlet-tls", folder + "/key.pem")
        os.chmod(folder + "/key.pem", 0o640)
        return ssl.create_default_context(cafile=folder + "/certificate.pem")

    @contextlib.contextmanager
    def running(self):
        with tempfile.TemporaryFile("w+") as log:
            supervisor = subprocess.Popen([MAILCTL, *self.words, "run"], stdout=log, stderr=log, env=dict(os.environ, SWIFT_BACKTRACE="enable=no"))
            try:
                wait_until(lambda: all(s["state"] == "running" for s in self.status()) and self.greets(), lambda: "all services\n" + self.read(log))
                yield supervisor
                self.mailctl("stop")
                if supervisor.wait(PATIENCE):
                    raise AssertionError("mailctl run ended with %d" % supervisor.returncode)
            except Exception as error:
                raise AssertionError("%s\n%s" % (error, self.read(log))) from error
            finally:
                supervisor.kill() if supervisor.poll() is None else None

    def greets(self):
        with contextlib.suppress(OSError, smtplib.SMTPException, poplib.error_proto):
            smtplib.SMTP("localhost", 25, timeout=PATIENCE).quit()
            poplib.POP3("localhost", 110, timeout=PATIENCE).quit()
            return True

    @staticmethod
    def read(log):
        log.seek(0)
        return log.read()[-4000:]

    def owners(self):
        """Service → the users of its processes."""
        owners = {}
        for entry in self.status():
            pids = [entry["pid"]] + [int(p) for p in run("pgrep", "-P", str(entry["pid"]), check=False).stdout.split()]
            owners[entry["service"]] = {pwd.getpwuid(os.stat("/proc/%d" % p).st_uid).pw_name for p in pids}
        return owners


def exchange(installation, tls):
    """A message from a user, one from outside, one from a local program; all read back."""
    with smtplib.SMTP("localhost", 587, timeout=PATIENCE) as client:
        client.starttls(context=tls)
        client.login(*LOGIN)
        client.sendmail(LOGIN[0], ["postmaster@example.org", LOGIN[0]], "From: ann@example.org\r\nSubject: submitted\r\n\r\nx\r\n")
    with smtplib.SMTP("localhost", 25, timeout=PATIENCE) as client:
        client.sendmail("far@elsewhere.example", [LOGIN[0]], "Subject: from outside\r\n\r\nx\r\n")
        if client.sendmail("far@elsewhere.example", [LOGIN[0], "nobody@example.org"], "Subject: to one of two\r\n\r\nx\r\n") == {}:
            raise AssertionError("an unknown recipient was taken")
    configuration = installation.etc + "/martlet.toml"
    default = [] if configuration == "/etc/martlet/martlet.toml" else ["-C", configuration]
    run(os.path.join(BIN, "sendmail"), *default, LOGIN[0], input="Subject: from a program\n\nx\n", user="nobody")
    subjects = {"submitted", "from outside", "to one of two", "from a program"}

    def by_imap():
        with imaplib.IMAP4_SSL("localhost", 993, ssl_context=tls, timeout=PATIENCE) as client:
            client.login(*LOGIN)
            client.select()
            answer = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
            return {m.decode() for part in answer if isinstance(part, tuple) for m in re.findall(rb"Subject: ([^\r]*)", part[1])}
    wait_until(lambda: by_imap() == subjects, lambda: "all by IMAP; there are %r" % by_imap())
    client = poplib.POP3_SSL("localhost", 995, context=tls, timeout=PATIENCE)
    client.user(LOGIN[0])
    client.pass_(LOGIN[1])
    assert client.stat()[0] == len(subjects), client.stat()
    client.quit()
    wait_until(lambda: json.loads(installation.mailctl("queue", "list", "--json").stdout) == [], "an empty queue")


def whole_life(folder, *words, root=""):
    enter_a_system_of_its_own(folder)
    installation = Installation(*words, root=root)
    tls = installation.bring_certificate()
    with installation.running():
        owners = installation.owners()
        wanted = {name: {"martlet-" + name} for name in ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")}
        assert owners == wanted, owners
        exchange(installation, tls)
    for path in glob.glob(installation.spool + "/**/*", recursive=True):
        # What Prometheus reads says nothing of mail.
        if "/drop/" not in path and "/metrics/" not in path and os.stat(path).st_mode & 0o004 and not os.path.isdir(path):
            raise AssertionError("anyone can read " + path)
    return installation


def system_paths(folder):
    installation = whole_life(folder)
    for place in ("/etc/martlet/martlet.toml", "/var/spool/martlet/mail/example.org/ann", "/var/cache/martlet/imapd"):
        assert os.path.exists(place), place
    # What is there is kept, and said to be there.
    again = installation.mailctl("init", "--domain", "example.org", check=False)
    assert (again.returncode, "exists already" in again.stderr) == (73, True), again


def own_root(folder):
    root = os.path.join(folder, "tree")
    whole_life(folder, "--root", root, root=root)


def without_certificate(folder):
    """Mail is taken in clear, nobody can send a password, and a certificate that comes later needs a restart only."""
    enter_a_system_of_its_own(folder)
    installation = Installation()
    with installation.running():
        with smtplib.SMTP("localhost", 25, timeout=PATIENCE) as client:
            client.ehlo()
            assert not client.has_extn("starttls"), client.esmtp_features
            client.sendmail("far@elsewhere.example", [LOGIN[0]], "Subject: early\r\n\r\nx\r\n")
        with smtplib.SMTP("localhost", 587, timeout=PATIENCE) as client:
            client.ehlo()
            assert not client.has_extn("auth"), client.esmtp_features
        tls = installation.bring_certificate()
        installation.mailctl("restart")
        wait_until(installation.greets, "the services again")
        with imaplib.IMAP4_SSL("localhost", 993, ssl_context=tls, timeout=PATIENCE) as client:
            client.login(*LOGIN)
            wait_until(lambda: client.select()[1] == [b"1"], "the early message")


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class InstalledTests(Inside, unittest.TestCase):
    maxDiff = None

    def test_a_system_installation_takes_sends_and_shows_mail(self):
        self.inside(system_paths)

    def test_a_tree_of_ones_own_on_standard_ports_does_the_same(self):
        self.inside(own_root)

    def test_without_a_certificate_it_takes_mail_and_no_passwords(self):
        self.inside(without_certificate)


if __name__ == "__main__":
    unittest.main()
