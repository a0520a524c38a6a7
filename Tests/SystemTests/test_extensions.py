"""SMTP's extensions on the real programs: what EHLO offers, and what becomes of it through queue, mailbox and the next host."""
import email
import email.policy
import os
import smtplib
import ssl
import subprocess
import time
import unittest

from mail_samples import named, without_trace
from martlet import PASSWORD, Martlet, wait_until
from servers import SMTPServer
from test_remote import bounces, events, sent, waiting

QUICK = {"retry": {"initial": "1 s", "maximum": "1 s"}}


def client(martlet, service="submission", tls=False):
    smtp = smtplib.SMTP("127.0.0.1", martlet.port(service), "client.example", timeout=60)
    smtp.ehlo()
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        smtp.starttls(context=context)
        smtp.ehlo()
    if service == "submission":
        smtp.login("alice@" + martlet.domain, PASSWORD)
    return smtp


def keywords(martlet, service, tls=False):
    smtp = smtplib.SMTP("127.0.0.1", martlet.port(service), "client.example", timeout=60)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        smtp.starttls(context=context)
    _, lines = smtp.ehlo()
    smtp.quit()
    return dict(line.decode().partition(" ")[::2] for line in lines.split(b"\n")[1:])


def say(smtp, line, code):
    """One command of bytes and its reply, which must have this code."""
    smtp.send(line + b"\r\n")
    got, text = smtp.getreply()
    assert got == code, (line[:200], got, text)
    return text


def transaction(smtp, sender, recipients, content, mail="", rcpt=""):
    say(smtp, b"MAIL FROM:<" + sender.encode() + b">" + mail.encode(), 250)
    for recipient in recipients:
        say(smtp, b"RCPT TO:<" + recipient.encode() + b">" + rcpt.encode(), 250)
    say(smtp, b"DATA", 354)
    say(smtp, content + b".", 250)


def folder(name):
    """The name of an account's folder."""
    return "".join(chr(byte) if byte < 128 else "=%02x" % byte for byte in name.encode())


