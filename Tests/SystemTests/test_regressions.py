"""What reviews found: each of these once lost, doubled or stranded a message, or let a program work without end."""
import glob
import os
import pathlib
import pwd
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import unittest

from martlet import BIN, PATIENCE, Martlet, wait_until
from servers import SMTPServer
from test_remote import events

QUICK = {"retry": {"initial": "1 s", "maximum": "1 s"}}


class Regression(unittest.TestCase):
    def martlet(self, **options):
        options.setdefault("settings", QUICK)
        made = Martlet(**options)
        self.addCleanup(made.close)
        return made

    def smtp_server(self, martlet, domain, **options):
        server = SMTPServer(**options)
        self.addCleanup(server.close)
        martlet.mailctl("route", "add", domain, "127.0.0.1:%d" % server.port)
        return server


class Attempts(Regression):
    def test_a_copy_that_was_tried_often_is_tried_again_after_a_restart(self):
        """The restart reads all assignments of the copy; it is the newest that waits for an answer."""
        martlet = self.martlet(start=False)
        server = self.smtp_server(martlet, "other.example", say={"greeting": "421 4.3.2 not now"})
        martlet.start()
        martlet.send("carol@other.example", "often\r\n", sender="alice@example.org", service="submission", login="alice")
        assigned = lambda: [e for e in events(martlet, "queued", "assign") if e["agent"] == "remoted"]
        wait_until(lambda: len(events(martlet, "remoted", "temporary")) >= 3, "three attempts")
        martlet.mailctl("stop", "remoted")
        answered = len(events(martlet, "remoted", "temporary"))
        wait_until(lambda: len(assigned()) > answered, "an assignment that nobody answers")
        before = len(server.dialogues)
        martlet.mailctl("start", "remoted")
        wait_until(lambda: len(server.dialogues) > before, "an attempt after the restart")
        wait_until(lambda: len(events(martlet, "remoted", "temporary")) > answered, "its answer")
        server.say.clear()
        wait_until(lambda: server.messages, lambda: "the message\n" + martlet.log()[-3000:])
        self.assertEqual(len(server.messages), 1)


class ByHand:
    """A program that the test starts itself, so that a fault can be planned for it alone."""

    def __init__(self, martlet, program, fault):
        martlet.mailctl("stop", program)
        environment = dict(os.environ, MARTLET_FAULT=fault, SWIFT_BACKTRACE="enable=no")
        command = [BIN + "/" + program, "--config", os.path.join(martlet.root, "etc", "martlet.toml"), "--service", program]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, **self.identity(martlet, program))

    def identity(self, martlet, program):
        """Its own user: what another one wrote nobody believes."""
        owner = os.stat(os.path.join(martlet.root, "spool", program, "events")).st_uid
        if os.geteuid() == owner:
            return {}
        user = pwd.getpwuid(owner)
        return {"user": owner, "group": user.pw_gid, "extra_groups": os.getgrouplist(user.pw_name, user.pw_gid)}

    def __enter__(self):
        return self.process

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def stage(martlet):
    return sorted(f for f in os.listdir(os.path.join(martlet.root, "spool", "mail", ".stage")) if f != "STORE-ID")


def read_mail(martlet, name):
    """What a mail reader does: a second delivery of what was moved is a second file."""
    for path in glob.glob(martlet.maildir(name) + "/new/*"):
        read = path.replace("/new/", "/cur/") + ":2,S"
        while os.path.exists(read):
            read += "S"
        os.rename(path, read)


