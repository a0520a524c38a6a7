"""Arbitrary code as each service's user, without the sandbox: what modes and groups alone allow (docs/security.md, "By modes alone").

Real users, real folders. What a captured program can do to block the others is tried too: locks, renames, a full disk.
"""
import contextlib
import json
import os
import pwd
import smtplib
import subprocess
import tempfile
import unittest

from martlet import BIN, Martlet, wait_until

# The system's, because a service's user reaches no other.
PYTHON = "/usr/bin/python3"
SERVICES = ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")

# r: list and read; w: also make and take away; a: make, and not list; -: nothing.
MATRIX = """
                         smtpd submission queued locald remoted pop3d imapd
    spool                  r       r        r      r       r      r     r
    spool/smtpd            w       r        r      r       r      r     r
    spool/smtpd/mail       w       -        r      r       r      -     -
    spool/smtpd/mail/big   w       -        r      r       r      -     -
    spool/smtpd/events     w       r        r      -       -      r     r
    spool/submission       r       w        r      r       r      r     r
    spool/submission/mail  -       w        r      r       r      -     -
    spool/submission/mail/big -    w        r      r       r      -     -
    spool/submission/events -      w        r      -       -      r     r
    spool/queued           r       r        w      r       r      r     r
    spool/queued/mail      -       -        w      r       r      -     -
    spool/queued/mail/big  -       -        w      r       r      -     -
    spool/queued/events    -       -        w      r       r      -     -
    spool/queued/released  r       r        w      r       r      r     r
    spool/drop             a       a        w      a       a      a     a
    spool/locald/events    -       -        r      w       r      -     -
    spool/remoted/events   -       -        r      r       w      -     -
    spool/pop3d/events     -       r        r      -       -      w     r
    spool/imapd/events     -       r        r      -       -      r     w
    spool/mailctl/events   r       r        r      r       r      r     r
    spool/supervisor/events r      r        r      r       r      r     r
    spool/directory        r       r        r      r       r      r     r
    spool/directory/addresses r    r        r      r       r      r     r
    spool/directory/credentials -  r        -      -       -      r     r
    spool/directory/relay  -       -        -      -       r      -     -
    spool/mail             -       -        -      w       -      w     w
    spool/mail/.stage      -       -        -      w       -      w     w
    spool/mail/example.org/alice -  -       -      w       -      w     w
    spool/mail/example.org/alice/new - -    -      w       -      w     w
    cache                  r       r        r      r       r      r     r
    cache/imapd            -       -        -      -       -      -     w
    etc/tls                r       r        r      r       r      r     r
"""
# Single files, by who may read them.
FILES = {
    "spool/directory/directory.db": (), "etc/tls/key.pem": ("smtpd", "submission", "pop3d", "imapd"),
    "spool/directory/credentials/credentials.db": ("submission", "pop3d", "imapd"),
}
# What a captured process runs: reads a question as JSON, prints the answer.
LOOK = r"""
import json, os, sys
def can(act):
    try:
        act()
        return True
    except OSError:
        return False
def make(folder):
    path = os.path.join(folder, ".captured")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    os.unlink(path)
def right(folder):
    lists, makes = can(lambda: os.listdir(folder)), can(lambda: make(folder))
    return "w" if lists and makes else "r" if lists else "a" if makes else "-"
question = json.load(sys.stdin)
print(json.dumps({"folders": {f: right(f) for f in question["folders"]},
                  "files": {f: [can(lambda: open(f, "rb").read(1)), can(lambda: open(f, "ab"))] for f in question["files"]}}))
"""
HOLD = r"""
import fcntl, json, os, sys, time
held = []
for root in json.load(sys.stdin):
    for place, folders, files in os.walk(root):
        for name in [place] + [os.path.join(place, f) for f in files]:
            try:
                descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
                held.append(descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                pass
print(len(held), flush=True)
time.sleep(600)
"""
FILL = r"""
import os, sys
with open(os.path.join(sys.argv[1], "fill"), "wb", buffering=0) as file:
    size = 1 << 20
    while size:
        try:
            file.write(b"x" * size)
        except OSError:
            size //= 2
"""


def identity(service):
    entry = pwd.getpwnam("martlet-" + service)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": os.getgrouplist(entry.pw_name, entry.pw_gid)}


def as_service(service, code, *arguments, question=None):
    done = subprocess.run([PYTHON, "-c", code, *arguments], input=json.dumps(question), text=True, capture_output=True, timeout=60,
                          cwd="/", **identity(service))
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout) if done.stdout.strip() else None


def table():
    head, *rows = [line.split() for line in MATRIX.strip().split("\n")]
    return {row[0]: dict(zip(head, row[1:])) for row in rows}


