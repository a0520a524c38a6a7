"""Reload without restart, log levels, metrics; man pages and completions are those of the programs."""
import contextlib
import glob
import json
import os
import pathlib
import poplib
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import unittest

from martlet import BIN, PASSWORD, PATIENCE, Martlet, wait_until
from servers import SMTPServer

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SERVICES = ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")


def pids(martlet):
    return wait_until(lambda: (lambda s: None not in s.values() and s)({n: e["pid"] for n, e in martlet.status().items()}), "all of them running")


class Reload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(accounts=("alice",), settings={"retry": {"initial": "1 h"}})

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def reload(self, *words):
        return json.loads(self.martlet.mailctl("reload", "--json", *words).stdout)

    def features(self):
        with contextlib.suppress(smtplib.SMTPException), smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE) as client:
            client.ehlo()
            return client.esmtp_features

    def test_live_keys_hold_without_a_restart_and_sessions_stay(self):
        before = pids(self.martlet)
        with socket.create_connection(("127.0.0.1", self.martlet.port("smtp")), PATIENCE) as old, old.makefile("rb") as lines:
            self.assertTrue(lines.readline().startswith(b"220"))
            self.martlet.change_settings({"limits": {"message_size": "4 MiB", "pop3_idle_timeout": "2 s", "imap_idle_timeout": "2 s"}})
            said = self.reload()
            self.assertEqual([c["key"] for c in said["live"]], ["limits.message_size", "limits.pop3_idle_timeout", "limits.imap_idle_timeout"])
            self.assertEqual((said["restart"], said["unread"]), ([], []))
            wait_until(lambda: self.features()["size"] == str(4 << 20), "the new limit")
            old.sendall(b"NOOP\r\n")
            self.assertTrue(lines.readline().startswith(b"250"), "a session goes on")
        self.assertEqual(pids(self.martlet), before)
        # The session process has the new time, which is up long before the old one of ten minutes.
        client = poplib.POP3("127.0.0.1", self.martlet.port("pop3"), timeout=PATIENCE)
        client.user("alice@example.org")
        client.pass_(PASSWORD)
        self.assertIn(client.file.readline()[:4], (b"", b"-ERR"))
        client.close()
        self.assertEqual(self.reload(), {"live": [], "restart": [], "unread": [], "restarted": []})

    def test_retry_times_reach_queued_and_ports_remoted(self):
        server = SMTPServer({"RCPT": "450 4.2.0 later"})
        self.addCleanup(server.close)
        before = pids(self.martlet)
        self.martlet.mailctl("route", "add", "slow.example", "127.0.0.1:%d" % server.port)
        with smtplib.SMTP("127.0.0.1", self.martlet.port("submission"), timeout=PATIENCE) as client:
            client.login("alice@example.org", PASSWORD)
            client.sendmail("alice@example.org", ["a@slow.example"], "Subject: x\r\n\r\nx\r\n")
        self.martlet.wait_for_event("queued", "deferred", "a@slow.example")
        self.martlet.change_settings({"retry": {"initial": "1 s", "maximum": "1 s"}})
        self.assertEqual([c["key"] for c in self.reload()["live"]], ["retry.initial", "retry.maximum"])
        self.martlet.mailctl("queue", "retry")
        # By the old time there would be two attempts and an hour.
        wait_until(lambda: len([l for l in self.martlet.events("queued") if l.startswith("deferred") and "a@slow.example" in l]) >= 4, "tried each second")
        server.say["RCPT"] = "250 2.1.5 ok"
        wait_until(lambda: server.messages, "taken")
        self.assertEqual(pids(self.martlet), before)

    def test_keys_that_need_a_restart_are_named_with_the_reason_and_restarted_when_asked(self):
        before = pids(self.martlet)
        self.martlet.change_settings({"delivery": {"threads": 2}, "limits": {"hops": 40, "mailbox_depth": 9}})
        text = self.martlet.mailctl("reload").stdout
        self.assertIn("in force: limits.hops = 40, was 50\n", text)
        self.assertIn("needs a restart: delivery.threads = 2, was 4 (the threads are made at the start)\n", text)
        self.assertIn("without effect: limits.mailbox_depth", text)
        self.assertIn("reload --restart restarts locald;", text)
        self.assertEqual(pids(self.martlet), before)
        # It is not forgotten.
        again = self.reload()
        self.assertEqual(([c["key"] for c in again["restart"]], again["restart"][0]["services"], again["live"]), (["delivery.threads"], ["locald"], []))
        self.assertEqual(self.reload("--restart")["restarted"], ["locald"])
        now = pids(self.martlet)
        self.assertEqual({n for n in now if now[n] != before[n]}, {"locald"})
        self.assertEqual(self.reload()["restart"], [])

    def test_a_wrong_configuration_changes_nothing(self):
        path = pathlib.Path(self.martlet.root, "etc", "martlet.toml")
        old = path.read_text()
        try:
            path.write_text(old.replace("[limits]", "[limits]\nhops = 1", 1))
            done = self.martlet.mailctl("reload", check=False)
            self.assertEqual(done.returncode, 78)
            self.assertIn("limits.hops", done.stderr)
        finally:
            path.write_text(old)
        self.assertEqual(self.reload()["live"], [])

    def test_services_look_at_what_is_published_without_a_signal(self):
        # As under a service manager that nobody told: the file is replaced, and that is all.
        self.martlet.mailctl("log-level", "locald", "events")
        path = pathlib.Path(self.martlet.root, "spool/mailctl/configuration/martlet.toml")
        text = path.read_text()
        new = re.sub(r"(?m)^recipients = .*$", "recipients = 100", text)
        self.assertNotEqual(new, text)
        other = path.with_name("new")
        other.write_text(new)
        shutil.copystat(path, other)
        os.chown(other, path.stat().st_uid, path.stat().st_gid)
        os.rename(other, path)

        def refused():
            with smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE) as client:
                client.helo()
                client.mail("a@b.example")
                return [client.rcpt("alice+%d@example.org" % i)[0] for i in range(101)][-1] != 250
        wait_until(refused, "the new limit")


