"""The seven services: each stopped, started and crashed alone, in any order, without loss and without a refused connection."""
import contextlib
import fcntl
import itertools
import json
import os
import random
import signal
import smtplib
import socket
import threading
import time
import unittest

from martlet import BIN, PASSWORD, PATIENCE, Martlet, wait_until

SERVICES = ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")
MAIL_PATH = ("smtpd", "queued", "locald")


class ServiceCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(settings={"retry": {"initial": "1 s", "maximum": "2 s"}})
        cls.numbers = itertools.count()

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def setUp(self):
        self.martlet.mailctl("start")
        self.wait_for_states("running")

    def wait_for_states(self, state, services=SERVICES):
        wait_until(lambda: {self.martlet.status()[s]["state"] for s in services} == {state}, "%s %s" % (" ".join(services), state))

    def token(self):
        return "message number %d\r\n" % next(self.numbers)

    def arrived(self, text):
        return sum(text.encode() in m for m in self.martlet.messages("alice"))

    def arrives_once(self, *texts):
        wait_until(lambda: self.martlet.queue() == [], "the queue empty\n" + self.martlet.log()[-3000:])
        lines = [line for m in self.messages() for line in m.split("\r\n")]
        self.assertEqual([t for t in texts if lines.count(t.strip()) != 1], [])

    def messages(self):
        return [m.decode() for m in self.martlet.messages("alice")]


