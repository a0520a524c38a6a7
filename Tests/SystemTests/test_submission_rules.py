"""What our own users may send: as whom, in what form, and how much. The real programs, on loopback."""
import base64
import json
import os
import re
import smtplib
import socket
import unittest

from martlet import PASSWORD, PATIENCE, Martlet, wait_until

LIMITS = {"submission": {"check_from": "account"}}


def code_of(call):
    """The reply's code and text, of a command that may be refused."""
    try:
        answer = call()
        return answer if isinstance(answer, tuple) else (250, b"")
    except smtplib.SMTPResponseException as error:
        return error.smtp_code, error.smtp_error
    except smtplib.SMTPRecipientsRefused as error:
        return next(iter(error.recipients.values()))


class SubmissionCase(unittest.TestCase):
    settings = LIMITS

    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(accounts=("alice", "bob", "carol"), settings=cls.settings)

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def client(self, account="alice", password=PASSWORD):
        client = smtplib.SMTP("127.0.0.1", self.martlet.port("submission"), timeout=PATIENCE)
        self.addCleanup(client.close)
        client.ehlo()
        client.login(self.martlet.address(account), password)
        return client

    def submit(self, content, sender="alice@example.org", account="alice", to=("carol@example.org",), options=()):
        """Code and text of the reply to the message, or of the first command that was refused."""
        client = self.client(account)
        code, text = client.mail(sender, list(options))
        if code != 250:
            return code, text
        for recipient in to:
            code, text = client.rcpt(recipient)
            if code != 250:
                return code, text
        return code_of(lambda: client.data(content))

    def header(self, fields, body=b"x\r\n"):
        return fields + b"Subject: s\r\n\r\n" + body

    def assertReply(self, reply, code, *words):
        self.assertEqual(reply[0], code, reply)
        for word in words:
            self.assertIn(word, reply[1])

    def newest(self, name, mark):
        return wait_until(lambda: next((m for m in self.martlet.messages(name) if mark in m), None), "mail %r for %s" % (mark, name))


