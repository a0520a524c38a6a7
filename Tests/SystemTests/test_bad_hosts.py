"""Hosts that refuse, break, hang or talk nonsense, at each stage of SMTP: docs/outbound-failures.md is the table, and each of its rows is played here."""
import os
import pathlib
import re
import time
import unittest

from mail_samples import named, samples, send, without_trace
from martlet import PATIENCE, Martlet, wait_until
from servers import A, AAAA, MX, Drip, NameServer, SMTPServer
from test_extensions import client
from test_remote import QUICK, bounces, sent, waiting

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "outbound-failures.md")

# What a server does instead of its usual reply, which is the argument.
HOSTS = {
    "4xx": lambda usual: "451 4.3.2 not now",
    "5xx": lambda usual: "550 5.7.1 not here",
    "421": lambda usual: "421 4.3.2 closing down",
    "closes": lambda usual: None,
    "says nothing": lambda usual: b"",
    "a byte now and then": lambda usual: Drip(usual.encode()[:1], 0.5),
    "no SMTP": lambda usual: b"\x00\xff what?\r\n",
    "a line without end": lambda usual: b"250 " + b"x" * 500000,
    "lines without end": lambda usual: usual[:3].encode() + b"-x\r\n" * 100000,
    "two replies": lambda usual: usual.encode() + b"\r\n250 2.0.0 and yes to what comes next\r\n",
    "99 long lines": lambda usual: "".join("550-5.7.1 %s\r\n" % ("no" * 900) for _ in range(98)) + "550 5.7.1 end",
    "another class": lambda usual: "250 2.0.0 fine" if usual[:3] == "354" else "354 go on",
}
USUAL = {"greeting": "220 test ESMTP", "EHLO": "250 test", "STARTTLS": "220 go ahead", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok", "DATA": "354 go on",
         "end": "250 2.0.0 taken", "QUIT": "221 bye"}
NOTHING_YET, TAKEN = "nothing yet", "nothing: it was taken"