class LogLevel(unittest.TestCase):
    def test_levels_change_at_run_time_and_stay(self):
        with Martlet(accounts=("alice",)) as martlet:
            self.assertEqual(set(json.loads(martlet.mailctl("log-level", "--json").stdout).values()), {"events"})
            said = lambda service, word: [l for l in martlet.log().split("\n") if l.startswith(service + ": " + word)]
            martlet.mailctl("log-level", "smtpd", "debug")
            martlet.mailctl("log-level", "locald", "problems")

            def send_and_look():
                martlet.send("alice", "x\r\n")
                return said("smtpd", "debug - to=127.0.0.1 reply=250") and said("smtpd", "debug - commit log=mail records=")
            wait_until(send_and_look, "debug lines")
            self.assertFalse(said("submission", "debug"))
            old = martlet.pid("locald")
            martlet.mailctl("restart", "locald", "smtpd")
            self.assertNotEqual(martlet.pid("locald"), old)
            count = len(said("locald", "delivered"))
            martlet.send("alice", "after the restart\r\n")
            wait_until(lambda: any(b"after the restart" in m for m in martlet.messages("alice")), "delivered")
            self.assertEqual(len(said("locald", "delivered")), count, "it says nothing of it")
            self.assertTrue([l for l in martlet.events("locald") if l.startswith("delivered")], "and its log has it")
            levels = json.loads(martlet.mailctl("log-level", "all", "events", "--json").stdout)
            self.assertEqual(set(levels.values()), {"events"})
            for words, status in ((("nosuchd", "debug"), 64), (("smtpd", "loud"), 64), (("smtpd",), 64)):
                self.assertEqual(martlet.mailctl("log-level", *words, check=False).returncode, status)


def parse(page):
    """The samples of a page, after promtool's rules: each family once, HELP and TYPE before it, names and values well formed."""
    samples, families, current = {}, {}, None
    for line in page.rstrip("\n").split("\n"):
        told = re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) (.+)", line)
        if told:
            kind, name, rest = told.groups()
            if kind == "HELP":
                assert name not in families, "a family twice: " + name
                assert rest.endswith("."), line
                families[name] = None
            else:
                assert rest in ("counter", "gauge", "histogram") and name in families, line
                assert (rest == "counter") == name.endswith("_total"), line
                assert not re.search(r"_(milli|micro)seconds|_ms\b", name), line
                families[name], current = rest, name
            continue
        found = re.fullmatch(r'([a-z_]+)\{((?:[a-z_]+="[^"\\\n]*",?)+)\} (-?[0-9.]+)', line)
        assert found, line
        name, labels, value = found.groups()
        suffix = name[len(current):]
        assert name.startswith(current) and suffix in ("", "_bucket", "_sum", "_count") and bool(suffix) == (families[current] == "histogram"), line
        key = (name, tuple(sorted(re.findall(r'([a-z_]+)="([^"]*)"', labels))))
        assert key not in samples, "a sample twice: " + line
        samples[key] = float(value)
    for (name, labels), value in samples.items():
        if name.endswith("_bucket") and ("le", "+Inf") in labels:
            rest = tuple(l for l in labels if l[0] != "le")
            assert samples[(name[:-7] + "_count", rest)] == value
            bounds = sorted((float(dict(l)["le"]), v) for (n, l), v in samples.items() if n == name and tuple(x for x in l if x[0] != "le") == rest)
            assert [v for _, v in bounds] == sorted(v for _, v in bounds), "buckets do not grow: %s" % name
    return samples


