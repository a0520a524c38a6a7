"""The Debian package in a system of its own (`make package-test`): a bookworm made by debootstrap, booted by its own systemd in namespaces.

lintian; installation; mail through systemd's sockets; kill, watchdog; an upgrade with a live queue while clients connect; removal, a second
installation, purge. Needs root, cgroup2 and Debian's packages; says so and leaves itself out where it has not got them.
"""
import contextlib
import imaplib
import json
import os
import poplib
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from martlet import PATIENCE, wait_until
from supervised import SERVICES, tools_missing

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
KEPT = os.path.join(ROOT, ".build", "package-test")
BASE = os.path.join(KEPT, "bookworm")
LOGIN = ("ann@example.org", "a password of hers")
UNITS = ["martlet-%s.service" % name for name in SERVICES]
PORTS = (25, 587, 465, 110, 995, 143, 993)


def run(*words, check=True, **options):
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **dict({"timeout": 900}, **options))
    if check and done.returncode:
        raise AssertionError("%s: exit %d\n%s" % (" ".join(words), done.returncode, done.stdout))
    return done.stdout


def unified():
    """Where cgroup2 is mounted; None where it is not."""
    with open("/proc/mounts") as mounts:
        return next((line.split()[1] for line in mounts if line.split()[2] == "cgroup2"), None)


def package(version):
    return run(os.path.join(ROOT, "etc", "debian", "build"), env=dict(os.environ, VERSION=version, OUT=KEPT, COMPRESSION="-Zgzip -z1")).split()[-1]


def make_base(deb):
    """A bookworm with what the package depends on; kept for the next time."""
    names = [re.sub(r"[ (|].*", "", part.strip()) for part in run("dpkg-deb", "-f", deb, "Depends").split(",")]
    names += ["systemd-sysv", "openssl", "procps", "iproute2", "ca-certificates"]
    if not os.path.exists(BASE):
        shutil.rmtree(BASE + ".new", ignore_errors=True)
        run("debootstrap", "--variant=minbase", "--include=" + ",".join(names), "bookworm", BASE + ".new", timeout=1800)
        os.rename(BASE + ".new", BASE)


BOOT = """set -e
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 dev dev
for d in null zero full random urandom tty; do touch dev/$d; mount --bind /dev/$d dev/$d; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mount -t cgroup2 cgroup2 sys/fs/cgroup
ip link set lo up
exec env -i container=martlet PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /lib/systemd/systemd
"""