class Agents(Regression):
    def copies(self, martlet, name, text):
        return sum(text.encode() in m for m in martlet.messages(name))

    def restart(self, martlet, service):
        martlet.mailctl("stop", service)
        begun = len([l for l in martlet.events(service) if l.startswith("start ")])
        martlet.mailctl("start", service)
        wait_until(lambda: len([l for l in martlet.events(service) if l.startswith("start ")]) > begun, service + " again")

    def test_an_agent_that_restarts_begins_nothing_that_was_ended(self):
        """More lies between an assignment and its end than is read at once, and the answers are forgotten."""
        martlet = self.martlet(accounts=("alice",))
        martlet.mailctl("stop", "locald")
        with smtplib.SMTP("127.0.0.1", martlet.port("smtp"), timeout=PATIENCE) as client:
            for number in range(700):
                client.sendmail("stranger@elsewhere.example", ["alice@example.org"], b"Subject: x\r\n\r\nnumber %d\r\n" % number)
        wait_until(lambda: len(events(martlet, "queued", "assign")) >= 700, "all assigned")
        martlet.mailctl("start", "locald")
        martlet.wait_for_mail("alice", 700)
        wait_until(lambda: martlet.queue() == [], "the queue empty")
        read_mail(martlet, "alice")
        # A failed sync makes it begin another segment, without the answers that queued needs no more; then it begins again.
        for number in range(20, 26):
            if self.begins_again(martlet, number):
                break
        else:
            self.fail("no sync of the log was struck")
        count = len(martlet.files("alice"))
        self.restart(martlet, "locald")
        martlet.send("alice", "the last\r\n")
        wait_until(lambda: self.copies(martlet, "alice", "the last"), "the last message")
        wait_until(lambda: martlet.queue() == [], "the queue empty")
        bodies = [m.split(b"\r\n\r\n", 1)[1] for m in martlet.messages("alice")]
        self.assertEqual(sorted(set(bodies)), sorted(bodies))
        self.assertEqual(len(bodies), count + 1)

    def begins_again(self, martlet, number):
        """Whether the sync that fails is one of locald's log, and not of a mailbox."""
        starts = lambda: sum(l.startswith("start ") for l in martlet.events("locald"))
        before = starts()
        with ByHand(martlet, "locald", "EIO@sync:%d" % number):
            for turn in range(6):
                mark = "again %d.%d\r\n" % (number, turn)
                martlet.send("alice", mark)
                wait_until(lambda: self.copies(martlet, "alice", mark), mark)
                read_mail(martlet, "alice")
            wait_until(lambda: martlet.queue() == [], "the queue empty")
        return starts() > before + 1

    def test_a_stop_ends_an_agent_whose_log_fails(self):
        martlet = self.martlet(accounts=("alice",))
        for program in ("locald", "remoted"):
            martlet.wait_for_event(program, "start ")
            martlet.mailctl("stop", program)
            starts = sum(l.startswith("start ") for l in martlet.events(program))
            # The fourth sync is that of the last record: the wish to stop must not be lost with it.
            with ByHand(martlet, program, "EIO@sync:4") as process:
                wait_until(lambda: sum(l.startswith("start ") for l in martlet.events(program)) > starts, program + " started")
                process.terminate()
                self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_failed_sync_of_the_log_delivers_nothing_twice(self):
        martlet = self.martlet(accounts=("alice",))
        for number in (8, 11, 14):
            with ByHand(martlet, "locald", "EIO@sync:%d" % number):
                for turn in range(4):
                    mark = "turn %d.%d\r\n" % (number, turn)
                    martlet.send("alice", mark)
                    wait_until(lambda: self.copies(martlet, "alice", mark), mark)
                    read_mail(martlet, "alice")
                wait_until(lambda: martlet.queue() == [], "the queue empty")
        for number in (8, 11, 14):
            for turn in range(4):
                self.assertEqual(self.copies(martlet, "alice", "turn %d.%d\r\n" % (number, turn)), 1)

    def test_what_could_not_be_staged_leaves_no_file(self):
        """Nobody may ever try it again: the sender was told, or the account is gone."""
        martlet = self.martlet(accounts=("alice",), settings={"retry": {"initial": "1 h", "maximum": "1 h"}})
        martlet.send("alice", "makes the Maildir\r\n")
        martlet.wait_for_mail("alice", 1)
        wait_until(lambda: martlet.queue() == [], "the queue empty")
        for body in ("short\r\n", ("long" * 15 + "\r\n") * 4000):
            for call in ("write", "sync"):
                refused = 0
                # The calls before are those of the log; one of these is the stage file's.
                for number in range(3, 9):
                    told = {e["id"] for e in events(martlet, "locald", "temporary") + events(martlet, "locald", "delivered")}
                    ended = lambda verb: [e for e in events(martlet, "locald", verb) if e["id"] not in told]
                    with ByHand(martlet, "locald", "ENOSPC@%s:%d" % (call, number)):
                        martlet.send("alice", body)
                        wait_until(lambda: ended("temporary") or ended("delivered"), "an end")
                        if ended("temporary"):
                            refused += 1
                            wait_until(lambda: stage(martlet) == [], "an empty stage after %s %d" % (call, number))
                self.assertGreater(refused, 0, "no write of a staged file was struck")

    def test_a_copy_staged_in_another_store_waits_for_it(self):
        martlet = self.martlet(accounts=("alice",))
        martlet.send("alice", "makes the Maildir\r\n")
        martlet.wait_for_mail("alice", 1)
        wait_until(lambda: martlet.queue() == [], "the queue empty")
        # The first rename is that of a segment, the second that into the mailbox.
        with ByHand(martlet, "locald", "kill@rename:2") as process:
            martlet.send("alice", "staged\r\n")
            process.wait(PATIENCE)
        self.assertEqual(len(stage(martlet)), 1)
        store, aside = os.path.join(martlet.root, "spool", "mail"), os.path.join(martlet.root, "spool", "mail-aside")
        shutil.copytree(store, aside, symlinks=True)
        for folder, _, files in os.walk(aside):
            for name in [folder] + [os.path.join(folder, f) for f in files]:
                owner = os.stat(store + name[len(aside):])
                os.chown(name, owner.st_uid, owner.st_gid)
        os.unlink(os.path.join(store, ".stage", stage(martlet)[0]))
        identity = pathlib.Path(store, ".stage", "STORE-ID")
        text = identity.read_text()
        identity.write_text(text.replace(re.search(r"id ([0-9a-f]{32})", text).group(1), "0" * 32))
        martlet.mailctl("start", "locald")
        wait_until(lambda: any("another%20store" in l for l in martlet.events("locald")), "the complaint")
        martlet.mailctl("stop", "locald")
        self.assertEqual([e for e in events(martlet, "locald", "delivered") if e.get("result") == "presumed"], [])
        os.rename(store, store + "-wrong")
        os.rename(aside, store)
        martlet.mailctl("start", "locald")
        martlet.wait_for_mail("alice", 2)
        self.assertEqual(self.copies(martlet, "alice", "staged"), 1)

    def test_a_rename_that_a_restart_finds_is_synced_before_it_is_said(self):
        martlet = self.martlet(accounts=("alice",))
        martlet.send("alice", "makes the Maildir\r\n")
        martlet.wait_for_mail("alice", 1)
        wait_until(lambda: martlet.queue() == [], "the queue empty")
        for number in range(6, 13):
            with ByHand(martlet, "locald", "kill@sync:%d" % number) as process:
                martlet.send("alice", "body %d\r\n" % number)
                process.wait(PATIENCE)
            if self.copies(martlet, "alice", "body %d\r\n" % number):
                break
            martlet.mailctl("start", "locald")
            wait_until(lambda: martlet.queue() == [], "the queue empty")
        said = len(events(martlet, "locald", "delivered"))
        # The log's folder, its segment, its folder again and its first record; then the folder in which the copy was found.
        with ByHand(martlet, "locald", "EIO@sync:5"):
            wait_until(lambda: len(events(martlet, "locald", "delivered")) > said, "delivered")
            wait_until(lambda: martlet.queue() == [], "the queue empty")
        lines = [l for l in martlet.events("locald") if l.startswith(("problem ", "delivered ", "start "))]
        while not lines[0].startswith("problem "):
            lines.pop(0)
        self.assertIn("new", lines[0])
        self.assertTrue(lines[1].startswith("delivered "), lines)


