"""Content filters beside smtpd and submission: what a filter may say, and what becomes of mail when it fails."""
import os
import re
import shutil
import smtplib
import ssl
import tempfile
import time
import unittest

from mail_samples import samples, without_trace
from martlet import PASSWORD, PATIENCE, Martlet, wait_until
from milter import ACCEPT, DISCARD, GO_ON, PROGRESS, REJECT, TEMPFAIL, Milter, add, change, insert, text
from servers import SMTPServer
from test_remote import events

HEAD = "Subject: first\r\nX-Old: 1\r\nX-Old: 2\r\n"


class Filtered(unittest.TestCase):
    """One tree whose port 25 asks `self.milter`, whose `say` each test sets."""

    submission = False
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.milters = cls.make()
        names = [milter.name for milter in cls.milters]
        filters = dict({"smtpd": names, "submission": names if cls.submission else [], "quarantine": "bob@example.org"}, **cls.settings)
        cls.martlet = Martlet(settings={"filter": filters, "limits": {"session_errors": 1000}})

    @classmethod
    def make(cls):
        return [Milter()]

    @classmethod
    def tearDownClass(cls):
        for milter in cls.milters:
            milter.close()
        cls.martlet.close()

    def setUp(self):
        for milter in self.milters:
            milter.say = {}
        self.milter = self.milters[0]
        wait_until(lambda: not self.martlet.queue(), "an empty queue")
        self.had = {name: self.martlet.files(name) for name in ("alice", "bob")}

    def send(self, body="text\r\n", to="alice", headers=HEAD, **options):
        return self.martlet.send(to, body, headers=headers, **options)

    def expect(self, name="alice"):
        """The message that is new in a mailbox."""
        path = wait_until(lambda: [f for f in self.martlet.files(name) if f not in self.had[name]], lambda: "mail for %s\n%s" % (name, self.martlet.log()[-3000:]))[0]
        with open(path, "rb") as file:
            return file.read()

    def expect_nothing(self, *names):
        """All that was accepted has come to its end, and these had no part in it."""
        wait_until(lambda: not self.martlet.queue(), "an empty queue")
        for name in names or ("alice", "bob"):
            self.assertEqual(self.martlet.files(name), self.had[name])

    def refused(self, **options):
        with self.assertRaises(smtplib.SMTPResponseException) as caught:
            try:
                self.send(**options)
            except smtplib.SMTPRecipientsRefused as refused:
                code, said = list(refused.recipients.values())[0]
                raise smtplib.SMTPResponseException(code, said) from None
        return caught.exception.smtp_code, caught.exception.smtp_error

    def fact(self, verb, **values):
        """The last event of smtpd that says this; a value may be a part of what stands there."""
        found = lambda: [e for e in events(self.martlet, "smtpd", verb) if all(value in e.get(key, "") for key, value in values.items())]
        return wait_until(found, lambda: "%s %r in the events\n%s" % (verb, values, self.martlet.log()[-3000:]))[-1]


