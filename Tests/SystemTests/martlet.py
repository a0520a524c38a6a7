"""A Martlet of its own for a test: a tree in a temporary folder, the real programs on loopback ports, ended by pid."""
import glob
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time

BIN = os.environ.get("MARTLET_BIN") or os.path.join(os.path.dirname(__file__), "..", "..", ".build", "release")
BIN = os.path.abspath(BIN)
PATIENCE = float(os.environ.get("MARTLET_PATIENCE", "60"))
PASSWORD = "correct horse"


OFFSETS = (25, 465, 587, 110, 995, 143, 993)
# Bases of which no two have a port in common, below the ports that the kernel gives to clients.
BASES = [1000 * thousand + one for thousand in range(10, 31) for one in (0, 1)]
held_bases = {}


def free_base():
    """A base port whose seven offsets are free on both loopbacks, and that no other test has: a socket with its name is held until `give_back`."""
    end = time.monotonic() + 10 * PATIENCE
    while time.monotonic() < end:
        for base in random.sample(BASES, len(BASES)):
            held = socket.socket(socket.AF_UNIX)
            try:
                held.bind("\0martlet-test-ports-%d" % base)
                for offset in OFFSETS:
                    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                        with socket.socket(family) as s:
                            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                            s.bind((address, base + offset))
                held_bases[base] = held
                return base
            except OSError:
                held.close()
        time.sleep(0.2)
    raise RuntimeError("no free ports")


def give_back(base):
    if base in held_bases:
        held_bases.pop(base).close()


def as_service(service):
    """The user and groups of a service, in the words of subprocess; nothing where all runs as the caller."""
    if os.geteuid():
        return {}
    user = pwd.getpwnam("martlet-" + service)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": os.getgrouplist(user.pw_name, user.pw_gid)}


