"""What the tests of imapd share: one Martlet a class, an account a test, and what a client asks most."""
import imaplib
import os
import re
import ssl
import unittest

from martlet import PASSWORD, PATIENCE, Martlet

imaplib._MAXLINE = 1 << 24


def tls():
    return ssl._create_unverified_context()


def read(path):
    with open(path, errors="replace") as file:
        return file.read()


def front_of(pid):
    """The front process: the child of the session process."""
    return int(read("/proc/%d/task/%d/children" % (pid, pid)).split()[0])


def has_ended(pid):
    try:
        return read("/proc/%d/stat" % pid).rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


class IMAPCase(unittest.TestCase):
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

    def client(self):
        client = imaplib.IMAP4("127.0.0.1", self.martlet.port("imap"), timeout=PATIENCE)
        self.addCleanup(self.close, client)
        return client

    @staticmethod
    def close(client):
        """Also for one that has ended already."""
        try:
            client.shutdown()
        except OSError:
            pass

    def login(self, client=None, mailbox=None):
        client = client or self.client()
        self.ok(client.login(self.address, PASSWORD))
        if mailbox:
            self.ok(client.select(mailbox))
        return client

    def ok(self, answer):
        self.assertEqual(answer[0], "OK", answer)
        return answer[1]

    def no(self, answer, code):
        self.assertEqual(answer[0], "NO", answer)
        self.assertIn(code, answer[1][0])

    def deliver(self, *bodies):
        before = len(self.martlet.files(self.user))
        for body in bodies:
            self.martlet.send(self.user, body)
        self.martlet.wait_for_mail(self.user, before + len(bodies))

    def append(self, client, mailbox, text, flags="", date=None):
        """The UID of the new message."""
        answer = self.ok(client.append(mailbox, flags, date, text.encode()))
        return int(re.search(rb"APPENDUID \d+ (\d+)", answer[0])[1])

    def uids(self, client, *criteria):
        return [int(n) for n in self.ok(client.uid("SEARCH", *criteria))[0].split()]

    def flags(self, client, number):
        return set(imaplib.ParseFlags(self.ok(client.fetch(str(number), "(FLAGS)"))[0])) - {b"\\Recent"}

    def content(self, client, number, item="BODY.PEEK[]"):
        return self.ok(client.fetch(str(number), "(%s)" % item))[0][1]

    def texts(self, client):
        """The bodies of all messages of the selected mailbox."""
        parts = self.ok(client.fetch("1:*", "(BODY.PEEK[TEXT])"))
        return [part[1] for part in parts if isinstance(part, tuple)]

    def events(self):
        folder = os.path.join(self.martlet.root, "spool", "imapd", "events")
        return [line for name in sorted(os.listdir(folder)) if name.endswith(".log")
                for line in read(os.path.join(folder, name)).split("\n")]

    def exits(self):
        return [l for l in self.martlet.log().split("\n") if "supervisor: exit" in l and "service=imapd" in l]
