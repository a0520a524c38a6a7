"""Bad input and faults: the good part is used, the rest is reported, and nothing that was acknowledged is lost."""
import contextlib
import glob
import os
import pathlib
import poplib
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
import unittest

from martlet import BIN, PASSWORD, PATIENCE, Martlet, as_service, wait_until

BIG = "b" * 70 + "\r\n"
needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root")


class FaultCase(unittest.TestCase):
    """A Martlet of its own for each test, because each breaks it."""

    def martlet(self, **options):
        options.setdefault("settings", {"retry": {"initial": "1 s", "maximum": "2 s"}})
        made = Martlet(**options)
        self.addCleanup(made.close)
        return made

    def has(self, martlet, name, text):
        return any(text.encode() in m for m in martlet.messages(name))

    def wait_for(self, martlet, name, text):
        wait_until(lambda: self.has(martlet, name, text), "%r for %s\n%s" % (text, name, martlet.log()[-3000:]))

    def wait_for_empty_queue(self, martlet):
        wait_until(lambda: martlet.queue() == [], "the queue empty\n" + martlet.log()[-3000:])

    def segments(self, martlet, log):
        return sorted(glob.glob(os.path.join(martlet.root, "spool", log, "*.log")))

    def change(self, path, find, replace):
        """Overwrites in place, so that offsets stay and an open file sees it."""
        content = pathlib.Path(path).read_bytes()
        self.assertIn(find, content, path)
        self.assertEqual(len(find), len(replace))
        with open(path, "r+b") as f:
            f.seek(content.index(find))
            f.write(replace)

    def segment_with(self, martlet, log, text):
        return next(f for f in self.segments(martlet, log) if text.encode() in pathlib.Path(f).read_bytes())

    def stop_service(self, martlet, *services):
        martlet.mailctl("stop", *services)

    def refusal(self, martlet, to, body="x\r\n"):
        """The code with which a message is refused; 250 if it is taken."""
        try:
            martlet.send(to, body)
            return 250
        except smtplib.SMTPRecipientsRefused as error:
            return list(error.recipients.values())[0][0]
        except smtplib.SMTPResponseException as error:
            return error.smtp_code


class Configuration(unittest.TestCase):
    """A configuration that is wrong is refused by everybody who reads it, with the line and what would be right."""

    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(start=False, accounts=())
        cls.path = os.path.join(cls.martlet.root, "etc", "martlet.toml")
        cls.good = pathlib.Path(cls.path).read_text()

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def wrong(self, old, new, *words):
        self.assertEqual(self.good.count(old), 1, old)
        line = self.good[:self.good.index(old)].count("\n") + 1
        pathlib.Path(self.path).write_text(self.good.replace(old, new))
        self.addCleanup(lambda: pathlib.Path(self.path).write_text(self.good))
        commands = [[BIN + "/mailctl", "--root", self.martlet.root] + c for c in (["config", "check"], ["run"], ["account", "list"])]
        commands += [[BIN + "/" + program, "--config", self.path] for program in ("smtpd", "queued", "locald", "remoted", "pop3d", "imapd")]
        for command in commands:
            done = subprocess.run(command, text=True, capture_output=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 78, (command, done.stderr))
            for word in ("martlet.toml:%d:" % line,) + words:
                self.assertIn(word, done.stderr, command)
            self.assertNotIn("Fatal", done.stderr)

    def test_a_wrong_key_is_named_with_its_neighbour_and_the_known_ones(self):
        self.wrong("connections_per_address = 1000", "conections_per_address = 1000",
                   "limits.conections_per_address", "did you mean limits.connections_per_address", "message_size")

    def test_a_wrong_table_is_named(self):
        self.wrong("[auth]", "[auht]", "auht", "[auth]", "[limits]")

    def test_a_wrong_type_is_named_with_the_right_one(self):
        self.wrong("connections_per_address = 1000", 'connections_per_address = "many"', "limits.connections_per_address", "whole number")

    def test_a_wrong_value_is_named_with_the_choices(self):
        self.wrong('allow_plaintext = "loopback"', 'allow_plaintext = "sometimes"', '"never", "loopback", "always"')

    def test_a_value_out_of_range_is_named_with_the_range(self):
        self.wrong("connections_per_address = 1000", "connections_per_address = 0", "limits.connections_per_address", "100000")

    def test_what_is_no_toml_is_told_with_its_line(self):
        self.wrong("[auth]", "[auth", "martlet.toml:")

    def test_a_missing_file_is_told_with_the_remedy(self):
        done = subprocess.run([BIN + "/mailctl", "--root", self.martlet.root + "/nowhere", "run"], text=True, capture_output=True, timeout=PATIENCE)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("nowhere/etc", done.stderr)
        self.assertIn("mailctl init", done.stderr)

    def test_a_reload_with_a_wrong_file_keeps_the_old_one(self):
        self.martlet.start()
        self.addCleanup(self.martlet.stop)
        # Who starts now reads the file that is there now.
        for service in ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd"):
            self.martlet.wait_for_event(service, "start ")
        pathlib.Path(self.path).write_text(self.good.replace("[auth]", "[auht]"))
        self.addCleanup(lambda: pathlib.Path(self.path).write_text(self.good))
        self.martlet.supervisor.send_signal(1)
        wait_until(lambda: "configuration%20not%20taken" in self.martlet.log(), "the refusal of the new file")
        with smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE) as client:
            self.assertEqual(client.noop()[0], 250)