class Routing(Regression):
    def test_the_next_hop_is_decided_at_each_attempt(self):
        martlet = self.martlet(accounts=("alice",))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            closed = taken.getsockname()[1]
        martlet.mailctl("route", "add", "moved.example", "127.0.0.1:%d" % closed)
        martlet.send("carol@moved.example", "x\r\n", sender="alice@example.org", service="submission", login="alice")
        wait_until(lambda: events(martlet, "remoted", "temporary"), "an attempt")
        martlet.mailctl("route", "remove", "moved.example")
        server = self.smtp_server(martlet, "moved.example")
        wait_until(lambda: server.messages, lambda: "the message\n" + martlet.log()[-3000:])

    def test_one_mailbox_gets_one_copy_and_a_large_list_is_told_once(self):
        martlet = self.martlet(start=False)
        martlet.mailctl("alias", "add", "list@example.org", "alice@example.org", "bob@example.org", *["m%d@other.example" % n for n in range(500)])
        martlet.start()
        martlet.mailctl("stop", "remoted")
        recipients = ["list+%d@example.org" % n for n in range(200)] + ["alice@example.org", "bob@example.org"]
        martlet.send(recipients, "once\r\n")
        for name in ("alice", "bob"):
            martlet.wait_for_mail(name, 1)
        martlet.send("alice", "after\r\n")
        martlet.wait_for_mail("alice", 2)
        self.assertEqual((len(martlet.files("alice")), len(martlet.files("bob"))), (2, 1))
        self.assertLess(len(events(martlet, "queued", "route")), 1000)


