"""The queue in the whole system: what it says of failures, what it frees, and how it starts on a full disk."""
import glob
import os
import pathlib
import subprocess
import time
import unittest

import test_faults
from martlet import BIN, wait_until
from servers import SMTPServer
from test_faults import BIG, FaultCase, needs_root
from test_regressions import ByHand


class Queue(FaultCase):
    def test_a_bounce_names_the_host_and_its_words(self):
        server = SMTPServer({"RCPT": "550 5.1.1 no such user here"})
        martlet = self.martlet(start=False)
        martlet.mailctl("route", "add", "other.example", "127.0.0.1:%d" % server.port)
        martlet.mailctl("alias", "add", "out@example.org", "nobody@other.example")
        martlet.start()
        martlet.send("out", "x\r\n", sender="bob@example.org")
        self.wait_for(martlet, "bob", "no such user here")
        text = next(m for m in martlet.messages("bob") if b"no such user here" in m).decode()
        self.assertIn("The host [127.0.0.1]:%d said:" % server.port, text)
        self.assertIn("Remote-MTA: dns; [127.0.0.1]:%d" % server.port, text)
        self.assertIn("Diagnostic-Code: smtp; 550 5.1.1 no such user here", text)
        self.assertIn(" host=[127.0.0.1]:%d" % server.port, martlet.wait_for_event("queued", "bounced "))

    def test_finished_content_leaves_the_disk_beside_a_message_that_waits(self):
        martlet = self.martlet(start=False)
        martlet.mailctl("route", "add", "dead.example", "127.0.0.1:1")
        martlet.mailctl("alias", "add", "dead@example.org", "x@dead.example")
        martlet.start()
        martlet.send("dead", "waits for days\r\n")
        for number in range(20):
            martlet.send("alice", "number %d\r\n" % number + BIG * 1500)
        segment, = self.segments(martlet, "smtpd/mail")
        self.assertGreater(os.path.getsize(segment), 2_000_000)
        martlet.wait_for_mail("alice", 20)
        wait_until(lambda: os.stat(segment).st_blocks * 512 < 300_000,
                   lambda: "blocks of finished mail freed; %d of %d bytes" % (os.stat(segment).st_blocks * 512, os.path.getsize(segment)))
        self.assertEqual(self.segments(martlet, "smtpd/mail"), [segment])
        self.assertIn(b"waits for days", pathlib.Path(segment).read_bytes())
        self.assertEqual(len(martlet.queue()), 1)

    def test_what_a_killed_sendmail_left_is_removed_after_a_day_and_a_half(self):
        martlet = self.martlet(start=False)
        drop = os.path.join(martlet.root, "spool", "drop")
        for name, hours in (("new-old", 37), ("new-young", 1), ("drop-strange", 37), ("else", 37)):
            pathlib.Path(drop, name).write_text("half a message")
            os.utime(os.path.join(drop, name), (time.time() - hours * 3600,) * 2)
        os.symlink("/etc/hostname", os.path.join(drop, "new-link"))
        martlet.start()
        wait_until(lambda: not os.path.exists(os.path.join(drop, "new-old")), "what is old and unfinished removed")
        self.assertEqual(sorted(os.listdir(drop)), ["drop-strange", "else", "new-link", "new-young"])

    def test_what_cannot_be_routed_is_said(self):
        martlet = self.martlet(start=False)
        martlet.mailctl("alias", "add", "loop@example.org", "bob@example.org")
        martlet.start()
        self.stop_service(martlet, "queued")
        martlet.send("loop", "goes round\r\n")
        martlet.mailctl("alias", "remove", "loop@example.org")
        martlet.mailctl("alias", "add", "loop@example.org", "round@example.org")
        martlet.mailctl("alias", "add", "round@example.org", "loop@example.org")
        martlet.mailctl("start", "queued")
        martlet.wait_for_event("queued", "deferred ", "recipient=loop@example.org")
        martlet.mailctl("alias", "remove", "round@example.org")
        martlet.mailctl("alias", "add", "round@example.org", "bob@example.org")
        self.wait_for(martlet, "bob", "goes round")


@needs_root
class FullDiskStart(FaultCase):
    """The programs are stopped and started on a disk without a free byte."""

    setUp, small, full = test_faults.FullDisk.setUp, test_faults.FullDisk.small, test_faults.FullDisk.full

    def test_a_start_on_a_full_disk_gives_space_back(self):
        martlet = self.small(store=self.store)
        os.rename(self.store, self.store + ".away")
        for i in range(8):
            martlet.send(["alice", "bob"], "leaves the spool %d\r\n" % i + BIG * 4000)
        wait_until(lambda: len(martlet.queue()) == 8, "eight in the queue")
        big = os.path.join(self.root, "spool", "smtpd", "mail", "big")
        martlet.wait_for_event("locald", "temporary")
        for log in ("queued/events", "queued/mail", "queued/released", "locald/events", "smtpd/mail", "smtpd/events"):
            self.assertGreater(os.stat(os.path.join(self.root, "spool", log, ".spare")).st_blocks, 0, log)
        martlet.stop()
        with self.full():
            os.rename(self.store + ".away", self.store)
            martlet.start()
            for name in ("alice", "bob"):
                wait_until(lambda: len(glob.glob("%s/example.org/%s/new/*" % (self.store, name))) == 8, "mail for %s\n%s" % (name, martlet.log()[-3000:]))
            wait_until(lambda: len([l for l in martlet.events("queued") if l.startswith("done ")]) == 8, "all of them done")
            wait_until(lambda: os.listdir(big) == [], "their space given back")
        self.wait_for_empty_queue(martlet)

    def test_a_drop_that_was_adopted_goes_even_where_nothing_new_is_taken(self):
        martlet = self.small(store=self.store)
        drop = os.path.join(self.root, "spool", "drop")
        config = os.path.join(self.root, "etc", "martlet.toml")

        def survives(number):
            """Whether queued, dying at its so manieth unlink, leaves a drop that it has adopted."""
            martlet.mailctl("stop", "queued")
            subprocess.run([BIN + "/sendmail", "-C", config, "alice@example.org"], input=b"Subject: x\n\nbody %d of a drop\n" % number, check=True)
            with ByHand(martlet, "queued", "kill@unlink:%d" % number) as process:
                wait_until(lambda: process.poll() is not None or not os.listdir(drop), "adopted, or dead")
            logs = b"".join(pathlib.Path(path).read_bytes() for path in self.segments(martlet, "queued/mail"))
            return os.listdir(drop) and b"body %d of a drop" % number in logs
        number = next((n for n in range(1, 12) if survives(n)), None)
        self.assertIsNotNone(number, "a death between the adoption and the unlink")
        with open(os.path.join(self.root, "filler"), "wb") as filler:
            free = os.statvfs(self.root)
            os.posix_fallocate(filler.fileno(), 0, max(1, free.f_bavail * free.f_frsize - (20 << 20)))
        copies = lambda: sum(b"body %d of a drop" % number in pathlib.Path(path).read_bytes()
                             for path in glob.glob(self.store + "/example.org/alice/*/*") if os.path.isfile(path))
        martlet.mailctl("start", "queued")
        wait_until(lambda: copies() == 1, "its message")
        wait_until(lambda: os.listdir(drop) == [], "the drop gone")
        self.wait_for_empty_queue(martlet)
        martlet.mailctl("restart", "queued")
        os.unlink(filler.name)
        martlet.mailctl("restart", "queued")
        self.wait_for_empty_queue(martlet)
        self.assertEqual(copies(), 1)


if __name__ == "__main__":
    unittest.main()
