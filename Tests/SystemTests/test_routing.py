"""Where mail goes that does not stay here: relays with a password, routes of senders, LMTP, forwarded senders, loops, archives."""
import json
import os
import re
import tempfile
import unittest

from mail_samples import named, submit, without_trace
from martlet import Martlet, wait_until
from relays import LMTPServer, Relay
from servers import A, MX, NameServer, SMTPServer
from test_extensions import certificate
from test_remote import QUICK, bounces, sent, waiting


def routed(martlet, sender, recipient):
    """The route as `mailctl explain` tells it."""
    return json.loads(martlet.mailctl("explain", "--json", "--from", sender, "--to", recipient, "--ip", "127.0.0.1").stdout)["route"]


def audited(test, martlet):
    """The books balance, once the queue is empty."""
    wait_until(lambda: martlet.queue() == [], "an empty queue: %s" % martlet.queue())
    result = martlet.mailctl("audit", check=False)
    test.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class Relays(unittest.TestCase):
    """One relay, several ways to know us there."""

    @classmethod
    def setUpClass(cls):
        cls.here = Martlet(start=False, settings=QUICK)
        roots, pair = certificate(cls.here.root, "relay.example")
        cls.here.change_settings({"remote": {"roots": roots}})
        with tempfile.TemporaryDirectory() as folder:
            _, cls.stranger = certificate(folder, "stranger.example")
            known = {"alice": "s3cret words", "bob": "other"}
            cls.relay = Relay(known, certificate=pair)
            cls.plain = Relay(known, ("PLAIN",), certificate=pair)
            cls.login = Relay(known, ("LOGIN",), certificate=pair)
            cls.implicit = Relay(known, implicit=True, certificate=pair)
            cls.clear = Relay(known)
            cls.unproved = Relay(known, certificate=cls.stranger)
        for name in ("relay", "plain", "login", "clear", "unproved"):
            cls.here.mailctl("route", "add", name + ".example", "127.0.0.1:%d" % getattr(cls, name).port)
            cls.password(name, "alice", "s3cret words")
        cls.here.mailctl("route", "add", "implicit.example", "smtps:127.0.0.1:%d" % cls.implicit.port)
        cls.password("implicit", "alice", "s3cret words")
        cls.here.start()

    @classmethod
    def password(cls, server, user, password, *more):
        return cls.here.mailctl("relay-password", "set", "127.0.0.1:%d" % getattr(cls, server).port, user, *more, input=password + "\n")

    @classmethod
    def tearDownClass(cls):
        cls.here.close()
        for server in (cls.relay, cls.plain, cls.login, cls.implicit, cls.clear, cls.unproved):
            server.close()

    def deliver(self, name):
        submit(self.here, named(name, b"x\r\n"), "user@%s.example" % name)
        wait_until(lambda: sent(self.here, "user@%s.example" % name), lambda: "%s sent\n%s\n%s" % (name, self.here.queue(), self.here.log()[-1500:]))
        return getattr(self, name)

    def test_the_strongest_mechanism_is_taken_and_under_tls(self):
        server = self.deliver("relay")
        self.assertEqual({m for m, _ in server.logins}, {"SCRAM-SHA-256"})
        self.assertTrue(all(tls for _, tls in server.logins))
        self.assertEqual(without_trace(server.messages[0][2]), named("relay", b"x\r\n"))

    def test_a_changed_password_holds_from_the_next_message_on_though_the_connection_waits_for_it(self):
        server = self.deliver("login")
        logins, messages = len(server.logins), len(server.messages)
        self.password("login", "bob", "other")
        submit(self.here, named("login-again", b"x\r\n"), "user@login.example")
        wait_until(lambda: len(server.messages) > messages, lambda: "the second\n" + self.here.log()[-1500:])
        self.assertGreater(len(server.logins), logins)

    def test_plain_and_login_do_where_there_is_no_other(self):
        for name in ("plain", "login"):
            server = self.deliver(name)
            self.assertEqual({m for m, _ in server.logins}, {name.upper()})
            self.assertTrue(all(tls for _, tls in server.logins))

    def test_tls_from_the_first_byte(self):
        server = self.deliver("implicit")
        self.assertTrue(server.messages[0][3])
        self.assertFalse(any(c.upper() == b"STARTTLS" for d in server.dialogues for c in d.commands))

    def test_no_password_goes_where_there_is_no_tls(self):
        submit(self.here, named("clear", b"x\r\n"), "user@clear.example")
        reason = wait_until(lambda: waiting(self.here, "user@clear.example"), "put off")
        self.assertIn("TLS", reason["reason"])
        self.assertEqual(self.clear.logins, [])

    def test_no_password_goes_to_a_host_that_does_not_prove_itself_unless_told_so(self):
        submit(self.here, named("unproved", b"x\r\n"), "user@unproved.example")
        wait_until(lambda: waiting(self.here, "user@unproved.example"), "put off")
        self.assertEqual(self.unproved.logins, [])
        self.password("unproved", "alice", "s3cret words", "--unproved")
        wait_until(lambda: sent(self.here, "user@unproved.example"), "sent\n" + self.here.log()[-1500:])
        self.assertTrue(all(tls for _, tls in self.unproved.logins))


