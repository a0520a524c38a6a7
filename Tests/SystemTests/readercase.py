"""What the tests of pop3d and imapd share: one Martlet a class, an account a test, and a store that goes away."""
import contextlib
import os
import signal
import ssl
import subprocess
import unittest

from martlet import Martlet, wait_until


def tls():
    return ssl._create_unverified_context()


def read(path):
    with open(path, errors="replace") as file:
        return file.read()


def front_of(pid):
    """The one child of a session process, which starts it a moment after its own start."""
    return int(wait_until(lambda: read("/proc/%d/task/%d/children" % (pid, pid)).strip(), "the front process"))


def has_ended(pid):
    """Whether it is gone, or only waits to be reaped."""
    try:
        return read("/proc/%d/stat" % pid).rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


class ReaderCase(unittest.TestCase):
    service = None
    settings = {"auth": {"failure_delay": "100 ms"}}

    @classmethod
    def setUpClass(cls):
        """Each test has an account of its own, made before the daemons start: they look for a new one once a second."""
        names = [cls.account_of(name) for name in unittest.defaultTestLoader.getTestCaseNames(cls)]
        cls.martlet = Martlet(accounts=names, settings=cls.settings)

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    @staticmethod
    def account_of(test):
        return test.removeprefix("test_").replace("_", "-")[:60]

    def setUp(self):
        self.user = self.account_of(self._testMethodName)
        self.address = self.martlet.address(self.user)

    def deliver(self, *bodies):
        before = len(self.martlet.files(self.user))
        for body in bodies:
            self.martlet.send(self.user, body)
        self.martlet.wait_for_mail(self.user, before + len(bodies))

    def events(self):
        return self.martlet.events(self.service)

    def exits(self):
        return [l for l in self.martlet.log().split("\n") if "supervisor: exit" in l and "service=" + self.service in l]


class WithoutStore:
    """A store that is not there is no empty one, and nobody has to help when it is back.

    `attempt()` logs in and answers how many messages INBOX has, or what was said instead; `temporary` is in the latter.
    """

    def store(self):
        return os.path.join(self.martlet.root, "spool", "mail")

    @contextlib.contextmanager
    def store_away(self):
        os.rename(self.store(), self.store() + ".away")
        try:
            yield self.store() + ".away"
        finally:
            os.rename(self.store() + ".away", self.store())

    def refuses(self):
        answer = self.attempt()
        return isinstance(answer, str) and self.temporary in answer

    def restart(self):
        exits = len(self.exits())
        self.martlet.kill(self.service, signal.SIGTERM)
        wait_until(lambda: len(self.exits()) > exits, "the end of " + self.service)

    def test_a_store_that_is_missing_at_the_start_is_found_when_it_comes(self):
        self.deliver("waits\r\n")
        with self.store_away():
            self.restart()
            wait_until(self.refuses, "a temporary refusal")
            self.assertFalse(os.path.exists(self.store()), "nobody makes an empty store")
        wait_until(lambda: self.attempt() == 1, lambda: "the mail is back: %s" % self.attempt())

    def test_a_store_that_goes_while_we_run_is_found_when_it_comes_back(self):
        self.deliver("waits\r\n")
        self.assertEqual(self.attempt(), 1)
        with self.store_away():
            wait_until(self.refuses, "a temporary refusal")
            self.assertFalse(os.path.exists(self.store()), "nobody makes an empty store")
        wait_until(lambda: self.attempt() == 1, lambda: "the mail is back: %s" % self.attempt())

    @unittest.skipUnless(os.geteuid() == 0, "mounts a file system")
    def test_a_store_that_is_mounted_while_we_run_is_used(self):
        self.deliver("waits\r\n")
        with self.store_away() as away:
            os.mkdir(self.store())
            try:
                wait_until(self.refuses, "a temporary refusal")
                self.assertEqual(os.listdir(self.store()), [], "nobody makes an empty store")
                self.mount(away)
                try:
                    wait_until(lambda: self.attempt() == 1, lambda: "the mail is there: %s" % self.attempt())
                finally:
                    subprocess.run(["umount", "-l", self.store()], check=True)
                wait_until(self.refuses, "a temporary refusal again")
            finally:
                os.rmdir(self.store())
        wait_until(lambda: self.attempt() == 1, lambda: "the mail is back: %s" % self.attempt())

    def mount(self, content):
        """Another file system with a copy of the store, which is one as soon as it is complete."""
        status = os.stat(content)
        options = "mode=%o,uid=%d,gid=%d" % (status.st_mode & 0o7777, status.st_uid, status.st_gid)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "martlet-test", self.store()], check=True)
        for name in sorted(os.listdir(content), key=lambda name: name == ".stage"):
            subprocess.run(["cp", "-a", os.path.join(content, name), self.store()], check=True)
