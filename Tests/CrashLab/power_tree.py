"""A Martlet on a disk of the laboratory: its daemons started directly, each as its own user, with listeners of ours.

No supervisor: a thousand recoveries need no ports, no pauses between restarts and no sandboxed environment to get a shim past.
"""
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import threading
import time

from invariant import DOMAIN, PASSWORD, Generator, Ledger, Sender, Sink, check
from power_disk import die_with_parent

BIN = os.path.abspath(os.environ.get("MARTLET_BIN") or os.path.join(os.path.dirname(__file__), "..", "..", ".build", "release"))
ACCOUNTS = ("ann", "ben", "cleo")
ALIASES = {"pair": ("ann", "ben"), "all": ("pair", "cleo")}
FAR = "far.example"
# In a network of its own every process may have the same port.
SINK_PORT = 2525
# service → names of its listeners
MAIL_SERVICES = {"smtpd": ["smtp"], "submission": ["submission"], "queued": [], "locald": [], "remoted": []}
LISTENERS = {**MAIL_SERVICES, "pop3d": ["pop3"], "imapd": ["imap"]}
# What may be under way to one host at a time when the power goes, twice over: remoted's connections to a domain.
IN_FLIGHT = 10
# Few bytes, so that images are made quickly; some content above 128 KiB, which has a file of its own.
SIZES = ((200, 3000), (3000, 30_000), (129_000, 160_000))
PATIENCE = float(os.environ.get("MARTLET_PATIENCE", "120"))


class Never(Exception):
    """What was waited for did not come."""


def wait_until(condition, what, patience=PATIENCE, pause=0.004):
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Never("never: " + what)
        time.sleep(pause)
        pause = min(0.5, pause * 1.3)