class Services(ServiceCase):
    def test_status_names_the_services_and_says_how_they_are(self):
        status = self.martlet.status()
        self.assertEqual(set(status), set(SERVICES))
        for name, entry in status.items():
            self.assertEqual(set(entry), {"service", "state", "pid", "uid", "uptime", "restarts"})
            self.assertEqual(entry["state"], "running")
            self.assertTrue(os.path.exists("/proc/%d" % entry["pid"]))
            self.assertEqual(entry["uid"], os.stat("/proc/%d" % entry["pid"]).st_uid)
            self.assertGreaterEqual(entry["uptime"], 0)
        if os.geteuid() == 0:
            self.assertEqual(len({entry["uid"] for entry in status.values()}), 7, "one uid a service")
            self.assertNotIn(0, {entry["uid"] for entry in status.values()})
        else:
            self.assertIn("without privilege separation", self.martlet.mailctl("status").stdout)

    def test_each_service_is_stopped_and_started_alone(self):
        for service in SERVICES:
            with self.subTest(service):
                others = {s: e["pid"] for s, e in self.martlet.status().items() if s != service}
                self.martlet.mailctl("stop", service)
                entry = self.martlet.status()[service]
                self.assertEqual((entry["state"], entry["pid"]), ("stopped", None))
                text = self.token()
                if service == "smtpd":
                    self.martlet.mailctl("start", service)
                self.martlet.send("alice", text)
                if service in MAIL_PATH and service != "smtpd":
                    wait_until(lambda: self.martlet.queue(), "it waits in the queue")
                    self.assertEqual(self.arrived(text), 0)
                self.martlet.mailctl("start", service)
                self.arrives_once(text)
                self.assertEqual({s: e["pid"] for s, e in self.martlet.status().items() if s != service}, others)

    def test_what_is_stopped_stays_stopped_and_is_not_restarted(self):
        self.martlet.mailctl("stop", "remoted")
        self.martlet.mailctl("reload")
        self.assertEqual(self.martlet.status()["remoted"]["state"], "stopped")

    def test_a_killed_service_is_healed_and_counted(self):
        for service in SERVICES:
            with self.subTest(service):
                before = self.martlet.status()[service]
                os.kill(before["pid"], signal.SIGKILL)
                text = self.token()
                self.martlet.send("alice", text)
                wait_until(lambda: self.martlet.status()[service]["restarts"] == before["restarts"] + 1
                           and self.martlet.status()[service]["pid"] not in (None, before["pid"]), service + " again")
                self.arrives_once(text)

    def test_a_service_that_ends_each_time_is_left_to_itself_and_comes_back(self):
        """A lock on remoted's log lets none of its processes start: it is called crashing, and nobody else is concerned."""
        others = {s: e["pid"] for s, e in self.martlet.status().items() if s != "remoted"}
        self.martlet.mailctl("stop", "remoted")
        lock = os.open(os.path.join(self.martlet.root, "spool", "remoted", "events", ".lock"), os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.martlet.mailctl("start", "remoted", check=False)
            wait_until(lambda: self.martlet.status()["remoted"]["state"] == "crashing", "remoted crashing")
            self.martlet.wait_for_event("supervisor", "problem", "service=remoted", "soon%20after%20its%20start")
            text = self.token()
            self.martlet.send("alice", text)
            self.arrives_once(text)
            self.assertEqual({s: e["pid"] for s, e in self.martlet.status().items() if s != "remoted"}, others)
        finally:
            os.close(lock)
        self.martlet.mailctl("start", "remoted")
        self.wait_for_states("running", ["remoted"])

    def test_any_order_of_stops_starts_and_crashes_loses_nothing(self):
        seed = random.SystemRandom().getrandbits(32)
        print("seed", seed)
        chance = random.Random(seed)
        for _ in range(4):
            texts = []
            for service in chance.sample(SERVICES, 7):
                if chance.random() < 0.5 or service == "smtpd":
                    self.martlet.kill(service)
                else:
                    self.martlet.mailctl("stop", service)
                texts.append(self.token())
                self.martlet.send("alice", texts[-1])
            for service in chance.sample(SERVICES, 7):
                self.martlet.mailctl("start", service)
                texts.append(self.token())
                self.martlet.send("alice", texts[-1])
            self.arrives_once(*texts)

    def test_what_is_done_stays_out_of_the_queue_when_queued_starts_anew(self):
        text = self.token()
        self.martlet.send("alice", text)
        self.arrives_once(text)
        for _ in range(3):
            self.martlet.mailctl("restart", "queued")
            self.assertEqual(self.martlet.queue(), [])
        self.arrives_once(text)

    def test_mailctl_says_what_it_cannot_do(self):
        done = self.martlet.mailctl("stop", "nosuchd", check=False)
        self.assertEqual(done.returncode, 64)
        self.assertIn("nosuchd", done.stderr)
        for words, status, remedy in ((("account", "import", "/nonexistent"), 66, "or - for stdin"), (("account", "import", "/etc"), 66, "or - for stdin"),
                                      (("account", "show", "nobody@example.org"), 66, "account list"), (("queue", "retry", "x"), 64, "queue list"),
                                      (("account", "add", "a@other.example"), 65, "domain add other.example"), (("frob",), 64, "help")):
            with self.subTest(words):
                done = self.martlet.mailctl(*words, check=False)
                self.assertEqual(done.returncode, status, done)
                said = json.loads(self.martlet.mailctl(*words, "--json", check=False).stderr)
                self.assertEqual(said["status"], status)
                self.assertIn(remedy, said["remedy"])
                self.assertEqual(done.stdout, "")


class Restarts(ServiceCase):
    """What a client of smtpd sees of a stop."""

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.martlet.port("smtp")), PATIENCE)
        lines = s.makefile("rb")
        self.addCleanup(s.close)
        self.addCleanup(lines.close)
        self.assertTrue(lines.readline().startswith(b"220"))
        return s, lines

    def say(self, s, lines, text, code):
        s.sendall(text + b"\r\n")
        while True:
            line = lines.readline()
            self.assertTrue(line.startswith(code), (text, line))
            if line[3:4] == b" ":
                return line

    def begin_data(self):
        s, lines = self.connect()
        self.say(s, lines, b"EHLO x", b"250")
        self.say(s, lines, b"MAIL FROM:<a@b.example>", b"250")
        self.say(s, lines, b"RCPT TO:<alice@example.org>", b"250")
        self.say(s, lines, b"DATA", b"354")
        return s, lines

    def test_a_stop_lets_the_transaction_finish_tells_the_others_and_refuses_nobody(self):
        text = self.token().encode()
        sender, sender_lines = self.begin_data()
        sender.sendall(b"Subject: in the middle\r\n\r\nfirst half\r\n")
        idle, idle_lines = self.connect()
        between, between_lines = self.connect()
        self.say(between, between_lines, b"EHLO x", b"250")
        old = self.martlet.pid("smtpd")
        restart = threading.Thread(target=self.martlet.mailctl, args=("restart", "smtpd"))
        restart.start()
        self.addCleanup(restart.join)
        for lines in (idle_lines, between_lines):
            self.assertTrue(lines.readline().startswith(b"421"), "an idle client is told")
            self.assertEqual(lines.readline(), b"", "and let go")
        # Somebody who comes now waits for the successor.
        late = socket.create_connection(("127.0.0.1", self.martlet.port("smtp")), PATIENCE)
        self.addCleanup(late.close)
        sender.sendall(text + b".\r\n")
        self.assertTrue(sender_lines.readline().startswith(b"250"), "the transaction ends with its reply")
        with late.makefile("rb") as lines:
            self.assertTrue(lines.readline().startswith(b"220"))
        restart.join()
        self.assertNotEqual(self.martlet.pid("smtpd"), old)
        self.arrives_once(text.decode())

    def test_a_client_that_never_ends_does_not_hold_a_stop_up(self):
        sender, lines = self.begin_data()
        sender.sendall(b"never to be finished\r\n")
        old = self.martlet.pid("smtpd")
        self.martlet.mailctl("restart", "smtpd")
        self.assertNotEqual(self.martlet.pid("smtpd"), old)
        rest = b""
        try:
            rest = lines.read()
        except ConnectionError:
            pass
        self.assertNotIn(b"250", rest)
        text = self.token()
        self.martlet.send("alice", text)
        self.arrives_once(text)
        self.assertEqual(self.arrived("never to be finished"), 0)

    def test_no_connection_is_refused_while_services_restart(self):
        trouble, texts, going = [], [], threading.Event()
        going.set()

        def clients(port):
            while going.is_set():
                time.sleep(0.02)
                text = self.token()
                try:
                    client = smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE)
                except smtplib.SMTPConnectError as error:
                    if error.smtp_code != 421:
                        trouble.append(repr(error))
                    continue
                except smtplib.SMTPServerDisconnected:
                    continue  # Taken by the one that ends, and let go before its greeting: told apart from a refusal below.
                except OSError as error:
                    trouble.append(repr(error))
                    continue
                try:
                    if port == self.martlet.port("submission"):
                        client.login("bob@example.org", PASSWORD)
                    client.sendmail("bob@example.org", ["alice@example.org"], "Subject: x\r\n\r\n" + text)
                    texts.append(text)
                except smtplib.SMTPException:
                    pass  # 421 between two commands, or the end of the connection: not acknowledged.
                except OSError as error:
                    if not isinstance(error, ConnectionResetError):
                        trouble.append(repr(error))
                finally:
                    client.close()
        threads = [threading.Thread(target=clients, args=(self.martlet.port(p),)) for p in ("smtp", "smtp", "submission")]
        for thread in threads:
            thread.start()
        try:
            for _ in range(4):
                self.martlet.mailctl("restart", "smtpd", "submission")
                time.sleep(0.2)
        finally:
            going.clear()
            for thread in threads:
                thread.join()
        self.assertEqual(trouble, [])
        self.assertGreater(len(texts), 10)
        self.arrives_once(*texts)


