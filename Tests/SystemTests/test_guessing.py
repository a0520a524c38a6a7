"""Guessing passwords: slowed, counted over three services, told in one line each, and never at the owner's cost."""
import base64
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from martlet import PASSWORD, PATIENCE, Martlet, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
FILTER = os.path.join(HERE, "..", "..", "etc", "fail2ban", "filter.d", "martlet.conf")
SERVICES = ("submission", "pop3", "imap")
LOGS = ("submission", "pop3d", "imapd")
# As nobody would write them elsewhere: they must be in no log.
WRONG = "a-wrong-password-of-mine"
TYPED = "a-password-in-the-wrong-field"


class GuessingCase(unittest.TestCase):
    settings = {}

    def setUp(self):
        settings = {"auth": {"failure_delay": "0 s", "failures_per_address": 1000, "failures_per_account": 1000, **self.settings}}
        self.martlet = Martlet(settings=settings)
        self.addCleanup(self.martlet.close)

    def dial(self, service, address="127.0.0.1"):
        """A connection from any loopback address: whom it comes from is counted."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        client = socket.socket(family)
        client.settimeout(PATIENCE)
        client.bind((address, 0))
        client.connect(("::1" if family == socket.AF_INET6 else "127.0.0.1", self.martlet.port(service)))
        self.addCleanup(client.close)
        stream = client.makefile("rwb")
        self.addCleanup(stream.close)
        stream.readline()
        return stream

    def login(self, service, name="alice@example.org", password=PASSWORD, address="127.0.0.1"):
        """The server's last line, as it came."""
        plain = base64.b64encode(b"\0" + name.encode() + b"\0" + password.encode())
        stream = self.dial(service, address)

        def say(line):
            stream.write(line + b"\r\n")
            stream.flush()
            return stream.readline()
        if service == "submission":
            line = say(b"EHLO x")
            while line[3:4] == b"-":
                line = stream.readline()
            return say(b"AUTH PLAIN " + plain)
        if service == "pop3":
            assert say(b"AUTH PLAIN").startswith(b"+"), "a challenge"
            return say(plain)
        assert say(b"a AUTHENTICATE PLAIN").startswith(b"+"), "a challenge"
        line = say(plain)
        while line.startswith(b"* "):
            line = stream.readline()
        return line

    def is_in(self, answer):
        return answer.startswith((b"235", b"+OK", b"a OK"))

    def assertIn_(self, *arguments, **more):
        self.assertTrue(self.is_in(self.login(*arguments, **more)), self.martlet.log()[-1500:])

    def assertOut(self, *arguments, **more):
        answer = self.login(*arguments, **more)
        self.assertFalse(self.is_in(answer), answer)
        return answer

    def failures(self, log, *words):
        return [l for l in self.martlet.events(log) if "authenticate" in l and "result=failed" in l and all(w in l for w in words)]