class Passwords(unittest.TestCase):
    def test_a_wrong_password_lets_mail_wait_and_tells_the_administrator(self):
        with Martlet(start=False, settings=QUICK) as here:
            roots, pair = certificate(here.root, "relay.example")
            relay = Relay({"alice": "right"}, certificate=pair)
            self.addCleanup(relay.close)
            where = "127.0.0.1:%d" % relay.port
            here.change_settings({"remote": {"roots": roots, "smarthost": where}})
            here.mailctl("relay-password", "set", where, "alice", input="wrong guess\n")
            here.start()
            submit(here, named("wrong", b"x\r\n"), "user@far.example")
            reason = wait_until(lambda: waiting(here, "user@far.example"), "put off")
            self.assertIn("wrong password", reason["reason"])
            self.assertTrue(reason["status"].startswith("4."))
            problem = here.wait_for_event("remoted", "problem", "relay-password")
            self.assertEqual(bounces(here, "alice", "user@far.example"), [])
            listed = here.mailctl("relay-password", "list").stdout
            self.assertIn("alice", listed)
            here.mailctl("relay-password", "set", where, "alice", input="right\n")
            wait_until(lambda: sent(here, "user@far.example"), "sent\n" + here.log()[-1500:])
            for text in (listed, problem, here.mailctl("relay-password", "list", "--json").stdout, here.log(), "\n".join(here.events("remoted"))):
                self.assertNotIn("wrong guess", text)
                self.assertNotIn("right", text.replace("copyright", ""))
            audited(self, here)
            here.mailctl("relay-password", "remove", where)
            self.assertEqual(json.loads(here.mailctl("relay-password", "list", "--json").stdout), [])
            self.assertNotEqual(here.mailctl("relay-password", "remove", where, check=False).returncode, 0)

    def test_a_file_that_all_may_read_is_not_used(self):
        with Martlet(start=False, settings=QUICK) as here:
            relay = SMTPServer()
            self.addCleanup(relay.close)
            here.mailctl("route", "add", "far.example", "127.0.0.1:%d" % relay.port)
            here.mailctl("relay-password", "set", "127.0.0.1", "alice", input="secret\n")
            path = os.path.join(here.root, "spool", "directory", "relay", "passwords")
            self.assertEqual(os.stat(path).st_mode & 0o7777, 0o640)
            os.chmod(path, 0o644)
            here.start()
            submit(here, named("open", b"x\r\n"), "user@far.example")
            self.assertIn("read by everybody", wait_until(lambda: waiting(here, "user@far.example"), "put off")["reason"])
            self.assertEqual(relay.messages, [])


    def test_a_host_that_asks_for_a_password_where_we_have_none_lets_mail_wait(self):
        with Martlet(start=False, settings=QUICK) as here:
            relay = Relay({"alice": "right"})
            self.addCleanup(relay.close)
            here.mailctl("route", "add", "far.example", "127.0.0.1:%d" % relay.port)
            here.start()
            submit(here, named("none", b"x\r\n"), "user@far.example")
            self.assertIn("who are you", wait_until(lambda: waiting(here, "user@far.example"), "put off")["reason"])
            here.wait_for_event("remoted", "problem", "relay-password")