class Lifecycle(unittest.TestCase):
    def test_the_supervisor_ends_in_order_and_mail_waits_for_the_next(self):
        with Martlet() as martlet:
            martlet.mailctl("stop", "locald")
            martlet.send("alice", "waits for the next day\r\n")
            self.assertEqual(martlet.stop(), 0)
            self.assertEqual({s["state"] for s in martlet.status().values()}, {"stopped"})
            for port in ("smtp", "pop3", "imap"):
                with self.assertRaises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", martlet.port(port)), PATIENCE)
            self.assertEqual(len(martlet.queue()), 1)
            martlet.start()
            martlet.wait_for_mail("alice", 1)

    def test_mailctl_stop_ends_everything(self):
        with Martlet(accounts=()) as martlet:
            martlet.mailctl("stop")
            self.assertEqual(martlet.supervisor.wait(PATIENCE), 0)
            done = martlet.mailctl("start", check=False)
            self.assertEqual(done.returncode, 69)
            self.assertIn("mailctl run", done.stderr)

    def test_a_reload_takes_a_new_configuration_and_restarts_only_whom_it_must_when_asked(self):
        with Martlet() as martlet:
            def size():
                # While the old process ends, it answers 421.
                with contextlib.suppress(smtplib.SMTPException), smtplib.SMTP("127.0.0.1", martlet.port("smtp"), timeout=PATIENCE) as client:
                    client.ehlo()
                    return client.esmtp_features["size"]
            pids = lambda: {name: entry["pid"] for name, entry in martlet.status().items()}
            wait_until(lambda: None not in pids().values(), "all of them running")
            before = pids()
            martlet.mailctl("reload")
            self.assertEqual(size(), str(50 << 20))
            self.assertEqual(pids(), before)
            martlet.change_settings({"limits": {"message_size": "3 MiB", "connections": 9000}})
            martlet.mailctl("reload", "smtpd")
            wait_until(lambda: size() == str(3 << 20), "the new limit")
            self.assertEqual(pids(), before, "it holds without a restart")
            martlet.mailctl("reload", "--restart")
            now = wait_until(lambda: None not in pids().values() and pids(), "all of them running")
            self.assertEqual({n for n in now if now[n] != before[n]}, {"smtpd", "submission", "pop3d", "imapd"}, "whom the other key concerns")
            martlet.mailctl("reload", "--restart")
            self.assertEqual(pids(), now)

    def test_only_the_administrators_tool_holds_the_database_library(self):
        for program in (*SERVICES[:1], *SERVICES[2:], "sendmail", "mailctl"):
            with open(os.path.join(BIN, program), "rb") as file:
                self.assertEqual(b"DatabaseQueue" in file.read(), program == "mailctl", program)

    def test_services_do_not_outlive_a_killed_supervisor(self):
        with Martlet() as martlet:
            wait_until(lambda: all(s["pid"] for s in martlet.status().values()), "all services")
            pids = [s["pid"] for s in martlet.status().values()]
            martlet.send("alice", "before the supervisor died\r\n")
            martlet.supervisor.kill()
            martlet.supervisor.wait()
            wait_until(lambda: not any(os.path.exists("/proc/%d" % pid) for pid in pids), "the services gone")
            martlet.start()
            martlet.wait_for_mail("alice", 1)


if __name__ == "__main__":
    unittest.main()