class Tree:
    """A tree at `root`; what its daemons say goes to `log`, on another filesystem."""

    def __init__(self, root, log, binaries=BIN, shims=None):
        """`shims`: program → environment."""
        self.root, self.log_path, self.binaries, self.shims = root, log, binaries, shims or {}
        self.config = os.path.join(root, "etc", "martlet.toml")
        self.running, self.ports, self.doomed = {}, {}, set()
        self.mark, self.damaged_since = 0, None

    # -- administration ------------------------------------------------------------------------------------------------
    def mailctl(self, *words, input=None):
        environment = dict(os.environ, **self.shims.get("mailctl", {}))
        done = subprocess.run([self.binaries + "/mailctl", "--root", self.root, *words], input=input, text=True, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if done.returncode:
            raise RuntimeError("mailctl %s: exit %d: %s%s" % (" ".join(words), done.returncode, done.stdout, done.stderr))
        return done.stdout

    def initialise(self):
        self.mailctl("init", "--domain", DOMAIN, "--dev", "--base-port", "3000")
        with open(self.config) as file:
            text = file.read()
        for key, value in (("initial", "1 s"), ("maximum", "1 s")):
            text = re.sub(r"(?m)^#%s = .*$" % key, '%s = "%s"' % (key, value), text)
        with open(self.config, "w") as file:
            file.write(text)
        for name in ACCOUNTS:
            self.mailctl("account", "add", "%s@%s" % (name, DOMAIN), "--password-stdin", input=PASSWORD + "\n")
        for alias, targets in ALIASES.items():
            self.mailctl("alias", "add", "%s@%s" % (alias, DOMAIN), *("%s@%s" % (t, DOMAIN) for t in targets))
        self.mailctl("route", "add", FAR, "127.0.0.1:%d" % SINK_PORT)
        os.sync()

    # -- life ----------------------------------------------------------------------------------------------------------
    def start(self, services=MAIL_SERVICES, faults=None):
        """All side by side; returns when each has said that it runs. `faults`: service → MARTLET_FAULT, for those that may die."""
        self.doomed = set(faults or {})
        self.mark = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            for service in services:
                self.spawn(service, LISTENERS[service], log, (faults or {}).get(service))
        wait_until(lambda: self.are_ready(services), "the services started:\n" + self.said()[-3000:])

    def are_ready(self, services):
        self.check_alive()
        said = self.said()
        return all(re.search(r"(?m)^%s: start - " % s, said) for s in services if s in self.running)

    def said(self):
        """What the daemons have said since the last start."""
        with open(self.log_path, errors="replace") as log:
            log.seek(self.mark)
            return log.read()

    def check_alive(self):
        for service, process in list(self.running.items()):
            if process.poll() is not None and service in self.doomed:
                del self.running[service]
            elif process.poll() is not None:
                raise Never("%s ended by itself with %d\n%s" % (service, process.returncode, self.said()[-3000:]))

    def spawn(self, service, listeners, log, fault=None):
        program = "smtpd" if service == "submission" else service
        environment = {"PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no", **self.shims.get(program, {}), **({"MARTLET_FAULT": fault} if fault else {})}
        sockets = [self.listening(name) for name in listeners]
        if sockets:
            environment.update(LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=":".join(listeners))
        user = pwd.getpwnam("martlet-" + service)
        groups = os.getgrouplist(user.pw_name, user.pw_gid)
        numbers = [s.fileno() for s in sockets]

        def become():
            for index, number in enumerate(numbers):
                os.dup2(number, 200 + index)
            for index in range(len(numbers)):
                os.dup2(200 + index, 3 + index)
            os.closerange(3 + len(numbers), 256)
            os.setgroups(groups)
            os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
            os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
            die_with_parent()

        words = [os.path.join(self.binaries, program), "--config", self.config, "--service", service]
        self.running[service] = subprocess.Popen(words, env=environment, preexec_fn=become, close_fds=False, cwd="/",
                                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for s in sockets:
            s.close()

    def listening(self, name):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(64)
        self.ports[name] = s.getsockname()[1]
        return s

    def kill(self, services=None, number=signal.SIGKILL):
        processes = [self.running.pop(s) for s in list(services or self.running) if s in self.running]
        for process in processes:
            process.send_signal(number)
        for process in processes:
            process.wait()

    def queue(self):
        return json.loads(self.mailctl("queue", "list", "--json"))

    def is_idle(self):
        self.check_alive()
        if "Bad%20message" in self.said():
            # An agent that begins anew asks for what is erased, once; what is wanted still is asked for again.
            self.damaged_since = self.damaged_since or time.monotonic()
            if time.monotonic() - self.damaged_since > 5:
                raise Never("never: content that a record names is damaged")
        drops = [n for n in os.listdir(os.path.join(self.root, "spool", "drop")) if n.startswith("drop-")]
        return not drops and self.queue() == []

    def settle(self, patience=PATIENCE):
        """Returns when nothing is queued."""
        try:
            wait_until(self.is_idle, "the queue empty", patience, pause=0.03)
        except Never as error:
            raise Never("%s\n%s\n%s" % (error, json.dumps(self.queue()[:3]), self.said()[-2000:]))

    def troubles(self):
        """What no power cut excuses: a trap, and a copy of which only its absence speaks."""
        return [line for line in self.said().split("\n") if "Fatal error" in line or "result=presumed" in line]

    def complaints(self):
        """Reports of damage; of what stood at the end of a log none is wrong after a cut."""
        return [line for line in self.said().split("\n") if re.match(r"\w+: corrupt ", line) and "unfinished%20at%20the%20end" not in line]


def far_site(ledger, is_patient=False):
    """A host that refuses r8 for good and, unless it is patient, r7 once, and takes all other mail."""
    seen = set()

    def behaviour(recipients):
        if any(r.startswith("r8@") for r in recipients):
            return "5xx"
        late = {r for r in recipients if r.startswith("r7@")} and tuple(recipients)
        if late and late not in seen and not is_patient:
            seen.add(late)
            return "4xx"
        return "accept"

    return Sink(ledger, behaviour=behaviour, port=SINK_PORT)


class Load:
    """Senders at work on one tree; every message is sent once, whatever becomes of it."""

    def __init__(self, tree, ledger, generator, sinks=(), threads=4):
        self.generator, self.ledger, self.sinks = generator, ledger, list(sinks)
        self.lock, self.next, self.stopping = threading.Lock(), 0, False
        command = ["env", *("%s=%s" % pair for pair in tree.shims.get("sendmail", {}).items()), tree.binaries + "/sendmail", "-C", tree.config]
        self.sender = Sender(ledger, lambda name: tree.ports[name], command + ["-f", "ann@" + DOMAIN], patience=PATIENCE)
        self.thread_count, self.outcomes = threads, {}

    def run(self, upto, pause=0.0):
        """Sends until message `upto`, in the background: `join` waits for the end, `stop` brings it about."""
        self.stopping = False
        self.threads = [threading.Thread(target=self.work, args=(upto, pause), daemon=True) for _ in range(self.thread_count)]
        for thread in self.threads:
            thread.start()

    def work(self, upto, pause):
        while not self.stopping:
            with self.lock:
                number, self.next = self.next, self.next + 1
                if number >= upto:
                    self.next = upto
                    return
            message = self.generator.message(number)
            outcome, reason = self.sender.send(message)
            while outcome == "away" and not self.stopping:
                time.sleep(0.01)
                outcome, reason = self.sender.send(message)
            if outcome == "refused" and "cannot tell" in reason:
                # The drop has its name by then: somebody may have taken it before the disk failed.
                self.ledger.unknown(message.token, reason)
                outcome = "unknown"
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
            time.sleep(pause)

    @property
    def promised(self):
        return self.outcomes.get("promised", 0)

    def wait_for(self, count, patience=30):
        """Until so many more are promised, or all is sent, or the machine is slow."""
        goal, end = self.promised + count, time.monotonic() + patience
        while self.promised < goal and time.monotonic() < end and any(t.is_alive() for t in self.threads):
            time.sleep(0.002)

    def join(self):
        for thread in self.threads:
            thread.join()

    def stop(self):
        self.stopping = True
        self.join()


def judged(tree, ledger, at=None, sinks=(), patience=4, cuts=1):
    """The verdict on an idle tree. What seems lost is given a moment more: an empty queue may be one that nobody has read yet."""
    end = time.monotonic() + patience
    while True:
        verdict = check(ledger, tree.root, ACCOUNTS, sinks=sinks, at=at, queue=[], killed_in_flight=IN_FLIGHT * cuts)
        if not verdict.lost or time.monotonic() > end:
            return verdict
        time.sleep(0.1)
        tree.settle()


def generator(seed, sizes=SIZES):
    return Generator(seed, ACCOUNTS, ALIASES, (FAR,), sizes=sizes)