class OneLineEach(GuessingCase):
    def test_known_and_unknown_names_get_one_answer_and_no_secret_is_told(self):
        for service, log in zip(SERVICES, LOGS):
            known = self.assertOut(service, "alice@example.org", WRONG)
            self.assertEqual(self.assertOut(service, "nobody@example.org", WRONG), known)
            self.assertEqual(self.assertOut(service, TYPED, WRONG), known)
            wait_until(lambda: len(self.failures(log)) == 3, "three lines of " + log)
            first, second, third = self.failures(log)
            self.assertIn("account=alice@example.org", first)
            for line in (second, third):
                self.assertNotIn("account=", line)
            for line in (first, second, third):
                self.assertRegex(line, r"authenticate - peer=127\.0\.0\.1 .*who=[0-9a-f]{16} ")
        marks = [re.findall(r"who=(\w+)", "\n".join(self.failures(log))) for log in LOGS]
        self.assertEqual(marks[0], marks[1])
        self.assertEqual(marks[0], marks[2])
        self.assertEqual(len(set(marks[0])), 3)
        said = self.martlet.log() + "".join("\n".join(self.martlet.events(log)) for log in LOGS)
        for secret in (WRONG, TYPED, PASSWORD, base64.b64encode(WRONG.encode()).decode()[:-2], "nobody@example.org"):
            self.assertNotIn(secret, said)

    def test_fail2ban_finds_each_failure_and_nothing_else(self):
        for service in SERVICES:
            self.assertOut(service, "alice@example.org", WRONG)
            self.assertOut(service, "peer=198.51.100.9 result=failed", WRONG)
            self.assertOut(service, TYPED, WRONG, address="::1")
            self.assertIn_(service)
        for log in LOGS:
            wait_until(lambda: len(self.failures(log)) == 3, "three lines of " + log)
        lines = lambda: [l for l in self.martlet.log().split("\n") if "authenticate - " in l]
        wait_until(lambda: len(lines()) >= 12, "all lines on stderr")
        failed = [l for l in lines() if "result=failed" in l]
        self.assertEqual(len(failed), 9)
        found = self.fail2ban(self.martlet.log_path)
        self.assertEqual(sorted(found), ["127.0.0.1"] * 6 + ["::1"] * 3)
        # As the journal has them, and with what a client sent that looks like one.
        journal = os.path.join(self.martlet.root, "journal")
        with open(journal, "w") as file:
            for line in failed:
                file.write("Nov 30 12:00:00 mx imapd[123]: %s\n" % line)
            file.write("smtpd: accept u1 from=a@b peer=192.0.2.1 helo=x%0Aimapd:%20authenticate%20-%20peer=192.0.2.9%20result=failed at=1795225858.276\n")
            file.write("imapd: authenticate - peer=192.0.2.3 proto=imap result=failed reason=malformed at=1795225858.276\n")
            file.write("imapd: authenticate - peer=192.0.2.4 proto=imap result=failed who=0123456789abcdef reason=blocked at=1795225858.276\n")
        self.assertEqual(sorted(self.fail2ban(journal)), ["127.0.0.1"] * 6 + ["192.0.2.4"] + ["::1"] * 3)

    def fail2ban(self, log):
        """The addresses that the filter finds in a log."""
        command, environment = fail2ban_regex()
        if not command:
            self.skipTest("no fail2ban-regex, and no package of it")
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        for place in ("filter.d", "action.d"):
            os.mkdir(os.path.join(folder, place))
        shutil.copy(FILTER, os.path.join(folder, "filter.d", "martlet.conf"))
        shutil.copy(environment.pop("COMMON"), os.path.join(folder, "filter.d", "common.conf"))
        run = subprocess.run([*command, "-c", folder, "-o", "ip", log, os.path.join(folder, "filter.d", "martlet.conf")],
                             env=dict(os.environ, **environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return run.stdout.split()


def fail2ban_regex():
    """The command and its environment: the machine's own, or a Debian package unpacked in the cache of the tests."""
    own = shutil.which("fail2ban-regex")
    if own:
        return [own], {"COMMON": "/etc/fail2ban/filter.d/common.conf"}
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "martlet-tests", "fail2ban")
    if not glob.glob(cache + "/usr/bin/fail2ban-regex"):
        os.makedirs(cache, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            got = subprocess.run(["apt-get", "download", "fail2ban"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for package in glob.glob(folder + "/*.deb") if got.returncode == 0 else ():
                subprocess.run(["dpkg-deb", "-x", package, cache], check=True)
    if not os.path.exists(cache + "/usr/bin/fail2ban-regex"):
        return None, {}
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    return [python, cache + "/usr/bin/fail2ban-regex"], {
        "PYTHONPATH": cache + "/usr/lib/python3/dist-packages", "COMMON": cache + "/etc/fail2ban/filter.d/common.conf"}


class Counted(GuessingCase):
    settings = {"failures_per_address": 6, "failures_per_account": 12}

    def blocked(self, log):
        return self.failures(log, "reason=blocked")

    def test_failures_at_one_service_count_at_the_others(self):
        for number in range(6):
            self.assertOut("imap", "name-%d@example.org" % number, WRONG, address="127.0.0.7")
        # The right password from there is not looked at, and told what every failure is told. One that comes before the news does
        # proves its account for good: so each try is another account's.
        names = iter(["p%d" % number for number in range(30)])
        for service, log in zip(SERVICES, LOGS):
            while True:
                name = next(names)
                self.martlet.add_account(name)
                if not self.is_in(self.login(service, self.martlet.address(name), address="127.0.0.7")):
                    break
            wait_until(lambda: self.blocked(log), "the line of " + log)
        for service in SERVICES:
            self.assertIn_(service, address="127.0.0.8")
            self.assertEqual(self.assertOut(service, address="127.0.0.7"), self.assertOut(service, "nobody@example.org", WRONG, address="127.0.0.9"))

    def test_a_service_that_starts_anew_remembers(self):
        for _ in range(6):
            self.assertOut("pop3", "nobody@example.org", WRONG, address="127.0.0.7")
        wait_until(lambda: len(self.failures("pop3d")) == 6, "the lines")
        for service in ("pop3d", "submission"):
            self.martlet.mailctl("restart", service)
        wait_until(lambda: self.martlet.accepts(self.martlet.port("pop3")) and self.martlet.accepts(self.martlet.port("submission")), "both again")
        self.assertOut("pop3", address="127.0.0.7")
        self.assertOut("submission", address="127.0.0.7")

    def test_nobody_locks_an_owner_out(self):
        self.assertIn_("imap", address="127.0.0.20")
        for number in range(14):
            self.assertOut("imap", "alice@example.org", WRONG, address="127.0.1.%d" % number)
        # A guesser that failed once is not looked at again, even with the right password …
        self.assertOut("imap", address="127.0.1.3")
        wait_until(lambda: self.blocked("imapd"), "the line")
        # … but the owner is: from an address without failures, and from one that proved the account, though it failed since.
        self.assertIn_("imap", address="127.0.0.21")
        self.assertOut("imap", "alice@example.org", WRONG, address="127.0.0.20")
        self.assertIn_("imap", address="127.0.0.20")
        # Other accounts are none of this.
        self.assertIn_("imap", "bob@example.org", address="127.0.1.3")

    def test_a_neighbour_with_an_old_password_costs_only_himself(self):
        for name in ("alice", "bob"):
            self.assertIn_("imap", name + "@example.org", address="127.0.0.30")
        for _ in range(8):
            self.assertOut("imap", "bob@example.org", WRONG, address="127.0.0.30")
        self.assertOut("imap", "bob@example.org", address="127.0.0.30")
        self.assertIn_("imap", "alice@example.org", address="127.0.0.30")


class Slowed(GuessingCase):
    settings = {"failure_delay": "1 s", "failures_per_address": 8, "failures_per_account": 100}

    def test_each_failure_takes_longer(self):
        def time_of(number):
            begun = time.monotonic()
            self.assertOut("imap", "name-%d@example.org" % number, WRONG, address="127.0.0.7")
            return time.monotonic() - begun
        taken = [time_of(number) for number in range(6)]
        # Never earlier than it is held back; a busy machine may make it later.
        for seconds, least in zip(taken, (1, 2, 2, 4, 4, 8)):
            self.assertGreaterEqual(seconds, least * 0.95, taken)


if __name__ == "__main__":
    unittest.main()