class Senders(unittest.TestCase):
    """Routes by recipient and sender, and what explain says of them."""

    def test_the_recipients_route_then_the_senders_then_all_others(self):
        servers = {name: SMTPServer() for name in ("recipient", "below", "sender", "all")}
        with Martlet(start=False, settings=QUICK) as here:
            where = {name: "127.0.0.1:%d" % server.port for name, server in servers.items()}
            here.mailctl("route", "add", "named.example", where["recipient"])
            here.mailctl("route", "add", ".named.example", where["below"])
            here.mailctl("route", "add", "--sender", "alice@example.org", where["sender"])
            here.mailctl("route", "add", "*", where["all"])
            here.start()
            expected = {("alice", "u@named.example"): "recipient", ("alice", "u@deep.named.example"): "below", ("alice", "u@else.example"): "sender",
                        ("bob", "u@else.example"): "all"}
            rules = {"recipient": "route named.example", "below": "route .named.example", "sender": "route from alice@example.org", "all": "route *"}
            for (sender, recipient), server in expected.items():
                told = routed(here, sender + "@example.org", recipient)
                self.assertEqual(told, ["remote %s by [127.0.0.1]:%d (%s)" % (recipient, servers[server].port, rules[server])])
                submit(here, named(server, b"x\r\n"), recipient, sender=sender + "@example.org", login=sender)
            for name, server in servers.items():
                wait_until(lambda: server.messages, "mail for %s\n%s" % (name, here.log()[-1500:]))
            self.assertEqual({n: [m[1] for m in s.messages] for n, s in servers.items()},
                             {"recipient": [["u@named.example"]], "below": [["u@deep.named.example"]], "sender": [["u@else.example"]], "all": [["u@else.example"]]})
            shown = json.loads(here.mailctl("route", "list", "--json").stdout)
            self.assertEqual({(r["domain"], r["sender"]) for r in shown},
                             {("named.example", False), (".named.example", False), ("alice@example.org", True), ("*", False)})
            here.mailctl("route", "remove", "--sender", "alice@example.org")
            self.assertIn("route *", routed(here, "alice@example.org", "u@else.example")[0])
            audited(self, here)
        for server in servers.values():
            server.close()

    def test_programs_and_files_are_refused_by_design(self):
        with Martlet(start=False) as here:
            for target in ("|/usr/bin/procmail", "/var/mail/bob", "pipe:cat", ":include:/etc/list"):
                result = here.mailctl("route", "add", "x.example", target, check=False)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn("by design", result.stderr)
                self.assertIn("lmtp:", result.stderr)
            self.assertEqual(json.loads(here.mailctl("route", "list", "--json").stdout), [])


