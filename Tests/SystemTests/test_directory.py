"""The directory changes, is torn and is locked under sessions that are open: 451 while in doubt, never 550, and it recovers alone."""
import os
import pathlib
import random
import smtplib
import sqlite3
import threading
import time
import unittest

from martlet import PASSWORD, PATIENCE, Martlet, wait_until


class Session:
    """One SMTP session that stays open and asks about recipients."""

    def __init__(self, martlet):
        self.client = smtplib.SMTP("127.0.0.1", martlet.port("smtp"), timeout=PATIENCE)
        self.client.ehlo()

    def ask(self, address):
        """In a transaction of its own: what was accepted in one stays accepted in it."""
        self.client.rset()
        self.client.mail("stranger@elsewhere.example")
        return self.client.rcpt(address)[0]

    def close(self):
        self.client.close()


class OpenSessions(unittest.TestCase):
    def setUp(self):
        self.martlet = Martlet()
        self.addCleanup(self.martlet.close)
        self.session = Session(self.martlet)
        self.addCleanup(self.session.close)
        self.snapshot = os.path.join(self.martlet.root, "spool", "directory", "addresses", "addresses.db")

    def test_a_snapshot_replaced_in_the_middle_of_a_session_counts_at_the_next_recipient(self):
        self.assertEqual(self.session.ask("carol@example.org"), 550)
        self.martlet.add_account("carol")
        self.assertEqual(self.session.ask("carol@example.org"), 250)
        self.martlet.mailctl("account", "remove", "carol@example.org")
        self.assertEqual(self.session.ask("carol@example.org"), 550)
        self.assertEqual(self.session.ask("alice@example.org"), 250)

    def test_a_snapshot_torn_in_place_in_the_middle_of_a_session_puts_recipients_off(self):
        seed = random.SystemRandom().getrandbits(32)
        print("seed", seed)
        chance = random.Random(seed)
        good = pathlib.Path(self.snapshot).read_bytes()
        self.assertEqual(self.session.ask("alice@example.org"), 250)
        for _ in range(12):
            # The same file, under the programs that have it open: what a failing disk or a careless restore does.
            bad = bytearray(good)
            if chance.random() < 0.4:
                bad = bad[:chance.randrange(len(bad))]
            else:
                at = chance.randrange(len(bad))
                bad[at:at + 4096] = bytes(chance.randrange(256) for _ in bad[at:at + 4096])
            with open(self.snapshot, "r+b") as file:
                file.write(bad)
                file.truncate(len(bad))
            for name in ("alice", "bob", "nobody"):
                self.assertEqual(self.session.ask(name + "@example.org"), 451, name)
            # A session may be asked to come back later too; a new one tells that it recovers by itself.
            with open(self.snapshot, "r+b") as file:
                file.write(good)
                file.truncate(len(good))
            wait_until(lambda: self.session.ask("alice@example.org") == 250, "recipients are taken again")
            self.assertEqual(self.session.ask("nobody@example.org"), 550)

    def test_snapshots_that_change_all_the_time_never_make_a_known_recipient_unknown(self):
        over = threading.Event()

        def change():
            while not over.is_set():
                self.martlet.mailctl("alias", "add", "team@example.org", "alice@example.org")
                self.martlet.mailctl("alias", "remove", "team@example.org")
        thread = threading.Thread(target=change, daemon=True)
        thread.start()
        try:
            seen = {self.session.ask("alice@example.org") for _ in range(80)}
        finally:
            over.set()
            thread.join(PATIENCE)
        self.assertLessEqual(seen, {250, 451})
        self.assertIn(250, seen)

    def test_a_locked_database_stops_no_mail_and_is_told_with_a_remedy(self):
        database = os.path.join(self.martlet.root, "spool", "directory", "directory.db")
        lock = sqlite3.connect(database, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        try:
            done = self.martlet.mailctl("account", "add", "carol@example.org", "--password-stdin", input=PASSWORD + "\n", check=False)
            self.assertEqual(done.returncode, 75, done.stderr)
            self.assertIn("locked", done.stderr)
            self.assertEqual(self.session.ask("alice@example.org"), 250)
            self.assertEqual(self.session.ask("nobody@example.org"), 550)
            self.martlet.send("alice", "while it is locked\r\n")
            self.martlet.wait_for_mail("alice", 1)
            self.martlet.mailctl("restart", "queued")
            self.martlet.send("bob", "and after a restart\r\n")
            self.martlet.wait_for_mail("bob", 1)
        finally:
            lock.close()
        self.martlet.add_account("carol")
        self.assertEqual(self.session.ask("carol@example.org"), 250)


if __name__ == "__main__":
    unittest.main()