def wait_until(condition, what, patience=PATIENCE):
    """Waits for a condition; fails only on never. `what` says it, or is a function that does, called then."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("never: " + (what if isinstance(what, str) else what()))
        time.sleep(0.02)


class Martlet:
    """One tree and its supervisor."""

    def __init__(self, domain="example.org", accounts=("alice", "bob"), start=True, settings="", environment=None, root=None, adopt=False):
        """`adopt`: the tree at `root` is used as it is, on ports of its own."""
        self.domain = domain
        self.own_root = root is None
        self.root = root or tempfile.mkdtemp(prefix="martlet-test-")
        os.chmod(self.root, 0o755)
        self.base = free_base()
        self.supervisor = None
        self.environment = environment or {}
        self.log_path = os.path.join(self.root, "log")
        if adopt:
            self.move_ports()
            accounts = ()
        else:
            self.mailctl("init", "--domain", domain, "--dev", "--base-port", str(self.base))
        if settings:
            self.change_settings(settings)
        for name in accounts:
            self.add_account(name)
        if start:
            self.start()

    prefix = []

    def move_ports(self):
        """Gives the listeners of an adopted tree the ports of this instance."""
        path = pathlib.Path(self.root, "etc", "martlet.toml")
        offsets = {"smtp": 25, "submission": 587, "submissions": 465, "pop3": 110, "pop3s": 995, "imap": 143, "imaps": 993}
        lines = []
        for line in path.read_text().split("\n"):
            key = line.split("=")[0].strip()
            if key in offsets and "127.0.0.1" in line:
                port = self.base + offsets[key]
                line = '%s = ["127.0.0.1:%d", "[::1]:%d"]' % (key, port, port)
            lines.append(line)
        path.write_text("\n".join(lines))

    # -- administration ---------------------------------------------------------------------------------------------
    def mailctl(self, *words, input=None, check=True):
        result = subprocess.run([*self.prefix, BIN + "/mailctl", "--root", self.root, *words], input=input, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600)
        if check and result.returncode:
            raise AssertionError("mailctl %s: exit %d\n%s%s" % (" ".join(words), result.returncode, result.stdout, result.stderr))
        return result

    def change_settings(self, settings):
        """Replaces lines `key = …` of the configuration by those given, section by section: {'limits': {'recipients': 5}}."""
        path = os.path.join(self.root, "etc", "martlet.toml")
        section, lines, left = None, [], {s: dict(k) for s, k in settings.items()}
        for line in pathlib.Path(path).read_text().split("\n"):
            if line.startswith("["):
                section = line.strip("[]")
            key = line.lstrip("# ").split("=")[0].strip() if "=" in line else None
            if key and key in left.get(section, {}):
                value = left[section].pop(key)
                line = "%s = %s" % (key, json.dumps(value))
            lines.append(line)
        missing = {s: k for s, k in left.items() if k}
        if missing:
            raise AssertionError("no such settings: %r" % missing)
        pathlib.Path(path).write_text("\n".join(lines))

    def address(self, name):
        return name if "@" in name else "%s@%s" % (name, self.domain)

    def add_account(self, name, password=PASSWORD):
        self.mailctl("account", "add", self.address(name), "--password-stdin", input=password + "\n")

    def status(self):
        return {s["service"]: s for s in json.loads(self.mailctl("status", "--json").stdout)}

    def queue(self):
        return json.loads(self.mailctl("queue", "list", "--json").stdout)

    # -- life -------------------------------------------------------------------------------------------------------
    def start(self):
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no", **self.environment)
        with open(self.log_path, "ab") as log:
            self.supervisor = subprocess.Popen([*self.prefix, BIN + "/mailctl", "--root", self.root, "run"], stdout=log, stderr=log, env=environment)
        # A supervisor that was killed leaves its services on the ports for a moment: children are the proof that this one has them.
        wait_until(lambda: self.has_children(), "the services started\n%s" % self.log()[-3000:])
        for name in ("smtp", "submission", "imap", "pop3"):
            wait_until(lambda: self.accepts(self.port(name)), "port of %s open\n%s" % (name, self.log()[-3000:]))

    def check_supervisor(self):
        if self.supervisor.poll() is not None:
            raise AssertionError("mailctl run ended with %d:\n%s" % (self.supervisor.returncode, self.log()[-3000:]))

    def has_children(self):
        self.check_supervisor()
        try:
            return pathlib.Path("/proc/%d/task/%d/children" % (self.supervisor.pid, self.supervisor.pid)).read_text().split()
        except OSError:
            return []

    def accepts(self, port):
        self.check_supervisor()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.supervisor and self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGTERM)
            try:
                self.supervisor.wait(40)
            except subprocess.TimeoutExpired:
                self.supervisor.kill()
                self.supervisor.wait()
                raise AssertionError("the supervisor did not stop")
        code = self.supervisor.returncode if self.supervisor else 0
        self.supervisor = None
        return code

    def close(self):
        try:
            self.stop()
        finally:
            give_back(self.base)
            if self.own_root:
                shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def log(self):
        return pathlib.Path(self.log_path).read_text(errors="replace") if os.path.exists(self.log_path) else ""

    def events(self, service):
        """The lines of a service's event log, oldest first; what is damaged comes as it is."""
        names = sorted(glob.glob(os.path.join(self.root, "spool", service, "events", "*.log")))
        files = [f for f in names if os.path.isfile(f) and not os.path.islink(f) and os.path.getsize(f) < 1 << 28]
        return [line for f in files for line in pathlib.Path(f).read_text(errors="replace").split("\n")]

    def wait_for_event(self, service, *words):
        """The first event that has all these words."""
        return wait_until(lambda: next((l for l in self.events(service) if all(w in l for w in words)), None),
                          lambda: "%s in the events of %s\n%s" % (" ".join(words), service, self.log()[-3000:]))

    def pid(self, service):
        return wait_until(lambda: self.status().get(service, {}).get("pid"), "pid of " + service)

    def kill(self, service, number=signal.SIGKILL):
        pid = self.status().get(service, {}).get("pid")
        if pid:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        return pid

    def port(self, name):
        return self.base + {"smtp": 25, "submissions": 465, "submission": 587, "pop3": 110, "pop3s": 995, "imap": 143, "imaps": 993}[name]

    # -- mail -------------------------------------------------------------------------------------------------------
    def send(self, to, body, sender="stranger@elsewhere.example", service="smtp", login=None, headers="Subject: test\r\n"):
        """Sends one message; the text after 250 of DATA, or an SMTP exception."""
        with smtplib.SMTP("127.0.0.1", self.port(service), timeout=PATIENCE) as client:
            client.ehlo()
            if login:
                client.login(self.address(login), PASSWORD)
            recipients = [self.address(r) for r in ([to] if isinstance(to, str) else to)]
            data = headers + "\r\n" + body
            return client.sendmail(sender, recipients, data.encode() if isinstance(data, str) else data)

    def maildir(self, name):
        local, domain = self.address(name).split("@")
        return os.path.join(self.root, "spool", "mail", domain, local)

    def files(self, name):
        return sorted(glob.glob(self.maildir(name) + "/new/*") + glob.glob(self.maildir(name) + "/cur/*"))

    def messages(self, name):
        return [pathlib.Path(f).read_bytes() for f in self.files(name)]

    def wait_for_mail(self, name, count, patience=PATIENCE):
        return wait_until(lambda: len(self.files(name)) >= count and self.messages(name),
                          "%d messages for %s (has %d)\n%s" % (count, name, len(self.files(name)), self.log()[-2000:]), patience)
