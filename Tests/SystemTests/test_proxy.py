"""Whose connection it is: balancers say it by the PROXY protocol, filters by XCLIENT, and nobody else is believed."""
import socket
import struct
import unittest

from martlet import PATIENCE, Martlet, wait_until
from test_tls import Line, client_context

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
BALANCER, FILTER, STRANGER = "127.0.0.1", "127.0.0.3", "127.0.0.2"


def header(source, command=0x21, extra=b""):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    here = "2001:db8::25" if ":" in source else "198.51.100.1"
    body = socket.inet_pton(family, source) + socket.inet_pton(family, here) + struct.pack("!HH", 4711, 25) + extra
    return SIGNATURE + struct.pack("!BBH", command, 0x21 if ":" in source else 0x11, len(body)) + body


class Believed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(accounts=("alice",), settings={
            "proxy": {"networks": [BALANCER]}, "xclient": {"networks": [FILTER]}, "limits": {"connections_per_address": 3}})

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def connect(self, door="smtp", first=b"", source=BALANCER, tls=False):
        raw = socket.create_connection(("127.0.0.1", self.martlet.port(door)), PATIENCE, (source, 0))
        raw.sendall(first)
        line = Line.__new__(Line)
        line.socket, line.buffer = raw, b""
        if tls:
            line.secure(client_context())
        return line

    # -- PROXY ------------------------------------------------------------------------------------------------------
    def test_the_client_behind_the_balancer_is_the_peer(self):
        for source, shown in (("192.0.2.7", b"192.0.2.7"), ("2001:db8::7", b"2001:db8::7"), ("::ffff:192.0.2.9", b"192.0.2.9")):
            with self.connect(first=header(source)) as line:
                self.assertEqual(line.read()[:3], b"220")
                self.assertIn(b"greets " + shown, line.ask("EHLO client.example")[0])
            self.martlet.wait_for_event("smtpd", "connect", "peer=" + shown.decode())

    def test_it_holds_on_every_listener_and_before_tls(self):
        for door in ("submission", "submissions", "pop3", "pop3s", "imap", "imaps"):
            source = "192.0.2.%d" % (50 + len(door))
            with self.connect(door, header(source, extra=b"\x04\x00\x02xx"), tls=door.endswith("s")) as line:
                self.assertTrue(line.read(), door)
            self.martlet.wait_for_event({"s": "submission", "p": "pop3d", "i": "imapd"}[door[0]], "connect", "peer=" + source)

    def test_a_header_in_pieces_and_with_the_first_command_behind_it(self):
        whole = header("192.0.2.20")
        with self.connect() as line:
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in whole[:-1]:
                line.socket.sendall(bytes([byte]))
            line.socket.sendall(whole[-1:] + b"EHLO client.example\r\n")
            self.assertEqual(line.read()[:3], b"220")
            self.assertIn(b"greets 192.0.2.20", line.read())

    def test_a_health_check_is_the_balancers_own(self):
        with self.connect(first=header("192.0.2.7", command=0x20)) as line:
            self.assertEqual(line.read()[:3], b"220")
            self.assertIn(b"greets 127.0.0.1", line.ask("EHLO client.example")[0])

    def test_a_balancer_without_a_header_is_closed(self):
        for first in (b"EHLO client.example\r\n", b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n", header("192.0.2.7")[:-3] + b"", SIGNATURE + b"\x31\x11\x00\x00"):
            with self.connect(first=first) as line:
                if first.startswith(SIGNATURE) and len(first) > 16:
                    line.socket.shutdown(socket.SHUT_WR)
                try:
                    self.assertEqual(line.socket.recv(100), b"")
                except ConnectionResetError:
                    pass
        self.martlet.wait_for_event("smtpd", "problem", "127.0.0.1", "PROXY")

    def test_a_silent_balancer_is_closed(self):
        with self.connect() as line:
            self.assertEqual(line.socket.recv(100), b"")

    def test_a_stranger_who_sends_a_header_speaks_bad_smtp(self):
        with self.connect(first=header("192.0.2.77"), source=STRANGER) as line:
            self.assertEqual(line.read()[:3], b"220")
            self.assertRegex(line.read(), b"^5")
        self.martlet.wait_for_event("smtpd", "connect", "peer=" + STRANGER)
        self.assertFalse([e for e in self.martlet.events("smtpd") if "192.0.2.77" in e])

    def test_limits_count_the_client_and_not_the_balancer(self):
        held = []
        try:
            for number in range(3):
                held.append(self.connect(first=header("192.0.2.30")))
                self.assertEqual(held[-1].read()[:3], b"220")
            with self.connect(first=header("192.0.2.30")) as line:
                self.assertEqual(line.read()[:3], b"421")
            for number in range(5):
                held.append(self.connect(first=header("192.0.2.%d" % (31 + number))))
                self.assertEqual(held[-1].read()[:3], b"220")
        finally:
            for line in held:
                line.close()
        # All is given back.
        wait_until(lambda: self.is_greeted("192.0.2.30"), "the places given back")

    def is_greeted(self, source):
        with self.connect(first=header(source)) as line:
            return line.read()[:3] == b"220"

    # -- XCLIENT ----------------------------------------------------------------------------------------------------
    def test_a_filter_speaks_for_its_client(self):
        with self.connect(source=FILTER) as line:
            line.read()
            self.assertIn(b"250-XCLIENT NAME ADDR PORT HELO PROTO", line.ask("EHLO filter.example"))
            self.assertEqual(line.ask("XCLIENT ADDR=192.0.2.40 NAME=[UNAVAILABLE] HELO=spike.example PROTO=ESMTP")[0][:3], b"220")
            self.assertIn(b"greets 192.0.2.40", line.ask("EHLO spike.example")[0])
            line.ask("MAIL FROM:<s@elsewhere.example>")
            line.ask("RCPT TO:<alice@example.org>")
            line.ask("DATA")
            self.assertEqual(line.ask("Subject: through the filter\r\n\r\nx\r\n.")[0][:3], b"250")
        message = wait_until(lambda: next((m for m in self.martlet.messages("alice") if b"through the filter" in m), None), "the message")
        self.assertIn(b"from spike.example ([192.0.2.40])", message)
        self.martlet.wait_for_event("smtpd", "accept", "peer=192.0.2.40")

    def test_a_stranger_may_not(self):
        with self.connect(source=STRANGER) as line:
            line.read()
            self.assertNotIn(b"XCLIENT", b"".join(line.ask("EHLO client.example")))
            self.assertEqual(line.ask("XCLIENT ADDR=192.0.2.41")[0][:3], b"502")
            self.assertIn(("greets " + STRANGER).encode(), line.ask("EHLO client.example")[0])

    def test_nobody_relays_by_xclient(self):
        with self.connect(source=FILTER) as line:
            line.read()
            line.ask("EHLO filter.example")
            self.assertEqual(line.ask("XCLIENT LOGIN=alice@example.org")[0][:3], b"501")
            line.ask("XCLIENT ADDR=127.0.0.1 HELO=localhost PROTO=ESMTP")
            line.ask("MAIL FROM:<alice@example.org>")
            self.assertEqual(line.ask("RCPT TO:<x@elsewhere.example>")[0][:3], b"550")


if __name__ == "__main__":
    unittest.main()
