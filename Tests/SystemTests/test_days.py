"""Days under a clock that the test moves: the real programs, each hour as long as it takes to say it. The programs are unmodified; clock.c moves what they
read, the wall clock and the one that never jumps."""
import os
import re
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "CrashLab"))
import martlet
import shims
from clock_lab import DAEMONS, Clock
from mail_samples import named, without_trace
from martlet import Martlet, wait_until
from servers import SMTPServer
from test_extensions import client, transaction
from test_remote import events, sent

HOUR, DAY = 3600, 86400


@unittest.skipUnless(shutil.which("cc") or shutil.which("clang"), "the clock needs a C compiler")
class Days(unittest.TestCase):
    """The configuration is the one that `mailctl init` writes."""

    def setUp(self):
        folder = tempfile.mkdtemp(prefix="martlet-days-")
        self.addCleanup(shutil.rmtree, folder, True)
        os.chmod(folder, 0o755)
        self.clock = Clock(os.path.join(folder, "clock"))
        environment = {"LD_PRELOAD": shims.compiled("clock.c", folder), "MARTLET_LAB_CLOCK": os.path.join(folder, "clock"), "MARTLET_LAB_TIME_PASSES": "1"}
        self.addCleanup(setattr, martlet, "BIN", martlet.BIN)
        martlet.BIN = shims.programs(martlet.BIN, os.path.join(folder, "bin"), {name: environment for name in DAEMONS})
        self.host = SMTPServer({"RCPT": lambda address: self.says(address)}, offers=("PIPELINING", "8BITMIME", "SIZE", "DELIVERBY"))
        self.addCleanup(self.host.close)
        self.says = lambda address: "451 4.7.1 come back later"
        self.here = Martlet(start=False)
        self.addCleanup(self.here.close)
        self.here.mailctl("route", "add", "far.example", "127.0.0.1:%d" % self.host.port)
        self.here.start()
        self.offset = 0

    def send(self, name, mail="", rcpt=""):
        smtp = client(self.here)
        transaction(smtp, "alice@example.org", ["user@far.example"], named(name, b"x\r\n"), mail, rcpt)
        smtp.quit()
        return wait_until(lambda: [e for e in events(self.here, "submission", "accept") if "<%s@" % name in e.get("msgid", "")], "the record")[0]

    def move_to(self, moment):
        """Time goes on, and never back."""
        self.offset = max(self.offset, int(moment - time.time()) + 1)
        self.clock.move(self.offset)

    def of(self, program, verb, accepted):
        return [e for e in events(self.here, program, verb) if e["id"] == accepted["id"]]

    def notices(self, words):
        return [m for m in self.here.messages("alice") if b"MAILER-DAEMON" in m and words in m]

    def go_on(self, accepted, until=lambda: False):
        """To each next attempt in turn, until the message is done or the condition holds; the hours of the attempts since its acceptance."""
        hours, began = [], float(accepted["at"])
        while True:
            tries = len(hours) + 1
            def progress():
                return self.of("queued", "done", accepted) or len(self.of("queued", "deferred", accepted)) >= tries
            wait_until(progress, lambda: "attempt %d or the end: %r\n%s" % (tries, self.here.queue(), self.here.log()[-2000:]))
            attempts = self.of("remoted", "temporary", accepted)
            hours = [(float(e["at"]) - began) / HOUR for e in attempts]
            if self.of("queued", "done", accepted) or until():
                return hours
            self.move_to(float(self.of("queued", "deferred", accepted)[-1]["until"]))

    def test_five_days_of_4xx_end_with_one_notice_and_one_bounce(self):
        accepted = self.send("five-days")
        hours = self.go_on(accepted)
        self.assertGreaterEqual(len([h for h in hours if h < 1]), 2, hours)
        pauses = [b - a for a, b in zip(hours, hours[1:])]
        self.assertLess(max(pauses), 4 * 1.1 + 0.1)
        self.assertGreater(hours[-1], 120)
        # As many attempts as five days take without jitter, each wait up to a tenth longer.
        self.assertLess(hours[-1], (120 + 4) * 1.1)
        delayed = self.notices(b"Action: delayed")
        self.assertEqual(len(delayed), 1)
        bounce = wait_until(lambda: self.notices(b"Action: failed"), "the bounce")
        self.assertEqual(len(bounce), 1)
        self.assertIn(b"Status: 5.4.7\r\n", bounce[0])
        self.assertRegex(re.sub(rb"\s+", b" ", bounce[0]), rb"tried %d times in 5 days.*delivery time expired; the last reply was: 451 4.7.1 come back later" % len(hours))
        told = self.of("queued", "notified", accepted)
        self.assertEqual(len(told), 1)
        self.assertGreaterEqual((float(told[0]["at"]) - float(accepted["at"])) / HOUR, 4)
        self.assertEqual(self.here.queue(), [])
        self.assertEqual(self.here.mailctl("audit", check=False).returncode, 0)

    def test_a_host_that_comes_back_after_three_days_has_it_whole(self):
        accepted = self.send("three-days")
        began = float(accepted["at"])
        self.go_on(accepted, until=lambda: time.time() + self.offset > began + 3 * DAY)
        self.here.kill("queued")
        self.here.kill("remoted")
        self.says = lambda address: "250 2.1.5 ok"
        self.move_to(float(self.of("queued", "deferred", accepted)[-1]["until"]))
        wait_until(lambda: sent(self.here, "user@far.example"), lambda: "sent: %r" % self.here.queue())
        wait_until(lambda: self.here.queue() == [], "an empty queue")
        self.assertEqual([without_trace(m[2]) for m in self.host.messages], [named("three-days", b"x\r\n")])
        self.assertEqual(len(self.notices(b"Action: delayed")), 1)
        self.assertEqual(self.notices(b"Action: failed"), [])

    def test_a_message_held_for_two_days_goes_then_and_one_with_an_hour_left_comes_back(self):
        self.says = lambda address: "250 2.1.5 ok"
        held = self.send("held", " HOLDFOR=172800")
        self.move_to(float(held["at"]) + 47 * HOUR)
        time.sleep(2)
        self.assertEqual(self.host.messages, [])
        self.move_to(float(held["at"]) + 48 * HOUR)
        wait_until(lambda: self.host.messages, lambda: "the held message: %r" % self.here.queue())
        self.says = lambda address: "451 4.7.1 come back later"
        late = self.send("late", " BY=3600;R")
        hours = self.go_on(late)
        self.assertLess(hours[-1], 1)
        bounce = wait_until(lambda: self.notices(b"<late@"), "the bounce")
        self.assertIn(b"Status: 5.4.7\r\n", bounce[0])
        self.assertLess(float(self.of("queued", "done", late)[-1]["at"]) - float(late["at"]), 1.1 * HOUR)


if __name__ == "__main__":
    unittest.main()