class Start(FaultCase):
    def test_a_port_in_use_is_named_with_the_remedy(self):
        martlet = self.martlet(start=False, accounts=())
        with socket.create_server(("127.0.0.1", martlet.port("imap"))):
            done = martlet.mailctl("run", check=False)
        self.assertEqual(done.returncode, 69)
        for word in ("port %d" % martlet.port("imap"), "in use", "listen.imap", "stop it, or change"):
            self.assertIn(word, done.stderr)
        self.assertEqual({s["state"] for s in martlet.status().values()}, {"stopped"})

    def test_a_second_supervisor_is_refused(self):
        martlet = self.martlet(accounts=())
        done = martlet.mailctl("run", check=False)
        self.assertEqual(done.returncode, 75)
        self.assertIn("runs on this spool already", done.stderr)

    def test_a_second_instance_of_any_program_is_refused(self):
        martlet = self.martlet()
        wait_until(lambda: all(s["pid"] for s in martlet.status().values()), "all services")
        config = os.path.join(martlet.root, "etc", "martlet.toml")
        for service in ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd"):
            with self.subTest(service):
                wait_until(lambda: any(l.startswith("start ") for l in martlet.events(service)), service + " started")
                program = "smtpd" if service == "submission" else service
                done = subprocess.run([BIN + "/" + program, "--config", config, "--service", service], text=True, capture_output=True, timeout=PATIENCE,
                                      **as_service(service))
                self.assertEqual(done.returncode, 75, done.stderr)
                self.assertIn("another process writes it", done.stderr)
                self.assertIn("stop it first", done.stderr)
        martlet.send("alice", "the first ones go on\r\n")
        self.wait_for(martlet, "alice", "the first ones go on")

    @needs_root
    def test_a_spool_folder_of_the_wrong_owner_is_told_and_mail_waits(self):
        martlet = self.martlet(start=False)
        wrong = {"smtpd": "mail", "locald": "events"}
        right = {}
        for service, kind in wrong.items():
            path = os.path.join(martlet.root, "spool", service, kind)
            right[path] = os.stat(path).st_uid
            os.chown(path, 12345, -1)
        martlet.start()
        for service in wrong:
            wait_until(lambda: any(l.startswith(service + ":") and "Permission denied" in l for l in martlet.log().split("\n")), "%s complains" % service)
        self.assertIn("check the owner and mode of spool/smtpd", martlet.log())
        for path, owner in right.items():
            os.chown(path, owner, -1)
        # Without an operator: the supervisor tries again by itself. Asked, it does so at once.
        martlet.mailctl("start")
        martlet.send("alice", "owned again\r\n")
        self.wait_for(martlet, "alice", "owned again")