class Actions(Filtered):
    def test_what_a_filter_sees(self):
        self.send("one\r\ntwo\r\n", to=["alice", "bob"])
        self.expect()
        self.expect("bob")
        dialogue = self.milter.dialogues[-1]
        sender, recipients, headers, body = dialogue.messages[-1]
        self.assertEqual((sender[0], recipients), (b"<stranger@elsewhere.example>", [b"<alice@example.org>", b"<bob@example.org>"]))
        self.assertTrue(sender[1].startswith(b"SIZE="), sender)
        self.assertEqual(headers, [(b"Subject", b"first"), (b"X-Old", b"1"), (b"X-Old", b"2")])
        self.assertEqual(body, b"one\r\ntwo\r\n")
        self.assertTrue(dialogue.connect.startswith(b"[127.0.0.1]\x004"), dialogue.connect)
        macros = dialogue.macros
        self.assertEqual(macros["C", "{daemon_name}"], "smtpd")
        self.assertEqual(macros["C", "{client_addr}"], "127.0.0.1")
        self.assertEqual(macros["M", "{mail_addr}"], "stranger@elsewhere.example")
        self.assertEqual((macros["R", "{rcpt_addr}"], macros["R", "{rcpt_mailer}"]), ("bob@example.org", "local"))
        self.assertNotIn(("M", "{auth_authen}"), macros)
        wait_until(lambda: "quit" in dialogue.steps, "QUIT after the session")
        self.assertEqual(dialogue.steps[:8], ["connect", "helo", "mail", "rcpt", "rcpt", "data", "header", "header"])

    def test_untouched_mail_arrives_byte_for_byte(self):
        for name, content in samples().items():
            with self.subTest(name):
                self.setUp()
                with smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE) as client:
                    client.ehlo()
                    client.sendmail("s@elsewhere.example", ["alice@example.org"], content, ["BODY=8BITMIME"])
                self.assertEqual(without_trace(self.expect()), content)

    def test_headers_are_added_changed_inserted_and_deleted(self):
        self.milter.say = {"end": [add(b"X-Added", b"yes"), insert(0, b"X-Top", b"a\n b"), change(2, b"X-Old", b"two"), change(1, b"X-Old", b""),
                                   change(1, b"Subject", b"second"), GO_ON]}
        self.send()
        got = self.expect()
        self.assertEqual(without_trace(got), b"X-Top: a\r\n b\r\nSubject: second\r\nX-Old: two\r\nX-Added: yes\r\n\r\ntext\r\n")
        self.assertTrue(re.match(rb"Return-Path:[^\r]*\r\n(Delivered-To:[^\r]*\r\n)?Received:|Received:", got), got)

    def test_the_sender_is_changed(self):
        self.milter.say = {"end": [(b"e", text(b"<other@elsewhere.example>")), GO_ON]}
        self.send()
        self.expect()
        self.fact("accept", **{"from": "other@elsewhere.example", "to": "alice@example.org"})

    def test_recipients_are_added_and_deleted(self):
        self.milter.say = {"end": [(b"+", text(b"<bob@example.org>")), (b"-", text(b"<alice@example.org>")), GO_ON]}
        self.send()
        self.expect("bob")
        self.expect_nothing("alice")
        self.assertEqual(self.fact("accept", to="bob@example.org")["from"], "stranger@elsewhere.example")

    def test_a_filter_makes_no_open_relay(self):
        self.milter.say = {"end": [(b"+", text(b"<victim@far.example>")), GO_ON]}
        self.assertEqual(self.refused()[0], 451)
        self.fact("problem", reason="victim@far.example is not local")
        self.milter.say = {"end": [(b"+", text(b"<nobody@example.org>")), GO_ON]}
        self.assertEqual(self.refused()[0], 451)
        self.expect_nothing()

    def test_the_body_is_replaced(self):
        self.milter.say = {"end": [(b"b", b"new\nlines\r"), (b"b", b"\nend"), GO_ON]}
        self.send()
        self.assertEqual(without_trace(self.expect()), HEAD.encode() + b"\r\nnew\r\nlines\r\nend\r\n")

    def test_quarantine_goes_to_its_keeper(self):
        self.milter.say = {"end": [(b"q", text(b"looks bad")), add(b"X-Added", b"yes"), GO_ON]}
        self.send()
        got = without_trace(self.expect("bob"))
        self.assertTrue(got.startswith(b"X-Martlet-Quarantine: looks bad\r\n\tfrom=<stranger@elsewhere.example>\r\n\tto=<alice@example.org>\r\n"), got)
        self.assertIn(b"\r\nX-Added: yes\r\n", got)
        self.expect_nothing("alice")

    def test_a_refusal_at_each_step(self):
        for step in ("connect", "helo", "mail", "rcpt", "data", "header", "eoh", "body", "end"):
            with self.subTest(step):
                self.milter.say = {step: [REJECT]}
                self.assertEqual(self.refused(), (550, b"5.7.1 Command rejected"))
                self.milter.say = {step: [TEMPFAIL]}
                self.assertEqual(self.refused()[0], 451)
        self.expect_nothing()

    def test_a_refusal_in_the_filters_own_words(self):
        self.milter.say = {"end": [(b"y", text(b"554 5.7.9 no thanks\r\n250 2.0.0 forged"))]}
        self.assertEqual(self.refused()[0], 451, "lines of different codes are no reply")
        self.milter.say = {"end": [(b"y", text(b"554 5.7.9 100%% no"))]}
        self.assertEqual(self.refused(), (554, b"5.7.9 100% no"))
        said = self.fact("refuse", reason="554 5.7.9 100% no")
        self.assertEqual((said["to"], said["from"]), ("alice@example.org", "stranger@elsewhere.example"))
        self.assertIn(self.milter.name, said["reason"])

    def test_one_recipient_of_two_is_refused(self):
        self.milter.say = {"rcpt": lambda dialogue: [REJECT if b"bob" in dialogue.recipients[-1] else GO_ON]}
        self.send(to=["alice", "bob"])
        self.expect()
        self.expect_nothing("bob")

    def test_shutdown_ends_the_connection(self):
        self.milter.say = {"mail": [(b"4", b"")]}
        with smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE) as client:
            client.ehlo()
            self.assertEqual(client.mail("s@elsewhere.example")[0], 421)
            with self.assertRaises(smtplib.SMTPException):
                for _ in range(5):
                    client.noop()

    def test_discard_says_yes_and_keeps_nothing(self):
        for step in ("mail", "rcpt", "data", "eoh", "body", "end"):
            with self.subTest(step):
                self.milter.say = {step: [DISCARD]}
                with smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE) as client:
                    client.ehlo()
                    client.mail("s@elsewhere.example")
                    client.rcpt("alice@example.org")
                    code, reply = client.data(HEAD + "\r\ntext\r\n")
                self.assertEqual(code, 250)
                said = wait_until(lambda: [e for e in events(self.martlet, "smtpd", "refuse") if e["id"].encode() in reply], "the event of " + reply.decode())[0]
                self.assertEqual((said["result"], said["to"]), ("discarded", "alice@example.org"))
                self.assertFalse([e for e in events(self.martlet, "smtpd", "accept") if e["id"] == said["id"]])
        self.expect_nothing()
        self.martlet.mailctl("audit")

    def test_a_message_without_recipients_is_discarded(self):
        self.milter.say = {"end": [(b"-", text(b"<alice@example.org>")), GO_ON]}
        self.send()
        self.fact("refuse", result="discarded", reason="no recipient is left")
        self.expect_nothing()

    def test_accept_ends_the_questions(self):
        self.milter.say = {"mail": [ACCEPT]}
        self.send()
        self.expect()
        self.assertNotIn("eoh", self.milter.dialogues[-1].steps)

    def test_progress_gives_time(self):
        """The patience for one step is 3 s here; a filter that says that it works has longer."""
        def slow(dialogue):
            for _ in range(4):
                time.sleep(1.5)
                yield PROGRESS
            yield add(b"X-Slow", b"yes")
            yield GO_ON
        self.milter.say = {"end": slow}
        self.send()
        self.assertIn(b"\r\nX-Slow: yes\r\n", self.expect())

    def test_rset_is_told_and_the_connection_is_used_again(self):
        with smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE) as client:
            client.ehlo()
            client.mail("s@elsewhere.example")
            client.rcpt("alice@example.org")
            client.rset()
            dialogue = self.milter.dialogues[-1]
            wait_until(lambda: "abort" in dialogue.steps, "ABORT after RSET")
            for text in ("one", "two"):
                client.sendmail("s@elsewhere.example", ["alice@example.org"], HEAD + "\r\n" + text + "\r\n")
        self.assertIs(self.milter.dialogues[-1], dialogue)
        self.assertEqual([message[3] for message in dialogue.messages], [b"one\r\n", b"two\r\n"])
        self.assertEqual(dialogue.steps.count("connect"), 1)

    settings = {"message_timeout": "3 s"}