def table():
    """The rows of the page: stage, what the host does, status and reason in the queue, what the sender gets."""
    rows = []
    for line in pathlib.Path(PAGE).read_text().split("\n"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 4 and cells[0] in USUAL and cells[1] in HOSTS:
            rows.append(tuple(cells))
    return rows


def server(stage, host, address, port):
    said = HOSTS[host](USUAL[stage])
    say = {"content" if stage == "end" else stage: said}
    # Without PIPELINING the second reply comes before the next command, whatever the network does.
    offers = [] if host == "two replies" else ["PIPELINING", "8BITMIME", "SIZE"]
    if stage == "STARTTLS":
        offers.append("STARTTLS")
    if stage == "EHLO" and host in ("5xx", "99 long lines"):
        say["HELO"] = "550 5.7.1 not by this name either"
    return SMTPServer(say, offers=offers, address=address, port=port)


class TheTable(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = table()
        cls.servers, records, port = {}, {}, 0
        for number, row in enumerate(cls.rows, 1):
            address = "127.0.1.%d" % number
            cls.servers[row] = server(row[0], row[1], address, port)
            port = cls.servers[row].port
            host, records_of = "mx.row%d.example" % number, "row%d.example" % number
            records[(records_of, MX)], records[(host, A)] = [(10, host)], [address]
        cls.dns = NameServer(records)
        cls.martlet = Martlet(start=False, settings={"retry": {"initial": "1 h"}, "dns": {"servers": ["127.0.0.1:%d" % cls.dns.port]},
                                                     "remote": {"port": port, "command_timeout": "6 s", "connections": 200}})
        cls.martlet.start()
        cls.started = cls.martlet.pid("remoted")

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        for one in [*cls.servers.values(), cls.dns]:
            one.close()

    def found(self, number):
        """What came of a row's message, as the page says it; None before anything did."""
        address = "user@row%d.example" % number
        place = r"mx\.row%d\.example \[127\.0\.1\.%d\]:\d+(: )?" % (number, number)
        if entry := self.queue.get(address):
            return "%s %s" % (entry["status"], re.sub(place, "", entry["reason"])), NOTHING_YET
        if bounce := self.bounces.get(address):
            status = re.search(rb"\r\nStatus: (\S+)\r\n", bounce).group(1).decode()
            reason = re.search(rb"\r\nDiagnostic-Code: ((?:[^\r]|\r\n[ \t])*)", bounce).group(1).decode()
            return "%s %s" % (status, re.sub(r"\s+", " ", reason)), "a bounce"
        if address in self.taken:
            return "", TAKEN
        return None

    def look(self):
        """Reads queue, log and mailbox once for all rows; whether each row's message has come to something."""
        self.queue = {r["final"]: r for m in self.martlet.queue() for r in m["recipients"] if r["state"] == "waiting" and r.get("reason")}
        self.bounces = {}
        for message in self.martlet.messages("alice"):
            for address in re.findall(rb"Final-Recipient: rfc822; (\S+)", message):
                self.bounces.setdefault(address.decode(), message)
        self.taken = {re.search(r" final=(\S+)", line).group(1) for line in self.martlet.events("remoted") if line.startswith("sent ")}
        return all(self.found(number) for number in range(1, len(self.rows) + 1))

    def test_each_row_comes_true_and_nothing_is_lost(self):
        smtp = client(self.martlet)
        for number in range(1, len(self.rows) + 1):
            send(smtp, named("row%d" % number, b"x\r\n.\r\n"), "alice@example.org", ["user@row%d.example" % number])
        wait_until(self.look, lambda: "an outcome of %r\n%s" % ([r[:2] for n, r in enumerate(self.rows, 1) if not self.found(n)], self.martlet.log()[-1500:]), 2 * PATIENCE)
        for number, row in enumerate(self.rows, 1):
            with self.subTest("%s, %s" % row[:2]):
                # As a row of the page.
                self.assertEqual(self.row(number), "| %s |" % " | ".join(row))
        self.assertEqual(self.martlet.pid("remoted"), self.started, "remoted died:\n" + self.martlet.log()[-2000:])
        self.mended()

    def row(self, number):
        reason, sender = self.found(number)
        reason = reason.replace("|", "/")
        return "| %s | %s | %s | %s |" % (*self.rows[number - 1][:2], reason if len(reason) < 120 else reason[:100] + "…", sender)

    def mended(self):
        """When the hosts behave, what waited arrives as it was sent."""
        before = {row: len(one.messages) for row, one in self.servers.items()}
        put_off = [number for number in range(1, len(self.rows) + 1) if self.found(number)[1] == NOTHING_YET]
        for one in self.servers.values():
            one.say = {}
        self.martlet.mailctl("queue", "retry")
        wait_until(lambda: self.martlet.queue() == [], lambda: "an empty queue: %r" % self.martlet.queue(), 2 * PATIENCE)
        for number, row in enumerate(self.rows, 1):
            new = self.servers[row].messages[before[row]:]
            with self.subTest("%s, %s, mended" % row[:2]):
                self.assertEqual([without_trace(m[2]) for m in new], [named("row%d" % number, b"x\r\n.\r\n")] if number in put_off else [])


class Exchangers(unittest.TestCase):
    """Which of a domain's hosts are tried, in which order, and how many."""

    @classmethod
    def setUpClass(cls):
        cls.busy = [SMTPServer({"greeting": "421 4.3.2 busy %d" % 1}, address="127.0.2.1")]
        port = cls.port = cls.busy[0].port
        for number in range(2, 13):
            cls.busy.append(SMTPServer({"greeting": "421 4.3.2 busy %d" % number}, address="127.0.2.%d" % number, port=port))
        cls.six = SMTPServer(address="::1", port=port)
        cls.four = SMTPServer(address="127.0.2.20", port=port)
        cls.refuses = SMTPServer({"MAIL": "550 5.7.1 not from you"}, address="127.0.2.21", port=port)
        cls.half = SMTPServer(early=b"", address="127.0.2.22", port=port)
        records = {("host%d.example" % n, A): ["127.0.2.%d" % n] for n in range(1, 13)}
        records.update({
            ("many.example", MX): [(n, "host%d.example" % n) for n in range(12, 0, -1)],
            ("eighth.example", MX): [(n, "host%d.example" % n) for n in range(1, 8)] + [(9, "four.example")],
            ("dead.example", MX): [(10, "dead1.example"), (20, "dead2.example")],
            ("dead1.example", A): ["127.0.2.98"], ("dead2.example", A): ["127.0.2.99"],
            ("half.example", MX): [(10, "breaks.example"), (20, "four.example")],
            ("refused.example", MX): [(10, "refuses.example"), (20, "four.example")],
            ("both.example", MX): [(10, "both-host.example")], ("both-host.example", AAAA): ["::1"], ("both-host.example", A): ["127.0.2.20"],
            ("six-is-dead.example", MX): [(10, "six-is-dead-host.example")],
            ("six-is-dead-host.example", AAAA): ["fd00::1:2:3"], ("six-is-dead-host.example", A): ["127.0.2.20"],
            ("only-six.example", AAAA): ["::1"],
            ("four.example", A): ["127.0.2.20"], ("breaks.example", A): ["127.0.2.22"], ("refuses.example", A): ["127.0.2.21"],
        })
        cls.dns = NameServer(records)
        cls.martlet = Martlet(settings={"retry": {"initial": "1 h"}, "dns": {"servers": ["127.0.0.1:%d" % cls.dns.port]},
                                        "remote": {"port": port, "connect_timeout": "5 s"}})

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        for one in [*cls.busy, cls.six, cls.four, cls.refuses, cls.half, cls.dns]:
            one.close()

    def send(self, domain, content=None):
        send(client(self.martlet), content or named(domain, b"x\r\n"), "alice@example.org", ["user@" + domain])
        return "user@" + domain

    def assertTaken(self, domain, one, host):
        address = self.send(domain)
        said = wait_until(lambda: sent(self.martlet, address), lambda: "%s sent: %r" % (domain, self.martlet.queue()))[0]
        self.assertRegex(said["host"], host)
        self.assertEqual([without_trace(m[2]) for m in one.messages if m[1] == [address]], [named(domain, b"x\r\n")])

    def test_eight_hosts_are_tried_in_the_order_of_preference_and_no_more(self):
        entry = wait_until(lambda a=self.send("many.example"): waiting(self.martlet, a), "put off")
        self.assertEqual([len(one.dialogues) for one in self.busy[:8]], [1] * 8)
        self.assertEqual([len(one.dialogues) for one in self.busy[8:]], [0] * 4)
        self.assertIn("busy 8", entry["reason"])

    def test_the_eighth_may_take_it(self):
        self.assertTaken("eighth.example", self.four, "four.example")

    def test_where_all_are_dead_mail_waits(self):
        entry = wait_until(lambda a=self.send("dead.example"): waiting(self.martlet, a), "put off")
        self.assertEqual(entry["status"], "4.4.1")
        self.assertIn("dead2.example [127.0.2.99]:%d: cannot connect: connection refused" % self.port, entry["reason"])

    def test_ipv6_comes_first_and_ipv4_is_there_if_it_is_dead(self):
        self.assertTaken("both.example", self.six, r"both-host.example \[[0:]+1\]")
        self.assertTaken("only-six.example", self.six, r"only-six.example \[[0:]+1\]")
        self.assertTaken("six-is-dead.example", self.four, r"six-is-dead-host.example \[127.0.2.20\]")

    def test_a_host_that_refuses_the_message_is_the_last_word(self):
        address = self.send("refused.example")
        bounce = wait_until(lambda: bounces(self.martlet, "alice", address), "the bounce")[0]
        self.assertIn(b"not from you", bounce)
        self.assertEqual([m for m in self.four.messages if m[1] == [address]], [])

    def test_a_host_that_closes_in_the_middle_of_a_message_may_not_have_it_twice_at_once(self):
        """It may have been taken: it waits instead of going to the next host at once, and is whole when it goes again."""
        content = samples()["300-KiB"]
        address = self.send("half.example", content)
        entry = wait_until(lambda: waiting(self.martlet, address), "put off")
        self.assertTrue(entry["status"].startswith("4.4."), entry)
        self.assertEqual([m for m in self.four.messages if m[1] == [address]], [])
        self.half.early = None
        self.martlet.mailctl("queue", "retry")
        wait_until(lambda: sent(self.martlet, address), lambda: "sent: %r" % self.martlet.queue())
        self.assertEqual([without_trace(m[2]) for m in self.half.messages], [content])


class OutOfStep(unittest.TestCase):
    """Hosts whose replies do not belong to our commands. No message counts as sent that no host has."""

    SERVERS = {
        # With PIPELINING, MAIL and all RCPT are out before the first reply comes.
        "more": {"MAIL": b"250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"},
        "all-at-once": {"greeting": b"220 hi\r\n250-x\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n"},
        "data-and-end": {"DATA": b"354 go\r\n250 taken already\r\n", "content": None},
        "fewer": {"RCPT": b"", "MAIL": b"250 ok\r\n"},
    }

    def test_nothing_counts_as_sent_that_nobody_has(self):
        servers = {name: SMTPServer(say) for name, say in self.SERVERS.items()}
        # Its last word comes before the message is whole: only what follows the whole of it counts.
        with Martlet(start=False, settings=dict(QUICK, remote={"command_timeout": "3 s"})) as martlet:
            for name, one in servers.items():
                martlet.mailctl("route", "add", name + ".example", "127.0.0.1:%d" % one.port)
            martlet.start()
            smtp = client(martlet)
            for name in servers:
                send(smtp, named(name, b"x\r\n" * 100000), "alice@example.org", ["a@%s.example" % name, "b@%s.example" % name])
            for name, one in servers.items():
                for user in ("a", "b"):
                    address = "%s@%s.example" % (user, name)
                    with self.subTest(address):
                        entry = wait_until(lambda: waiting(martlet, address) or sent(martlet, address), lambda: "%s: %r" % (address, martlet.queue()))
                        self.assertIsInstance(entry, dict, "it counts as sent: %r" % entry)
                        self.assertTrue(entry["status"].startswith("4."), entry)
                        self.assertEqual(bounces(martlet, "alice", address), [])
        for one in servers.values():
            one.close()


if __name__ == "__main__":
    unittest.main()