class Metrics(unittest.TestCase):
    def test_the_numbers_are_those_of_what_was_sent(self):
        with Martlet() as martlet:
            for _ in range(3):
                martlet.send(["alice", "bob"], "x" * 1000 + "\r\n")
            with self.assertRaises(smtplib.SMTPRecipientsRefused):
                martlet.send("nobody", "x\r\n")
            martlet.wait_for_mail("alice", 3)
            martlet.wait_for_mail("bob", 3)
            client = poplib.POP3("127.0.0.1", martlet.port("pop3"), timeout=PATIENCE)
            client.user("alice@example.org")
            client.pass_(PASSWORD)
            client.retr(1)
            client.quit()
            client = poplib.POP3("127.0.0.1", martlet.port("pop3"), timeout=PATIENCE)
            client.user("alice@example.org")
            with self.assertRaises(poplib.error_proto):
                client.pass_("wrong")
            client.close()

            def value(name, service, **labels):
                key = (name, tuple(sorted({**labels, "service": service}.items())))
                return parse(martlet.mailctl("metrics").stdout).get(key)
            wait_until(lambda: value("martlet_messages_accepted_total", "smtpd") == 3, "accepted")
            wait_until(lambda: value("martlet_copies_delivered_total", "locald") == 6, "delivered")
            wait_until(lambda: value("martlet_logins_total", "pop3d", result="failed") == 1, "a failed login")
            wait_until(lambda: value("martlet_messages_done_total", "queued") == 3, "done")
            samples = parse(martlet.mailctl("metrics").stdout)
            get = lambda name, service, **labels: samples[(name, tuple(sorted({**labels, "service": service}.items())))]
            self.assertEqual(get("martlet_recipients_refused_total", "smtpd"), 1)
            self.assertGreaterEqual(get("martlet_messages_accepted_bytes_total", "smtpd"), 3000)
            self.assertEqual(get("martlet_logins_total", "pop3d", result="ok"), 1)
            self.assertEqual(get("martlet_mailbox_acts_total", "pop3d", act="fetch"), 1)
            self.assertGreaterEqual(get("martlet_log_sync_seconds_count", "smtpd", log="mail"), 1)
            self.assertEqual(get("martlet_log_batch_records_sum", "smtpd", log="mail"), 3)
            self.assertEqual({get("martlet_queue_messages", "queued"), get("martlet_queue_oldest_seconds", "queued")}, {0})
            for service in SERVICES:
                self.assertEqual(get("martlet_service_up", service), 1)
                self.assertEqual(get("martlet_sandbox_confined", service), 1)
                path = os.path.join(martlet.root, "spool", service, "metrics", service + ".prom")
                self.assertTrue(parse(pathlib.Path(path).read_text()))
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)
            page = martlet.mailctl("metrics").stdout
            self.assertNotIn("example", page)
            self.assertTrue(all(set(s) == {"name", "labels", "value"} for s in json.loads(martlet.mailctl("metrics", "--json").stdout)))
            with open(os.path.join(TOP, "docs", "operations.md")) as file:
                text = file.read()
            self.assertEqual([n for n in re.findall(r"(?m)^# TYPE (\S+)", page) if "`%s`" % n not in text], [], "families that docs/operations.md lacks")


class Pages(unittest.TestCase):
    def test_pages_and_completions_are_what_the_programs_say(self):
        done = subprocess.run([sys.executable, os.path.join(TOP, "etc", "dev", "pages"), "--check", BIN], text=True, capture_output=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_man_pages_are_well_formed(self):
        pages = sorted(glob.glob(os.path.join(TOP, "etc", "man", "*")))
        self.assertEqual({os.path.basename(p) for p in pages},
                         {"imapd.8", "locald.8", "mailctl.8", "martlet-spool.5", "martlet.7", "martlet.toml.5", "pop3d.8", "queued.8", "remoted.8", "sendmail.1", "smtpd.8"})
        for tool, words in (("mandoc", ("-T", "lint", "-W", "warning")), ("groff", ("-man", "-mdoc", "-ww", "-z", "-T", "utf8"))):
            if not shutil.which(tool):
                print("no %s: its opinion of the man pages is left out" % tool)
                continue
            for page in pages:
                done = subprocess.run([tool, *(w for w in words if w != "-man"), page], text=True, capture_output=True)
                said = [l for l in (done.stdout + done.stderr).split("\n") if l and "outdated mandoc.db" not in l]
                self.assertEqual(said, [], page)

    def test_completions_are_syntax(self):
        for shell, name in (("bash", "mailctl.bash"), ("zsh", "_mailctl"), ("fish", "mailctl.fish")):
            if not shutil.which(shell):
                continue
            done = subprocess.run([shell, "-n", os.path.join(TOP, "etc", "completions", name)], text=True, capture_output=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)


if __name__ == "__main__":
    unittest.main()