class Long(Filtered):
    """Content above 128 KiB lies in a file while it is judged."""

    def body(self, lines=20000):
        return "".join("%07d and then some text to fill the line\r\n" % number for number in range(lines))

    def files(self):
        return os.listdir(os.path.join(self.martlet.root, "spool", "smtpd", "mail", "big"))

    def test_a_field_is_added_to_long_content(self):
        body = self.body()
        self.milter.say = {"end": [add(b"X-Added", b"yes"), GO_ON]}
        self.send(body)
        self.assertEqual(without_trace(self.expect()), (HEAD + "X-Added: yes\r\n\r\n" + body).encode())
        dialogue = self.milter.dialogues[-1]
        self.assertEqual(dialogue.messages[-1][3], body.encode())
        self.assertEqual(self.fact("accept", id=dialogue.macros["E", "i"])["to"], "alice@example.org")
        self.martlet.mailctl("audit")

    def test_long_content_passes_untouched(self):
        body = self.body()
        self.send(body)
        self.assertEqual(without_trace(self.expect()), (HEAD + "\r\n" + body).encode())

    def test_a_filter_that_answers_no_piece_gets_all_of_it(self):
        """SMFIP_NR_BODY and the like: nothing is waited for but the verdict."""
        silent = {step: [] for step in ("connect", "helo", "mail", "data", "header", "eoh", "body")}
        self.milter.say = dict(silent, end=[change(1, b"Subject", b"second"), GO_ON])
        self.milter.offer = (6, 0x1FF, 0x80 | 0x1000 | 0x2000 | 0x4000 | 0x10000 | 0x40000 | 0x80000)
        try:
            body = self.body(60000)
            self.send(body)
            self.assertEqual(without_trace(self.expect()), (HEAD.replace("first", "second") + "\r\n" + body).encode())
        finally:
            self.milter.offer = (6, 0x1FF, 0)

    def test_long_becomes_short_and_short_becomes_long(self):
        self.milter.say = {"end": [(b"b", b"short\r\n"), GO_ON]}
        self.send(self.body())
        self.assertEqual(without_trace(self.expect()), (HEAD + "\r\nshort\r\n").encode())
        self.setUp()
        long = self.body(5000).encode()
        pieces = [(b"b", long[at:at + 60000]) for at in range(0, len(long), 60000)]
        self.milter.say = {"end": [*pieces, GO_ON]}
        self.send("short\r\n")
        self.assertEqual(without_trace(self.expect()), HEAD.encode() + b"\r\n" + long)
        self.setUp()
        self.milter.say = {"end": [add(b"X-Added", b"yes"), *pieces, GO_ON]}
        self.send(self.body())
        self.assertEqual(without_trace(self.expect()), HEAD.encode() + b"X-Added: yes\r\n\r\n" + long)

    def test_what_is_refused_or_discarded_leaves_no_file(self):
        for verdict in (REJECT, TEMPFAIL):
            self.milter.say = {"end": [verdict]}
            self.refused(body=self.body())
        self.milter.say = {"end": [DISCARD]}
        self.send(self.body())
        self.milter.say = {"body": [None]}
        self.assertEqual(self.refused(body=self.body())[0], 451)
        self.expect_nothing()
        wait_until(lambda: not self.files(), lambda: "no file left: %s" % self.files())

    def test_a_client_that_leaves_while_a_filter_works_leaves_no_file(self):
        self.milter.say = {"end": ["hang"]}
        client = smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE)
        client.ehlo()
        client.mail("s@elsewhere.example")
        client.rcpt("alice@example.org")
        client.putcmd("data")
        client.getreply()
        client.send(HEAD + "\r\n" + self.body() + ".\r\n")
        wait_until(lambda: "end" in self.milter.dialogues[-1].steps, "the filter at work")
        client.close()
        wait_until(lambda: not self.files(), lambda: "no file left: %s" % self.files())
        self.expect_nothing()

    def test_a_header_that_does_not_end_is_refused(self):
        with smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE) as client:
            client.ehlo()
            with self.assertRaises(smtplib.SMTPDataError) as caught:
                client.sendmail("s@elsewhere.example", ["alice@example.org"], b"X: y\r\n" * 200_000)
        self.assertEqual(caught.exception.smtp_code, 552)
        wait_until(lambda: not self.files(), "no file left")

    settings = {"message_timeout": "20 s"}