class LMTP(unittest.TestCase):
    def test_each_recipient_has_the_reply_that_is_its_own(self):
        outcome = {"good": "250 2.0.0 kept", "bad": "550 5.2.1 no more of this", "slow": "452 4.2.2 over quota"}
        server = LMTPServer({"content": lambda a: outcome[a.split("@")[0]]})
        self.addCleanup(server.close)
        with Martlet(start=False, settings=QUICK) as here:
            here.mailctl("route", "add", "lists.example", "lmtp:127.0.0.1:%d" % server.port)
            here.start()
            submit(here, named("lists", b".\r\nx\r\n"), ["good@lists.example", "bad@lists.example", "slow@lists.example"])
            wait_until(lambda: sent(here, "good@lists.example"), "good sent\n" + here.log()[-1500:])
            self.assertIn(b"no more of this", wait_until(lambda: bounces(here, "alice", "bad@lists.example"), "bad returned")[0])
            self.assertIn("over quota", wait_until(lambda: waiting(here, "slow@lists.example"), "slow put off")["reason"])
            outcome["slow"] = "250 2.0.0 kept"
            wait_until(lambda: sent(here, "slow@lists.example"), "slow sent")
            self.assertEqual(sorted(m[1] for m in server.messages if m[1]), [["good@lists.example"], ["slow@lists.example"]])
            self.assertEqual(without_trace(server.messages[0][2]), named("lists", b".\r\nx\r\n"))
            self.assertTrue(server.dialogues[0].commands[0].startswith(b"LHLO "))
            audited(self, here)

    def test_a_local_socket_takes_mail_where_it_is_listed(self):
        with Martlet(start=False, settings=QUICK) as here:
            path = os.path.join(here.root, "lmtp")
            server = LMTPServer(path=path)
            self.addCleanup(server.close)
            told = here.mailctl("route", "add", "store.example", "lmtp:" + path)
            self.assertIn("remote.sockets", told.stderr)
            here.start()
            submit(here, named("socket", b"x\r\n"), "user@store.example")
            self.assertIn("remote.sockets", wait_until(lambda: waiting(here, "user@store.example"), "put off")["reason"])
            self.assertEqual(server.dialogues, [])
            here.stop()
            here.change_settings({"remote": {"sockets": [path]}})
            here.start()
            wait_until(lambda: sent(here, "user@store.example"), lambda: "sent\n%s\n%s" % (here.queue(), here.log()[-1500:]))
            self.assertEqual([m[1] for m in server.messages], [["user@store.example"]])
            audited(self, here)


class Forwarding(unittest.TestCase):
    """alice@elsewhere writes to friend@example.org, which is carol@other.example."""

    def setUp(self):
        self.far = SMTPServer()
        self.home = SMTPServer()
        self.here = Martlet(start=False, settings=QUICK)
        self.here.mailctl("alias", "add", "friend@example.org", "carol@other.example")
        self.here.mailctl("route", "add", "other.example", "127.0.0.1:%d" % self.far.port)
        self.here.mailctl("route", "add", "elsewhere.example", "127.0.0.1:%d" % self.home.port)

    def tearDown(self):
        self.here.close()
        self.far.close()
        self.home.close()

    def forwarded(self):
        self.here.send("friend", "hello\r\n", sender="alice@elsewhere.example")
        wait_until(lambda: self.far.messages, "forwarded\n" + self.here.log()[-1500:])
        return re.search(rb"<(.*)>", self.far.messages[-1][0]).group(1).decode()

    def test_the_sender_is_ours_and_a_notice_finds_back(self):
        self.here.start()
        sender = self.forwarded()
        self.assertRegex(sender, r"^SRS0=[A-Z2-7]{6}=[A-Z2-7]{2}=elsewhere\.example=alice@example\.org$")
        self.assertIn("as SRS0=", routed(self.here, "alice@elsewhere.example", "friend@example.org")[0])
        self.here.send(sender, "it failed\r\n", sender="")
        wait_until(lambda: self.home.messages, "returned\n" + self.here.log()[-1500:])
        self.assertEqual(self.home.messages[0][1], ["alice@elsewhere.example"])
        self.assertIn(b"<>", self.home.messages[0][0])
        self.assertIn("returned to alice@elsewhere.example", routed(self.here, "", sender)[0])
        # A host that has changed the case.
        self.here.send(sender.lower(), "it failed again\r\n", sender="")
        wait_until(lambda: len(self.home.messages) == 2, "returned")
        audited(self, self.here)

    def test_only_notices_with_a_right_hash_come_in(self):
        self.here.start()
        sender = self.forwarded()
        for address, by in ((sender, "spammer@elsewhere.example"), (sender.replace("alice", "mallory"), ""), ("SRS0=AAAAAA=AA=x.example=y@example.org", "")):
            with self.assertRaises(Exception) as refused:
                self.here.send(address, "x\r\n", sender=by)
            self.assertIn("550", str(refused.exception))
        self.assertEqual(self.home.messages, [])

    def test_a_failure_there_is_told_to_the_first_sender(self):
        self.far.say = {"RCPT": "550 5.1.1 carol is gone"}
        self.here.start()
        self.here.send("friend", "hello\r\n", sender="alice@elsewhere.example")
        wait_until(lambda: self.home.messages, "the notice\n" + self.here.log()[-1500:])
        self.assertEqual(self.home.messages[0][1], ["alice@elsewhere.example"])
        self.assertIn(b"carol is gone", self.home.messages[0][2])
        audited(self, self.here)

    def test_each_attempt_has_the_same_sender_also_after_a_start(self):
        self.far.say = {"RCPT": "450 4.2.1 later"}
        self.here.start()
        self.here.send("friend", "hello\r\n", sender="alice@elsewhere.example")
        wait_until(lambda: sum(c.startswith(b"MAIL") for d in self.far.dialogues for c in d.commands) >= 2, "two attempts")
        for service in ("queued", "remoted"):
            self.here.kill(service)
        self.far.say = {}
        wait_until(lambda: self.far.messages, "forwarded\n" + self.here.log()[-1500:])
        said = {re.search(rb"<(.*)>", c).group(1) for d in self.far.dialogues for c in d.commands if c.startswith(b"MAIL")}
        self.assertEqual(len(said), 1, said)
        self.assertTrue(next(iter(said)).startswith(b"SRS0="))

    def test_mail_of_ours_and_direct_mail_keep_their_sender(self):
        self.here.start()
        submit(self.here, named("ours", b"x\r\n"), ["friend@example.org", "dave@other.example"])
        wait_until(lambda: sum(len(m[1]) for m in self.far.messages) == 2, "sent\n" + self.here.log()[-1500:])
        self.assertTrue(all(b"<alice@example.org>" in m[0] for m in self.far.messages))

    def test_it_can_be_turned_off(self):
        self.here.change_settings({"routing": {"srs": False}})
        self.here.start()
        self.assertEqual(self.forwarded(), "alice@elsewhere.example")