class WhoMaySendAsWhom(SubmissionCase):
    def mail(self, sender, account="alice"):
        return self.client(account).mail(sender)

    def test_mail_from_belongs_to_the_account(self):
        for sender in ("alice@example.org", "ALICE@Example.ORG", "alice+tag@example.org", ""):
            self.assertReply(self.mail(sender), 250)
        for sender in ("bob@example.org", "alice@elsewhere.example", "bob+alice@example.org", "postmaster@example.org"):
            self.assertReply(self.mail(sender), 550, b"5.7.1", b"alice@example.org may not send as " + sender.encode())
        refusal = self.martlet.wait_for_event("submission", "refuse", "account=alice@example.org", "from=bob@example.org")
        self.assertIn("reason=MAIL%20FROM", refusal)

    def test_a_tag_that_is_somebody_is_no_tag(self):
        self.martlet.add_account("alice+other")
        self.assertReply(self.mail("alice+other@example.org"), 550, b"5.7.1")
        self.assertReply(self.mail("alice+other@example.org", "alice+other"), 250)

    def test_a_grant_lets_and_its_end_forbids_at_once(self):
        self.martlet.mailctl("alias", "add", "sales@example.org", "alice@example.org", "bob@example.org")
        # That the alias leads to her is no grant.
        self.assertReply(self.mail("sales@example.org"), 550)
        self.martlet.mailctl("account", "grant", "add", "alice@example.org", "sales@example.org")
        self.assertReply(self.mail("sales@example.org"), 250)
        self.assertReply(self.mail("sales+x@example.org"), 250)
        self.assertReply(self.mail("sales@example.org", "bob"), 550)
        listed = json.loads(self.martlet.mailctl("account", "grant", "list", "--json").stdout)
        self.assertIn(("alice@example.org", "sales@example.org"), [(g["account"], g["address"]) for g in listed])
        self.martlet.mailctl("account", "grant", "revoke", "alice@example.org", "sales@example.org")
        self.assertReply(self.mail("sales@example.org"), 550)
        again = self.martlet.mailctl("account", "grant", "revoke", "alice@example.org", "sales@example.org", check=False)
        self.assertEqual(again.returncode, 66, again.stderr)
        self.assertIn("mailctl account grant list", again.stderr)

    def test_a_domain_is_granted_whole(self):
        self.martlet.mailctl("account", "grant", "add", "carol@example.org", "*@example.net")
        for sender in ("anybody@example.net", "x+y@example.net"):
            self.assertReply(self.mail(sender, "carol"), 250)
            self.assertReply(self.mail(sender, "bob"), 550)
        self.assertReply(self.mail("anybody@sub.example.net", "carol"), 550)

    def test_a_grant_follows_a_renamed_account_and_goes_with_it(self):
        self.martlet.add_account("dave")
        self.martlet.mailctl("account", "grant", "add", "dave@example.org", "help@example.org")
        self.martlet.mailctl("account", "rename", "dave@example.org", "david@example.org")
        self.assertReply(self.mail("help@example.org", "david"), 250)
        self.martlet.mailctl("account", "remove", "david@example.org")
        self.martlet.add_account("david")
        self.assertReply(self.mail("help@example.org", "david"), 550)

    def test_the_header_says_who_logged_in(self):
        for field in (b"From: alice@example.org\r\n", b"From: Al <Alice@EXAMPLE.org>\r\n", b"From: \"Al, Ice\"\r\n <alice+x@example.org> (c)\r\n",
                      b"From: alice@example.org\r\nSender: <alice@example.org>\r\n",
                      b"From: alice@example.org, bob@example.org\r\nSender: alice@example.org\r\n"):
            self.assertReply(self.submit(self.header(field)), 250)
        for field, words in (
                (b"", b"there is no From"), (b"From: \r\n", b"there is no From"), (b"From: nobody:;\r\n", b"there is no From"),
                (b"From: bob@example.org\r\n", b"From: alice@example.org may not send as bob@example.org"),
                (b"From: alice@example.org <bob@example.org>\r\n", b"may not send as bob@example.org"),
                (b"From: <alice@example.org> bob@example.org\r\n", b"may not send as bob@example.org"),
                (b"From: alice@example.org, bob@example.org\r\n", b"may not send as bob@example.org"),
                (b"From: bob@example.org, carol@example.org\r\nSender: alice@example.org\r\n", b"may not send as bob@example.org"),
                (b"From: alice@example.org\r\nSender: bob@example.org\r\n", b"Sender: alice@example.org may not send as bob@example.org"),
                (b"From: just a name\r\n", b"may not send as"), (b"From:\r\n bob@example.org\r\n", b"may not send as bob"),
                (b"From : bob@example.org\r\n", b"may not send as bob"),
                (b"From: " + b",".join(b"alice+%d@example.org" % i for i in range(60)) + b"\r\n", b"names too many")):
            self.assertReply(self.submit(self.header(field)), 550, b"5.7.1", words)
        self.assertReply(self.submit(self.header(b"From: alice@example.org\r\nfrom: bob@example.org\r\n")), 554, b"two From fields")
        self.assertReply(self.submit(self.header(b"Sender: alice@example.org\r\nFrom: alice@example.org\r\nSENDER: bob@example.org\r\n")), 554)

    def test_the_header_of_a_long_message_is_looked_at_too(self):
        body = b"0123456789abcdef\r\n" * 20_000
        self.assertReply(self.submit(self.header(b"From: bob@example.org\r\n", body)), 550, b"may not send as bob")
        big = os.path.join(self.martlet.root, "spool", "submission", "mail", "big")
        self.assertEqual(os.listdir(big), [])
        self.assertReply(self.submit(self.header(b"From: alice@example.org\r\nX-Mark: long-and-mine\r\n", body)), 250)
        found = self.newest("carol", b"long-and-mine")
        self.assertTrue(found.endswith(body))
        # Neither a blank line far away nor a field beyond what is looked at gets past.
        self.assertReply(self.submit(b"X: y\r\n" * 60_000 + b"From: bob@example.org\r\n\r\nx\r\n"), 552, b"header is too long")

    def test_chunks_are_looked_at_too(self):
        client = self.client()
        client.mail("alice@example.org")
        client.rcpt("carol@example.org")
        content = self.header(b"From: bob@example.org\r\n")
        if "chunking" not in client.esmtp_features:
            self.skipTest("CHUNKING is not offered")
        client.send(b"BDAT %d LAST\r\n" % len(content) + content)
        self.assertReply(client.getreply(), 550, b"may not send as bob")

    def test_a_directory_that_cannot_be_read_is_temporary(self):
        client = self.client()
        snapshot = os.path.join(self.martlet.root, "spool", "directory", "addresses", "addresses.db")
        whole = open(snapshot, "rb").read()
        try:
            with open(snapshot + ".new", "wb") as file:
                file.write(whole[:-1] + b"!")
            os.rename(snapshot + ".new", snapshot)
            self.assertReply(client.mail("sales@example.org"), 451, b"4.4.3")
        finally:
            self.martlet.mailctl("directory", "publish")
        wait_until(lambda: client.mail("alice+again@example.org")[0] == 250, "the directory is read again")

    def test_port_25_has_none_of_these_rules(self):
        self.martlet.send("bob", "from outside\r\n", sender="carol@example.org", headers="Subject: no From, no Date\r\n")
        found = self.newest("bob", b"no From, no Date")
        self.assertNotIn(b"\r\nDate:", found)
        self.assertNotIn(b"Message-ID", found)


