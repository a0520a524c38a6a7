"""`mailctl doctor`: each test breaks one thing and sees the finding, with what mends it; and often mends it so."""
import glob
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import struct
import subprocess
import tempfile
import unittest

from martlet import BIN, Martlet, wait_until
from servers import NameServer

A, PTR, MX, TXT, AAAA, SRV = 1, 12, 15, 16, 28, 33
HOST = "mail.example.org"


def doctor(martlet, *words):
    """The findings, after the exit status was found to agree with them."""
    done = martlet.mailctl("doctor", "--json", *words, check=False)
    findings = json.loads(done.stdout)
    assert done.returncode == (65 if any(f["result"] == "problem" for f in findings) else 0), (done.returncode, done.stdout, done.stderr)
    for finding in findings:
        assert set(finding) == {"check", "result", "subject", "cause", "remedy"}, finding
        assert finding["result"] in ("ok", "warning", "problem", "unknown"), finding
        assert finding["cause"], finding
        assert finding["remedy"] or finding["result"] in ("ok", "unknown"), finding
    return findings


def of(findings, check, result=None):
    return [f for f in findings if f["check"] == check and result in (None, f["result"])]


def certificate(folder, names, days=365):
    """A self-signed pair in the tree's place, made by openssl."""
    key, file = folder + "/key.pem", folder + "/certificate.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", file, "-days", str(days),
             "-subj", "/CN=test", "-addext", "subjectAltName=" + ",".join("DNS:" + n for n in names)]
    subprocess.run(words, check=True, capture_output=True)
    os.chmod(key, 0o640)
    return key, file