class Drops(Regression):
    def sendmail(self, martlet, *words, **options):
        options.setdefault("input", b"Subject: x\n\nfrom a program\n")
        command = [BIN + "/sendmail", "-C", os.path.join(martlet.root, "etc", "martlet.toml"), *words]
        return subprocess.run(command, stderr=subprocess.PIPE, timeout=PATIENCE, **options)

    def drops(self, martlet):
        return os.listdir(os.path.join(martlet.root, "spool", "drop"))

    def test_strange_files_among_the_drops_stop_nobody(self):
        martlet = self.martlet(start=False, accounts=("alice",))
        folder = os.path.join(martlet.root, "spool", "drop")
        os.symlink("/etc/passwd", folder + "/drop-link")
        os.symlink("/nowhere", folder + "/drop-broken")
        os.mkfifo(folder + "/drop-fifo")
        os.mkdir(folder + "/drop-folder")
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(folder + "/drop-socket")
        martlet.start()
        self.assertEqual(self.sendmail(martlet, "alice@example.org").returncode, 0)
        martlet.wait_for_mail("alice", 1)

    def test_what_is_refused_leaves_no_file(self):
        martlet = self.martlet(start=False, accounts=("alice",))
        many = ["u%d@example.net" % n for n in range(1001)]
        self.assertEqual(self.sendmail(martlet, *many).returncode, 64)
        self.assertEqual(self.sendmail(martlet, "alice@example.org", input=None, stdin=os.open("/", os.O_RDONLY)).returncode, 74)
        self.assertEqual(self.sendmail(martlet, "-t", input=b"To: alice@example.org, b@x..example\n\nx\n").returncode, 67)
        self.assertEqual(self.drops(martlet), [])

    def test_a_fault_leaves_no_file_that_somebody_may_adopt(self):
        martlet = self.martlet(start=False, accounts=("alice",))
        for fault in ("EIO@write", "ENOSPC@write", "EIO@sync:1", "EIO@sync:2", "EIO@rename"):
            environment = dict(os.environ, MARTLET_FAULT=fault if ":" in fault else fault + ":1")
            self.assertEqual(self.sendmail(martlet, "alice@example.org", env=environment).returncode, 75, fault)
            self.assertEqual(self.drops(martlet), [], fault)

    def test_a_signal_ends_it_without_a_file(self):
        martlet = self.martlet(start=False, accounts=("alice",))

        def waits(number, ignored=False):
            """The signal is there before the program runs, and waits until nobody keeps it from coming."""
            def prepare():
                signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_BLOCK, [number])
                os.kill(os.getpid(), number)
            return prepare
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            done = self.sendmail(martlet, "alice@example.org", preexec_fn=waits(number))
            self.assertEqual((done.returncode, self.drops(martlet)), (-number, []))
        done = self.sendmail(martlet, "alice@example.org", preexec_fn=waits(signal.SIGHUP, ignored=True))
        self.assertEqual((done.returncode, len(self.drops(martlet))), (0, 1))

    def test_a_drop_is_adopted_once_whenever_queued_dies(self):
        martlet = self.martlet(accounts=("alice",))
        martlet.mailctl("stop", "queued")
        struck = False
        for number in range(1, 13):
            self.assertEqual(self.sendmail(martlet, "alice@example.org", input=b"Subject: x\n\nbody %d\n" % number).returncode, 0)
            before = len(self.drops(martlet))
            # The first unlinks are those of the logs; then some drops are gone, and others are accepted and still there.
            with ByHand(martlet, "queued", "kill@unlink:%d" % number) as process:
                wait_until(lambda: process.poll() is not None or not self.drops(martlet), "adopted or dead")
            struck = struck or 0 < len(self.drops(martlet)) < before
        self.assertTrue(struck, "no unlink of a drop was struck")
        martlet.mailctl("start", "queued")
        martlet.wait_for_mail("alice", 12)
        wait_until(lambda: martlet.queue() == [], "the queue empty")
        bodies = [m.split(b"\r\n\r\n", 1)[1] for m in martlet.messages("alice")]
        self.assertEqual(sorted(bodies), sorted(b"body %d\r\n" % n for n in range(1, 13)))


