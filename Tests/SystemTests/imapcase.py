"""What the tests of imapd share: a client, and what it asks most."""
import imaplib
import re

from martlet import PASSWORD, PATIENCE
from readercase import ReaderCase

imaplib._MAXLINE = 1 << 24


class IMAPCase(ReaderCase):
    service = "imapd"

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