@unittest.skipUnless(os.geteuid() == 0, "needs root: the services have users of their own then")
class CapturedUsers(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(settings={"retry": {"initial": "1 s", "maximum": "1 s"}})
        cls.martlet.send("alice", "hers\r\n", sender="bob@example.org")
        cls.martlet.wait_for_mail("alice", 1)

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def path(self, name):
        return os.path.join(self.martlet.root, name)

    def exchange(self, mark):
        """Mail in, delivered and read: nobody is blocked."""
        self.martlet.send("bob", mark + "\r\n", sender="alice@example.org", service="submission", login="alice")
        self.martlet.send("alice", mark + "\r\n")
        for name in ("alice", "bob"):
            wait_until(lambda: any(mark.encode() in m for m in self.martlet.messages(name)), "mail %s for %s\n%s" % (mark, name, self.martlet.log()[-2000:]))

    def test_a_captured_user_reaches_what_the_table_says(self):
        wanted = table()
        found = {name: {} for name in wanted}
        for service in SERVICES:
            question = {"folders": [self.path(name) for name in wanted], "files": [self.path(name) for name in FILES]}
            answer = as_service(service, LOOK, question=question)
            for name in wanted:
                found[name][service] = answer["folders"][self.path(name)]
            for name, readers in FILES.items():
                self.assertEqual(answer["files"][self.path(name)], [service in readers, False], "%s as %s" % (name, service))
        self.assertEqual(found, wanted)

    def test_a_delivered_message_is_read_by_those_alone_who_serve_it(self):
        message = self.martlet.files("alice")[0]
        for service in SERVICES:
            readable = as_service(service, LOOK, question={"folders": [], "files": [message]})["files"][message]
            self.assertEqual(readable[0], service in ("locald", "pop3d", "imapd"), service)

    def test_locks_hold_nobody_up(self):
        """Every file that each user can open is locked while all services start anew, and mail goes through."""
        holders = []
        try:
            for service in SERVICES:
                holder = subprocess.Popen([PYTHON, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", **identity(service))
                holders.append(holder)
                others = [self.path("spool/" + other) for other in (*SERVICES, "mailctl", "supervisor", "directory", "drop") if other != service]
                holder.stdin.write(json.dumps(others))
                holder.stdin.close()
                self.assertGreater(int(holder.stdout.readline()), 10)
            pids = {service: self.martlet.pid(service) for service in SERVICES}
            self.martlet.mailctl("restart")
            wait_until(lambda: all(s["pid"] and s["state"] == "running" and s["pid"] != pids[name] for name, s in self.martlet.status().items()),
                       lambda: "all services again\n" + self.martlet.log()[-3000:])
            self.exchange("under locks")
            self.martlet.add_account("carol")
            self.martlet.send("carol", "new\r\n")
            self.martlet.wait_for_mail("carol", 1)
        finally:
            for holder in holders:
                holder.kill()
                holder.wait()
                holder.stdout.close()

    def test_a_drop_that_its_owner_holds_holds_no_other(self):
        drop = self.path("spool/drop/drop-held0123456789abcdef")
        code = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); time.sleep(600)"
        holder = subprocess.Popen([PYTHON, "-c", code, drop], stdout=subprocess.PIPE, text=True, cwd="/", **identity("smtpd"))
        try:
            holder.stdout.readline()
            config = self.path("etc/martlet.toml")
            subprocess.run([os.path.join(BIN, "sendmail"), "-C", config, "bob@example.org"], input=b"Subject: beside a held drop\n\nx\n",
                           check=True, timeout=60)
            wait_until(lambda: any(b"beside a held drop" in m for m in self.martlet.messages("bob")), "the other drop")
        finally:
            holder.kill()
            holder.wait()
            holder.stdout.close()
            with contextlib.suppress(OSError):
                os.unlink(drop)

    def test_nobody_renames_what_is_anothers(self):
        """A folder's owner may rename in it; those who may write the store may do so there, and nobody else anywhere."""
        code = ("import json, os, sys\ndone = []\nfor path in json.load(sys.stdin):\n    try:\n        os.rename(path, path + '.taken')\n"
                "        os.rename(path + '.taken', path)\n        done.append(path)\n    except OSError:\n        pass\nprint(json.dumps(done))")
        shared = ["spool/mail/.stage/STORE-ID", "spool/mail/example.org/alice", "spool/mail/.stage"]
        others = {"spool/%s/events" % s: s for s in SERVICES}
        others.update({"spool/%s/mail" % s: s for s in ("smtpd", "submission", "queued")})
        others.update({"spool/" + s: None for s in (*SERVICES, "drop", "directory", "mailctl")})
        for service in SERVICES:
            done = as_service(service, code, question=[self.path(p) for p in [*shared, *others]])
            wanted = [self.path(p) for p in shared if service in ("locald", "pop3d", "imapd")] + [self.path(p) for p, owner in others.items() if owner == service]
            self.assertEqual(sorted(done), sorted(wanted), service)
        self.exchange("after renames")


@unittest.skipUnless(os.geteuid() == 0, "needs root: the services have users of their own then")
class FullDisk(unittest.TestCase):
    def test_a_disk_that_one_user_fills_loses_nothing_and_ends_nobody(self):
        root = tempfile.mkdtemp(prefix="martlet-full-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", root], check=True)
        try:
            with Martlet(root=root, settings={"retry": {"initial": "1 s", "maximum": "1 s"}}) as martlet:
                for service in ("smtpd", "remoted", "imapd"):
                    with self.subTest(service):
                        self.fill(martlet, service)
        finally:
            subprocess.run(["umount", "-l", root], check=True)
            os.rmdir(root)

    def fill(self, martlet, service):
        folder = os.path.join(martlet.root, "spool", service)
        pids = {name: martlet.pid(name) for name in SERVICES}
        as_service(service, FILL, folder)
        # How full it is smtpd looks up now and then; what it takes until then it keeps.
        taken = []
        wait_until(lambda: not self.send(martlet, "%s %d" % (service, len(taken)), taken), "mail is refused for now")
        wait_until(lambda: {name: s["pid"] for name, s in martlet.status().items()} == pids, "the same processes")
        os.unlink(os.path.join(folder, "fill"))
        wait_until(lambda: self.send(martlet, "after " + service, taken), "mail is taken again\n" + martlet.log()[-2000:])
        wait_until(lambda: all(any(mark.encode() in m for m in martlet.messages("alice")) for mark in taken), "all that was taken")

    def send(self, martlet, mark, taken):
        try:
            martlet.send("alice", mark + "\r\n")
        except smtplib.SMTPException as refusal:
            self.assertRegex(str(refusal), r"\b45[12]\b|\b421\b")
            return False
        taken.append(mark)
        return True


if __name__ == "__main__":
    unittest.main()