class WhatIsAddedAndRefused(SubmissionCase):
    mine = b"From: alice@example.org\r\n"

    def test_date_and_message_id_are_added_where_missing(self):
        for size in (1, 20_000):
            mark = b"bare-%d" % size
            self.assertReply(self.submit(self.header(self.mine + b"X-Mark: " + mark + b"\r\n", b"0123456789\r\n" * size)), 250)
            header = self.newest("carol", mark).partition(b"\r\n\r\n")[0]
            self.assertRegex(header, rb"\r\nDate: \w{3}, \d+ \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n")
            self.assertRegex(header, rb"\r\nMessage-ID: <u[0-9a-z]+@[\w.-]+>\r\n")
            self.assertEqual((header.count(b"Date:"), header.count(b"Message-ID:")), (1, 1))

    def test_what_is_there_stays_and_so_does_bcc(self):
        fields = self.mine + b"date: whenever\r\nMESSAGE-ID:\r\n <own@x>\r\nBcc: bob@example.org\r\nX-Mark: complete\r\n"
        self.assertReply(self.submit(self.header(fields)), 250)
        found = self.newest("carol", b"complete")
        self.assertTrue(found.endswith(self.header(fields)))
        self.assertNotRegex(found, rb"Date: \w{3},|Message-ID: <u")

    def test_a_header_that_is_not_ascii_needs_smtputf8(self):
        self.assertReply(self.submit(self.header(self.mine + "X: grün\r\n".encode())), 550, b"5.6.7")
        self.assertReply(self.submit(self.header(self.mine, "grün\r\n".encode()), options=["BODY=8BITMIME"]), 250)
        if "smtputf8" in self.client().esmtp_features:
            self.assertReply(self.submit(self.header(self.mine + "X: grün\r\n".encode()), options=["SMTPUTF8"]), 250)

    def test_lines_are_taken_up_to_the_limit(self):
        for length, code in ((990, 250), (5000, 250), (65_534, 250), (65_535, 554)):
            for before in (b"", b"0123456789\r\n" * 20_000):
                self.assertReply(self.submit(self.header(self.mine, before + b"y" * length + b"\r\nz\r\n")), code)
        self.assertReply(self.submit(self.header(self.mine, b"y" * 70_000 + b"\r\n")), 554, b"5.6.0", b"65536 octets")


class Limits(SubmissionCase):
    settings = {"submission": {"check_from": "account", "messages_per_hour": 3, "recipients_per_hour": 8, "address_messages_per_day": 7}}
    mine = b"From: alice@example.org\r\n"

    def test_an_account_then_its_address_then_after_a_restart(self):
        message = lambda name: self.header(b"From: %s@example.org\r\n" % name)
        for _ in range(3):
            self.assertReply(self.submit(message(b"alice")), 250)
        reply = self.client().mail("alice@example.org")
        self.assertReply(reply, 450, b"4.7.1", b"too many messages from this account, come again in ")
        self.assertRegex(reply[1], rb"come again in (\d+) min")
        # Recipients: five, and the sixth of a second message is one too many.
        self.assertReply(self.submit(message(b"bob"), "bob@example.org", "bob", ["r%d@elsewhere.example" % i for i in range(5)]), 250)
        reply = self.submit(message(b"bob"), "bob@example.org", "bob", ["r%d@elsewhere.example" % i for i in range(5)])
        self.assertReply(reply, 450, b"4.7.1", b"too many recipients from this account")
        self.assertReply(self.submit(message(b"bob"), "bob@example.org", "bob", ["r%d@elsewhere.example" % i for i in range(3)]), 250)
        # Five are gone from here; the service that starts anew knows of them by its log.
        self.martlet.mailctl("restart", "submission")
        wait_until(lambda: self.martlet.accepts(self.martlet.port("submission")), "submission")
        self.assertReply(self.client().mail("alice@example.org"), 450, b"this account")
        for _ in range(2):
            self.assertReply(self.submit(message(b"carol"), "carol@example.org", "carol"), 250)
        self.assertReply(self.client("carol").mail("carol@example.org"), 450, b"from your address, come again in")
        self.martlet.wait_for_event("submission", "refuse", "account=carol@example.org", "reason=too%20many%20messages")


