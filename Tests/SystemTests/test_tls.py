"""TLS at every door: what the handshake agreed, who is refused, which certificate is shown, and logins bound to it."""
import base64
import os
import shutil
import smtplib
import socket
import ssl
import subprocess
import unittest

from martlet import PASSWORD, PATIENCE, Martlet, wait_until
from scram import Scram, end_point

IMPLICIT = ("submissions", "imaps", "pop3s")


def make_certificate(folder, name, *hosts):
    """A certificate of its own for some names: the paths of chain and key."""
    chain, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=" + hosts[0],
                    "-addext", "subjectAltName=" + ",".join("DNS:" + h for h in hosts), "-keyout", key + ".new", "-out", chain + ".new"],
                   check=True, capture_output=True)
    os.chmod(key + ".new", 0o644)
    os.rename(key + ".new", key)
    os.rename(chain + ".new", chain)
    return chain, key


def client_context(alpn=None, lowest=None, highest=None, ciphers=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    if lowest:
        context.minimum_version = lowest
    if highest:
        context.maximum_version = highest
    if ciphers:
        context.set_ciphers(ciphers)
    return context


class Line:
    """A connection that speaks lines, in clear or within TLS."""

    def __init__(self, port, context=None, name=None):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.buffer = b""
        if context:
            self.secure(context, name)

    def secure(self, context, name=None):
        self.socket = context.wrap_socket(self.socket, server_hostname=name)

    def read(self):
        while b"\n" not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                return self.buffer
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def say(self, text):
        self.socket.sendall((text if isinstance(text, bytes) else text.encode()) + b"\r\n")

    def ask(self, text, until=lambda line: line[3:4] != b"-"):
        """Says a line and hears lines up to one that ends the answer."""
        self.say(text)
        lines = [self.read()]
        while lines[-1] and not until(lines[-1]):
            lines.append(self.read())
        return lines

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Handshakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.martlet = Martlet(accounts=("alice", "bob"), start=False)
        cls.tls = os.path.join(cls.martlet.root, "etc", "tls")
        make_certificate(cls.tls, "net", "mail.example.net", "*.example.net")
        make_certificate(cls.tls, "com", "mail.example.com")
        pairs = ["etc/tls/%s.pem:etc/tls/%s.key" % (n, n) for n in ("net", "com")]
        cls.martlet.change_settings({"tls": {"certificates": pairs}, "auth": {"failure_delay": "0 s"}})
        cls.martlet.start()

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()

    def connect(self, door, **how):
        name = how.pop("name", None)
        return Line(self.martlet.port(door), client_context(**how), name)

    def starttls(self, door="smtp", **how):
        line = Line(self.martlet.port(door))
        line.read()
        line.ask("EHLO client.example")
        self.assertEqual(line.ask("STARTTLS")[0][:3], b"220")
        line.secure(client_context(**how))
        return line

    def shown(self, name, door="submissions"):
        with self.connect(door, name=name) as line:
            return line.socket.getpeercert(binary_form=True)

    def der(self, name):
        with open(os.path.join(self.tls, name + ".pem")) as file:
            return ssl.PEM_cert_to_DER_cert(file.read())

    # -- what was agreed --------------------------------------------------------------------------------------------
    def test_the_trace_field_names_version_and_cipher(self):
        for highest, version in ((ssl.TLSVersion.TLSv1_3, "TLS1.3"), (ssl.TLSVersion.TLSv1_2, "TLS1.2")):
            with smtplib.SMTP("127.0.0.1", self.martlet.port("smtp"), timeout=PATIENCE) as client:
                client.starttls(context=client_context(highest=highest))
                cipher = client.sock.cipher()[0]
                client.sendmail("s@elsewhere.example", ["alice@example.org"], "Subject: by %s\r\n\r\nx\r\n" % version)
            message = wait_until(lambda: next((m for m in self.martlet.messages("alice") if b"by " + version.encode() in m), None), "the message")
            if version == "TLS1.3":
                self.assertIn(("with ESMTPS (TLS1.3 %s) id" % cipher).encode(), message.replace(b"\r\n ", b" "))
            else:
                # OpenSSL has names of its own for these: ECDHE-ECDSA-AES256-GCM-SHA384.
                self.assertRegex(message, rb"with ESMTPS\s+\(TLS1\.2 TLS_ECDHE_(ECDSA|RSA)_WITH_[A-Z0-9_]+\)\s+id")
            self.martlet.wait_for_event("smtpd", "accept", "tls=%s " % version)

    # -- other protocols (ALPACA) -----------------------------------------------------------------------------------
    def test_a_client_of_another_protocol_gets_the_alert(self):
        for door in IMPLICIT:
            for names in (["h2", "http/1.1"], ["http/1.1"], ["ftp"]):
                with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol", msg=door):
                    self.connect(door, alpn=names).close()
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            self.starttls(alpn=["h2"])
        self.martlet.wait_for_event("submission", "disconnect", "h2")

    def test_a_client_of_this_protocol_or_of_none_is_served(self):
        for door, name in zip(IMPLICIT, ("smtp", "imap", "pop3")):
            with self.connect(door, alpn=["h2", name]) as line:
                self.assertEqual(line.socket.selected_alpn_protocol(), name)
                self.assertTrue(line.read())
            with self.connect(door) as line:
                self.assertIsNone(line.socket.selected_alpn_protocol())
                self.assertTrue(line.read())

    def test_a_hello_in_single_bytes_is_understood(self):
        """TCP may cut anywhere; the client's first flight comes byte by byte."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_context(alpn=["imap"]).wrap_bio(incoming, outgoing, server_hostname="mail.example.net")
        with socket.create_connection(("127.0.0.1", self.martlet.port("imaps")), PATIENCE) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        raw.sendall(bytes([byte]))
                    more = raw.recv(65536)
                    self.assertTrue(more, "closed in the handshake")
                    incoming.write(more)
            raw.sendall(outgoing.read())
        self.assertEqual(tls.selected_alpn_protocol(), "imap")
        self.assertEqual(tls.getpeercert(binary_form=True), self.der("net"))

    # -- which certificate ------------------------------------------------------------------------------------------
    def test_the_name_chooses_the_certificate(self):
        first = self.der("certificate")
        for door in IMPLICIT:
            for name, wanted in (("mail.example.net", "net"), ("MAIL.example.com", "com"), ("imap.example.net", "net")):
                self.assertEqual(self.shown(name, door), self.der(wanted), (door, name))
            for name in (None, "elsewhere.example", "a.b.example.net", "example.net"):
                self.assertEqual(self.shown(name, door), first, (door, name))

    def test_a_new_certificate_serves_new_connections_and_cuts_no_session(self):
        with self.connect("submissions", name="mail.example.com") as old, self.starttls() as clear:
            old.read()
            before = self.der("com")
            make_certificate(self.tls, "com", "mail.example.com", "smtp.example.com")
            self.martlet.mailctl("reload")
            wait_until(lambda: self.shown("mail.example.com") == self.der("com") != before, "the new certificate at submission")
            wait_until(lambda: self.shown("smtp.example.com", "imaps") == self.der("com"), "the new certificate at imapd")
            self.assertEqual(old.ask("EHLO client.example")[-1][:3], b"250")
            self.assertEqual(clear.ask("NOOP")[0][:3], b"250")

    def test_a_broken_certificate_leaves_the_old_ones(self):
        path = os.path.join(self.tls, "net.pem")
        before = self.der("net")
        # Its listeners are open before the service has read a certificate.
        self.assertEqual(self.shown("mail.example.net"), before)
        shutil.copy(path, path + ".old")
        try:
            with open(path + ".bad", "w") as file:
                file.write("no certificate\n")
            os.rename(path + ".bad", path)
            self.martlet.mailctl("reload")
            self.martlet.wait_for_event("submission", "problem", "certificate%20not%20reloaded", "net.pem")
            self.assertEqual(self.shown("mail.example.net"), before)
        finally:
            os.rename(path + ".old", path)
            self.martlet.mailctl("reload")

    # -- old clients ------------------------------------------------------------------------------------------------
    def test_weak_suites_are_refused(self):
        old = ssl.TLSVersion.TLSv1_2
        with self.connect("submissions", highest=old, ciphers="ECDHE+AESGCM") as line:
            self.assertEqual(line.socket.version(), "TLSv1.2")
        for ciphers in ("ECDHE+AES:!AESGCM:!AESCCM", "kRSA+AESGCM"):
            with self.assertRaises(ssl.SSLError, msg=ciphers):
                self.connect("submissions", highest=old, ciphers=ciphers).close()

    # -- bound logins -----------------------------------------------------------------------------------------------
    def say_smtp(self, line, mechanism, exchange):
        answer = line.ask("AUTH %s %s" % (mechanism, base64.b64encode(exchange.first()).decode()))[0]
        if not answer.startswith(b"334 "):
            return answer[:3] == b"235"
        answer = line.ask(base64.b64encode(exchange.final(base64.b64decode(answer[4:]))))[0]
        if not answer.startswith(b"334 "):
            return answer[:3] == b"235"
        self.assertEqual(base64.b64decode(answer[4:]), exchange.proof)
        return line.ask("")[0][:3] == b"235"

    def say_reader(self, line, command, exchange):
        """POP3 and IMAP: challenges behind `+ `, the end is another line."""
        answer = line.ask(command, lambda l: True)[0]
        self.assertEqual(answer.strip(), b"+")
        answer = line.ask(base64.b64encode(exchange.first()), lambda l: True)[0]
        if not answer.startswith(b"+ "):
            return answer
        answer = line.ask(base64.b64encode(exchange.final(base64.b64decode(answer[2:]))), lambda l: True)[0]
        if not answer.startswith(b"+ "):
            return answer
        return line.ask("", lambda l: True)[0]

    def log_in(self, door, mechanism, header, binding):
        with self.connect(door) as line:
            line.read()
            if binding is None:
                binding = end_point(line.socket.getpeercert(binary_form=True))
            exchange = Scram("alice@example.org", PASSWORD, header, binding)
            if door == "submissions":
                self.assertIn(b"SCRAM-SHA-256-PLUS", b" ".join(line.ask("EHLO client.example")))
                return self.say_smtp(line, mechanism, exchange)
            if door == "imaps":
                self.assertIn(b"AUTH=SCRAM-SHA-256-PLUS", line.ask("c CAPABILITY", lambda l: l.startswith(b"c "))[0])
                return b"OK" in self.say_reader(line, "a AUTHENTICATE " + mechanism, exchange)
            self.assertIn(b"SCRAM-SHA-256-PLUS", b" ".join(line.ask("CAPA", lambda l: l == b".")))
            return self.say_reader(line, "AUTH " + mechanism, exchange).startswith(b"+OK")

    def test_a_login_is_bound_to_the_certificate(self):
        for door in IMPLICIT:
            bound = "p=tls-server-end-point,,"
            self.assertTrue(self.log_in(door, "SCRAM-SHA-256-PLUS", bound, None), door)
            # Somebody in the middle shows another certificate: what the client binds to is not ours.
            self.assertFalse(self.log_in(door, "SCRAM-SHA-256-PLUS", bound, end_point(self.der("com"))), door)
            self.assertFalse(self.log_in(door, "SCRAM-SHA-256-PLUS", "p=tls-unique,,", None), door)
            self.assertFalse(self.log_in(door, "SCRAM-SHA-256-PLUS", "n,,", b""), door)

    def test_who_was_shown_no_binding_is_refused_as_a_downgrade(self):
        """RFC 5802 §6: `y` says "I could, and you did not offer"; we did."""
        for door in IMPLICIT:
            self.assertFalse(self.log_in(door, "SCRAM-SHA-256", "y,,", b""), door)
            self.assertTrue(self.log_in(door, "SCRAM-SHA-256", "n,,", b""), door)

    def test_no_binding_is_offered_in_clear(self):
        with Line(self.martlet.port("submission")) as line:
            line.read()
            answer = b"\n".join(line.ask("EHLO client.example"))
            self.assertIn(b"SCRAM-SHA-256 ", answer + b" ")
            self.assertNotIn(b"PLUS", answer)
        with Line(self.martlet.port("imap")) as line:
            self.assertNotIn(b"PLUS", line.read() + line.ask("c CAPABILITY", lambda l: True)[0].replace(b"UIDPLUS", b""))


class Modern(unittest.TestCase):
    def test_the_modern_profile_takes_tls_1_3_alone(self):
        with Martlet(accounts=(), settings={"tls": {"profile": "modern"}}) as martlet:
            for door in IMPLICIT:
                with Line(martlet.port(door), client_context()) as line:
                    self.assertEqual(line.socket.version(), "TLSv1.3")
                with self.assertRaises(ssl.SSLError, msg=door):
                    Line(martlet.port(door), client_context(highest=ssl.TLSVersion.TLSv1_2)).close()


if __name__ == "__main__":
    unittest.main()
