"""Errors that befall the commands: what failed did nothing, or all; said so; and left nothing behind."""
import os
import random
import subprocess

from bench import Fault
from kill_commands import MailctlWalk, SendmailWalk
from kill_points import is_trap, leftovers
from scripts import FAR, Letter


class CommandErrors:
    """Mixed into the walks of the commands: errors for deaths. `tables`: the errors of each call, by way."""

    tables = {"inside": {}, "outside": {}}

    @property
    def syscalls(self):
        return tuple(self.tables["outside"])

    def fault(self, call, number):
        chance = random.Random("%s/%s/%s/%s/%d" % (self.table.seed, self.program, self.way, call, number))
        error = self.options.error or chance.choice(self.tables[self.way][call])
        last = number + (chance.randrange(1, 6) if chance.random() < 0.5 else 0)
        self.log = os.path.join(self.folder, "trace")
        if self.way == "inside":
            return Fault("%s@%s:%d" % (error, call, number) + ("-%d" % last if last > number else ""))
        span = "%d" % number if last == number else "%d..%d" % (number, last)
        return Fault(strace=["-e", "trace=" + call, "-e", "inject=%s:error=%s:when=%s" % (call, error, span)], log=self.log)

    def trace(self, work, fault):
        self.log = fault.log
        super().trace(work, fault)

    def was_struck(self, done):
        if self.way == "inside":
            return "fault: " in done.stderr
        with open(self.log, errors="replace") as file:
            return "(INJECTED)" in file.read()

    def calls(self):
        wanted = list(self.tables["inside"]) if self.way == "inside" else self.counted()
        return [c for c in wanted if c in self.tables[self.way] and (not self.options.call or c == self.options.call)]

    def point(self, call, number):
        struck, counts = super().point(call, number)
        counts["struck"] = counts.pop("kills", 0)
        return struck, counts


class SendmailErrors(CommandErrors, SendmailWalk):
    def strike(self, work, fault):
        letter = Letter(work.next_token(), ("ann", "r3@" + FAR), "sendmail")
        facts = (letter.token, letter.sha, letter.mailboxes, letter.remote)
        before = set(leftovers(work.bench.root, everything=True))
        words, environment = self.command(fault, *work.sender.sendmail, "-i", *letter.recipients)
        work.ledger.begun(*facts)
        done = subprocess.run(words, input=letter.data().replace(b"\r\n", b"\n").decode(), text=True, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode == 0:
            work.ledger.promised(*facts)
        else:
            work.ledger.refused(letter.token, "sendmail: %d" % done.returncode)
        if is_trap(done.returncode) or done.returncode in (64, 65, 67):
            work.problems.append("sendmail ended with %d under %s: %s" % (done.returncode, fault, done.stderr[-300:]))
        left = [f for f in set(leftovers(work.bench.root, everything=True)) - before if "/new-" in f]
        if left:
            work.problems.append("left behind by sendmail under %s: %s" % (fault, left))
        work.send("ben", way="sendmail")
        return self.was_struck(done)


class MailctlErrors(CommandErrors, MailctlWalk):
    def is_hurt(self, done):
        if is_trap(done.returncode):
            return False
        self.struck = self.was_struck(done)
        return done.returncode != 0

    def strike(self, work, fault):
        self.struck = False
        super().strike(work, fault)
        return self.struck


WALKS = {"sendmail": SendmailErrors, "mailctl": MailctlErrors}