class System:
    """A machine of its own, as far as namespaces go."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="machine-", dir=KEPT)
        os.chmod(self.folder, 0o755)
        self.root = os.path.join(self.folder, "root")
        run("cp", "-a", BASE, self.root)
        with open(self.root + "/etc/hosts", "w") as hosts:
            hosts.write("127.0.0.1 localhost\n::1 localhost\n")
        self.cgroup = os.path.join(unified(), os.path.basename(self.folder))
        os.mkdir(self.cgroup)
        join = lambda: open(os.path.join(self.cgroup, "cgroup.procs"), "w").write(str(os.getpid()))
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--cgroup", "sh", "-c", BOOT, "sh", self.root],
            preexec_fn=join, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.init() and self.inside("systemctl", "is-system-running", check=False).strip() in ("running", "degraded"), "systemd running")

    def init(self):
        try:
            with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as file:
                children = file.read().split()
        except FileNotFoundError:
            return None
        if not children:
            return None
        with contextlib.suppress(OSError), open("/proc/%s/comm" % children[0]) as file:
            return int(children[0]) if file.read().strip() == "systemd" else None

    def inside(self, *words, **options):
        return run("nsenter", "-t", str(self.init()), "--all", "--root", "--wd", "env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                   "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_COLORS=0", *words, **options)

    def place(self, deb):
        """/tmp inside is a tmpfs of its own."""
        shutil.copy(deb, self.root + "/srv/")
        return "/srv/" + os.path.basename(deb)

    def path(self, name):
        return self.root + name

    def state(self, unit, *properties):
        text = self.inside("systemctl", "show", unit, *("--property=" + p for p in properties))
        return dict(line.split("=", 1) for line in text.strip().split("\n"))

    def active(self, *units):
        return all(self.state(unit, "ActiveState")["ActiveState"] == "active" for unit in units)

    def talk(self, *words):
        """This program again, in the network of the machine."""
        return run("nsenter", "-t", str(self.init()), "--net", sys.executable, os.path.abspath(__file__), "talk", self.root, *words)

    def close(self):
        self.process.kill()
        self.process.wait()
        for place, _, _ in os.walk(self.cgroup, topdown=False):
            for _ in range(100):
                with contextlib.suppress(OSError):
                    os.rmdir(place)
                    break
                time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)


# -- what is said in the network of the machine -----------------------------------------------------------------------

def talk(root, what, *words):
    tls = ssl.create_default_context(cafile=root + "/etc/martlet/tls/certificate.pem") if os.path.exists(root + "/etc/martlet/tls/certificate.pem") else None
    if what == "submit":
        with smtplib.SMTP("localhost", 587, timeout=PATIENCE) as client:
            client.starttls(context=tls)
            client.login(*LOGIN)
            client.sendmail(LOGIN[0], [LOGIN[0]], "From: %s\r\nSubject: %s\r\n\r\nx\r\n" % (LOGIN[0], words[0]))
    elif what == "send":
        with smtplib.SMTP("localhost", 25, timeout=PATIENCE) as client:
            client.sendmail("far@elsewhere.example", [LOGIN[0]], "Subject: %s\r\n\r\nx\r\n" % words[0])
    elif what == "wait":
        wait_until(lambda: subjects(tls) >= set(words), lambda: "%r by IMAP; there are %r" % (words, subjects(tls)))
        pop = poplib.POP3_SSL("localhost", 995, context=tls, timeout=PATIENCE)
        pop.user(LOGIN[0])
        pop.pass_(LOGIN[1])
        assert pop.stat()[0] == len(subjects(tls)), pop.stat()
        pop.quit()
    elif what == "relay":
        print(relayed(tls, words[0]))
    elif what == "open":
        print(" ".join(str(port) for port in PORTS if is_open(port)))
    elif what == "knock":
        refused, greeted = knock(float(words[0]))
        print(json.dumps({"refused": refused, "greeted": greeted}))


def subjects(tls):
    with imaplib.IMAP4_SSL("localhost", 993, ssl_context=tls, timeout=PATIENCE) as client:
        client.login(*LOGIN)
        client.select(readonly=True)
        answer = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        return {m.decode() for part in answer if isinstance(part, tuple) for m in re.findall(rb"Subject: ([^\r]*)", part[1])}


def relayed(tls, subject):
    """What a server of another domain, here on a port of its own, gets of a message that is submitted."""
    with socket.create_server(("127.0.0.1", 2525)) as server:
        with smtplib.SMTP("localhost", 587, timeout=PATIENCE) as client:
            client.starttls(context=tls)
            client.login(*LOGIN)
            client.sendmail(LOGIN[0], ["somebody@elsewhere.example"], "From: %s\r\nSubject: %s\r\n\r\nx\r\n" % (LOGIN[0], subject))
        server.settimeout(PATIENCE)
        peer = server.accept()[0]
        with peer, peer.makefile("rwb") as stream:
            peer.settimeout(PATIENCE)
            say = lambda line: (stream.write(line + b"\r\n"), stream.flush())
            say(b"220 elsewhere.example")
            content, inside = [], False
            for line in stream:
                if inside and line != b".\r\n":
                    content.append(line.decode())
                elif inside:
                    say(b"250 2.0.0 taken")
                    return "".join(content)
                else:
                    inside = line.upper().startswith(b"DATA")
                    say(b"354 go on" if inside else b"250 elsewhere.example")


def is_open(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        return True


def knock(seconds):
    """Connects all the time; how often nobody listened, and how often a greeting came."""
    refused = greeted = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", 25), PATIENCE) as s:
                greeted += s.makefile("rb").readline().startswith(b"220")
        except ConnectionRefusedError:
            refused += 1
        except OSError:
            pass
        time.sleep(0.02)
    return refused, greeted


class PackageTests(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        missing = tools_missing("debootstrap", "lintian", "dpkg-shlibdeps", "unshare", "nsenter")
        if os.geteuid() or missing or not unified():
            raise unittest.SkipTest("needs root, cgroup2 and " + (", ".join(missing) or "nothing else"))
        os.makedirs(KEPT, exist_ok=True)
        cls.first, cls.second = package("1.0"), package("1.0+1")
        make_base(cls.first)

    def test_lintian_finds_no_error(self):
        said = run("lintian", "--allow-root", "--fail-on", "none", "--show-overrides", self.first)
        print(said)
        self.assertEqual([line for line in said.split("\n") if line.startswith("E:")], [])
        # Nothing of the toolchain is needed: the package brings its runtime.
        names = run("dpkg-deb", "-f", self.first, "Depends")
        self.assertIn("libsqlite3-0", names)
        self.assertNotIn("swift", names)

    def test_the_life_of_an_installation(self):
        system = System()
        self.addCleanup(system.close)
        first, second = system.place(self.first), system.place(self.second)
        self.installs(system, first)
        self.serves(system)
        self.heals(system)
        self.upgrades(system, second)
        self.is_removed_and_comes_back(system, second)
        self.is_purged(system, second)

    def installs(self, system, deb):
        system.inside("dpkg", "-i", deb)
        for service in SERVICES:
            self.assertIn("martlet-" + service, system.inside("getent", "passwd", "martlet-" + service))
        self.assertEqual(system.inside("systemctl", "is-enabled", "martlet.target", *UNITS).split(), ["enabled"] * 8)
        # Without a configuration nothing starts, and nothing fails.
        system.inside("systemctl", "start", "martlet.target")
        self.assertFalse(system.active("martlet-smtpd.service"))
        self.assertEqual(system.inside("systemctl", "--failed", "--no-legend").strip(), "")
        system.inside("mailctl", "init", "--domain", "example.org")
        system.inside("mailctl", "account", "add", LOGIN[0], "--password-stdin", input=LOGIN[1] + "\n")
        system.inside("sh", "-c", "mkdir -p /etc/martlet/tls && cd /etc/martlet/tls && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                      "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out certificate.pem && chgrp martlet-tls key.pem && chmod 640 key.pem")

    def serves(self, system):
        system.inside("systemctl", "start", "martlet.target")
        wait_until(lambda: system.active(*UNITS), lambda: system.inside("journalctl", "-n", "60", "--no-pager"))
        self.assertEqual(system.talk("open").split(), [str(port) for port in PORTS])
        system.talk("submit", "submitted")
        system.talk("send", "from-outside")
        system.inside("runuser", "-u", "nobody", "--", "sendmail", LOGIN[0], input="Subject: from-a-program\n\nx\n")
        system.talk("wait", "submitted", "from-outside", "from-a-program")
        status = json.loads(system.inside("mailctl", "status", "--json"))
        self.assertEqual({s["state"] for s in status}, {"running"})
        self.assertEqual(len({s["uid"] for s in status} | {0}), 8)
        self.assertIn("supervisor: systemd", system.inside("mailctl", "status"))
        self.assertIn("systemctl restart martlet-imapd.service", system.inside("mailctl", "restart", "imapd", check=False))
        self.assertEqual(json.loads(system.inside("mailctl", "check", "--permissions", "--json"))["differences"], [])
        acts = json.loads(system.inside("mailctl", "sandbox", "report", "--json", check=False))
        self.assertGreater(len(acts), 100)
        self.assertEqual([act for act in acts if not act["denied"]], [])
        system.inside("mailctl", "route", "add", "elsewhere.example", "127.0.0.1:2525")
        self.assertIn("Subject: far away", system.talk("relay", "far away"))
        # What each program asks of the kernel, for its work and for its own cage, is not taken away by the unit around it.
        self.assertEqual(system.inside("sh", "-c", "journalctl --no-pager -u 'martlet-*' | grep 'problem - ' || true"), "")

    def heals(self, system):
        before = {unit: system.state(unit, "MainPID")["MainPID"] for unit in UNITS}
        for pid in before.values():
            system.inside("kill", "-9", pid)
        wait_until(lambda: all(system.state(u, "NRestarts")["NRestarts"] == "1" for u in UNITS) and system.active(*UNITS), "all of them again")
        # One that no longer turns is killed: the watchdog, made impatient.
        system.inside("sh", "-c", "mkdir -p /run/systemd/system/martlet-queued.service.d && printf '[Service]\\nWatchdogSec=2s\\n' "
                      ">/run/systemd/system/martlet-queued.service.d/90-test.conf && systemctl daemon-reload && systemctl restart martlet-queued.service")
        system.inside("kill", "-STOP", system.state("martlet-queued.service", "MainPID")["MainPID"])
        wait_until(lambda: system.state("martlet-queued.service", "NRestarts")["NRestarts"] != "0" and system.active("martlet-queued.service"), "queued again")
        system.talk("send", "after-the-kills")
        system.talk("wait", "after-the-kills")

    def upgrades(self, system, deb):
        system.inside("systemctl", "stop", "martlet-locald.service")
        system.talk("send", "waits-for-the-upgrade")
        wait_until(lambda: len(json.loads(system.inside("mailctl", "queue", "list", "--json"))) == 1, "a message in the queue")
        before = {unit: system.state(unit, "MainPID")["MainPID"] for unit in UNITS}
        seen = {}
        knocking = threading.Thread(target=lambda: seen.update(json.loads(system.talk("knock", "25"))))
        knocking.start()
        system.inside("dpkg", "-i", deb)
        knocking.join()
        self.assertEqual(seen["refused"], 0, seen)
        self.assertGreater(seen["greeted"], 10)
        self.assertEqual(system.inside("dpkg-query", "-W", "-f", "${Version}", "martlet"), "1.0+1")
        after = {unit: system.state(unit, "MainPID")["MainPID"] for unit in UNITS}
        self.assertEqual([unit for unit in UNITS if before[unit] == after[unit]], ["martlet-locald.service"], "what was stopped stays so")
        self.assertEqual(len(json.loads(system.inside("mailctl", "queue", "list", "--json"))), 1)
        system.inside("systemctl", "start", "martlet-locald.service")
        system.talk("wait", "waits-for-the-upgrade", "submitted")

    def is_removed_and_comes_back(self, system, deb):
        system.talk("send", "before-the-removal")
        system.talk("wait", "before-the-removal")
        system.inside("dpkg", "-r", "martlet")
        self.assertEqual(system.talk("open").split(), [])
        self.assertEqual(system.inside("sh", "-c", "pgrep -f [l]ibexec/martlet || true").strip(), "")
        for kept in ("/etc/martlet/martlet.toml", "/etc/martlet/tls/key.pem", "/var/spool/martlet/mail/example.org/ann", "/var/spool/martlet/directory/directory.db"):
            self.assertTrue(os.path.exists(system.path(kept)), kept)
        self.assertFalse(os.path.exists(system.path("/usr/libexec/martlet")))
        system.inside("dpkg", "-i", deb)
        system.inside("systemctl", "start", "martlet.target")
        wait_until(lambda: system.active(*UNITS), lambda: system.inside("journalctl", "-n", "60", "--no-pager"))
        system.talk("wait", "before-the-removal", "submitted")

    def is_purged(self, system, deb):
        self.assertIn("still in /var/spool/martlet", system.inside("dpkg", "-P", "martlet"))
        self.assertFalse(os.path.exists(system.path("/etc/martlet")))
        self.assertTrue(os.path.exists(system.path("/var/spool/martlet/mail/example.org/ann")))
        # A new configuration finds the old accounts and their mail.
        system.inside("dpkg", "-i", deb)
        self.assertIn("exists already", system.inside("mailctl", "init", "--domain", "example.org", check=False))
        self.assertIn(LOGIN[0], system.inside("mailctl", "account", "list"))
        self.assertEqual(json.loads(system.inside("mailctl", "check", "--permissions", "--json"))["differences"], [])
        system.inside("sh", "-c", "echo martlet martlet/purge-mail boolean true | debconf-set-selections")
        system.inside("dpkg", "-P", "martlet")
        self.assertFalse(os.path.exists(system.path("/var/spool/martlet")))


if __name__ == "__main__":
    if sys.argv[1:2] == ["talk"]:
        talk(*sys.argv[2:])
    else:
        unittest.main(verbosity=2)