class Loops(unittest.TestCase):
    def test_an_alias_that_another_host_leads_back_ends(self):
        with Martlet(start=False, settings=dict(QUICK, limits={"hops": 12})) as here, \
                Martlet(domain="other.example", accounts=(), start=False, settings=dict(QUICK, limits={"hops": 12})) as there:
            here.mailctl("route", "add", "other.example", "127.0.0.1:%d" % there.port("smtp"))
            there.mailctl("route", "add", "example.org", "127.0.0.1:%d" % here.port("smtp"))
            here.mailctl("alias", "add", "round@example.org", "round@other.example")
            there.mailctl("alias", "add", "round@other.example", "round@example.org")
            here.start()
            there.start()
            submit(here, named("round", b"x\r\n"), "round@example.org")
            bounce = wait_until(lambda: bounces(here, "alice", "round@"), lambda: "the notice\n%s\n%s" % (here.queue(), there.queue()))[0]
            self.assertIn(b"5.4.6", bounce)
            audited(self, here)

    def test_a_route_to_ourselves_lets_mail_wait_and_says_why(self):
        with Martlet(start=False, settings=QUICK) as here:
            here.mailctl("route", "add", "self.example", "127.0.0.1:%d" % here.port("smtp"))
            here.start()
            submit(here, named("self", b"x\r\n"), "user@self.example")
            reason = wait_until(lambda: waiting(here, "user@self.example"), "put off")
            self.assertIn("leads back to this host", reason["reason"])
            self.assertEqual(reason["status"], "4.4.6")

    def test_a_domain_whose_exchanger_we_are_is_returned(self):
        dns = NameServer({("ours.example", MX): [(10, "mx.ours.example")], ("mx.ours.example", A): ["127.0.0.1"],
                          ("second.example", MX): [(10, "first.example"), (20, "mx.ours.example")], ("first.example", A): ["127.0.0.9"]})
        self.addCleanup(dns.close)
        with Martlet(start=False) as here:
            here.change_settings(dict(QUICK, dns={"servers": ["127.0.0.1:%d" % dns.port]}, remote={"port": here.port("smtp")}))
            here.start()
            submit(here, named("ours", b"x\r\n"), "user@ours.example")
            self.assertIn(b"5.4.6", wait_until(lambda: bounces(here, "alice", "user@ours.example"), "the notice\n" + here.log()[-1500:])[0])
            # RFC 5321 §5.1: we are the second server, and the first is down.
            submit(here, named("second", b"x\r\n"), "user@second.example")
            self.assertIn("refused", wait_until(lambda: waiting(here, "user@second.example"), "put off")["reason"])


