"""Attacks on SMTP against the real program (docs/security.md, "Attacks on SMTP"): what each comes to, and that it costs no memory."""
import base64
import contextlib
import os
import pathlib
import re
import smtplib
import ssl
import subprocess
import threading
import time
import unittest

from hostile import Rude, resident
from mail_samples import named
from martlet import BIN, PASSWORD, PATIENCE, Martlet, wait_until
from servers import SMTPServer

SMUGGLED = b"MAIL FROM:<mallory@example.net>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nboo\r\n.\r\n"
ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n\r.\r\n"]
OPENING = [b"EHLO client.example", b"MAIL FROM:<carol@example.net>", b"RCPT TO:<alice@example.org>"]


class HostileCase(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.sink = SMTPServer()
        cls.martlet = Martlet(accounts=("alice", "bob"), settings=cls.settings)
        cls.martlet.mailctl("route", "add", "sink.example", "127.0.0.1:%d" % cls.sink.port)

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        cls.sink.close()

    def rude(self, service="smtp", **more):
        made = Rude(self.martlet.port(service), **more)
        self.addCleanup(made.close)
        return made

    def still_serves(self, text):
        self.martlet.send("bob", text + "\r\n")
        wait_until(lambda: any(text.encode() in m for m in self.martlet.messages("bob")), "%s for bob\n%s" % (text, self.martlet.log()[-2000:]))
        for service in ("smtpd", "submission"):
            self.assertEqual(self.martlet.status()[service]["restarts"], 0)


class Attacks(HostileCase):
    def test_nothing_is_smuggled_in(self):
        for end in ENDS:
            with self.subTest(end), self.rude() as client:
                self.assertEqual(client.say(*OPENING, b"DATA")[:3], b"354")
                client.pour(b"Subject: one\r\n\r\nbody" + end + SMUGGLED)
                self.assertTrue(client.rest().startswith(b"554 5.6.0 Bare "))
        self.still_serves("nothing was smuggled in")
        self.assertEqual(self.martlet.files("alice"), [])
        self.assertEqual([m for m in self.martlet.messages("bob") if b"smuggled\r\n" in m and b"boo" in m], [])

    def test_nothing_is_smuggled_out(self):
        """Through the submission service nothing of the kind gets in, and by the local command no line end but CRLF gets out."""
        for end in ENDS:
            with self.subTest(end), smtplib.SMTP("127.0.0.1", self.martlet.port("submission"), timeout=PATIENCE) as client:
                client.ehlo()
                client.login("alice@example.org", PASSWORD)
                client.docmd("MAIL", "FROM:<alice@example.org>")
                client.docmd("RCPT", "TO:<x@sink.example>")
                client.docmd("DATA")
                client.send(b"Subject: one\r\n\r\nbody" + end + SMUGGLED)
                self.assertEqual(client.getreply()[0], 554)
        for number, end in enumerate(ENDS):
            self.sendmail(named("out-%d" % number, b"body" + end + SMUGGLED))
        wait_until(lambda: len(self.sink.messages) >= len(ENDS), "%d messages at the other host, not %d" % (len(ENDS), len(self.sink.messages)))
        self.assertEqual(len(self.sink.messages), len(ENDS))
        for _, recipients, content, _ in self.sink.messages:
            self.assertEqual(recipients, ["x@sink.example"])
            self.assertNotIn(b"\n", content.replace(b"\r\n", b""))
            self.assertNotIn(b"\r", content.replace(b"\r\n", b""))

    def sendmail(self, content):
        subprocess.run([BIN + "/sendmail", "-C", os.path.join(self.martlet.root, "etc", "martlet.toml"), "-i", "-f", "alice@example.org", "x@sink.example"],
                       input=content, check=True, capture_output=True, timeout=PATIENCE)

    def test_nothing_behind_starttls_is_heard(self):
        for service in ("smtp", "submission"):
            for injected in (b"RSET\r\n", b"EHLO mallory\r\nMAIL FROM:<m@example.net>\r\n", b"x"):
                with self.subTest(service=service, injected=injected), self.rude(service) as client:
                    client.say(b"EHLO client.example")
                    client.pour(b"STARTTLS\r\n" + injected)
                    self.assertEqual(client.line()[:3], b"220")
                    self.assertEqual(client.rest(), b"")

    def test_nothing_said_before_tls_counts_after_it(self):
        with self.rude() as client:
            self.assertEqual(client.say(*OPENING, b"STARTTLS")[:3], b"220")
            client.secure()
            # No greeting, no reply that nobody asked for, no EHLO, no sender, no recipient.
            for line, code in ((b"DATA", b"503"), (b"RCPT TO:<bob@example.org>", b"503"), (b"MAIL FROM:<x@example.net>", b"503"), (b"STARTTLS", b"503"),
                               (b"EHLO client.example", b"250"), (b"DATA", b"503"), (b"MAIL FROM:<x@example.net>", b"250"), (b"DATA", b"503")):
                self.assertEqual(client.say(line)[:3], code, line)
        with self.rude("submission") as client:
            login = b"AUTH PLAIN " + base64.b64encode(b"\0alice@example.org\0" + PASSWORD.encode())
            self.assertEqual(client.say(b"EHLO client.example", login)[:3], b"235")
            self.assertEqual(client.say(b"STARTTLS")[:3], b"220")
            client.secure()
            self.assertEqual(client.say(b"EHLO client.example", b"MAIL FROM:<alice@example.org>")[:3], b"530")
            self.assertEqual(client.say(login, b"MAIL FROM:<alice@example.org>")[:3], b"250")

    def test_http_is_cut_off(self):
        body = b"\r\n".join(OPENING) + b"\r\nDATA\r\nSubject: posted\r\n\r\nx\r\n.\r\n"
        for service in ("smtp", "submission"):
            for head in (b"POST / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n", b"Host: mx\r\n", b"CONNECT mx:25 HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00\r\n", b"{\r\n"):
                with self.subTest(head), self.rude(service) as client:
                    client.pour(head + b"Host: mx.example.org\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                    self.assertEqual([line[:3] for line in client.rest().split(b"\r\n")], [b"554", b""])
        self.assertEqual([m for m in self.martlet.messages("alice") if b"posted" in m], [])

    def test_no_form_of_an_address_relays(self):
        forms = [b"dave@example.com", b"dave@example.com.", b"@example.org:dave@example.com", b"dave%example.com@example.org", b'"dave@example.com"@example.org',
                 b"example.com!dave@example.org", b"dave@[127.0.0.1]", b"dave@[IPv6:::1]", b"dave@localhost", b"dave@127.0.0.1", b"dave", b"x@sink.example",
                 b"@example.org:x@sink.example", b"x%sink.example@example.org", b"x@sink.example@example.org", b'"x"@sink.example']
        before = len(self.sink.messages)
        for form in forms:
            with self.subTest(form), self.rude() as client:
                reply = client.say(OPENING[0], OPENING[1], b"RCPT TO:<" + form + b">")
                self.assertEqual(reply[:1], b"5", reply)
                self.assertIn(client.say(b"DATA")[:3], (b"554", b"503"))
        self.assertEqual(len(self.sink.messages), before)

    def test_what_a_shell_a_path_or_a_query_would_understand_is_nobodys_name(self):
        names = [b"`id`", b"$x", b"|id", b"-oQ/tmp", b"--help", b"/etc/passwd", b'"../../etc/passwd"', b"'or'1'='1", b"a'--", b"%", b"_", b"*", b"ali_e", b"al%",
                 b'"; id;"', b'"a\\\\b"', b"root", b"alice/../bob"]
        tree = self.listing()
        for name in names:
            with self.subTest(name), self.rude() as client:
                reply = client.say(OPENING[0], b"MAIL FROM:<" + name + b"@example.net>", b"RCPT TO:<" + name + b"@example.org>")
                self.assertEqual(reply[:1], b"5", reply)
            with self.subTest(name), self.rude("submission") as client:
                login = base64.b64encode(b"\0" + name + b"@example.org\0" + name)
                self.assertEqual(client.say(b"EHLO client.example", b"AUTH PLAIN " + login)[:3], b"535")
        self.assertEqual(self.listing(), tree)

    def listing(self):
        mail = pathlib.Path(self.martlet.root, "spool", "mail")
        return sorted(str(path) for path in mail.rglob("*") if path.is_dir())

    def test_what_clients_say_begins_no_line_of_a_log_and_no_password_is_in_one(self):
        with self.rude() as client:
            client.say(b"EHLO a\xc2\x9b31m", b"EHLO client.example\x1b[2J", b"EHLO client.example")
            client.say(b"MAIL FROM:<\"\xc2\x85 accept -\"@example.net>", b"RCPT TO:<\"a b\\\\ released s0\"@example.org>")
            client.say(OPENING[1], b'RCPT TO:<"done x result=1"@example.org>')
            # A field of the message is in the log too.
            client.say(b"RSET", OPENING[1], b"RCPT TO:<alice@example.org>", b"DATA")
            self.assertEqual(client.say(b"Message-ID: <\x1b[2J\x07\x7f\x08 accept -\xff\xc2\x9b@elsewhere.example>\r\n\r\nx\r\n.")[:3], b"250")
        with self.rude("submission") as client:
            canary = base64.b64encode(b"\0alice@example.org\0canary-of-a-password")
            self.assertEqual(client.say(b"EHLO client.example", b"AUTH PLAIN " + canary)[:3], b"535")
        self.martlet.wait_for_event("smtpd", "refuse ", "done")
        self.assertIn("%1b[2J%07%7f%08", self.martlet.wait_for_event("smtpd", "accept ", "[2J"))
        for service in ("smtpd", "submission"):
            lines = self.martlet.events(service)
            self.assertEqual([line for line in lines if line.startswith(("done", "released", "accept -"))], [])
            text = "\n".join(lines)
            self.assertTrue(all(char >= " " and char != "\x7f" or char == "\n" for char in text))
            self.assertNotIn("canary-of-a-password", text + self.martlet.log())
            self.assertNotIn(canary.decode(), text + self.martlet.log())

    def test_authentication_ends_or_goes_on_whatever_is_said(self):
        right = b"\0alice@example.org\0" + PASSWORD.encode()
        for said in (b"*", b"", b"=", b"AAA", b"A" * 4096, b"\xff\xfe", base64.b64encode(b"\0" * 500), base64.b64encode(b"\0\xff\0\xff"), base64.b64encode(right + b"\0")):
            for mechanism in (b"PLAIN", b"LOGIN", b"SCRAM-SHA-256"):
                with self.subTest(mechanism=mechanism, said=said[:20]), self.rude("submission") as client:
                    reply = client.say(b"EHLO client.example", b"AUTH " + mechanism)
                    while reply[:3] == b"334":
                        reply = client.say(said)
                    self.assertIn(reply[:3], (b"501", b"535", b"500"))
                    self.assertEqual(client.say(b"AUTH PLAIN " + base64.b64encode(right))[:3], b"235")
        for at in range(len(right) + 1):
            with self.rude("submission") as client:
                text = right[:at] + b"\0" + right[at:]
                self.assertIn(client.say(b"EHLO client.example", b"AUTH PLAIN " + base64.b64encode(text))[:3], (b"501", b"535"), text)

    def test_a_login_that_was_right_a_moment_ago_is_nobody_elses(self):
        self.martlet.add_account("eve", "another horse")
        def login(name, password):
            with self.rude("submission") as client:
                return client.say(b"EHLO client.example", b"AUTH PLAIN " + base64.b64encode(("\0%s\0%s" % (name, password)).encode()))[:3]
        before = len(self.accounts())
        for _ in range(3):
            self.assertEqual(login("eve@example.org", "another horse"), b"235")
            self.assertEqual(login("alice@example.org", PASSWORD), b"235")
        for name, password in (("alice@example.org", "another horse"), ("eve@example.org", PASSWORD), ("eve@example.or", "ganother horse"), ("eve", "another horse ")):
            with self.subTest(name=name, password=password):
                self.assertEqual(login(name, password), b"535")
        wait_until(lambda: len(self.accounts()) >= before + 6, "the logins in the log")
        self.assertEqual(self.accounts()[before:], ["eve@example.org", "alice@example.org"] * 3)

    def accounts(self):
        """Who has logged in, one after the other."""
        return re.findall(r"(?m)^authenticate .* result=ok account=(\S+)", "\n".join(self.martlet.events("submission")))

    def test_guessers_do_not_keep_others_out(self):
        """From twenty addresses, with names that exist and names that do not; the third failure ends a connection."""
        ends = threading.Event()
        guesses = []
        def guess(number):
            while not ends.is_set():
                with contextlib.suppress(OSError), Rude(self.martlet.port("submission"), source="127.0.2.%d" % (number + 1)) as client:
                    client.say(b"EHLO client.example")
                    name = b"bob" if number % 2 else b"nobody%d" % number
                    wrong = base64.b64encode(b"\0" + name + b"@example.org\0wrong")
                    guesses.append([client.say(b"AUTH PLAIN " + wrong)[:3] for _ in range(3)] + [client.rest()[:3]])
        threads = [threading.Thread(target=guess, args=(number,), daemon=True) for number in range(20)]
        for thread in threads:
            thread.start()
        right = base64.b64encode(b"\0alice@example.org\0" + PASSWORD.encode())
        for _ in range(20):
            with self.rude("submission") as client:
                self.assertEqual(client.say(b"EHLO client.example", b"AUTH PLAIN " + right)[:3], b"235")
        wait_until(lambda: len(guesses) >= 20, "guesses that were answered")
        ends.set()
        for thread in threads:
            thread.join()
        self.assertEqual({tuple(codes) for codes in guesses}, {(b"535", b"535", b"535", b"421")})

    def test_tls_that_is_none_ends_one_connection(self):
        for service in ("smtp", "submission", "submissions"):
            for garbage in (os.urandom(65536), b"\x16\x03\x01\x40\x00" + b"x" * 16384, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 600):
                with self.rude(service, greeting=service != "submissions") as client:
                    if service != "submissions":
                        client.say(b"EHLO client.example", b"STARTTLS")
                    client.pour(garbage)
                    client.rest()
        self.still_serves("after the garbage")

    def test_only_modern_tls_is_spoken(self):
        context = ssl._create_unverified_context()
        with contextlib.suppress(ValueError, ssl.SSLError):
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.rude("submissions", greeting=False) as client, self.assertRaises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(client.socket)


class Limits(HostileCase):
    settings = {"limits": {"connections_per_address": 5, "session_errors": 20, "recipients": 100}}

    def test_one_connection_too_many_is_told_and_another_host_is_served(self):
        held = [self.rude(source="127.0.0.9") for _ in range(5)]
        self.assertTrue(all(client.greeting.startswith(b"220") for client in held))
        with self.rude(source="127.0.0.9") as refused:
            self.assertTrue(refused.greeting.startswith(b"421 4.7.0"), refused.greeting)
            self.assertEqual(refused.rest(), b"")
        with self.rude(source="127.0.0.10") as other:
            self.assertTrue(other.greeting.startswith(b"220"))
        held[0].say(b"QUIT")
        held[0].close()
        def admitted():
            with self.rude(source="127.0.0.9") as again:
                return again.greeting.startswith(b"220")
        wait_until(admitted, "room after one has left")

    def test_errors_end_the_session(self):
        with self.rude() as client:
            client.pour(b"FOO\r\n" * 100)
            codes = [line[:3] for line in client.rest().split(b"\r\n") if line]
            self.assertEqual(codes, [b"500"] * 20 + [b"421"])

    def test_recipients_have_an_end(self):
        with self.rude() as client:
            client.say(OPENING[0], OPENING[1])
            codes = set()
            for number in range(2000):
                reply = client.say(b"RCPT TO:<nobody%d@sink.example>" % number if number > 100 else b"RCPT TO:<alice@example.org>")
                codes.add(reply[:3])
                if reply[:3] in (b"421", b""):
                    break
            self.assertIn(b"421", codes)
            self.assertLess(number, 401)


class SlowOnes(HostileCase):
    """Who says a byte now and then is silent all the same; who sends a long message steadily is not."""

    settings = {"limits": {"command_timeout": "2 s", "data_timeout": "2 s"}}

    def drip(self, client, piece, pause=0.3):
        """Sends one byte after the other until the server has had enough; what it says then."""
        ends = threading.Event()
        def send():
            while not ends.wait(pause) and client.pour(piece):
                pass
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        try:
            return client.rest()
        finally:
            ends.set()
            thread.join()

    def test_a_command_that_never_ends(self):
        with self.rude() as client:
            client.say(OPENING[0])
            self.assertTrue(self.drip(client, b"N").startswith(b"421 4.4.2"))

    def test_a_greeting_that_never_comes(self):
        with self.rude() as client:
            self.assertTrue(self.drip(client, b"E").startswith(b"421 4.4.2"))

    def test_a_message_that_never_ends(self):
        for piece in (b"x", b"x\r\n"):
            with self.rude() as client:
                self.assertEqual(client.say(*OPENING, b"DATA")[:3], b"354")
                self.assertTrue(self.drip(client, piece).startswith(b"421 4.4.2"))
        self.assertEqual(self.martlet.files("alice"), [])

    def test_a_response_that_never_ends(self):
        with self.rude("submission") as client:
            self.assertEqual(client.say(OPENING[0], b"AUTH PLAIN")[:3], b"334")
            self.assertTrue(self.drip(client, b"A").startswith(b"421 4.4.2"))

    def test_a_long_message_may_take_longer_than_the_limit(self):
        with self.rude() as client:
            self.assertEqual(client.say(*OPENING[:2], b"RCPT TO:<bob@example.org>", b"DATA")[:3], b"354")
            for _ in range(12):
                client.pour(b"steadily\r\n" * 4000)
                time.sleep(0.5)
            self.assertEqual(client.say(b".")[:3], b"250")


class Memory(HostileCase):
    """However clients behave, and in however many connections: resident memory stays below what is said here."""

    settings = {"limits": {"connections_per_address": 5000, "session_errors": 10000, "session_commands": 10_000_000}}
    clients = 100
    # 64 KiB of input and 64 KiB of replies a connection, what the kernel hands over in one read, and the allocator's slack.
    bound = 48 << 20

    def rude_ones(self, service="smtp", **more):
        return [self.rude(service, **more) for _ in range(self.clients)]

    def assert_bounded(self, what, service, clients, act):
        self.still_serves("before %s" % what)
        pid = self.martlet.pid(service)
        before = resident(pid)
        highest = [before]
        threads = [threading.Thread(target=act, args=(client,), daemon=True) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
                highest[0] = max(highest[0], resident(pid))
        highest[0] = max(highest[0], resident(pid))
        print("\n%s: %d clients, %.1f MiB more at most" % (what, len(clients), (highest[0] - before) / 2**20))
        self.assertLess(highest[0] - before, self.bound, what)
        self.assertEqual(self.martlet.pid(service), pid)
        for client in clients:
            client.close()

    def test_lines_without_an_end(self):
        self.assert_bounded("lines without an end", "smtpd", self.rude_ones(), lambda client: client.pour(b"x" * 65536, 160))

    def test_nobody_reads_the_replies(self):
        clients = self.rude_ones(small=True)
        def act(client):
            client.socket.settimeout(5)
            client.pour(b"NOOP\r\nHELP\r\nVRFY x\r\n" * 1000, 1000)
        self.assert_bounded("replies that nobody reads", "smtpd", clients, act)

    def test_errors_that_nobody_reads(self):
        clients = self.rude_ones(small=True)
        def act(client):
            client.socket.settimeout(5)
            client.pour(b"RCPT TO:<a@b>\r\nFOO\r\nMAIL\r\n" * 1000, 200)
        self.assert_bounded("errors that nobody reads", "smtpd", clients, act)

    def test_content_that_stops_half_way(self):
        clients = self.rude_ones()
        def act(client):
            if client.say(*OPENING, b"DATA")[:3] == b"354":
                client.pour(b"Subject: half\r\n\r\n" + b"y" * 100_000, 1)
        # Up to 128 KiB of a message wait in memory, above that it goes to a file.
        self.assert_bounded("content that stops half way", "smtpd", clients, act)

    def test_content_in_error(self):
        clients = self.rude_ones()
        def act(client):
            if client.say(*OPENING, b"DATA")[:3] == b"354":
                client.pour(b"bare\nLF " + b"z" * 65000, 32)
        self.assert_bounded("content that is refused", "smtpd", clients, act)

    def test_recipients_without_an_end(self):
        clients = self.rude_ones()
        def act(client):
            client.say(*OPENING)
            client.pour(b"".join(b"RCPT TO:<%s%d@example.org>\r\n" % (b"n" * 50, number) for number in range(5000)))
            client.socket.settimeout(20)
            with contextlib.suppress(OSError):
                client.rest()
        self.assert_bounded("recipients without an end", "smtpd", clients, act)

    def test_authentication_lines_without_an_end(self):
        clients = self.rude_ones("submission")
        def act(client):
            client.say(b"EHLO client.example", b"AUTH PLAIN")
            client.pour(b"QUFB" * 16384, 160)
        self.assert_bounded("authentication without an end", "submission", clients, act)

    def test_handshakes_that_are_none(self):
        clients = self.rude_ones()
        def act(client):
            client.say(b"EHLO client.example", b"STARTTLS")
            client.pour(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc" + b"\0" * 16380, 20)
        self.assert_bounded("handshakes that are none", "smtpd", clients, act)


if __name__ == "__main__":
    unittest.main()