class AppPasswords(SubmissionCase):
    def pop3(self, account, password):
        with socket.create_connection(("127.0.0.1", self.martlet.port("pop3")), PATIENCE) as s, s.makefile("rwb") as stream:
            stream.readline()
            for line in (b"USER %s\r\n" % account.encode(), b"PASS %s\r\n" % password.encode()):
                stream.write(line)
                stream.flush()
                answer = stream.readline()
            return answer.startswith(b"+OK")

    def imap(self, account, password):
        with socket.create_connection(("127.0.0.1", self.martlet.port("imap")), PATIENCE) as s, s.makefile("rwb") as stream:
            stream.readline()
            stream.write(b'a LOGIN "%s" "%s"\r\n' % (account.encode(), password.encode()))
            stream.flush()
            return next(line for line in stream if line.startswith(b"a ")).startswith(b"a OK")

    def submission(self, account, password, mechanism="PLAIN"):
        with smtplib.SMTP("127.0.0.1", self.martlet.port("submission"), timeout=PATIENCE) as client:
            client.ehlo()
            return client.docmd("AUTH", "PLAIN " + base64.b64encode(("\0%s\0%s" % (account, password)).encode()).decode())[0] == 235

    def works(self, password, account="alice@example.org"):
        return [self.submission(account, password), self.pop3(account, password), self.imap(account, password)]

    def test_one_for_each_device_and_each_taken_back_alone(self):
        made = {}
        for name in ("phone", "old laptop"):
            out = json.loads(self.martlet.mailctl("account", "apppassword", "add", "alice@example.org", name, "--json").stdout)
            made[name] = out["password"]
        self.assertEqual(self.works(made["phone"]), [True] * 3)
        self.assertEqual(self.works(made["old laptop"]), [True] * 3)
        self.assertEqual(self.works(PASSWORD), [True] * 3)
        self.assertEqual(self.works(made["phone"], "bob@example.org"), [False] * 3)
        listed = self.martlet.mailctl("account", "apppassword", "list", "alice@example.org").stdout
        self.assertIn("phone", listed)
        self.assertRegex(listed, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  old laptop")
        for secret in made.values():
            self.assertNotIn(secret, listed)
            self.assertNotIn(secret, self.martlet.log())
        self.martlet.mailctl("account", "apppassword", "revoke", "alice@example.org", "phone")
        self.assertEqual(self.works(made["phone"]), [False] * 3)
        self.assertEqual(self.works(made["old laptop"]), [True] * 3)
        self.martlet.mailctl("account", "disable", "alice@example.org")
        self.assertEqual(self.works(made["old laptop"]), [False] * 3)
        self.martlet.mailctl("account", "enable", "alice@example.org")
        self.assertEqual(self.works(made["old laptop"]), [True] * 3)

    def test_what_cannot_be_is_said(self):
        refused = lambda *words: self.martlet.mailctl("account", "apppassword", *words, check=False)
        self.martlet.mailctl("account", "apppassword", "add", "bob@example.org", "tablet")
        self.assertEqual(refused("add", "bob@example.org", "tablet").returncode, 73)
        self.assertEqual(refused("revoke", "bob@example.org", "nothing").returncode, 66)
        self.assertEqual(refused("add", "nobody@example.org", "x").returncode, 66)
        self.assertEqual(refused("add", "bob@example.org", "").returncode, 65)
        self.martlet.mailctl("account", "add", "closed@example.org", "--no-password")
        self.assertIn("no password of its own", refused("add", "closed@example.org", "x").stderr)


if __name__ == "__main__":
    unittest.main()