class TwoInARow(Filtered):
    @classmethod
    def make(cls):
        cls.folder = tempfile.mkdtemp(prefix="martlet-milter-")
        os.chmod(cls.folder, 0o755)
        return [Milter(), Milter(path=cls.folder + "/socket")]

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.folder)

    def test_the_second_sees_what_the_first_left(self):
        self.milters[0].say = {"end": [add(b"X-First", b"1"), (b"b", b"new\r\n"), GO_ON]}
        self.milters[1].say = {"end": [change(1, b"X-First", b"2"), GO_ON]}
        self.send()
        self.assertEqual(without_trace(self.expect()), HEAD.encode() + b"X-First: 2\r\n\r\nnew\r\n")
        self.assertEqual(self.milters[1].messages[-1][2][-1], (b"X-First", b"1"))
        self.assertEqual(self.milters[1].messages[-1][3], b"new\r\n")

    def test_the_first_refusal_wins(self):
        self.milters[0].say = {"end": [(b"y", text(b"554 5.7.1 the first"))]}
        self.milters[1].say = {"end": [(b"y", text(b"554 5.7.1 the second"))]}
        self.assertEqual(self.refused(), (554, b"5.7.1 the first"))
        self.milters[0].say = {"end": [GO_ON]}
        self.assertEqual(self.refused(), (554, b"5.7.1 the second"))