class Running(unittest.TestCase):
    """A tree for development that runs."""

    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(accounts=("alice",))

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def only(self, findings, check, result, *words):
        found = of(findings, check, result)
        self.assertEqual(len(found), 1, findings)
        for word in words:
            self.assertIn(word, found[0]["cause"] + " " + found[0]["subject"] + " " + found[0]["remedy"])
        return found[0]

    def test_a_tree_in_order_has_no_problem_and_the_round_trip_leaves_nothing(self):
        findings = doctor(self.martlet)
        self.assertEqual(of(findings, "services", "ok")[0]["cause"], "all 7 run")
        for check in ("ports", "permissions", "addresses", "queue", "log lag", "round trip", "tls"):
            self.assertEqual({f["result"] for f in of(findings, check)}, {"ok"}, (check, findings))
        self.only(findings, "certificate", "warning", "self-signed")
        self.assertEqual([f for f in findings if f["result"] == "problem"], [])
        accounts = json.loads(self.martlet.mailctl("account", "list", "--json").stdout)
        self.assertEqual({a["address"] for a in accounts}, {"postmaster@example.org", "alice@example.org"})
        self.assertEqual(glob.glob(self.martlet.root + "/spool/mail/example.org/*doctor*"), [])
        wait_until(lambda: self.martlet.queue() == [], "the queue empty")
        self.assertEqual(self.martlet.mailctl("audit", check=False).returncode, 0)
        self.assertEqual(self.martlet.mailctl("audit", "--store", check=False).returncode, 0)

    def test_people_see_a_mark_and_the_remedy_below(self):
        done = self.martlet.mailctl("doctor", "--offline", "--no-round-trip")
        self.assertRegex(done.stdout, r"(?m)^  ✓ services +all 7 run$")
        self.assertRegex(done.stdout, r"(?m)^  ! certificate .*self-signed.*\n      get one of an authority")
        self.assertRegex(done.stdout, r"(?m)^  \? dns +not asked")
        self.assertRegex(done.stdout, r"\n0 problems, \d+ warnings, \d+ unknown, \d+ in order\n$")

    def test_a_stopped_service_is_named_with_the_command_that_starts_it(self):
        self.martlet.mailctl("stop", "pop3d")
        try:
            findings = doctor(self.martlet)
            found = self.only(findings, "services", "problem", "pop3d", "is not running")
            self.assertEqual(found["remedy"].split(";")[0], "mailctl --root %s start pop3d" % self.martlet.root)
            self.only(findings, "round trip", "unknown", "pop3d")
        finally:
            self.martlet.mailctl("start", "pop3d")

    def test_a_port_that_nobody_listens_on_is_found(self):
        taken = socket.create_server(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.close()
        old = pathlib.Path(self.martlet.root, "etc", "martlet.toml").read_text()
        try:
            self.martlet.change_settings({"listen": {"imap": ["127.0.0.1:%d" % port]}})
            found = self.only(doctor(self.martlet, "--no-round-trip"), "ports", "problem", "imap 127.0.0.1:%d" % port)
            self.assertIn("reload --restart", found["remedy"])
            self.martlet.mailctl("reload", "--restart")
            self.assertEqual(of(doctor(self.martlet, "--no-round-trip"), "ports", "problem"), [])
        finally:
            pathlib.Path(self.martlet.root, "etc", "martlet.toml").write_text(old)
            self.martlet.mailctl("reload", "--restart")

    def test_a_mode_that_is_not_that_of_the_table_is_found_and_mended_by_its_remedy(self):
        for path, mode in (("spool/queued/events", 0o2755), ("etc/tls/key.pem", 0o644), ("spool/directory/directory.db", 0o644)):
            with self.subTest(path):
                os.chmod(os.path.join(self.martlet.root, path), mode)
                found = self.only(doctor(self.martlet, "--no-round-trip"), "permissions", "problem", path)
                subprocess.run(found["remedy"], shell=True, check=True, env=dict(os.environ, PATH=BIN + ":" + os.environ["PATH"]), capture_output=True)
                self.assertEqual(of(doctor(self.martlet, "--no-round-trip"), "permissions", "problem"), [])

    def test_a_round_trip_that_breaks_names_its_leg_and_leaves_no_account(self):
        if os.geteuid():
            self.skipTest("only root can publish what the services cannot read")
        credentials = self.martlet.root + "/spool/directory/credentials"
        os.chmod(credentials, 0)
        try:
            findings = doctor(self.martlet)
            self.only(findings, "round trip", "problem", "POP3", "was answered: -ERR", "/spool/pop3d/events/")
            self.only(findings, "permissions", "problem", credentials)
        finally:
            os.chmod(credentials, 0o2750)
            # What was published meanwhile lacks the folder's group.
            self.martlet.mailctl("check", "--permissions", "--fix")
        accounts = json.loads(self.martlet.mailctl("account", "list", "--json").stdout)
        self.assertFalse([a for a in accounts if "doctor" in a["address"]])
        self.assertEqual(glob.glob(self.martlet.root + "/spool/mail/example.org/*doctor*"), [])

    def test_leftovers_of_an_examination_that_was_killed_are_swept(self):
        self.martlet.mailctl("account", "add", "martlet-doctor-0000000000@example.org", "--no-password")
        with sqlite3.connect(self.martlet.root + "/spool/directory/directory.db") as database:
            database.execute("UPDATE account SET created = created - 3600 WHERE address LIKE 'martlet-doctor-%'")
        doctor(self.martlet)
        accounts = json.loads(self.martlet.mailctl("account", "list", "--json").stdout)
        self.assertFalse([a for a in accounts if "doctor" in a["address"]])

    def test_an_old_message_that_waits_is_told(self):
        self.martlet.mailctl("stop", "queued")
        self.martlet.send("alice", "waits\r\n")
        try:
            findings = doctor(self.martlet, "--no-round-trip")
            self.assertIn("1 message", of(findings, "queue")[0]["cause"])
            self.only(findings, "services", "problem", "queued")
        finally:
            self.martlet.mailctl("start", "queued")
            wait_until(lambda: self.martlet.queue() == [], "delivered")


class Certificates(unittest.TestCase):
    """Files and what is shown of them, in a tree that does not run but for one test."""

    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(accounts=(), start=False)
        cls.tls = cls.martlet.root + "/etc/tls"

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def found(self, result="problem"):
        return of(doctor(self.martlet, "--offline", "--no-round-trip"), "certificate", result)

    def test_a_missing_certificate(self):
        with tempfile.TemporaryDirectory() as away:
            shutil.move(self.tls + "/certificate.pem", away)
            try:
                self.assertIn("no certificate", self.found()[0]["cause"])
            finally:
                shutil.move(away + "/certificate.pem", self.tls)

    def test_names_dates_and_a_key_of_another(self):
        certificate(self.tls, ["other.example"])
        (found,) = self.found()
        self.assertIn("is for other.example, not for localhost", found["cause"])
        self.assertIn("-d localhost", found["remedy"])
        certificate(self.tls, ["localhost", "other.example"], days=3)
        self.assertEqual(self.found(), [])
        self.assertTrue([f for f in self.found("warning") if "expires in" in f["cause"] and "renew" in f["remedy"]])
        with tempfile.TemporaryDirectory() as other:
            certificate(other, ["localhost"])
            shutil.copy(other + "/key.pem", self.tls + "/key.pem")
        self.assertIn("does not belong to the key", self.found()[0]["cause"])

    def test_an_expired_one(self):
        # `openssl req` cannot date back, `openssl ca` can.
        with tempfile.TemporaryDirectory() as folder:
            key = folder + "/key.pem"
            subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-out", key], check=True, capture_output=True)
            subprocess.run(["openssl", "req", "-new", "-key", key, "-out", folder + "/request.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                           check=True, capture_output=True)
            pathlib.Path(folder, "index.txt").write_text("")
            pathlib.Path(folder, "serial").write_text("01\n")
            pathlib.Path(folder, "ca.cnf").write_text(
                "[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index.txt\nserial=%s/serial\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n" % ((folder,) * 3))
            subprocess.run(["openssl", "ca", "-batch", "-selfsign", "-config", folder + "/ca.cnf", "-keyfile", key, "-in", folder + "/request.pem", "-startdate", "200101000000Z",
                            "-enddate", "210101000000Z", "-out", self.tls + "/certificate.pem", "-notext"], check=True, capture_output=True)
            shutil.copy(key, self.tls + "/key.pem")
            os.chmod(self.tls + "/key.pem", 0o640)
        self.assertTrue([f for f in self.found() if "expired" in f["cause"] and "renew" in f["remedy"]])

    def test_nothing_runs_is_one_finding(self):
        findings = doctor(self.martlet, "--offline")
        self.assertEqual([f["cause"] for f in of(findings, "services")], ["nothing runs"])
        self.assertEqual([f["result"] for f in of(findings, "ports")], ["unknown"])
        self.assertIn("mailctl --root %s run" % self.martlet.root, of(findings, "services")[0]["remedy"])
        self.assertEqual(len(of(findings, "round trip", "unknown")), 1)


class ServedCertificate(unittest.TestCase):
    def test_a_renewed_certificate_that_is_not_served_yet_is_found_and_reload_mends_it(self):
        with Martlet(accounts=()) as martlet:
            # All have read the first one.
            self.assertEqual(of(doctor(martlet), "tls", "problem"), [])
            certificate(martlet.root + "/etc/tls", ["localhost"])
            if os.geteuid() == 0:
                shutil.chown(martlet.root + "/etc/tls/key.pem", 0, "martlet-tls")
            findings = doctor(martlet)
            problems = of(findings, "tls", "problem")
            self.assertTrue(problems, findings)
            self.assertIn("mailctl --root %s reload" % martlet.root, problems[0]["remedy"])
            martlet.mailctl("reload")
            wait_until(lambda: not of(doctor(martlet), "tls", "problem"), "the new one served")


class Folders(unittest.TestCase):
    def test_a_folder_that_is_missing_and_a_spool_on_tmpfs(self):
        with Martlet(accounts=(), start=False) as martlet:
            os.rename(martlet.root + "/spool/remoted", martlet.root + "/away")
            findings = doctor(martlet, "--offline", "--no-round-trip")
            self.assertTrue([f for f in of(findings, "permissions", "problem") if "/spool/remoted" in f["subject"]])
            os.rename(martlet.root + "/away", martlet.root + "/spool/remoted")
            if os.geteuid():
                self.skipTest("mounting takes root")
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0755", "none", martlet.root + "/spool/mail"], check=True)
            try:
                findings = doctor(martlet, "--offline", "--no-round-trip")
                self.assertTrue([f for f in of(findings, "disk", "warning") if "tmpfs" in f["cause"]], findings)
                self.assertTrue([f for f in of(findings, "disk", "problem") if "full" in f["cause"] and "make room" in f["remedy"]], findings)
            finally:
                subprocess.run(["umount", martlet.root + "/spool/mail"], check=True)

    def test_nobody_reads_postmaster(self):
        with Martlet(accounts=("alice",), start=False) as martlet:
            martlet.mailctl("account", "remove", "postmaster@example.org")
            (found,) = of(doctor(martlet, "--offline", "--no-round-trip"), "addresses", "problem")
            self.assertEqual(found["subject"], "postmaster@example.org")
            self.assertIn("alias add postmaster@example.org", found["remedy"])
            martlet.mailctl("alias", "add", "postmaster@example.org", "alice@example.org")
            self.assertEqual(of(doctor(martlet, "--offline", "--no-round-trip"), "addresses", "problem"), [])


def text(value):
    return bytes([len(value)]) + value.encode()


def service(port, host=HOST):
    return struct.pack(">HHH", 0, 1, port) + NameServer.name(host)


class DNS(unittest.TestCase):
    """Records of a server of our own; the tree does not run."""

    @classmethod
    def setUpClass(cls):
        cls.dns = NameServer({})
        cls.martlet = Martlet(accounts=(), start=False, settings={
            None: {"hostname": HOST, "development": False}, "dns": {"servers": ["127.0.0.1:%d" % cls.dns.port]},
            "listen": {"submissions": ["192.0.2.1:465"], "imaps": ["192.0.2.1:993"]}})

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        cls.dns.close()

    def setUp(self):
        self.dns.failing.clear()
        self.dns.asked.clear()
        self.dns.records = {
            (HOST, A): ["192.0.2.1"], ("example.org", MX): [(10, HOST)], ("example.org", TXT): [text("v=spf1 mx -all"), text("something else")],
            ("1.2.0.192.in-addr.arpa", PTR): [NameServer.name(HOST)],
            ("_submissions._tcp.example.org", SRV): [service(465)], ("_imaps._tcp.example.org", SRV): [service(993)],
        }

    def ask(self, *words):
        return doctor(self.martlet, "--no-round-trip", "--address", "192.0.2.1", "--block-list", "list.example", *words)

    def checks(self, *names):
        return [f for f in self.ask() if f["check"] in names]

    def test_all_in_order(self):
        self.assertEqual({f["result"] for f in self.checks("dns", "reverse dns", "block lists")}, {"ok"})

    def test_offline_asks_nothing(self):
        self.assertEqual(len(of(self.ask("--offline"), "dns", "unknown")), 1)
        self.assertEqual(self.dns.asked, [])

    def test_only_names_of_ours_are_asked_for(self):
        self.ask()
        ours = (HOST, "example.org", "1.2.0.192.in-addr.arpa", "1.2.0.192.list.example")
        self.assertEqual([name for name, _ in self.dns.asked if name not in ours and not name.endswith("._tcp.example.org")], [])

    def broken(self, change, check, result, cause, remedy):
        change(self.dns.records)
        found = [f for f in self.checks(check) if f["result"] == result]
        self.assertTrue([f for f in found if cause in f["subject"] + " " + f["cause"] and remedy in f["remedy"]], found)

    def test_no_mx(self):
        self.broken(lambda r: r.pop(("example.org", MX)), "dns", "problem", "has no MX record", "example.org. IN MX 10 mail.example.org.")

    def test_an_mx_that_leads_elsewhere(self):
        self.broken(lambda r: r.update({("example.org", MX): [(5, "old.example.org")]}), "dns", "problem", "goes to old.example.org", "IN MX 10 " + HOST)

    def test_no_spf_and_two_of_them(self):
        self.broken(lambda r: r.update({("example.org", TXT): [text("x")]}), "dns", "warning", "no SPF", 'example.org. IN TXT "v=spf1 mx -all"')
        self.broken(lambda r: r.update({("example.org", TXT): [text("v=spf1 a"), text("v=spf1 mx")]}), "dns", "problem", "2 SPF records", "v=spf1 mx -all")

    def test_services_that_mail_programs_do_not_find(self):
        self.broken(lambda r: r.pop(("_imaps._tcp.example.org", SRV)), "dns", "warning", "do not find 1", "_imaps._tcp.example.org. IN SRV 0 1 993 " + HOST)

    def test_a_host_without_an_address_and_with_another(self):
        self.broken(lambda r: r.pop((HOST, A)), "dns", "problem", "has no address", HOST + ". IN A 192.0.2.1")
        self.broken(lambda r: r.update({(HOST, A): ["192.0.2.9"]}), "dns", "problem", "is 192.0.2.9, and this machine has 192.0.2.1", "IN A 192.0.2.1")

    def test_reverse_names(self):
        name = ("1.2.0.192.in-addr.arpa", PTR)
        self.broken(lambda r: r.pop(name), "reverse dns", "problem", "has no name", "1.2.0.192.in-addr.arpa. IN PTR " + HOST)
        self.broken(lambda r: r.update({name: [NameServer.name("host1.provider.example")]}), "reverse dns", "problem", "host1.provider.example", "IN PTR " + HOST)

    def test_block_lists(self):
        listed = ("1.2.0.192.list.example", A)
        self.broken(lambda r: r.update({listed: ["127.0.0.2"]}), "block lists", "problem", "is listed (127.0.0.2)", "site of list.example")
        self.broken(lambda r: r.update({listed: ["127.255.255.254"]}), "block lists", "unknown", "does not serve this resolver", "")
        self.dns.failing.add("1.2.0.192.list.example")
        self.broken(lambda r: None, "block lists", "unknown", "no answer in time", "")

    def test_a_resolver_that_does_not_know_is_no_fault_of_ours(self):
        self.dns.failing.update([HOST, "example.org", "1.2.0.192.in-addr.arpa", "1.2.0.192.list.example"])
        self.assertEqual({f["result"] for f in self.checks("dns", "reverse dns", "block lists")}, {"unknown"})


if __name__ == "__main__":
    unittest.main()