@needs_root
class FullDisk(FaultCase):
    """The spool on a small ext4 of its own, the mail store elsewhere."""

    def setUp(self):
        folder = tempfile.mkdtemp(prefix="martlet-disk-")
        self.addCleanup(shutil.rmtree, folder, True)
        os.chmod(folder, 0o755)
        self.root = os.path.join(folder, "root")
        self.store = os.path.join(folder, "store")
        os.mkdir(self.root)
        image = os.path.join(folder, "image")
        with open(image, "wb") as f:
            f.truncate(96 << 20)
        try:
            subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True, capture_output=True)
            subprocess.run(["mount", "-o", "loop", image, self.root], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.skipTest("no loop mount here: %s" % error)
        self.addCleanup(subprocess.run, ["umount", "-l", self.root])
        os.chmod(self.root, 0o755)

    def small(self, store=None, **options):
        martlet = self.martlet(root=self.root, start=False, **options)
        martlet.log_path = os.path.join(os.path.dirname(self.root), "log")
        if store:
            subprocess.run(["mv", os.path.join(self.root, "spool", "mail"), store], check=True)
            martlet.change_settings({"paths": {"store": store}})
        martlet.start()
        martlet.wait_for_event("locald", "start ")
        # Who greets has seen its store: one that comes later is reached by starting anew.
        for port in (martlet.port("pop3"), martlet.port("imap")):
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
                self.assertTrue(client.recv(1))
        return martlet

    @contextlib.contextmanager
    def full(self, name="filler"):
        """Not a byte is left, for root neither."""
        filler = os.path.join(self.root, name)
        with open(filler, "wb", buffering=0) as f:
            for size in (1 << 20, 4096, 512):
                with contextlib.suppress(OSError):
                    while f.write(b"\0" * size):
                        pass
            os.fsync(f.fileno())
        try:
            yield
        finally:
            os.unlink(filler)

    def test_a_full_disk_is_temporary_and_recovers_alone(self):
        martlet = self.small()
        store = os.path.join(self.root, "spool", "mail")
        os.rename(store, store + ".away")
        for i in range(5):
            martlet.send("alice", "before %d\r\n" % i + BIG * 500)
            martlet.send("alice", "before big %d\r\n" % i + BIG * 40_000)
        martlet.wait_for_event("locald", "temporary")
        with self.full():
            os.rename(store + ".away", store)
            wait_until(lambda: self.refusal(martlet, "bob", "perhaps\r\n") != 250, "a refusal")
            for body in ("too much\r\n", "too much\r\n" + BIG * 3000):
                self.assertEqual(self.refusal(martlet, "alice", body), 452)
            # It is tried, cannot be stored now, and is not lost.
            martlet.wait_for_event("locald", "temporary", "status=4.3.1")
            self.assertEqual(self.refusal(martlet, "alice", "too much\r\n"), 452)
        for i in range(5):
            self.wait_for(martlet, "alice", "before %d\r\n" % i)
            self.wait_for(martlet, "alice", "before big %d\r\n" % i)
        wait_until(lambda: self.refusal(martlet, "alice", "afterwards\r\n") == 250, "mail taken again")
        self.wait_for(martlet, "alice", "afterwards\r\n")
        self.wait_for_empty_queue(martlet)
        self.assertEqual(len(martlet.files("alice")), 11)
        self.assertFalse(self.has(martlet, "alice", "too much"))
        self.assertEqual([s for s in martlet.status().values() if s["restarts"]], [])

    def test_what_is_delivered_is_done_and_erased_on_a_full_disk(self):
        martlet = self.small(store=self.store)
        os.rename(self.store, self.store + ".away")
        for i in range(8):
            martlet.send(["alice", "bob"], "leaves the spool %d\r\n" % i + BIG * 4000)
        wait_until(lambda: len(martlet.queue()) == 8, "eight in the queue")
        big = os.path.join(self.root, "spool", "smtpd", "mail", "big")
        self.assertEqual(len(os.listdir(big)), 8)
        martlet.wait_for_event("locald", "temporary")
        with self.full():
            os.rename(self.store + ".away", self.store)
            for name in ("alice", "bob"):
                wait_until(lambda: len(glob.glob("%s/example.org/%s/new/*" % (self.store, name))) == 8, "mail for %s\n%s" % (name, martlet.log()[-3000:]))
            wait_until(lambda: len([l for l in martlet.events("queued") if l.startswith("done ")]) == 8, "all of them done")
            wait_until(lambda: os.listdir(big) == [], "their space given back")
        self.wait_for_empty_queue(martlet)

    def test_an_administrator_can_act_on_a_full_disk(self):
        martlet = self.small()
        first = martlet.pid("locald")
        with self.full():
            for _ in range(3):
                martlet.mailctl("queue", "retry")
            martlet.mailctl("stop", "locald")
            self.assertEqual(martlet.status()["locald"]["state"], "stopped")
            martlet.mailctl("start", "locald")
            self.assertNotIn(martlet.pid("locald"), (None, first))
            martlet.mailctl("reload")
            # Something else took the last block: what concerns all needs none.
            with self.full("filler too"):
                refused = martlet.mailctl("queue", "retry", check=False)
                if refused.returncode:
                    self.assertEqual(refused.returncode, 75)
                    self.assertIn("16 KiB", refused.stderr)
                martlet.mailctl("reload")
                martlet.mailctl("stop")
        self.assertEqual(martlet.supervisor.wait(PATIENCE), 0)


class Store(FaultCase):
    def test_one_broken_mailbox_holds_up_no_other(self):
        martlet = self.martlet()
        domain = os.path.join(martlet.root, "spool", "mail", "example.org")
        martlet.send("bob", "the first\r\n")
        self.wait_for(martlet, "bob", "the first")
        blocked = os.path.join(domain, "alice")
        pathlib.Path(blocked).write_bytes(b"in the way")
        martlet.send("alice", "has to wait\r\n")
        martlet.wait_for_event("locald", "problem")
        for text in ("the second\r\n", "the third\r\n"):
            martlet.send(["alice", "bob"], text)
            self.wait_for(martlet, "bob", text)
        martlet.kill("locald")
        martlet.send("bob", "the fourth\r\n")
        self.wait_for(martlet, "bob", "the fourth")
        self.assertTrue(martlet.queue())
        os.unlink(blocked)
        for text in ("has to wait", "the second", "the third"):
            self.wait_for(martlet, "alice", text)
        self.wait_for_empty_queue(martlet)
        self.assertEqual(len(martlet.files("alice")), 3)

    def test_a_store_that_comes_after_the_start_is_found(self):
        martlet = self.martlet(start=False)
        store = os.path.join(martlet.root, "spool", "mail")
        os.rename(store, store + ".away")
        martlet.start()
        martlet.send("alice", "before the store\r\n")
        martlet.wait_for_event("locald", "temporary")
        os.rename(store + ".away", store)
        self.wait_for(martlet, "alice", "before the store")
        self.wait_for_empty_queue(martlet)


class Damage(FaultCase):
    """Bytes on the disk that are no longer what was written."""

    def waiting(self, *stopped):
        """Three messages that were accepted and are not delivered."""
        martlet = self.martlet()
        self.stop_service(martlet, *stopped)
        for name in ("first", "second", "third"):
            martlet.send("alice", "text of the %s one\r\n" % name, headers="Message-ID: <%s@example.net>\r\n" % name)
        return martlet

    def expect(self, martlet, delivered, not_delivered):
        for name in delivered:
            self.wait_for(martlet, "alice", "text of the %s one" % name)
        martlet.send("bob", "life goes on\r\n")
        self.wait_for(martlet, "bob", "life goes on")
        for name in not_delivered:
            self.assertFalse(self.has(martlet, "alice", "<%s@example.net>" % name), name)
        self.assertEqual(len(martlet.files("alice")), len(delivered))

    def test_changed_content_is_never_delivered_and_stays_in_the_queue(self):
        martlet = self.waiting("locald")
        wait_until(lambda: len(martlet.queue()) == 3, "three in the queue")
        self.change(self.segment_with(martlet, "smtpd/mail", "second one"), b"text of the second one", b"text 0f the second one")
        martlet.mailctl("start", "locald")
        self.expect(martlet, ["first", "third"], ["second"])
        event = martlet.wait_for_event("locald", "corrupt", "checksum")
        queued = martlet.queue()
        self.assertEqual(len(queued), 1)
        self.assertIn(event.split()[1], str(queued))
        martlet.wait_for_event("locald", "temporary " + event.split()[1])

    def test_changed_content_of_a_big_message_is_never_delivered(self):
        martlet = self.martlet()
        self.stop_service(martlet, "locald")
        martlet.send("alice", BIG * 4000 + "end of the big one\r\n")
        big = glob.glob(os.path.join(martlet.root, "spool", "smtpd", "mail", "big", "*"))
        self.assertEqual(len(big), 1)
        self.change(big[0], b"end of the big one", b"end 0f the big one")
        martlet.mailctl("start", "locald")
        martlet.wait_for_event("locald", "corrupt", "checksum")
        self.expect(martlet, [], ["big"])
        self.assertEqual(len(martlet.queue()), 1)
        # Put right again, it arrives: it was set aside, not given up.
        self.change(big[0], b"end 0f the big one", b"end of the big one")
        self.wait_for(martlet, "alice", "end of the big one")
        self.assertEqual(glob.glob(os.path.join(martlet.root, "spool", "mail", ".stage", "*.*")), [])

    def test_a_missing_or_short_big_file_is_temporary(self):
        martlet = self.martlet()
        self.stop_service(martlet, "locald")
        martlet.send("alice", BIG * 4000 + "the short one\r\n")
        martlet.send("alice", BIG * 4000 + "the missing one\r\n")
        folder = os.path.join(martlet.root, "spool", "smtpd", "mail", "big")
        files = {("short" if b"the short one" in pathlib.Path(f).read_bytes() else "missing"): f for f in glob.glob(folder + "/*")}
        whole = pathlib.Path(files["short"]).read_bytes()
        os.truncate(files["short"], 1000)
        os.rename(files["missing"], os.path.join(martlet.root, "away"))
        martlet.mailctl("start", "locald")
        for path in files.values():
            martlet.wait_for_event("locald", "temporary " + os.path.basename(path))
        self.assertEqual(martlet.files("alice"), [])
        self.assertEqual(len(martlet.queue()), 2)
        with open(files["short"], "r+b") as f:
            f.write(whole)
        os.rename(os.path.join(martlet.root, "away"), files["missing"])
        self.wait_for(martlet, "alice", "the short one")
        self.wait_for(martlet, "alice", "the missing one")

    def test_a_flipped_bit_in_a_record_costs_that_record_alone(self):
        martlet = self.waiting("queued")
        martlet.stop()
        segment = self.segment_with(martlet, "smtpd/mail", "second one")
        self.change(segment, b"msgid=%3Csecond@", b"msgid=%3Csecone@") if b"msgid=%3Csecond@" in pathlib.Path(segment).read_bytes() \
            else self.change(segment, b"msgid=<second@", b"msgid=<secone@")
        martlet.start()
        self.expect(martlet, ["first", "third"], ["second"])
        martlet.wait_for_event("queued", "corrupt", "smtpd/mail")
        # Set aside where it is, even when everything beside it is long done.
        martlet.stop()
        martlet.start()
        self.expect_still(martlet, segment, b"text of the second one")

    def expect_still(self, martlet, segment, text):
        martlet.send("bob", "once more\r\n")
        self.wait_for(martlet, "bob", "once more")
        self.wait_for_empty_queue(martlet)
        martlet.wait_for_event("smtpd", "accept")
        time.sleep(1)  # The owner's erasure, if it were to come, comes several times a second.
        kept = [f for f in glob.glob(os.path.dirname(segment) + "/*") if os.path.isfile(f) and text in pathlib.Path(f).read_bytes()]
        self.assertTrue(kept, "the damaged record was erased")

    def test_a_truncated_segment_is_used_as_far_as_it_goes(self):
        martlet = self.waiting("queued")
        martlet.stop()
        segment = self.segment_with(martlet, "smtpd/mail", "third one")
        os.truncate(segment, pathlib.Path(segment).read_bytes().index(b"of the third one"))
        martlet.start()
        self.expect(martlet, ["first", "second"], ["third"])
        martlet.wait_for_event("smtpd", "corrupt", "smtpd/mail")

    def test_a_torn_record_at_the_end_is_passed_over(self):
        martlet = self.waiting("queued")
        martlet.stop()
        with open(self.segment_with(martlet, "smtpd/mail", "third one"), "ab") as f:
            f.write(b"accept s0000107pqgfa600014 at=1.000 from=mallory@example.net to=alice@example.org content=100:00000000 #123")
        martlet.start()
        self.expect(martlet, ["first", "second", "third"], ["mallory"])
        martlet.wait_for_event("smtpd", "corrupt", "smtpd/mail")

    def test_a_segment_without_its_header_is_set_aside_and_the_log_goes_on(self):
        martlet = self.waiting("queued")
        martlet.stop()
        segment = self.segment_with(martlet, "smtpd/mail", "first one")
        self.change(segment, b"martlet-log 1 smtpd/mail", b"martlet-log 1 smtpx/mail")
        martlet.start()
        self.expect(martlet, [], ["first", "second", "third"])
        wait_until(lambda: any("corrupt" in l and "smtpd/mail" in l for l in martlet.events("smtpd") + martlet.events("queued")), "the report")
        self.expect_still(martlet, segment, b"text of the second one")

    def test_damage_in_an_older_segment_does_not_stop_the_newer(self):
        martlet = self.waiting("queued")
        first = self.segment_with(martlet, "smtpd/mail", "first one")
        martlet.kill("smtpd")
        wait_until(lambda: self.segments(martlet, "smtpd/mail")[-1] != first, "a new segment")
        martlet.send("alice", "text of the fourth one\r\n")
        martlet.stop()
        self.change(first, b"martlet-log 1 smtpd/mail", b"martlet-log 1 smtpx/mail")
        martlet.start()
        self.expect(martlet, ["fourth"], ["first", "second", "third"])
        martlet.wait_for_event("queued", "corrupt", "smtpd/mail")

    def spoil_lines(self, path, *verbs):
        """Makes every record of these verbs one whose checksum is wrong."""
        lines = [l for l in pathlib.Path(path).read_bytes().split(b"\n") if l.split(b" ")[0].decode(errors="replace") in verbs]
        self.assertTrue(lines, verbs)
        for line in lines:
            self.change(path, line, line[:-1] + (b"0" if line[-1:] != b"0" else b"1"))

    def damaged_queue(self, verb):
        """Every record of this verb in queued's newest segment is spoiled; what is acknowledged must arrive all the same."""
        martlet = self.waiting("locald")
        wait_until(lambda: sum(l.startswith("assign ") for l in martlet.events("queued")) == 3, "three assigned")
        if verb not in ("route", "assign"):
            martlet.mailctl("restart", "queued")
            wait_until(lambda: sum(l.startswith("pending ") for l in martlet.events("queued")) == 3, "a state block")
        martlet.stop()
        self.spoil_lines(self.segments(martlet, "queued/events")[-1], verb)
        martlet.start()
        return martlet

    def test_a_damaged_queue_forgets_no_message(self):
        for verb in ("route", "assign", "open", "pending", "cursor", "state", "state-end"):
            with self.subTest(verb):
                martlet = self.damaged_queue(verb)
                for name in ("first", "second", "third"):
                    self.wait_for(martlet, "alice", "text of the %s one" % name)
                martlet.wait_for_event("queued", "corrupt", "queued/events")
                self.wait_for_empty_queue(martlet)
                self.assertEqual(len(martlet.files("alice")), 3)
                martlet.close()

    def test_an_agents_damaged_log_delivers_nothing_twice(self):
        martlet = self.waiting("queued")
        martlet.mailctl("start", "queued")
        self.wait_for_empty_queue(martlet)
        martlet.stop()
        self.spoil_lines(self.segments(martlet, "locald/events")[-1], "staged", "delivered")
        martlet.start()
        self.expect(martlet, ["first", "second", "third"], [])
        self.wait_for_empty_queue(martlet)
        self.assertEqual(len(martlet.files("alice")), 3)


class Strangers(FaultCase):
    """Things in a log folder that no writer of ours has put there, under the names that come next."""

    def plant(self, martlet, log, number, kind):
        path = os.path.join(martlet.root, "spool", log, "%08d.log" % number)
        if kind == "link":
            os.symlink(self.victim, path)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "folder":
            os.mkdir(path)
        else:
            with open(path, "wb") as f:
                f.truncate(1 << 40)
        return path

    def newest(self, martlet, log):
        return max(int(os.path.basename(f)[:-4]) for f in self.segments(martlet, log))

    def plant_all(self, martlet, log):
        number = self.newest(martlet, log)
        for step, kind in enumerate(("link", "fifo", "sparse", "folder"), 1):
            self.plant(martlet, log, number + step, kind)
        self.plant(martlet, log, 4294967295, "fifo")
        os.symlink(self.victim, os.path.join(martlet.root, "spool", log, ".new-%08d" % (number + 1)))

    def test_a_link_a_fifo_and_a_sparse_file_stop_nobody(self):
        martlet = self.martlet()
        self.victim = os.path.join(martlet.root, "victim")
        pathlib.Path(self.victim).write_bytes(b"not to be touched")
        os.chmod(self.victim, 0o666)
        wait_until(lambda: all(s["pid"] for s in martlet.status().values()), "all services")
        martlet.send("alice", "before\r\n")
        self.wait_for(martlet, "alice", "before")
        logs = ("smtpd/mail", "smtpd/events", "submission/mail", "queued/events", "queued/released", "locald/events", "remoted/events")
        for log in logs:
            self.plant_all(martlet, log)
        martlet.send("alice", "among strangers\r\n")
        self.wait_for(martlet, "alice", "among strangers")
        self.stop_service(martlet, "locald")
        martlet.send("alice", "through a restart\r\n")
        self.assertEqual(martlet.stop(), 0)
        martlet.start()
        self.wait_for(martlet, "alice", "through a restart")
        martlet.send("alice", "after the restart\r\n")
        self.wait_for(martlet, "alice", "after the restart")
        martlet.send("alice", "by submission\r\n", sender="bob@example.org", service="submission", login="bob")
        self.wait_for(martlet, "alice", "by submission")
        self.wait_for_empty_queue(martlet)
        self.assertEqual(len(martlet.files("alice")), 5)
        self.assertEqual(pathlib.Path(self.victim).read_bytes(), b"not to be touched")
        reports = [l for s in ("smtpd", "submission", "queued", "locald", "remoted") for l in martlet.events(s) if l.startswith("corrupt ")]
        for log in ("smtpd/mail", "queued/events", "locald/events"):
            self.assertTrue([l for l in reports if "log=" + log in l], "no report about " + log)
        self.assertEqual([s for s in martlet.status().values() if s["restarts"]], [])

    def test_a_segment_that_becomes_giant_holds_nobody_up(self):
        martlet = self.martlet()
        self.stop_service(martlet, "smtpd")
        segment = self.segments(martlet, "smtpd/mail")[-1]
        os.truncate(segment, 1 << 40)
        martlet.mailctl("start", "smtpd")
        martlet.send("alice", "by smtp\r\n")
        self.wait_for(martlet, "alice", "by smtp")
        os.truncate(self.segments(martlet, "smtpd/mail")[-1], 1 << 40)
        martlet.send("alice", "by submission\r\n", sender="bob@example.org", service="submission", login="bob")
        self.wait_for(martlet, "alice", "by submission")


class Snapshots(FaultCase):
    """While the directory cannot be read nothing is concluded from it."""

    def path(self, martlet, name):
        return os.path.join(martlet.root, "spool", "directory", name.removesuffix(".db"), name)

    def spoil(self, martlet, name, how):
        """Makes a snapshot unusable; returns what puts it right."""
        path = self.path(martlet, name)
        content, status = pathlib.Path(path).read_bytes(), os.stat(path)
        os.rename(path, path + ".away")
        if how in ("garbage", "truncated", "empty"):
            spoiled = {"garbage": os.urandom(len(content)), "truncated": content[:len(content) // 3], "empty": b""}[how]
            pathlib.Path(path).write_bytes(spoiled)
            os.chown(path, status.st_uid, status.st_gid)
            os.chmod(path, 0o640)
        elif how == "unreadable":
            shutil.copy(path + ".away", path)
            os.chmod(path, 0)
        elif how == "folder":
            os.mkdir(path)

        def restore():
            if os.path.isdir(path):
                os.rmdir(path)
            os.rename(path + ".away", path)
        return restore

    def ways(self):
        return ("missing", "empty", "truncated", "garbage", "folder") + (("unreadable",) if os.geteuid() == 0 else ())

    def test_without_the_address_snapshot_recipients_are_put_off_and_accepted_mail_waits(self):
        martlet = self.martlet()
        for how in self.ways():
            with self.subTest(how):
                self.stop_service(martlet, "queued")
                martlet.send("alice", "accepted before it was %s\r\n" % how)
                restore = self.spoil(martlet, "addresses.db", how)
                martlet.mailctl("start", "queued")
                seen = set()

                def put_off(name):
                    seen.add(self.refusal(martlet, name))
                    return 451 in seen
                wait_until(lambda: put_off("bob"), "451 for a known name")
                seen.clear()
                for name in ("alice", "nobody", "bob"):
                    put_off(name)
                self.assertEqual(seen, {451})
                self.assertFalse(self.has(martlet, "alice", "accepted before it was " + how))
                restore()
                wait_until(lambda: self.refusal(martlet, "bob") == 250, "mail taken again")
                self.assertEqual(self.refusal(martlet, "nobody"), 550)
                self.wait_for(martlet, "alice", "accepted before it was " + how)
        self.assertEqual(martlet.messages("postmaster"), [])

    def test_without_the_credential_snapshot_logins_are_put_off(self):
        martlet = self.martlet()

        def pop3():
            client = poplib.POP3("127.0.0.1", martlet.port("pop3"), timeout=PATIENCE)
            try:
                client.user("alice@example.org")
                return client.pass_(PASSWORD)
            except poplib.error_proto as error:
                return error.args[0]
            finally:
                client.close()

        def submission():
            with smtplib.SMTP("127.0.0.1", martlet.port("submission"), timeout=PATIENCE) as client:
                try:
                    return client.login("alice@example.org", PASSWORD)[0]
                except smtplib.SMTPAuthenticationError as error:
                    return error.smtp_code
        for how in self.ways():
            with self.subTest(how):
                restore = self.spoil(martlet, "credentials.db", how)
                wait_until(lambda: pop3().startswith(b"-ERR [SYS/TEMP]"), "-ERR [SYS/TEMP]")
                wait_until(lambda: submission() == 454, "454")
                self.assertTrue(pop3().startswith(b"-ERR [SYS/TEMP]"))
                restore()
                wait_until(lambda: pop3().startswith(b"+OK"), "a login")
                wait_until(lambda: submission() == 235, "a login")


class RudeClients(FaultCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = Martlet()
        cls.shared.send("bob", "so that it is warm\r\n")

    @classmethod
    def tearDownClass(cls):
        cls.shared.close()

    def connect(self, port="smtp"):
        s = socket.create_connection(("127.0.0.1", self.shared.port(port)), PATIENCE)
        self.addCleanup(s.close)
        return s

    def drain(self, s):
        """All that the server says until it closes."""
        out = b""
        with contextlib.suppress(ConnectionError):
            while chunk := s.recv(65536):
                out += chunk
        return out

    def pour(self, s, chunk, count):
        """Sends as much as is taken; a server may close at any time."""
        with contextlib.suppress(OSError):
            for _ in range(count):
                s.sendall(chunk)
            s.shutdown(socket.SHUT_WR)

    def resident(self, service):
        status = pathlib.Path("/proc/%d/status" % self.shared.pid(service)).read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def still_serves(self, service="smtpd"):
        with smtplib.SMTP("127.0.0.1", self.shared.port("smtp"), timeout=PATIENCE) as client:
            self.assertEqual(client.noop()[0], 250)
        self.assertEqual(self.shared.status()[service]["restarts"], 0)

    def test_garbage_is_refused_and_hurts_nobody(self):
        for port in ("smtp", "submission", "submissions"):
            for garbage in (os.urandom(100_000), b"\0" * 100_000, b"\r\n" * 50_000, b"\xff\xfe\r\n" * 10_000, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00" * 1000):
                s = self.connect(port)
                self.pour(s, garbage, 1)
                said = self.drain(s)
                self.assertNotIn(b"\r\n250 2.0.0", said)
        self.still_serves()
        self.still_serves("submission")

    def test_an_endless_line_takes_no_memory(self):
        before = self.resident("smtpd")
        s = self.connect()
        self.pour(s, b"x" * (1 << 20), 64)
        said = self.drain(s)
        self.assertTrue(said.split(b"\r\n")[-2][:1] in (b"4", b"5"), said[-200:])
        self.assertLess(self.resident("smtpd") - before, 20 << 20)
        self.still_serves()

    def test_an_endless_line_in_data_takes_no_memory_and_is_refused(self):
        before = self.resident("smtpd")
        s = self.connect()
        s.sendall(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n")
        lines = s.makefile("rb")
        while not (line := lines.readline()).startswith(b"354"):
            self.assertTrue(line)
        self.pour(s, b"y" * (1 << 20), 64)
        said = self.drain(s)
        self.assertNotIn(b"250", said)
        self.assertLess(self.resident("smtpd") - before, 20 << 20)
        self.assertEqual(self.shared.files("alice"), [])
        self.still_serves()

    def test_endless_headers_and_content_are_refused_at_the_limit(self):
        s = self.connect()
        s.sendall(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n")
        before = self.resident("smtpd")
        self.pour(s, b"X-Header: again and again\r\n" * 40_000, 64)
        self.assertNotIn(b"\r\n250 2", self.drain(s).split(b"354")[-1])
        self.assertLess(self.resident("smtpd") - before, 20 << 20)
        self.assertEqual(self.shared.files("alice"), [])
        wait_until(lambda: os.listdir(self.big()) == [], "the refused content removed")

    def big(self):
        return os.path.join(self.shared.root, "spool", "smtpd", "mail", "big")

    def test_a_client_that_leaves_in_the_middle_of_data_delivers_nothing(self):
        for body in (b"Subject: half\r\n\r\nhalf a message", b"Subject: half\r\n\r\n" + b"half a message\r\n" * 30_000,
                     b"Subject: half\r\n\r\nhalf a message\r\n.", b"Subject: half\r\n\r\nhalf a message\r\n.\r"):
            for reset in (False, True):
                s = self.connect()
                if reset:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                lines = s.makefile("rb")
                s.sendall(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n")
                while not (line := lines.readline()).startswith(b"354"):
                    self.assertTrue(line)
                s.sendall(body)
                lines.close()
                s.close()
        self.shared.send("bob", "after the halves\r\n")
        self.wait_for(self.shared, "bob", "after the halves")
        wait_until(lambda: os.listdir(self.big()) == [], "the halves removed")
        self.assertEqual(self.shared.files("alice"), [])
        self.wait_for_empty_queue(self.shared)
        self.still_serves()


if __name__ == "__main__":
    unittest.main()
