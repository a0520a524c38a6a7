"""Limits that follow the client: after XCLIENT a session has fresh counts, filters and policy; rates hold for a network as for an address, by its history."""
import smtplib
import unittest

from martlet import PATIENCE, Martlet, wait_until
from milter import Milter

FILTER = "127.0.5.1"


class ClientCase(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.milter = Milter()
        settings = dict(cls.settings, filter={"smtpd": [cls.milter.name]})
        cls.martlet = Martlet(accounts=("alice",), settings=settings)

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        cls.milter.close()

    def client(self, address):
        client = smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), local_hostname="client.example", timeout=PATIENCE, source_address=(address, 0))
        self.addCleanup(client.close)
        client.ehlo()
        return client

    def rcpt(self, client, name="alice"):
        """The code of one recipient in a transaction of its own."""
        self.assertEqual(client.docmd("MAIL", "FROM:<bob@elsewhere.example>")[0], 250)
        code = client.rcpt("%s@example.org" % name)[0]
        client.rset()
        return code


class AfterXCLIENT(ClientCase):
    settings = {"xclient": {"networks": [FILTER + "/32"]}, "limits": {"session_errors": 5},
                "policy": {"trusted": [], "spf": False, "reverse_dns": False, "address_recipients": "3 per 1 h"}}

    def become(self, client, address):
        self.assertEqual(client.docmd("XCLIENT", "ADDR=%s HELO=client.example PROTO=ESMTP" % address)[0], 220)
        client.ehlo("client.example")

    def test_errors_are_counted_anew(self):
        client = self.client(FILTER)
        for number in range(4):
            self.become(client, "192.0.2.%d" % (10 + number))
            for _ in range(4):
                self.assertEqual(client.docmd("NONSENSE")[0], 500)
        self.assertEqual(client.docmd("MAIL", "FROM:<bob@elsewhere.example>")[0], 250)

    def test_rates_are_the_clients(self):
        client = self.client(FILTER)
        self.become(client, "192.0.2.30")
        self.assertEqual([self.rcpt(client) for _ in range(4)], [250, 250, 250, 450])
        self.become(client, "192.0.2.31")
        self.assertEqual([self.rcpt(client) for _ in range(4)], [250, 250, 250, 450])
        self.become(client, "192.0.2.30")
        self.assertEqual(self.rcpt(client), 450)

    def test_filters_begin_anew_with_the_client_that_was_named(self):
        before = len(self.milter.dialogues)
        client = self.client(FILTER)
        self.become(client, "192.0.2.50")
        self.rcpt(client)
        self.become(client, "192.0.2.51")
        self.rcpt(client)
        dialogues = wait_until(lambda: len(self.milter.dialogues) >= before + 2 and self.milter.dialogues[before:], "a connection for each client")
        seen = wait_until(lambda: all("mail" in d.steps for d in dialogues) and [d.connect for d in dialogues], lambda: "%r" % [d.steps for d in dialogues])
        self.assertEqual([any(address in connect for connect in seen) for address in (b"192.0.2.50", b"192.0.2.51", FILTER.encode())], [True, True, False])
        wait_until(lambda: "quit" in dialogues[0].steps, lambda: "the first client's filter is let go: %r" % dialogues[0].steps)


class Networks(ClientCase):
    """127.0.6.x, 127.0.7.x and 127.0.8.x are three networks."""

    settings = {"policy": {"trusted": [], "spf": False, "reverse_dns": False, "network_recipients": "40 per 1 h", "network_unknown": "500 per 1 h"}}

    def allowed(self, addresses):
        """How many recipients the clients of these addresses may name before they are put off."""
        for count in range(200):
            code = self.rcpt(self.client(addresses[count % len(addresses)]))
            if code != 250:
                self.assertEqual(code, 450)
                return count
        return None

    def test_a_network_has_one_count_whatever_address_it_comes_from(self):
        self.assertEqual(self.allowed(["127.0.6.%d" % n for n in range(1, 30)]), 40)
        self.assertEqual(self.rcpt(self.client("127.0.7.1")), 250)

    def test_a_network_that_was_bad_has_a_quarter_also_after_a_restart(self):
        # A session ends with its tenth error or so.
        for number in range(55):
            self.assertEqual(self.rcpt(self.client("127.0.8.1"), "nobody%d" % number), 550)
        self.assertEqual(self.allowed(["127.0.8.%d" % n for n in range(2, 9)]), 10)
        # Its events are on the disk within a second.
        wait_until(lambda: '"unknown": 55' in self.explained(), self.explained)
        pid = self.martlet.pid("smtpd")
        self.martlet.kill("smtpd")
        wait_until(lambda: self.martlet.status()["smtpd"].get("pid") not in (None, pid), "smtpd runs again")
        self.assertLessEqual(self.allowed(["127.0.8.%d" % n for n in range(10, 19)]), 10)

    def explained(self):
        return self.martlet.mailctl("explain", "--json", "--from", "bob@elsewhere.example", "--to", "alice@example.org", "--ip", "127.0.8.1", "--helo", "client.example").stdout


if __name__ == "__main__":
    unittest.main()
