"""Sessions of imapd beside each other, beside deliveries and other software; how they end, and their limits."""
import imaplib
import os
import shutil
import signal
import socket
import subprocess
import threading
import unittest

from imapcase import IMAPCase
from martlet import PASSWORD, PATIENCE, wait_until
from readercase import front_of, has_ended, tls


class IMAPBeside(IMAPCase):
    """Sessions, deliveries and other software at the same time."""

    def idle(self, client):
        client.send(b"i IDLE\r\n")
        self.assertTrue(client.readline().startswith(b"+"))

    def told(self, client, word):
        """Reads until a line with this word."""
        while word not in (line := client.readline()):
            self.assertTrue(line, "the connection ended")
        return line

    def done(self, client):
        client.send(b"DONE\r\n")
        self.told(client, b"i OK")

    def test_a_delivery_is_told_in_idle(self):
        for secure in (False, True):
            client = self.client()
            if secure:
                client.starttls(tls())
            self.login(client, "INBOX")
            before = len(self.martlet.files(self.user))
            self.idle(client)
            for number in range(before + 1, before + 4):
                self.martlet.send(self.user, "news\r\n")
                self.told(client, b"* %d EXISTS" % number)
            self.done(client)
            self.assertEqual(self.texts(client)[-1], b"news\r\n")
            self.close(client)

    def test_what_came_before_idle_is_told_at_once(self):
        client = self.login(mailbox="INBOX")
        self.deliver("early\r\n")
        client.send(b"i IDLE\r\n")
        self.told(client, b"* 1 EXISTS")
        self.done(client)

    def test_an_idling_session_sees_what_another_does(self):
        actor, watcher = self.login(mailbox="INBOX"), self.login(mailbox="INBOX")
        self.idle(watcher)
        self.append(actor, "INBOX", "Subject: a\r\n\r\nx\r\n")
        self.told(watcher, b"* 1 EXISTS")
        self.ok(actor.store("1", "+FLAGS", "(\\Flagged)"))
        self.assertIn(b"\\Flagged", self.told(watcher, b"* 1 FETCH"))
        self.ok(actor.store("1", "+FLAGS", "(\\Deleted)"))
        self.ok(actor.expunge())
        self.told(watcher, b"* 1 EXPUNGE")
        self.done(watcher)
        self.assertEqual(self.uids(watcher, "ALL"), [])

    def test_a_rename_by_other_software_is_told_in_idle(self):
        client = self.login()
        self.append(client, "INBOX", "Subject: a\r\n\r\nx\r\n")
        self.ok(client.select())
        self.idle(client)
        name = self.martlet.files(self.user)[0]
        os.rename(name, name + "F")
        self.assertIn(b"\\Flagged", self.told(client, b"* 1 FETCH"))
        self.done(client)

    def test_message_numbers_hold_until_the_client_is_told(self):
        first, second = self.login(), self.login()
        for number in range(3):
            self.append(first, "INBOX", "Subject: x\r\n\r\n%d\r\n" % number)
        self.ok(first.select())
        self.ok(second.select())
        self.ok(first.store("1", "+FLAGS", "(\\Deleted)"))
        self.ok(first.expunge())
        self.assertEqual(self.content(second, 3, "BODY.PEEK[TEXT]"), b"2\r\n")
        self.ok(second.noop())
        self.assertEqual(second.untagged_responses.get("EXPUNGE"), [b"1"])
        self.assertEqual(self.texts(second), [b"1\r\n", b"2\r\n"])

    def test_a_mailbox_that_goes_ends_the_session_that_has_it(self):
        first, second = self.login(), self.login()
        self.ok(first.create("Short"))
        self.ok(second.select("Short"))
        self.ok(first.delete("Short"))
        with self.assertRaises(imaplib.IMAP4.abort):
            second.noop()

    def test_sessions_that_append_at_once_each_get_a_uid(self):
        self.login().logout()
        uids, failures = [], []

        def work():
            try:
                client = self.login()
                for number in range(20):
                    uids.append(self.append(client, "INBOX", "Subject: x\r\n\r\n%d\r\n" % number))
            except Exception as error:
                failures.append(error)
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(sorted(uids), list(range(1, 121)))
        self.assertEqual(self.uids(self.login(mailbox="INBOX"), "ALL"), sorted(uids))

    def test_curl_reads_and_writes(self):
        url = "imap://127.0.0.1:%d/" % self.martlet.port("imap")
        curl = lambda *words: subprocess.run(["curl", "-s", "-S", "-k", "--ssl-reqd", "-u", "%s:%s" % (self.address, PASSWORD), *words],
                                             stdout=subprocess.PIPE, check=True, timeout=PATIENCE).stdout
        path = os.path.join(self.martlet.root, "upload")
        with open(path, "wb") as file:
            file.write(b"Subject: from curl\r\n\r\nhello\r\n")
        curl("-T", path, url + "Sent")
        self.assertEqual(curl(url + "Sent;UID=1"), b"Subject: from curl\r\n\r\nhello\r\n")
        self.assertIn(b'"." Sent', curl(url))

    @unittest.skipUnless(shutil.which("mbsync"), "mbsync is not installed")
    def test_mbsync_brings_both_sides_together(self):
        client = self.login()
        for number in range(30):
            self.append(client, "INBOX", "Message-ID: <%d@x>\r\nSubject: %d\r\n\r\nbody %d\r\n" % (number, number, number), "\\Seen" if number % 2 else "")
        home = os.path.join(self.martlet.root, "mbsync-home")
        for name in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(home, "mail", "INBOX", name))
        rc = os.path.join(home, "rc")
        with open(rc, "w") as file:
            file.write("IMAPAccount a\nHost 127.0.0.1\nPort %d\nUser %s\nPass \"%s\"\nSSLType None\nAuthMechs LOGIN\n\n"
                       "IMAPStore far\nAccount a\n\nMaildirStore near\nPath %s/mail/\nInbox %s/mail/INBOX\nSubFolders Verbatim\n\n"
                       "Channel c\nFar :far:\nNear :near:\nPatterns INBOX Sent\nCreate Both\nExpunge Both\nSync All\nSyncState *\n"
                       % (self.martlet.port("imap"), self.address, PASSWORD, home, home))

        def sync():
            done = subprocess.run(["mbsync", "-c", rc, "c"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
            self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace"))
        near = lambda: [os.path.join(home, "mail", "INBOX", s, f) for s in ("new", "cur") for f in os.listdir(os.path.join(home, "mail", "INBOX", s))]
        sync()
        self.assertEqual(len(near()), 30)
        self.ok(client.select())
        # Flagged and deleted here, a new one there: both sides have all of it afterwards.
        self.ok(client.store("1", "+FLAGS", "(\\Flagged)"))
        self.ok(client.store("2", "+FLAGS", "(\\Deleted)"))
        self.ok(client.expunge())
        with open(os.path.join(home, "mail", "INBOX", "new", "1700000000.1_1.near"), "wb") as file:
            file.write(b"Message-ID: <near@x>\nSubject: near\n\nfrom the near side\n")
        sync()
        self.assertEqual(len(near()), 30)
        self.assertEqual(len([f for f in near() if "F" in f.rsplit(",", 1)[-1] and ":2," in f]), 1)
        self.ok(client.noop())
        self.assertIn(b"from the near side\r\n", [text.replace(b"\r\r\n", b"\r\n") for text in self.texts(client)])
        self.assertEqual(len(self.texts(client)), 30)
        sync()
        self.assertEqual(len(near()), 30)


class IMAPEnds(IMAPCase):
    def test_a_stop_says_bye_to_all_and_ends_well(self):
        idling, waiting = self.login(mailbox="INBOX"), self.login()
        idling.send(b"i IDLE\r\n")
        idling.readline()
        encrypted = self.client()
        encrypted.starttls(tls())
        self.login(encrypted)
        exits = len(self.exits())
        self.martlet.kill("imapd", signal.SIGTERM)
        for client in (idling, waiting, encrypted):
            rest = client.file.read() if hasattr(client, "file") and hasattr(client.file, "read") else client.read(1 << 16)
            self.assertIn(b"* BYE ", rest)
        wait_until(lambda: len(self.exits()) > exits, "the end of imapd")
        self.assertIn("code=0", self.exits()[-1])
        self.login().logout()

    def test_a_session_process_that_dies_takes_its_front_along_and_loses_nothing(self):
        client = self.login()
        uid = self.append(client, "INBOX", "Subject: x\r\n\r\nkept\r\n", "(\\Flagged Blue)")
        pid = self.martlet.pid("imapd")
        front = front_of(pid)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: has_ended(front), "the end of the front")
        client = self.login(mailbox="INBOX")
        self.assertEqual(self.uids(client, "ALL"), [uid])
        self.assertEqual(self.flags(client, 1), {b"\\Flagged", b"Blue"})
        self.assertEqual(self.texts(client), [b"kept\r\n"])

    def test_the_front_holds_no_mailbox_and_no_log(self):
        self.login(mailbox="INBOX")
        front = front_of(self.martlet.pid("imapd"))
        held = [os.readlink("/proc/%d/fd/%s" % (front, n)) for n in os.listdir("/proc/%d/fd" % front)]
        self.assertEqual([name for name in held if "/spool/" in name], [])

    def test_an_idling_session_holds_no_mailbox_open(self):
        client = self.login(mailbox="INBOX")
        client.send(b"i IDLE\r\n")
        client.readline()
        pid = self.martlet.pid("imapd")
        folder = self.martlet.maildir(self.user)

        def held():
            links = []
            for number in os.listdir("/proc/%d/fd" % pid):
                try:
                    links.append(os.readlink("/proc/%d/fd/%s" % (pid, number)))
                except FileNotFoundError:
                    pass
            return [link for link in links if link.startswith(folder)]
        wait_until(lambda: not held(), "the idle session's folders closed")


class IMAPLimits(IMAPCase):
    settings = {"auth": {"failure_delay": "100 ms", "allow_plaintext": "never"},
                "limits": {"connections_per_address": 3, "imap_idle_timeout": "2 s", "message_size": "100 KiB"}}

    def secure(self):
        def attempt():
            try:
                client = self.client()
                client.starttls(tls())
                return client
            except (imaplib.IMAP4.error, OSError):
                return None
        return wait_until(attempt, "a connection")

    def test_a_password_in_clear_is_refused(self):
        client = self.client()
        self.assertIn("LOGINDISABLED", client.capabilities)
        with self.assertRaises(imaplib.IMAP4.error):
            client.login(self.address, PASSWORD)
        self.login(self.secure()).logout()

    def test_one_address_has_only_so_many_connections(self):
        sockets = []
        self.addCleanup(lambda: [s.close() for s in sockets])

        def refusal():
            s = socket.create_connection(("127.0.0.1", self.martlet.port("imap")), PATIENCE)
            sockets.append(s)
            line = s.makefile("rb").readline()
            return line if line.startswith(b"* BYE") else None
        self.assertEqual(wait_until(refusal, "a refusal"), b"* BYE [UNAVAILABLE] too many connections\r\n")

    def test_a_silent_client_is_told_bye(self):
        client = self.login(self.secure())
        self.assertIn(b"* BYE", client.readline())

    def test_a_message_above_the_limit_is_refused_before_it_is_sent(self):
        client = self.login(self.secure())
        self.no(client.append("INBOX", "", None, b"Subject: x\r\n\r\n" + b"x" * 200_000), b"[TOOBIG]")


if __name__ == "__main__":
    unittest.main()
