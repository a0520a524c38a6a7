"""Kill points of what is no confined service: the commands sendmail and mailctl, and the supervisor."""
import collections
import os
import poplib
import random
import signal
import socket
import subprocess
import time

import invariant
import scripts
from bench import PATIENCE, SERVICES, Bench, Fault, children, wait_until
from invariant import DOMAIN, PASSWORD
from kill_points import Walk, leftovers
from scripts import FAR, Letter, Work


class CommandWalk(Walk):
    """Points of a process that is started for one piece of work, on a tree where everything else runs."""

    def point(self, call, number):
        name = "%s/%s/%s/%d" % (self.program, self.way, call.replace(" ", "-"), number)
        made = self.tree()
        work = Work(made, self.site, self.folder, "%s/%s" % (self.table.seed, name))
        made.take_ends()
        killed, counts = True, collections.Counter(other=1)
        try:
            killed = self.strike(work, self.fault(call, number))
            work.settle()
            counts, _ = self.judge(work, killed)
        except Exception as error:
            work.problems.append("%s: %s" % (type(error).__name__, error))
        counts.update(points=1, kills=int(killed))
        if work.problems:
            self.table.problem(name, work.problems)
            self.save(name)
            self.drop_tree(keep=self.options.keep)
        else:
            work.clear()
        return killed, counts

    def trace(self, work, fault):
        self.strike(work, fault)

    def command(self, fault, *words):
        """A command under a fault."""
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no", **fault.environment())
        return [*fault.prefix(), *words], environment


class SendmailWalk(CommandWalk):
    """A drop by the command: exit 0 is a promise."""

    def strike(self, work, fault):
        plain = work.sender.sendmail
        words, environment = self.command(fault, *plain)
        work.sender.sendmail = ["env", *("%s=%s" % i for i in fault.environment().items()), *words]
        letter = Letter(work.next_token(), ("ann", "r3@" + FAR), "sendmail", random.Random(work.token).choice((scripts.SMALL, scripts.BIG)))
        outcome, reason = work.sender.send(letter)
        work.sender.sendmail = plain
        work.send("ben", way="sendmail")
        return outcome == "unknown"


class MailctlWalk(CommandWalk):
    """Changes of the directory, and requests: the old state or the new one, and after a second try the new one for everybody."""

    # name: (commands that make the old state, the command, its input, the probe, its new answer)
    CHANGES = {
        "account-add": ([("account", "remove", "eve@" + DOMAIN)], ("account", "add", "eve@" + DOMAIN, "--password-stdin"), ("rcpt", "eve"), 250),
        "account-remove": ([("account", "add", "eve@" + DOMAIN, "--password-stdin")], ("account", "remove", "eve@" + DOMAIN), ("rcpt", "eve"), 550),
        "account-passwd": ([("account", "passwd", "pat@" + DOMAIN, "--password-stdin", "old horse")],
                           ("account", "passwd", "pat@" + DOMAIN, "--password-stdin"), ("login", "pat"), True),
        "alias-add": ([("alias", "remove", "list@" + DOMAIN)], ("alias", "add", "list@" + DOMAIN, "ann@" + DOMAIN), ("rcpt", "list"), 250),
        "alias-remove": ([("alias", "add", "list@" + DOMAIN, "ann@" + DOMAIN)], ("alias", "remove", "list@" + DOMAIN), ("rcpt", "list"), 550),
        "domain-add": ([("domain", "remove", "other.example")], ("domain", "add", "other.example"), ("list", "domain", "other.example"), True),
        "route-add": ([("route", "remove", "third.example")], ("route", "add", "third.example", "127.0.0.1:9"), ("list", "route", "third.example"), True),
        "publish": ([], ("directory", "publish"), ("rcpt", "ann"), 250),
        "retry": ([], ("queue", "retry"), ("rcpt", "ann"), 250),
    }

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.change = next(iter(self.CHANGES))

    def run(self):
        """Each change walks all calls; the table has rows for each. A sample takes three of them."""
        changes = list(self.CHANGES)
        if self.options.sample > 1:
            changes = random.Random("%s/changes" % self.table.seed).sample(changes, 3)
        for self.change in changes:
            super().run()

    @property
    def label(self):
        return "mailctl/" + self.change

    def is_hurt(self, done):
        return done.returncode in (-9, 137)

    def mailctl(self, work, words, fault=Fault()):
        password = PASSWORD
        if words[-1] == "old horse":
            words, password = words[:-1], "old horse"
        command, environment = self.command(fault, *work.bench.mailctl, *words)
        return subprocess.run(command, input=password + "\n", env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)

    def strike(self, work, fault):
        prepare, words, probe, new = self.CHANGES[self.change]
        work.token += "/" + self.change
        for command in prepare:
            self.mailctl(work, command)
        old = self.probe(work, probe)
        done = self.mailctl(work, words, fault)
        killed = self.is_hurt(done)
        if done.returncode and not killed:
            work.problems.append("mailctl %s under %s: %d %s" % (" ".join(words), fault, done.returncode, done.stderr[-300:]))
        # An account that was there all the time is never refused.
        answer = self.rcpt(work, "ann")
        if answer != 250:
            work.problems.append("after %s was killed ann is answered %s" % (self.change, answer))
        if not killed and done.returncode == 0:
            self.wait_for(work, probe, new, "after %s" % self.change)
        if killed:
            found = self.probe(work, probe)
            if found not in (old, new):
                work.problems.append("%s: %s became %s on the way to %s" % (self.change, old, found, new))
            again = self.mailctl(work, words)
            # Done already, by the one that was killed, or done now: in both cases it holds for everybody.
            self.wait_for(work, probe, new, "after %s was repeated (%d %s)" % (self.change, again.returncode, again.stderr.strip()[-200:]))
        found = [f for f in leftovers(work.bench.root) if "directory" in f or "mailctl" in f]
        if found:
            work.problems.append("leftovers after %s was repeated: %s" % (self.change, found))
        return killed

    def wait_for(self, work, probe, new, what):
        end = time.monotonic() + 5
        while (found := self.probe(work, probe)) != new:
            if time.monotonic() > end:
                work.problems.append("%s %s is answered %s" % (what, probe, found))
                return
            time.sleep(0.05)

    def probe(self, work, probe):
        if probe[0] == "rcpt":
            return self.rcpt(work, probe[1])
        if probe[0] == "login":
            try:
                session = poplib.POP3("127.0.0.1", work.bench.port("pop3"), timeout=30)
                session.user("%s@%s" % (probe[1], DOMAIN))
                return session.pass_(PASSWORD).startswith(b"+OK")
            except poplib.error_proto:
                return False
            finally:
                session.close()
        return probe[2] in self.mailctl(work, (probe[1], "list")).stdout

    def rcpt(self, work, name):
        try:
            client = invariant.Client(work.bench.port("smtp"), None, 30)
            client.command("MAIL FROM:<x@elsewhere.example>", 250)
            client.socket.sendall(b"RCPT TO:<%s@%s>\r\n" % (name.encode(), DOMAIN.encode()))
            line = client.lines.readline()
            client.close()
            return int(line[:3])
        except (OSError, ValueError, invariant.Away, invariant.Refused, invariant.Broken) as error:
            return str(error)


