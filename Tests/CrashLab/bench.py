"""One tree whose services are started one by one, so that a single one of them runs under a fault while the others live.

The supervisor gives a service no environment of its own; the bench starts each as the supervisor does (user, groups, listeners from
descriptor 3 on) and adds `MARTLET_FAULT`, or puts strace before it. What ends is started again, unhurt, as the supervisor would.
"""
import atexit
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "SystemTests"))
from martlet import BIN, PATIENCE, Martlet, as_service, wait_until  # noqa: E402, F401

LISTENERS = {"smtpd": ("smtp",), "submission": ("submission", "submissions"), "pop3d": ("pop3", "pop3s"), "imapd": ("imap", "imaps")}
SERVICES = ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"}
# What a program of ours never ends with by itself: traps and segmentation faults.
TRAPS = (signal.SIGILL, signal.SIGTRAP, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSYS)
# The children's descriptors begin at 3: whatever Python opens for itself must lie above them.
RESERVED = [os.open("/dev/null", os.O_RDONLY) for _ in range(12)]


class Fault:
    """What befalls one process: nothing, a plan for `MARTLET_FAULT`, or words for strace."""

    def __init__(self, plan=None, strace=(), log=None):
        self.plan, self.strace, self.log = plan, list(strace), log

    def environment(self):
        return {"MARTLET_FAULT": self.plan} if self.plan else {}

    def prefix(self, user=None):
        if not self.strace:
            return []
        who = ["-u", user] if user else []
        # Without --seccomp-bpf a call that is to fail is shown to the program's own filter as call -1, for which it dies; with it,
        # strace 6.1 forgets to deliver injected signals.
        fast = ["--seccomp-bpf"] if any(":error=" in word for word in self.strace) else []
        return ["strace", "-f", "-qq", "-o", self.log or "/dev/null", *fast, *who, *self.strace, "--"]

    def __str__(self):
        return self.plan or " ".join(w for w in self.strace if w.startswith("inject=")) or "none"


class Process:
    """One life of a service."""

    def __init__(self, bench, service, fault=None):
        self.service, self.fault = service, fault or Fault()
        user = "martlet-" + service if os.geteuid() == 0 else None
        sockets = [s.fileno() for name in LISTENERS.get(service, ()) for s in bench.listeners[name]]
        names = [name for name in LISTENERS.get(service, ()) for _ in bench.listeners[name]]
        environment = dict(ENVIRONMENT, **self.fault.environment())
        if names:
            environment.update(LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names))
        program = os.path.join(BIN, "smtpd" if service == "submission" else service)
        command = [*self.fault.prefix(user), program, "--config", bench.config, "--service", service]
        switch = {} if self.fault.strace else as_service(service)

        def place():
            for number, descriptor in enumerate(sockets):
                os.dup2(descriptor, 3 + number, inheritable=True)

        kept = tuple(range(3, 3 + len(sockets)))
        self.popen = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=bench.log, stderr=bench.log, cwd="/",
                                      preexec_fn=place, pass_fds=kept, start_new_session=True, **switch)

    @property
    def alive(self):
        return self.popen.poll() is None

    def pids(self):
        """The service itself, whatever stands before it."""
        if not self.fault.strace:
            return [self.popen.pid]
        return children(self.popen.pid)

    def tell(self, number):
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def end(self, number=signal.SIGTERM, patience=30):
        """Asks it to end, and kills it if it does not; whether it obeyed."""
        self.tell(number)
        try:
            self.popen.wait(patience)
            return True
        except subprocess.TimeoutExpired:
            self.tell(signal.SIGKILL)
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
            return False


def children(pid):
    found = []
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task)) as file:
                found += [int(p) for p in file.read().split()]
    except OSError:
        pass
    return found


class Bench:
    """A tree, its listening sockets, and the services that run on it."""

    def __init__(self, accounts, settings=None, root=None, prepare=None):
        """`prepare` is called with the tree before anything runs."""
        self.own = root or tempfile.mkdtemp(prefix="martlet-lab-tree-")
        os.chmod(self.own, 0o755)
        self.root = os.path.join(self.own, "root")
        os.makedirs(self.root, exist_ok=True)
        settings = settings or {"retry": {"initial": "1 s", "maximum": "2 s"}, "auth": {"failure_delay": "100 ms"}}
        self.martlet = Martlet(accounts=accounts, start=False, settings=settings, root=self.root)
        self.config = os.path.join(self.root, "etc", "martlet.toml")
        self.log_path = os.path.join(self.own, "log")
        self.log = open(self.log_path, "ab")
        self.listeners = {name: self.bind(name) for names in LISTENERS.values() for name in names}
        self.lock = threading.Lock()
        self.running, self.expected_end, self.next_fault = {}, set(), {}
        self.ends = []
        self.closed = False
        atexit.register(self.close)
        if prepare:
            prepare(self.martlet)

    def bind(self, name):
        made = []
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, self.martlet.port(name)))
            listener.listen(128)
            high = fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, 40)
            made.append(socket.socket(fileno=high))
            listener.close()
        return made

    # -- services ---------------------------------------------------------------------------------------------------
    def start(self, *services, fault=None):
        for service in services:
            with self.lock:
                if service in self.running:
                    continue
                self.expected_end.discard(service)
                self.launch(service, fault)

    def launch(self, service, fault):
        process = Process(self, service, fault)
        self.running[service] = process
        threading.Thread(target=self.watch, args=(process,), daemon=True).start()

    def watch(self, process):
        """Starts again what ended: at once, and with pauses while it ends soon after each start."""
        code = process.popen.wait()
        with self.lock:
            if self.running.get(process.service) is not process:
                return
            self.ends.append((process.service, code, str(process.fault)))
            del self.running[process.service]
            if process.service in self.expected_end or self.closed:
                return
        recent = sum(1 for service, _, _ in self.ends[-8:] if service == process.service)
        time.sleep(min(0.05 * recent, 1.0))
        with self.lock:
            if process.service in self.running or process.service in self.expected_end or self.closed:
                return
            self.launch(process.service, self.next_fault.pop(process.service, None))

    def stop(self, *services, number=signal.SIGTERM):
        """Ends them for good; those that did not obey."""
        disobedient = []
        for service in services:
            with self.lock:
                self.expected_end.add(service)
                process = self.running.pop(service, None)
            if process and not process.end(number):
                disobedient.append(service)
        return disobedient

    def process(self, service):
        with self.lock:
            return self.running.get(service)

    def take_ends(self):
        """(service, code, fault) of what ended by itself since the last time."""
        with self.lock:
            ends, self.ends = self.ends, []
        return ends

    # -- the rest of the tree ---------------------------------------------------------------------------------------
    def port(self, name):
        return self.martlet.port(name)

    @property
    def mailctl(self):
        return [os.path.join(BIN, "mailctl"), "--root", self.root]

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def tail(self, count=3000):
        with open(self.log_path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - count))
            return file.read().decode(errors="replace")

    def close(self, keep=False):
        if self.closed:
            return
        with self.lock:
            self.closed = True
            processes, self.running = list(self.running.values()), {}
        for process in processes:
            process.tell(signal.SIGKILL)
        for process in processes:
            process.end(signal.SIGKILL, 5)
        for listeners in self.listeners.values():
            for listener in listeners:
                listener.close()
        self.log.close()
        if not keep:
            shutil.rmtree(self.own, ignore_errors=True)
