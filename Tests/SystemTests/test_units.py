"""The services under other supervisors than `mailctl run`: systemd's units verified, scored and tried through their sockets; runit and s6 for real."""
import contextlib
import ctypes
import glob
import os
import re
import shutil
import signal
import smtplib
import socket
import struct
import subprocess
import time
import unittest

from martlet import BIN, PATIENCE, wait_until
from supervised import ROOT, SERVICES, Installed, Supervised, tools_missing

SYSTEM_UNITS = "/lib/systemd/system"
# The most that `systemd-analyze security` may say, of 10. martlet-tree is root's: it reads and mends the logs of all services, and ends at once.
MOST = dict({"martlet-%s.service" % name: 0.5 for name in SERVICES}, **{"martlet-%s.service" % name: 1.3 for name in ("smtpd", "submission", "remoted", "tree")})
LISTENERS = {"smtpd": ("smtp",), "submission": ("submission", "submissions"), "pop3d": ("pop3", "pop3s"), "imapd": ("imap", "imaps")}


@unittest.skipIf(tools_missing("systemd-analyze", "strip", "patchelf"), "needs systemd-analyze, strip and patchelf (etc/dev/setup test)")
class UnitFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.installed = Installed(prefix="/usr/local")
        cls.addClassCleanup(cls.installed.close)
        cls.units = cls.installed.path("lib/systemd/system")
        # What ours refer to: systemd's own units, and the program that ExecReload names.
        theirs = cls.installed.stage + SYSTEM_UNITS
        os.makedirs(theirs)
        for unit in glob.glob(SYSTEM_UNITS + "/*.target") + [SYSTEM_UNITS + "/systemd-tmpfiles-setup.service"]:
            shutil.copy(os.path.realpath(unit), os.path.join(theirs, os.path.basename(unit)))
        os.makedirs(cls.installed.stage + "/bin")
        shutil.copy("/bin/kill", cls.installed.stage + "/bin/kill")

    def analyze(self, *words):
        return subprocess.run(["systemd-analyze", "--root=" + self.installed.stage, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=self.units, timeout=PATIENCE, env=dict(os.environ, SYSTEMD_COLORS="0", SYSTEMD_EMOJI="0"))

    def names(self, ending):
        return sorted(os.path.basename(p) for p in glob.glob(self.units + "/*" + ending))

    def test_the_units_are_what_systemd_takes_without_a_word(self):
        self.assertEqual(self.names(".service"), sorted(MOST))
        done = self.analyze("verify", "--man=no", "--recursive-errors=no", *self.names(".service"), *self.names(".socket"), *self.names(".target"))
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_the_units_are_as_closed_as_the_page_on_security_says(self):
        scores = {}
        for unit in self.names(".service"):
            done = self.analyze("security", "--offline=true", unit)
            scores[unit] = float(re.search(r"Overall exposure level for %s: ([\d.]+)" % re.escape(unit), done.stdout)[1])
        self.assertEqual({u: s for u, s in scores.items() if s > MOST[u]}, {})
        version = subprocess.run(["systemd-analyze", "--version"], text=True, capture_output=True).stdout.split()[1]
        with open(os.path.join(ROOT, "docs", "security.md")) as page:
            said = {m[0]: float(m[1]) for m in re.findall(r"^\| `(martlet-[\w-]+\.service)` \| ([\d.]+) \|", page.read(), re.M)}
        # Each version of systemd weighs differently.
        self.assertEqual(said if version == "252" else set(said), scores if version == "252" else set(scores))

    def test_each_listener_has_a_socket_by_its_name_on_its_port(self):
        ports = {"smtp": 25, "submission": 587, "submissions": 465, "pop3": 110, "pop3s": 995, "imap": 143, "imaps": 993}
        for service, listeners in LISTENERS.items():
            with open(os.path.join(self.units, "martlet-%s.service" % service)) as file:
                self.assertIn("Sockets=" + " ".join("martlet-%s.socket" % name for name in listeners), file.read())
            for name in listeners:
                with open(os.path.join(self.units, "martlet-%s.socket" % name)) as file:
                    text = file.read()
                for line in ("ListenStream=0.0.0.0:%d" % ports[name], "ListenStream=[::]:%d" % ports[name], "FileDescriptorName=" + name,
                             "Service=martlet-%s.service" % service):
                    self.assertIn(line + "\n", text)
        self.assertEqual(self.names(".socket"), sorted("martlet-%s.socket" % name for names in LISTENERS.values() for name in names))

    @unittest.skipIf(tools_missing("strace"), "needs strace")
    def test_systemd_lets_through_each_call_that_a_service_makes(self):
        """The call filter of the units, resolved by systemd's own lists, against what strace sees of all services at work."""
        allowed = self.allowed_calls()
        martlet = Supervised()
        self.addCleanup(martlet.close)
        martlet.prefix = ["strace", "-f", "-qq", "-o", martlet.root + "/calls", "-e", "signal=none"]
        log = open(martlet.log_path, "ab")
        self.addCleanup(log.close)
        supervisor = subprocess.Popen([*martlet.prefix, BIN + "/mailctl", "--root", martlet.root, "run"], stdout=log, stderr=log,
                                      env=dict(os.environ, SWIFT_BACKTRACE="enable=no"))
        martlet.prefix = []
        try:
            wait_until(lambda: set(martlet.states().values()) == {"running"}, lambda: "all services\n" + martlet.log()[-3000:])
            exchange(self, martlet)
        finally:
            with contextlib.suppress(AssertionError):
                martlet.mailctl("stop", check=False)
            supervisor.wait(PATIENCE)
        self.assertEqual(self.calls_of_services(martlet.root + "/calls") - allowed, set())

    def allowed_calls(self):
        groups, name = {}, None
        for line in subprocess.run(["systemd-analyze", "syscall-filter"], text=True, capture_output=True).stdout.split("\n"):
            if re.match(r"@\S+$", line):
                name = line
                groups[name] = set()
            elif name and re.match(r"    [@\w]", line):
                groups[name].add(line.strip())
        resolve = lambda word: {call for inner in groups[word] for call in resolve(inner)} if word.startswith("@") else {word}
        allowed = resolve("@default")
        with open(os.path.join(self.units, "martlet-.service.d/10-martlet.conf")) as file:
            for sign, words in re.findall(r"^SystemCallFilter=(~?)(.*)$", file.read(), re.M):
                calls = {call for word in words.split() for call in resolve(word)}
                allowed = allowed - calls if sign else allowed | calls
        return allowed

    def calls_of_services(self, path):
        """Calls of each process from where it becomes one of ours; strace shows the first exec of a fork as an ordinary call."""
        programs, calls = set(), set()
        with open(path, errors="replace") as file:
            for line in file:
                found = re.match(r"(\d+)\s+(\w+)\((.*)", line)
                if not found:
                    continue
                pid, call, rest = found.groups()
                if call == "execve":
                    (programs.add if re.match(r'"[^"]*/(smtpd|queued|locald|remoted|pop3d|imapd)"', rest) else programs.discard)(pid)
                elif pid in programs:
                    calls.add(call)
                made = re.search(r"= (\d+)$", line.strip())
                if pid in programs and call in ("clone", "clone3", "vfork", "fork") and made:
                    programs.add(made[1])
        self.assertIn("landlock_restrict_self", calls, "strace saw the services")
        return calls


def exchange(case, martlet):
    """A message from outside and one from a user arrive, and are read by POP3 and IMAP."""
    import imaplib
    import poplib
    wait_until(lambda: greets(martlet), lambda: "greetings\n" + martlet.log()[-3000:])
    martlet.send("alice", "from outside\r\n")
    martlet.send("alice", "from a user\r\n", sender="bob@example.org", service="submission", login="bob")
    martlet.wait_for_mail("alice", 2)
    pop = poplib.POP3("127.0.0.1", martlet.port("pop3"), timeout=PATIENCE)
    pop.user("alice@example.org")
    pop.pass_("correct horse")
    case.assertEqual(pop.stat()[0], 2)
    pop.quit()
    with imaplib.IMAP4("127.0.0.1", martlet.port("imap"), timeout=PATIENCE) as imap:
        imap.login("alice@example.org", "correct horse")
        case.assertEqual(imap.select()[1], [b"2"])


def greets(martlet):
    with contextlib.suppress(OSError, smtplib.SMTPException):
        for name, word in (("smtp", b"220"), ("submission", b"220"), ("pop3", b"+OK"), ("imap", b"* OK")):
            with socket.create_connection(("127.0.0.1", martlet.port(name)), PATIENCE) as s:
                if not s.makefile("rb").readline().startswith(word):
                    return False
        return True


def hide_openat2():
    """As RestrictSUIDSGID= does: the call looks missing. For the process and all that it becomes."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Load the number; is it openat2? ENOSYS: allow.
    code = b"".join(struct.pack("HBBI", *step) for step in ((0x20, 0, 0, 0), (0x15, 0, 1, 437), (0x06, 0, 0, 0x00050026), (0x06, 0, 0, 0x7FFF0000)))
    steps = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", 4, ctypes.addressof(steps))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.create_string_buffer(program)):
        raise OSError(ctypes.get_errno(), "prctl")


@unittest.skipIf(tools_missing("systemd-socket-activate"), "needs systemd-socket-activate")
class SocketActivation(unittest.TestCase):
    """As systemd starts them: its sockets, its names for them, its notifications, openat2 hidden; as root each with the user of its unit."""

    def setUp(self):
        self.martlet = Supervised()
        self.addCleanup(self.martlet.close)
        self.processes = []
        self.addCleanup(self.end)
        self.notices = {}
        self.log = open(self.martlet.log_path, "ab")
        self.addCleanup(self.log.close)

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def start(self, service, watchdog="3000000"):
        path = os.path.join(self.martlet.root, "notify-" + service)
        self.notices[service] = notice = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(notice.close)
        notice.bind(path)
        os.chmod(path, 0o666)
        notice.settimeout(PATIENCE)
        program = "smtpd" if service == "submission" else service
        command = [os.path.join(BIN, program), "--config", os.path.join(self.martlet.root, "etc", "martlet.toml"), "--service", service]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid", "martlet-" + service, "--regid", "martlet-" + service, "--init-groups", *command]
        names = LISTENERS.get(service, ())
        environment = dict(NOTIFY_SOCKET=path, WATCHDOG_USEC=watchdog, SWIFT_BACKTRACE="enable=no", PATH=os.environ["PATH"],
                           LD_LIBRARY_PATH=os.environ.get("LD_LIBRARY_PATH", ""))
        if names:
            settings = [word for name, value in environment.items() for word in ("-E", "%s=%s" % (name, value))]
            listen = [word for name in names for word in ("-l", "127.0.0.1:%d" % self.martlet.port(name))]
            command = ["systemd-socket-activate", "--fdname=" + ":".join(names), *listen, *settings, *command]
        self.processes.append(subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, env=environment, start_new_session=True,
                                               preexec_fn=hide_openat2))
        return self.processes[-1]

    def heard(self, service):
        return self.notices[service].recv(256).decode()

    def test_mail_goes_through_services_that_systemd_starts(self):
        self.martlet.mailctl("tree", "start")
        started = {service: self.start(service) for service in SERVICES}
        for service in ("queued", "locald", "remoted"):
            self.assertEqual(self.heard(service), "READY=1", service)
        exchange(self, self.martlet)
        for service in SERVICES:
            if service in LISTENERS:
                self.assertEqual(self.heard(service), "READY=1", service)
            self.assertEqual(self.heard(service), "WATCHDOG=1", service)
        self.assertEqual(set(self.martlet.states().values()), {"running"})
        status = self.martlet.status()
        self.assertEqual({s: e["pid"] for s, e in status.items()}, {s: p.pid for s, p in started.items()})
        # What is not ours to do is said, with the name of who does it; a reload is a signal and needs nobody.
        done = self.martlet.mailctl("restart", "smtpd", check=False)
        self.assertEqual(done.returncode, 69)
        self.assertIn("no `mailctl run` keeps the services", done.stderr)
        self.martlet.mailctl("reload")
        self.martlet.send("bob", "after the reload\r\n")
        self.martlet.wait_for_mail("bob", 1)
        for service, process in started.items():
            process.send_signal(signal.SIGTERM)
        for service, process in started.items():
            self.assertEqual(process.wait(PATIENCE), 0, service)
            self.notices[service].settimeout(5)
            said = []
            with contextlib.suppress(TimeoutError):
                while "STOPPING=1" not in said:
                    said.append(self.heard(service))
            self.assertIn("STOPPING=1", said, service)
        self.martlet.mailctl("tree", "stop")
        self.assertEqual(set(self.martlet.states().values()), {"stopped"})

    def test_a_service_that_no_longer_turns_says_nothing(self):
        self.start("queued", watchdog="400000")
        self.assertEqual(self.heard("queued"), "READY=1")
        for _ in range(3):
            self.assertEqual(self.heard("queued"), "WATCHDOG=1")
        process = self.processes[-1]
        process.send_signal(signal.SIGSTOP)
        self.notices["queued"].settimeout(1)
        with self.assertRaises(TimeoutError):
            for _ in range(20):
                self.heard("queued")
        process.send_signal(signal.SIGCONT)
        self.notices["queued"].settimeout(PATIENCE)
        self.assertEqual(self.heard("queued"), "WATCHDOG=1")

    def test_a_copy_is_recognised_under_systemd_too(self):
        self.martlet.mailctl("tree", "start")
        self.martlet.mailctl("tree", "stop")
        said = self.martlet.mailctl("tree", "start").stderr
        self.assertNotIn("copy", said)
        self.martlet.mailctl("tree", "stop")
        for name in ("SPOOL-ID", "mail/.stage/STORE-ID"):
            path = os.path.join(self.martlet.root, "spool", name)
            shutil.copy(path, path + ".copy")
            os.rename(path + ".copy", path)
        self.assertIn("is a copy, or was restored", self.martlet.mailctl("tree", "start").stderr)


@unittest.skipIf(tools_missing("strip", "patchelf"), "needs strip and patchelf (etc/dev/setup test)")
class OtherSupervisors(unittest.TestCase):
    def setUp(self):
        self.installed = Installed()
        self.addCleanup(self.installed.close)
        self.martlet = Supervised()
        self.addCleanup(self.martlet.close)
        self.log = open(self.martlet.log_path, "ab")
        self.addCleanup(self.log.close)

    def folders(self, supervisor):
        """The service folders that were installed, for this tree."""
        folder = os.path.join(self.martlet.root, "services")
        shutil.copytree(self.installed.path("share/martlet", supervisor), folder)
        for service in os.listdir(folder):
            with open(os.path.join(folder, service, "conf"), "w") as file:
                file.write("OPTIONS='--root %s'\n" % self.martlet.root)
        return folder

    def start(self, *command):
        process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, start_new_session=True,
                                   env=dict(os.environ, SWIFT_BACKTRACE="enable=no"))
        self.addCleanup(process.wait)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def lives(self, keeper):
        """Everything runs, mail goes through, what is killed comes back, and mailctl says who keeps it."""
        wait_until(lambda: set(self.martlet.states().values()) == {"running"}, lambda: "all services\n" + self.martlet.log()[-3000:])
        exchange(self, self.martlet)
        status = self.martlet.status()
        if os.geteuid() == 0:
            self.assertEqual(len({e["uid"] for e in status.values()}), 7)
            self.assertNotIn(0, {e["uid"] for e in status.values()})
        for service in ("smtpd", "queued", "imapd"):
            os.kill(status[service]["pid"], signal.SIGKILL)
            wait_until(lambda: self.martlet.status()[service]["pid"] not in (None, status[service]["pid"]), service + " again")
        wait_until(lambda: greets(self.martlet), "greetings again")
        self.martlet.send("bob", "after the kill\r\n")
        self.martlet.wait_for_mail("bob", 1)
        self.assertIn(keeper, self.martlet.mailctl("status").stdout)
        self.assertIn(keeper + " does: ", self.martlet.mailctl("restart", "smtpd", check=False).stderr)
        # Two lives at once are none.
        self.assertEqual(self.martlet.mailctl("run", check=False).returncode, 75)

    def gone(self):
        wait_until(lambda: set(self.martlet.states().values()) == {"stopped"}, "all of them stopped")

    @unittest.skipIf(tools_missing("runsvdir"), "needs runit")
    def test_runit_keeps_the_services(self):
        runsvdir = self.start("runsvdir", self.folders("runit"))
        self.lives("runit")
        runsvdir.send_signal(signal.SIGHUP)
        runsvdir.wait(PATIENCE)
        self.gone()

    @unittest.skipIf(tools_missing("s6-svscan"), "needs s6")
    def test_s6_keeps_the_services(self):
        svscan = self.start("s6-svscan", self.folders("s6"))
        self.lives("s6")
        svscan.send_signal(signal.SIGTERM)
        svscan.wait(PATIENCE)
        self.gone()


if __name__ == "__main__":
    unittest.main()