class Supervised(Bench):
    """A tree under `mailctl run` itself."""

    def bind(self, name):
        return []

    def supervise(self, fault=Fault()):
        # Without -f: the supervisor has one thread, and its services are to live.
        prefix = [w for w in fault.prefix() if w != "-f"]
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no", **fault.environment())
        self.supervisor = subprocess.Popen([*prefix, *self.mailctl, "run"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment)
        return self.supervisor

    def run_supervised(self):
        """Until one stays: services of the last one end by themselves, and only then are the ports free."""
        def attempt():
            process = self.supervise()
            end = time.monotonic() + 20
            while time.monotonic() < end and process.poll() is None:
                status = self.martlet.status()
                if all(status.get(s, {}).get("state") == "running" for s in SERVICES):
                    return True
                time.sleep(0.05)
            self.end_supervisor(signal.SIGKILL)
            return False
        wait_until(attempt, "the supervisor started again", PATIENCE)

    def end_supervisor(self, number):
        pids = [self.supervisor.pid]
        if self.supervisor.args[0] == "strace":
            pids = children(self.supervisor.pid)
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        try:
            return self.supervisor.wait(60)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
            return self.supervisor.wait()

    def close(self, keep=False):
        if not self.closed and getattr(self, "supervisor", None) and self.supervisor.poll() is None:
            self.end_supervisor(signal.SIGTERM)
        super().close(keep)


class SupervisorWalk(CommandWalk):
    """`mailctl run` killed: its services end with it, the next one serves, and what was promised is there."""

    make_bench = Supervised
    starts_services = False

    def strike(self, work, fault):
        made = work.bench
        process = made.supervise(fault)
        end = time.monotonic() + 20
        # Half of what a supervisor does comes with its start; the rest with an order, a death and the end.
        while process.poll() is None and time.monotonic() < end and not self.accepts(work):
            time.sleep(0.03)
        if process.poll() is None:
            work.sender.patience = 5
            work.sender.send(Letter(work.next_token(), ("ann",)))
            work.run("restart", "locald", check=False)
            work.sender.send(Letter(work.next_token(), ("ben",)))
            status = made.martlet.status()
            if pid := status.get("queued", {}).get("pid"):
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.3)
        code = made.end_supervisor(signal.SIGTERM) if process.poll() is None else process.returncode
        made.run_supervised()
        work.sender.patience = 30
        work.send("pair")
        work.settle()
        made.end_supervisor(signal.SIGTERM)
        return code in (-9, 137)

    def accepts(self, work):
        try:
            socket.create_connection(("127.0.0.1", work.bench.port("smtp")), 1).close()
            return True
        except OSError:
            return False


WALKS = {"sendmail": SendmailWalk, "mailctl": MailctlWalk, "supervisor": SupervisorWalk}