class Submitted(Filtered):
    submission = True

    def test_a_user_is_known_to_the_filter_and_may_be_sent_on(self):
        server = SMTPServer()
        self.addCleanup(server.close)
        self.martlet.mailctl("route", "add", "far.example", "127.0.0.1:%d" % server.port)
        self.milter.say = {"end": [(b"+", text(b"<copy@far.example>")), GO_ON]}
        self.send(sender="alice@example.org", service="submission", login="alice", to="bob")
        self.expect("bob")
        wait_until(lambda: server.messages, "the copy")
        dialogue = self.milter.dialogues[-1]
        self.assertEqual(dialogue.macros["M", "{auth_authen}"], "alice@example.org")
        self.assertEqual(dialogue.macros["C", "{daemon_name}"], "submission")
        self.assertIn(("M", "{auth_type}"), dialogue.macros)

    def test_starttls_is_told(self):
        with smtplib.SMTP("127.0.0.1", self.martlet.port("submission"), timeout=PATIENCE) as client:
            client.starttls(context=ssl._create_unverified_context())
            client.login("alice@example.org", PASSWORD)
            client.sendmail("alice@example.org", ["bob@example.org"], HEAD + "\r\ntext\r\n")
        self.expect("bob")
        self.assertEqual(self.milter.dialogues[-1].macros["H", "{tls_version}"], "TLSv1.3")


class Failing(Filtered):
    settings = {"failure": "tempfail", "connect_timeout": "1 s", "command_timeout": "1 s", "message_timeout": "1 s"}
    passes = False

    FAULTS = {
        "hangs at the greeting": {"connect": ["hang"]}, "hangs at MAIL": {"mail": ["hang"]}, "hangs at RCPT": {"rcpt": ["hang"]},
        "hangs at the end": {"end": ["hang"]}, "sends rubbish": {"mail": [b"HTTP/1.1 400 Bad Request\r\n\r\n"]},
        "dies at the end": {"end": [None]}, "dies in the body": {"body": [None]}, "answers out of place": {"mail": [add(b"X", b"y")]},
        "sends half a change": {"end": [(b"i", b"\0\0"), GO_ON]}, "promises a gigabyte": {"end": [b"\x40\0\0\0b"]},
        "says an empty packet": {"rcpt": [b"\0\0\0\0"]},
    }

    def judge(self, step):
        if self.passes:
            self.send()
            self.assertEqual(without_trace(self.expect()), (HEAD + "\r\ntext\r\n").encode())
        else:
            self.assertEqual(self.refused()[0], 451)
            self.expect_nothing()

    def test_a_filter_that_fails(self):
        for name, say in self.FAULTS.items():
            with self.subTest(name):
                self.setUp()
                self.milter.say = say
                self.judge(name)
        self.setUp()
        self.send()
        self.expect()
        self.fact("problem", reason=self.milter.name)

    def test_a_filter_that_is_not_there(self):
        """And one that comes again is asked again."""
        self.milter.leave()
        try:
            self.judge("nobody listens")
            self.fact("problem", reason="is not reached")
        finally:
            self.milter.come_again()
        self.setUp()
        self.send()
        self.expect()
        self.assertTrue(self.milter.messages)

    def test_no_fault_takes_the_service_down(self):
        pid = self.martlet.pid("smtpd")
        for say in self.FAULTS.values():
            self.milter.say = say
            try:
                self.send()
            except smtplib.SMTPException:
                pass
        self.assertEqual(self.martlet.pid("smtpd"), pid)


class Passing(Failing):
    settings = dict(Failing.settings, failure="pass")
    passes = True

    def test_the_policy_is_a_live_key(self):
        self.milter.say = {"end": [None]}
        self.martlet.change_settings({"filter": {"failure": "tempfail"}})
        self.martlet.mailctl("reload")
        try:
            wait_until(lambda: self.is_refused(), "the new policy")
        finally:
            self.martlet.change_settings({"filter": {"failure": "pass"}})
            self.martlet.mailctl("reload")
            self.milter.say = {"end": [None]}
            wait_until(lambda: not self.is_refused(), "the old policy")

    def is_refused(self):
        try:
            self.send()
            return False
        except smtplib.SMTPResponseException as error:
            self.assertEqual(error.smtp_code, 451)
            return True


class WithoutKeeper(Filtered):
    settings = {"quarantine": ""}

    def test_quarantine_without_a_keeper_is_put_off(self):
        self.milter.say = {"end": [(b"q", text(b"looks bad")), GO_ON]}
        self.assertEqual(self.refused()[0], 451)
        self.fact("problem", reason="set filter.quarantine")
        self.expect_nothing()


if __name__ == "__main__":
    unittest.main()