class Archives(unittest.TestCase):
    """`routing.archive`: a copy of what comes from or goes to a domain."""

    def martlet(self, *rules, **more):
        here = Martlet(start=False, settings={**QUICK, "routing": {"archive": list(rules)}, **more}, accounts=("alice", "bob", "archive"))
        self.addCleanup(here.close)
        return here

    def test_each_message_is_kept_once_and_nobody_sees_it(self):
        far = SMTPServer()
        self.addCleanup(far.close)
        here = self.martlet("example.org archive@example.org", "far.example archive@example.org")
        here.mailctl("route", "add", "far.example", "127.0.0.1:%d" % far.port)
        here.start()
        here.send(["alice", "bob"], "from outside\r\n")
        submit(here, named("inside", b"x\r\n"), ["bob@example.org", "carol@far.example"])
        here.send("archive", "to the archive itself\r\n")
        here.send("alice", "a notice\r\n", sender="")
        wait_until(lambda: len(here.files("bob")) == 2 and len(here.files("alice")) == 2 and len(here.files("archive")) >= 3 and far.messages, "all delivered\n" + here.log()[-1500:])
        audited(self, here)
        kept = here.messages("archive")
        self.assertEqual(sorted(sum(mark in m for m in kept) for mark in (b"from outside", b"<inside@", b"to the archive", b"a notice")), [0, 1, 1, 1])
        for message in here.messages("bob") + [far.messages[0][2]]:
            self.assertNotIn(b"archive", message.lower())
        self.assertEqual([m[1] for m in far.messages], [["carol@far.example"]])

    def test_the_archives_failure_is_told_to_the_postmaster_and_to_nobody_else(self):
        store = SMTPServer({"RCPT": "550 5.2.2 the archive is full"})
        self.addCleanup(store.close)
        here = self.martlet("example.org keep@store.example", "example.org nobody@example.org")
        here.mailctl("route", "add", "store.example", "127.0.0.1:%d" % store.port)
        here.start()
        submit(here, named("unkept", b"x\r\n"), "bob@example.org")
        here.send("bob", "from outside\r\n")
        wait_until(lambda: sum(c.startswith(b"RCPT") for d in store.dialogues for c in d.commands) == 2, "both tried at the archive")
        told = lambda: b"".join(m for m in here.messages("postmaster") if b"MAILER-DAEMON" in m)
        wait_until(lambda: b"the archive is full" in told() and b"nobody@example.org" in told(), lambda: "the postmaster told\n%s" % here.queue())
        audited(self, here)
        self.assertEqual(len(here.files("bob")), 2)
        self.assertEqual(here.files("alice"), [])
        self.assertTrue(all(b"<postmaster@example.org>" in c for d in store.dialogues for c in d.commands if c.startswith(b"MAIL")))

    def test_an_archive_that_waits_is_one_after_a_start_too(self):
        store = SMTPServer({"RCPT": "450 4.2.1 later"})
        self.addCleanup(store.close)
        here = self.martlet("example.org keep@store.example", retry={"initial": "1 s", "maximum": "1 s", "delay_notice": "1 s"})
        here.mailctl("route", "add", "store.example", "127.0.0.1:%d" % store.port)
        here.start()
        submit(here, named("waits", b"x\r\n"), "bob@example.org")
        wait_until(lambda: waiting(here, "keep@store.example"), "put off")
        for _ in range(2):
            here.stop()
            here.start()
        wait_until(lambda: waiting(here, "keep@store.example"), "put off")
        store.say = {"RCPT": "550 5.2.2 never"}
        wait_until(lambda: [m for m in here.messages("postmaster") if b"never" in m], "the postmaster told")
        audited(self, here)
        self.assertEqual(here.files("alice"), [])
        self.assertEqual(len(here.files("bob")), 1)