class Certificates(Regression):
    def make(self, folder, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder + "/key.new", "-out", folder + "/certificate.new",
                        "-days", "2", "-subj", "/CN=" + name], check=True, capture_output=True)

    def test_a_renewed_certificate_behind_links_is_read(self):
        """As certbot leaves it: the configured names are links into an archive."""
        martlet = self.martlet(start=False)
        live, archive = os.path.join(martlet.root, "etc", "tls"), os.path.join(martlet.root, "archive")
        names = sorted(os.listdir(live))
        os.mkdir(archive)
        for name in names:
            os.rename(os.path.join(live, name), os.path.join(archive, "1-" + name))
            os.symlink(os.path.join(archive, "1-" + name), os.path.join(live, name))
        shown = lambda: ssl.get_server_certificate(("127.0.0.1", martlet.port("submissions")), timeout=PATIENCE)
        martlet.start()
        first = shown()
        for name in names:
            old = os.path.join(archive, "1-" + name)
            new = os.path.join(archive, "2-" + name)
            if name.startswith("certificate"):
                self.make(archive, "renewed.example.org")
                os.rename(archive + "/certificate.new", new)
            else:
                os.rename(archive + "/key.new", new)
            os.chmod(new, os.stat(old).st_mode & 0o777)
            os.chown(new, os.stat(old).st_uid, os.stat(old).st_gid)
            os.symlink(new, os.path.join(live, name + ".link"))
            os.rename(os.path.join(live, name + ".link"), os.path.join(live, name))
        martlet.supervisor.send_signal(signal.SIGHUP)
        wait_until(lambda: shown() != first, lambda: "the renewed certificate\n" + martlet.log()[-2000:])


class Supervision(Regression):
    def test_a_service_that_was_halted_and_goes_on_is_no_service_that_ended(self):
        martlet = self.martlet()
        pids = {service: martlet.pid(service) for service in ("smtpd", "queued", "locald", "remoted")}
        for pid in pids.values():
            os.kill(pid, signal.SIGSTOP)
            os.kill(pid, signal.SIGCONT)
        martlet.send("alice", "x\r\n")
        martlet.wait_for_mail("alice", 1)
        self.assertEqual({service: martlet.pid(service) for service in pids}, pids)
        self.assertNotIn("supervisor: exit", martlet.log())


if __name__ == "__main__":
    unittest.main()