def certificate(folder, name):
    """A certificate of its own root for `name` and 127.0.0.1: root, chain, key."""
    def path(word):
        return os.path.join(folder, word)
    run = lambda *words: subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Test Root", "-keyout", path("ca.key"), "-out", path("ca.pem"))
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-keyout", path("peer.key"), "-out", path("peer.csr"))
    with open(path("ext"), "w") as file:
        file.write("subjectAltName=DNS:%s,IP:127.0.0.1\n" % name)
    run("x509", "-req", "-in", path("peer.csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", path("ext"), "-out", path("peer.pem"))
    os.chmod(path("ca.pem"), 0o644)
    return path("ca.pem"), (path("peer.pem"), path("peer.key"))


class Offers(unittest.TestCase):
    def test_what_is_offered_differs_by_service_tls_and_configuration(self):
        always = {"PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "HELP"}
        extras = {"SMTPUTF8", "DSN", "CHUNKING", "BINARYMIME", "LIMITS", "DELIVERBY", "MT-PRIORITY"}
        with Martlet(accounts=("alice",)) as martlet:
            self.assertEqual(set(keywords(martlet, "smtp")), always | extras | {"STARTTLS"})
            self.assertEqual(set(keywords(martlet, "smtp", tls=True)), always | extras | {"REQUIRETLS"})
            self.assertEqual(set(keywords(martlet, "submission", tls=True)), always | extras | {"REQUIRETLS", "FUTURERELEASE", "AUTH"})
            self.assertEqual(keywords(martlet, "smtp")["LIMITS"], "RCPTMAX=1000")
            martlet.change_settings({"smtp": {"extensions": ["DSN"]}})
            martlet.mailctl("reload")
            wait_until(lambda: set(keywords(martlet, "submission", tls=True)) == always | {"DSN", "AUTH"}, "the new offer")


class Local(unittest.TestCase):
    """What one host does by itself."""

    @classmethod
    def setUpClass(cls):
        cls.here = Martlet(accounts=("alice", "bob"), settings=QUICK)
        cls.here.mailctl("account", "add", "δοκιμή@example.org", "--password-stdin", input=PASSWORD + "\n")

    @classmethod
    def tearDownClass(cls):
        cls.here.close()

    def arrived(self, name, mark):
        return wait_until(lambda: [m for m in self.here.messages(name) if mark in m], lambda: "mail %r for %s\n%s" % (mark, name, self.here.log()[-1500:]))

    def chunks(self, smtp, *chunks):
        for number, chunk in enumerate(chunks):
            last = b" LAST" if number == len(chunks) - 1 else b""
            smtp.send(b"BDAT %d%s\r\n" % (len(chunk), last) + chunk)
            code, text = smtp.getreply()
            self.assertEqual(code, 250, text)

    def test_chunks_of_any_size_make_the_message(self):
        content = named("chunks", b"..a line with dots\r\n.\r\n" + b"x" * 700 + b"\r\n" + b"body\r\n" * 60000)
        smtp = client(self.here, "smtp")
        say(smtp, b"MAIL FROM:<stranger@elsewhere.example>", 250)
        say(smtp, b"RCPT TO:<bob@example.org>", 250)
        self.chunks(smtp, content[:1], content[1:30000], content[30000:200000], b"", content[200000:])
        self.assertEqual(without_trace(self.arrived("bob", b"<chunks@")[0]), content)

    def test_a_line_end_in_a_chunk_that_is_none_becomes_one(self):
        smtp = client(self.here, "smtp")
        say(smtp, b"MAIL FROM:<stranger@elsewhere.example>", 250)
        say(smtp, b"RCPT TO:<bob@example.org>", 250)
        self.chunks(smtp, named("bare", b"a\nb\rc\r"), b"\nd\n.\nMAIL FROM:<x@y.example>\n")
        self.assertEqual(without_trace(self.arrived("bob", b"<bare@")[0]), named("bare", b"a\r\nb\r\nc\r\nd\r\n.\r\nMAIL FROM:<x@y.example>\r\n"))

    def test_binary_parts_come_encoded_to_the_mailbox(self):
        for name, octets in (("binary", bytes(range(256)) * 40 + b"\r\n--no\r\n\n\r"), ("binary-big", os.urandom(400000) + b"\r\n")):
            head = named(name, b"")[:-2] + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\nContent-Transfer-Encoding: binary\r\n\r\n"
            content = (head + b"--cut\r\nContent-Type: text/plain\r\n\r\nplain\r\n--cut\r\nContent-Type: application/octet-stream\r\n"
                       b"Content-Transfer-Encoding: binary\r\n\r\n" + octets + b"\r\n--cut--\r\n")
            smtp = client(self.here, "smtp")
            say(smtp, b"MAIL FROM:<stranger@elsewhere.example> BODY=BINARYMIME", 250)
            say(smtp, b"RCPT TO:<bob@example.org>", 250)
            self.chunks(smtp, *(content[at:at + 33333] for at in range(0, len(content), 33333)))
            got = self.arrived("bob", b"<%s@" % name.encode())[0]
            self.assertNotIn(b"\0", got)
            self.assertTrue(all(line.endswith(b"\r") or not line for line in got.split(b"\n")), "a bare line feed")
            message = email.message_from_bytes(got, policy=email.policy.default)
            self.assertEqual([part.get_content_type() for part in message.walk()], ["multipart/mixed", "text/plain", "application/octet-stream"])
            self.assertEqual(list(message.walk())[2].get_payload(decode=True), octets)

    def test_addresses_beyond_ascii_from_end_to_end(self):
        smtp = client(self.here, "smtp")
        transaction(smtp, "用户@例え.example", ["δοκιμή@example.org"], named("utf8", b"x\r\n"), mail=" SMTPUTF8")
        got = self.arrived(folder("δοκιμή"), b"<utf8@")[0]
        self.assertTrue(got.startswith("Return-Path: <用户@例え.example>\r\n".encode()), got[:100])
        self.assertIn("Delivered-To: δοκιμή@example.org\r\n".encode(), got)
        self.assertRegex(got, rb"with\s+UTF8SMTP\b")

    def test_success_is_told_where_it_was_asked_for_and_names_what_the_sender_calls_it(self):
        smtp = client(self.here)
        transaction(smtp, "alice@example.org", ["bob@example.org"], named("success", b"x\r\n"), mail=" ENVID=order+2B7 RET=HDRS",
                    rcpt=" NOTIFY=SUCCESS ORCPT=rfc822;robert@old.example")
        notice = wait_until(lambda: [m for m in self.here.messages("alice") if b"Your mail was delivered" in m], "the notice")[0]
        self.assertIn(b"Action: delivered\r\n", notice)
        self.assertIn(b"Status: 2.0.0\r\n", notice)
        self.assertIn(b"Original-Envelope-Id: order+7\r\n", notice)
        self.assertIn(b"Original-Recipient: rfc822; robert@old.example\r\n", notice)
        self.assertIn(b"Final-Recipient: rfc822; bob@example.org\r\n", notice)
        self.here.kill("queued")
        wait_until(lambda: self.here.queue() == [], "an empty queue")
        time.sleep(1.5)
        self.assertEqual(len([m for m in self.here.messages("alice") if b"<success@" in m]), 1)

    def test_a_message_is_held_as_long_as_its_sender_asked_also_across_a_crash(self):
        smtp = client(self.here)
        transaction(smtp, "alice@example.org", ["bob@example.org"], named("held", b"x\r\n"), mail=" HOLDFOR=4")
        wait_until(lambda: [m for m in self.here.queue() if m["from"] == "alice@example.org"], "the message in the queue")
        self.here.kill("queued")
        self.here.mailctl("queue", "retry")
        got = self.arrived("bob", b"<held@")
        self.assertEqual(len(got), 1)
        accepted = [e for e in events(self.here, "submission", "accept") if e.get("holdfor") == "4"][0]
        delivered = [e for e in events(self.here, "locald", "delivered") if e["id"] == accepted["id"]][0]
        self.assertGreaterEqual(float(delivered["at"]) - float(accepted["at"]), 3)


class TwoHosts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Martlet(start=False, settings=QUICK)
        cls.folder = cls.here.root
        cls.roots, cls.pair = certificate(cls.folder, "mx.peer.example")
        path = os.path.join(cls.here.root, "etc", "martlet.toml")
        cls.here.change_settings({"remote": {"roots": cls.roots}})
        cls.there = Martlet(domain="other.example", accounts=("carol",), start=False, settings=QUICK)
        cls.there.mailctl("account", "add", "δ@other.example", "--password-stdin", input=PASSWORD + "\n")
        cls.here.mailctl("route", "add", "other.example", "127.0.0.1:%d" % cls.there.port("smtp"))
        cls.plain = SMTPServer()
        cls.full = SMTPServer(offers=("PIPELINING", "8BITMIME", "SIZE", "DSN", "MT-PRIORITY", "DELIVERBY", "REQUIRETLS", "SMTPUTF8"), certificate=cls.pair)
        cls.here.mailctl("route", "add", "plain.example", "127.0.0.1:%d" % cls.plain.port)
        cls.here.mailctl("route", "add", "full.example", "127.0.0.1:%d" % cls.full.port)
        cls.here.mailctl("route", "add", "dead.example", "127.0.0.1:1")
        cls.here.start()
        cls.there.start()

    @classmethod
    def tearDownClass(cls):
        cls.plain.close()
        cls.full.close()
        cls.here.close()
        cls.there.close()

    def send(self, name, recipient, mail="", rcpt="", body=b"x\r\n", tls=False):
        smtp = client(self.here, tls=tls)
        transaction(smtp, "alice@example.org", [recipient], named(name, body), mail, rcpt)
        smtp.quit()

    def notice(self, name, words):
        """The notice to alice about the message of this name."""
        def found():
            return [m for m in self.here.messages("alice") if b"MAILER-DAEMON" in m and b"In-Reply-To: <%s@" % name.encode() in m and words in m]
        return wait_until(found, lambda: "a notice about %s\n%s" % (name, self.here.log()[-2000:]))[0]

    def test_binary_content_and_chunks_reach_the_next_host(self):
        octets = bytes(range(256)) * 10
        content = (named("onward", b"")[:-2] + b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n" + octets)
        smtp = client(self.here)
        say(smtp, b"MAIL FROM:<alice@example.org> BODY=BINARYMIME", 250)
        say(smtp, b"RCPT TO:<carol@other.example>", 250)
        smtp.send(b"BDAT %d LAST\r\n" % len(content) + content)
        self.assertEqual(smtp.getreply()[0], 250)
        got = wait_until(lambda: [m for m in self.there.messages("carol") if b"<onward@" in m], "the message")[0]
        self.assertEqual(email.message_from_bytes(got).get_payload(decode=True), octets)

    def test_addresses_beyond_ascii_go_to_hosts_that_know_them_and_come_back_from_others(self):
        self.send("utf8-there", "δ@other.example", mail=" SMTPUTF8")
        wait_until(lambda: [m for m in self.there.messages(folder("δ")) if b"<utf8-there@" in m], "the message there")
        self.send("utf8-plain", "δ@plain.example", mail=" SMTPUTF8")
        bounce = self.notice("utf8-plain", b"Undelivered")
        self.assertIn(b"Content-Type: message/global-delivery-status", bounce)
        self.assertIn("Final-Recipient: utf-8; δ@plain.example\r\n".encode(), bounce)
        self.assertIn(b"Status: 5.6.7\r\n", bounce)

    def test_what_was_asked_is_passed_on_to_a_host_that_knows_it(self):
        self.send("passed", "eve@full.example", mail=" RET=FULL ENVID=a+2Bb MT-PRIORITY=3 BY=500;N", rcpt=" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;eve@first.example")
        wait_until(lambda: [m for m in self.full.messages if m[1] == ["eve@full.example"]], "the message")
        said = [line.decode() for d in self.full.dialogues for line in d.commands]
        mail = [line for line in said if line.startswith("MAIL") and "ENVID=a+2Bb" in line][0]
        self.assertIn(" RET=FULL", mail)
        self.assertIn(" MT-PRIORITY=3", mail)
        self.assertRegex(mail, r" BY=(\d+);N")
        rcpt = [line for line in said if line.startswith("RCPT") and "eve@first.example" in line][0]
        self.assertIn(" NOTIFY=SUCCESS,FAILURE", rcpt)
        # That host tells the sender; we do not.
        wait_until(lambda: self.here.queue() == [] or not sent(self.here, "x"), "the queue")
        self.assertEqual([m for m in self.here.messages("alice") if b"passed on" in m and b"<passed@" in m], [])

    def test_a_host_without_dsn_makes_it_relayed(self):
        self.send("relayed", "eve@plain.example", rcpt=" NOTIFY=SUCCESS")
        notice = self.notice("relayed", b"Your mail was passed on")
        self.assertIn(b"Action: relayed\r\n", notice)

    def test_nobody_is_told_who_asked_for_no_notice(self):
        self.send("silent", "nobody@other.example", rcpt=" NOTIFY=NEVER")
        wait_until(lambda: [e for e in events(self.here, "queued", "bounced") if e.get("result", "").startswith("discarded: the sender wants")], "the end of it")
        wait_until(lambda: not [m for m in self.here.queue() if "silent" in str(m)], "the queue")
        self.assertEqual([m for m in self.here.messages("alice") if b"<silent@" in m], [])
        self.assertEqual(self.here.mailctl("audit", check=False).returncode, 0)

    def test_a_bounce_has_the_whole_message_if_that_was_asked(self):
        self.send("whole", "nobody@other.example", mail=" RET=FULL ENVID=w1", body=b"every word of it\r\n")
        bounce = self.notice("whole", b"Undelivered")
        self.assertIn(b"Content-Type: message/rfc822", bounce)
        self.assertIn(b"every word of it", bounce)
        self.assertIn(b"Original-Envelope-Id: w1\r\n", bounce)
        self.send("part", "nobody@other.example", mail=" RET=HDRS", body=b"every word of that\r\n")
        self.assertNotIn(b"every word of that", self.notice("part", b"Undelivered"))

    def test_tls_is_required_of_the_next_host_or_the_message_comes_back(self):
        self.send("tls-plain", "eve@plain.example", mail=" REQUIRETLS", tls=True)
        notice = self.notice("tls-plain", b"Undelivered")
        self.assertIn(b"Status: 5.7.30\r\n", notice)
        self.assertNotIn(b"Subject: tls-plain", notice, "what had to travel under TLS comes back without")
        self.send("tls-full", "mallory@full.example", mail=" REQUIRETLS", tls=True)
        got = wait_until(lambda: [m for m in self.full.messages if m[1] == ["mallory@full.example"]], "the message")[0]
        self.assertTrue(got[3], "in clear")
        self.assertIn(b" REQUIRETLS", got[0])
        # Of hosts that only DNS names: test_secured.py.

    def test_tls_is_not_required_of_a_host_that_cannot_prove_its_name(self):
        other_folder = os.path.join(self.folder, "other")
        os.mkdir(other_folder)
        _, pair = certificate(other_folder, "mx.peer.example")
        server = SMTPServer(offers=("PIPELINING", "REQUIRETLS"), certificate=pair)
        self.here.mailctl("route", "add", "false.example", "127.0.0.1:%d" % server.port)
        self.send("tls-false", "eve@false.example", mail=" REQUIRETLS", tls=True)
        reason = wait_until(lambda: waiting(self.here, "eve@false.example"), "the reason in the queue")
        self.assertTrue(reason["status"].startswith("4.7."), reason)
        self.assertEqual(server.messages, [])
        server.close()

    def test_what_is_not_delivered_in_time_comes_back(self):
        self.send("by-return", "eve@dead.example", mail=" BY=2;R")
        bounce = self.notice("by-return", b"Undelivered")
        self.assertIn(b"Status: 5.4.7\r\n", bounce)
        self.assertIn(b"within the time that its sender allowed", bounce)

    def test_what_is_late_is_told_and_tried_on(self):
        self.send("by-notify", "eve@dead.example", mail=" BY=2;N")
        notice = self.notice("by-notify", b"Delayed mail, still being retried")
        self.assertIn(b"Action: delayed\r\n", notice)
        wait_until(lambda: waiting(self.here, "eve@dead.example"), "the message in the queue")
        time.sleep(3)
        self.assertEqual(len([m for m in self.here.messages("alice") if b"Delayed mail" in m and b"<by-notify@" in m]), 1)


if __name__ == "__main__":
    unittest.main()
