"""How fast mail leaves: connections that are used again, destinations that are down, slow ones beside quick ones."""
import re
import smtplib
import unittest

from mail_samples import named, submit
from martlet import PASSWORD, PATIENCE, Martlet, wait_until
from servers import A, MX, Dialogue, Ended, NameServer, SMTPServer
from test_remote import QUICK, events, sent, waiting


def verbs(dialogue):
    return [re.split(b"[ :]", command)[0].upper() for command in dialogue.commands]


class Tiring(SMTPServer):
    """Its connections take `most` messages: at the next MAIL they say 421, or say nothing and are gone, or go before it."""

    def __init__(self, most, manner, **more):
        self.most, self.manner = most, manner
        super().__init__(**more)

    def serve(self, client):
        client.settimeout(60)
        dialogue = TiringDialogue(self, client)
        try:
            dialogue.run()
        except (OSError, Ended):
            pass
        finally:
            client.close()


class TiringDialogue(Dialogue):
    taken = 0

    def reply(self, stage, usual, argument=None):
        if stage == "MAIL" and self.taken >= self.server.most:
            if self.server.manner == "421":
                self.client.sendall(b"421 4.7.0 too many messages on this connection\r\n")
            raise Ended()
        said = super().reply(stage, usual, argument)
        if stage == "content":
            self.taken += 1
            if self.server.manner == "close" and self.taken >= self.server.most:
                raise Ended()
        return said


