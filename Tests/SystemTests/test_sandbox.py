"""What a running service may still do: the report of the probe, and what the kernel says of each process."""
import glob
import imaplib
import json
import os
import poplib
import re
import subprocess
import unittest

from martlet import PASSWORD, Martlet
from milter import Milter

SERVICES = ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")
PROCESSES = SERVICES + ("pop3d-front", "imapd-front")
NOBODY_MAY = ("read /etc/shadow", "execute a program", "start a process", "trace another process", "mount a file system", "signal another program",
              "listen on a TCP port", "list directory", "change a file of spool/mailctl/events", "make a file in /tmp", "become root", "open a ring of calls")
MAILDIR = ("list maildir", "make a file in maildir")


def status(pid):
    with open("/proc/%s/status" % pid) as file:
        return dict(re.split(r":\s*", line.rstrip("\n"), maxsplit=1) for line in file)


class Sandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet()
        cls.martlet.send("alice", "hers\r\n")
        cls.martlet.wait_for_mail("alice", 1)

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def processes(self):
        """Name → pid of all services and fronts."""
        found = {service: self.martlet.pid(service) for service in SERVICES}
        for service in ("pop3d", "imapd"):
            with open("/proc/%d/task/%d/children" % (found[service], found[service])) as file:
                found[service + "-front"] = int(file.read().split()[0])
        return found

    def test_no_process_holds_a_capability_and_every_thread_is_filtered(self):
        for name, pid in self.processes().items():
            tasks = glob.glob("/proc/%d/task/*" % pid)
            self.assertTrue(tasks, name)
            for task in tasks:
                said = status("%d/task/%s" % (pid, os.path.basename(task)))
                with self.subTest(process=name, thread=said["Name"]):
                    kinds = ("CapInh", "CapPrm", "CapEff", "CapAmb") + (("CapBnd",) if os.geteuid() == 0 else ())
                    self.assertEqual({kind: int(said[kind], 16) for kind in kinds}, dict.fromkeys(kinds, 0))
                    self.assertEqual((said["NoNewPrivs"], said["Seccomp"]), ("1", "2"))

    def test_limits_are_set(self):
        for name, pid in self.processes().items():
            with open("/proc/%d/limits" % pid) as file:
                limits = {line[:26].strip(): line[26:].split()[:2] for line in file.readlines()[1:]}
            for kind in ("Max core file size", "Max locked memory", "Max msgqueue size", "Max realtime priority", "Max nice priority"):
                self.assertEqual(limits[kind], ["0", "0"], "%s of %s" % (kind, name))
            self.assertLess(int(limits["Max open files"][1]), 1 << 20, name)
            if os.geteuid() == 0:
                self.assertEqual(limits["Max processes"][1], "1024", name)

    def test_no_service_misses_a_call(self):
        """The kernel logs a call that is on no list; nothing of the kind is there for our processes after mail went through."""
        client = poplib.POP3("127.0.0.1", self.martlet.port("pop3"))
        client.user("alice@example.org")
        client.pass_(PASSWORD)
        client.retr(1)
        client.quit()
        with imaplib.IMAP4("127.0.0.1", self.martlet.port("imap")) as client:
            client.login("alice@example.org", PASSWORD)
            client.select()
            client.fetch("1", "(BODY.PEEK[])")
        log = subprocess.run(["dmesg"], capture_output=True, text=True)
        if log.returncode:
            self.skipTest("the kernel's log cannot be read: " + log.stderr.strip())
        pids = {str(pid) for pid in self.processes().values()}
        missed = [line for line in log.stdout.split("\n") if "type=1326" in line and re.search(r" pid=(\d+)", line) and re.search(r" pid=(\d+)", line)[1] in pids]
        self.assertEqual(missed, [])

    def test_the_report_finds_all_denied_and_nothing_vacuous(self):
        before = self.leavings()
        done = self.martlet.mailctl("sandbox", "report", "--json", check=False)
        acts = json.loads(done.stdout)
        self.assertEqual([a for a in acts if not a["denied"] or not a["unconfined"] or not a["by"]], [])
        self.assertEqual(done.returncode, 0, done.stderr)
        by_process = {name: {a["act"]: a for a in acts if a["service"] == name} for name in PROCESSES}
        self.assertEqual({a["service"] for a in acts}, set(PROCESSES))
        for name, found in by_process.items():
            self.assertGreater(len(found), 60, name)
            for act in NOBODY_MAY:
                self.assertIn(act, found, name) if os.geteuid() == 0 or "root" not in act else None
        for name in ("smtpd", "submission", "queued", "remoted", "pop3d-front", "imapd-front"):
            for act in MAILDIR:
                self.assertIn(act, by_process[name], name)
        # Its own job is not among what is forbidden.
        self.assertNotIn("connect out by TCP", by_process["remoted"])
        self.assertNotIn("list maildir", by_process["imapd"])
        self.assertEqual(self.leavings() - before, set())
        self.martlet.check_supervisor()

    def leavings(self):
        """What a probe makes and takes away; another's may be there at any time."""
        found = {f for folder in (self.martlet.root, "/tmp", "/var/tmp", "/dev/shm")
                 for f in glob.glob(folder + ("/**/.martlet-*" if folder == self.martlet.root else "/.martlet-*"), recursive=True)}
        return {f for f in found if not (f.rsplit("-", 1)[-1].isdigit() and os.path.exists("/proc/" + f.rsplit("-", 1)[-1]))}


class WithFilters(unittest.TestCase):
    def test_a_filter_opens_its_port_and_nothing_else(self):
        filters = Milter(), Milter()
        martlet = Martlet(settings={"filter": {"smtpd": [filters[0].name], "submission": [filters[1].name]}})
        self.addCleanup(lambda: [f.close() for f in filters])
        self.addCleanup(martlet.close)
        martlet.send("alice", "through the filter\r\n")
        self.assertTrue(filters[0].messages)
        done = martlet.mailctl("sandbox", "report", "--json", check=False)
        acts = json.loads(done.stdout)
        self.assertEqual([a for a in acts if not a["denied"] or not a["unconfined"] or not a["by"]], [])
        for name in ("smtpd", "submission"):
            found = {a["act"]: a for a in acts if a["service"] == name}
            for act in ("connect out by TCP", "connect out from its listener", "connect out from a client's connection"):
                self.assertIn("landlock", found[act]["by"], name)
            # Port 25's policy asks DNS by datagrams.
            own = () if name == "smtpd" else ("send a datagram",)
            for act in (*own, "make a Unix socket", "connect to a Unix socket in the file system", "connect to an abstract Unix socket"):
                self.assertIn("seccomp", found[act]["by"], name)


if __name__ == "__main__":
    unittest.main()