class Reuse(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = {"steady": SMTPServer(), "says421": Tiring(2, "421"), "drops": Tiring(2, "drop"), "closes": Tiring(2, "close"), "refuses": SMTPServer({"RCPT": "550 5.1.1 no such user"}),
                       "idle": SMTPServer(), "stopped": SMTPServer()}
        cls.martlet = Martlet(start=False, settings=QUICK)
        for name, server in cls.servers.items():
            cls.martlet.mailctl("route", "add", name + ".example", "127.0.0.1:%d" % server.port)
        cls.martlet.start()

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        for server in cls.servers.values():
            server.close()

    def pour(self, name, count):
        """So many messages for one domain; all must arrive, each once, and none of them after a second attempt."""
        address = "user@%s.example" % name
        for number in range(count):
            submit(self.martlet, named("%s-%d" % (name, number), b"x\r\n"), address)
        wait_until(lambda: len(sent(self.martlet, address)) == count, lambda: "%d sent\n%s" % (count, self.martlet.log()[-2000:]))
        self.assertEqual(len(self.servers[name].messages), count)
        self.assertEqual(len({m[2] for m in self.servers[name].messages}), count)
        self.assertEqual([e for e in events(self.martlet, "remoted", "temporary") if e["final"] == address], [])
        self.assertEqual({e["attempt"] for e in events(self.martlet, "queued", "assign") if e["final"] == address}, {"1"})
        return self.servers[name].dialogues

    def test_messages_for_one_domain_share_connections(self):
        dialogues = self.pour("steady", 30)
        self.assertLessEqual(len(dialogues), 6, [verbs(d) for d in dialogues])
        # A transaction that ended leaves nothing to take back.
        self.assertNotIn(b"RSET", [verb for d in dialogues for verb in verbs(d)])
        self.assertTrue(all(verbs(d).count(b"EHLO") == 1 for d in dialogues))

    def test_a_server_that_ends_its_connections_costs_no_attempt(self):
        for name in ("says421", "drops", "closes"):
            with self.subTest(name):
                dialogues = self.pour(name, 20)
                self.assertTrue(any(verbs(d).count(b"DATA") == 2 for d in dialogues), [verbs(d) for d in dialogues])

    def test_a_refused_transaction_is_taken_back_before_the_next(self):
        for number in range(6):
            submit(self.martlet, named("refused-%d" % number, b"x\r\n"), "user@refuses.example")
        wait_until(lambda: len(events(self.martlet, "remoted", "failed")) >= 6, "all refused")
        shared = [verbs(d) for d in self.servers["refuses"].dialogues if verbs(d).count(b"MAIL") > 1]
        for commands in shared:
            self.assertEqual(commands.count(b"RSET"), commands.count(b"MAIL") - 1, commands)
        self.assertTrue(shared)

    def test_a_connection_that_waits_in_vain_says_quit(self):
        self.pour("idle", 2)
        wait_until(lambda: all(verbs(d)[-1] == b"QUIT" for d in self.servers["idle"].dialogues), "QUIT on all")

    def test_a_stop_ends_connections_that_wait(self):
        self.addCleanup(self.martlet.mailctl, "start", "remoted")
        self.pour("stopped", 1)
        self.martlet.mailctl("stop", "remoted")
        wait_until(lambda: self.martlet.status()["remoted"]["state"] != "running", "remoted stopped")
        # With QUIT, or without where the program ends before that is out: no message hangs on it.
        wait_until(lambda: all(d.client.fileno() < 0 for d in self.servers["stopped"].dialogues), "the end of the connections")


def pour(martlet, count, addresses, sender="alice@example.org"):
    """So many small messages on one connection, to these addresses in turn."""
    with smtplib.SMTP("127.0.0.1", martlet.port("submission"), timeout=PATIENCE) as client:
        client.ehlo()
        client.login(martlet.address(sender.split("@")[0]), PASSWORD)
        for number in range(count):
            client.sendmail(sender, [addresses[number % len(addresses)]], named("poured-%d" % number, b"x\r\n"))


class Fairness(unittest.TestCase):
    def test_thousands_for_a_slow_domain_do_not_delay_one_for_another(self):
        slow, quick = SMTPServer({"greeting": b""}), SMTPServer()
        with Martlet(start=False) as martlet:
            for name, server in (("slow", slow), ("quick", quick)):
                martlet.mailctl("route", "add", name + ".example", "127.0.0.1:%d" % server.port)
            martlet.start()
            pour(martlet, 2200, ["user%d@slow.example" % number for number in range(10)])
            wait_until(lambda: len(slow.dialogues) >= 2, "the slow server is being talked to")
            # All that remoted may have at a time, if it could be one domain's.
            wait_until(lambda: sum(1 for line in martlet.events("queued") if line.startswith("assign ")) >= 1000, "a thousand are handed out")
            submit(martlet, named("one", b"x\r\n"), "user@quick.example")
            wait_until(lambda: quick.messages, lambda: "the one message\n" + martlet.log()[-1500:], 30)
            self.assertEqual(slow.messages, [])
            self.assertLessEqual(len(slow.dialogues), 5)
        slow.close()
        quick.close()


class DeadHosts(unittest.TestCase):
    def test_a_host_that_is_down_is_asked_by_one_and_then_gets_all(self):
        count = 200
        server = SMTPServer({"greeting": "421 4.3.2 not now"})
        with Martlet(start=False, settings={"retry": {"initial": "4 s", "maximum": "4 s"}}) as martlet:
            martlet.mailctl("route", "add", "down.example", "127.0.0.1:%d" % server.port)
            martlet.start()
            pour(martlet, count, ["user@down.example"])
            # Each has been put off twice, which would be 400 connections.
            wait_until(lambda: sum(1 for e in events(martlet, "queued", "deferred") if e["attempt"] == "2") >= count, lambda: "two attempts of each\n" + martlet.log()[-1500:])
            asked = len(server.dialogues)
            self.assertLessEqual(asked, 20)
            self.assertIn("not now", waiting(martlet, "user@down.example")["reason"])
            server.say = {}
            wait_until(lambda: len(server.messages) >= count, lambda: "all of them (%d)\n%s" % (len(server.messages), martlet.log()[-1500:]))
            wait_until(lambda: martlet.queue() == [], "an empty queue")
            self.assertEqual(len(server.messages), count)
            self.assertEqual(len({m[2] for m in server.messages}), count)
            self.assertEqual(martlet.mailctl("audit", check=False).returncode, 0)
        server.close()

    def test_an_exchanger_that_is_down_keeps_nobody_waiting_for_long(self):
        count = 12
        first = SMTPServer({"greeting": "421 4.3.2 not now"}, address="127.0.0.1")
        # Each message needs a connection of its own.
        second = Tiring(1, "close", address="127.0.0.2", port=first.port)
        dns = NameServer({("two.example", MX): [(10, "mx1.two.example"), (20, "mx2.two.example")], ("mx1.two.example", A): ["127.0.0.1"], ("mx2.two.example", A): ["127.0.0.2"]})
        with Martlet(settings={"dns": {"servers": ["127.0.0.1:%d" % dns.port]}, "remote": {"port": first.port}}) as martlet:
            for number in range(count):
                submit(martlet, named("exchanger-%d" % number, b"x\r\n"), "user@two.example")
                wait_until(lambda: len(sent(martlet, "user@two.example")) == number + 1, lambda: "sent\n" + martlet.log()[-1500:])
            self.assertEqual(len(second.messages), count)
            self.assertEqual(len(first.dialogues), 2)
        for server in (first, second, dns):
            server.close()


if __name__ == "__main__":
    unittest.main()
