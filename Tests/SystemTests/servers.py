"""Servers that tests talk to: an SMTP server that misbehaves as told, and a name server with a few records."""
import re
import socket
import ssl
import struct
import threading
import time


class SMTPServer:
    """Answers SMTP on loopback. `say` maps a stage to the reply that it gives instead of the usual one:
    greeting, EHLO, STARTTLS, MAIL, RCPT, DATA, content, QUIT. `say["RCPT"]` may be a function of the address.
    The reply None closes the connection there; bytes are sent as they are, and text with CRLF behind it."""

    def __init__(self, say=None, offers=("PIPELINING", "8BITMIME", "SIZE"), certificate=None, port=0, address="127.0.0.1", early=None):
        self.say = say or {}
        self.offers = list(offers)
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
            self.offers.append("STARTTLS")
        self.early = early
        self.messages = []
        self.dialogues = []
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def serve(self, client):
        client.settimeout(60)
        dialogue = Dialogue(self, client)
        try:
            dialogue.run()
        except (OSError, ssl.SSLError, Ended):
            pass
        finally:
            dialogue.client.close()
            client.close()


class Drip:
    """A reply that never ends: a piece, a pause, a piece."""

    def __init__(self, piece, pause):
        self.piece, self.pause = piece, pause


class Ended(Exception):
    """The dialogue is over, by our wish or theirs."""


class Dialogue:
    def __init__(self, server, client):
        self.server, self.client, self.buffer = server, client, b""
        self.commands, self.tls = [], None
        self.sender, self.recipients = None, []
        server.dialogues.append(self)

    def reply(self, stage, usual, argument=None):
        said = self.server.say.get(stage, usual)
        if callable(said):
            said = said(argument)
        if said is None:
            raise Ended()
        if isinstance(said, Drip):
            while True:
                self.client.sendall(said.piece)
                time.sleep(said.pause)
        if isinstance(said, bytes):
            self.client.sendall(said)
        else:
            self.client.sendall(said.encode() + b"\r\n")
        return said if isinstance(said, str) else said.decode("latin-1")

    def line(self):
        while b"\n" not in self.buffer:
            more = self.client.recv(65536)
            if not more:
                raise Ended()
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def run(self):
        self.reply("greeting", "220 test ESMTP")
        while True:
            line = self.line()
            self.commands.append(line)
            verb = line.split(b" ")[0].upper().decode("latin-1")
            if verb in ("EHLO", "HELO"):
                lines = ["test"] + (self.server.offers if verb == "EHLO" else [])
                if self.tls:
                    lines = [word for word in lines if word != "STARTTLS"]
                self.reply(verb, "\r\n".join("250%s%s" % ("-" if i < len(lines) - 1 else " ", word) for i, word in enumerate(lines)))
            elif verb == "STARTTLS":
                if self.reply(verb, "220 go ahead").startswith("220") and self.server.context:
                    self.client = self.server.context.wrap_socket(self.client, server_side=True)
                    self.tls, self.buffer = self.client.version(), b""
            elif verb == "MAIL":
                self.sender = line
                self.recipients = []
                self.reply(verb, "250 2.1.0 ok")
            elif verb == "RCPT":
                address = re.search(rb"<(.*)>", line).group(1).decode()
                if self.reply(verb, "250 2.1.5 ok", address).startswith("2"):
                    self.recipients.append(address)
            elif verb == "DATA":
                if self.reply(verb, "354 go on").startswith("354"):
                    self.content()
            elif verb == "QUIT":
                self.reply(verb, "221 bye")
                raise Ended()
            else:
                self.client.sendall(b"250 ok\r\n")

    def content(self):
        if self.server.early is not None:
            self.buffer += self.client.recv(1000)
            self.client.sendall(self.server.early)
            raise Ended()
        lines = []
        while True:
            line = self.line()
            if line == b".":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        said = self.server.say.get("content", "250 2.0.0 taken")
        if said is None or not isinstance(said, Drip) and (said if isinstance(said, str) else said.decode("latin-1")).startswith("2"):
            self.server.messages.append((self.sender, list(self.recipients), b"".join(l + b"\r\n" for l in lines), self.tls))
        self.reply("content", "250 2.0.0 taken")


A, CNAME, MX, AAAA = 1, 5, 15, 28


class NameServer:
    """Answers from `records`: {(name, type): [data]} with data an address, (preference, host) for MX, or bytes as they are. `failing` names get SERVFAIL;
    a name that has no record of any type does not exist."""

    def __init__(self, records, failing=()):
        self.records, self.failing, self.asked = records, set(failing), []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        self.socket.close()

    def serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
                self.socket.sendto(self.answer(query), peer)
            except OSError:
                return

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        name, kind = ".".join(labels), struct.unpack(">H", query[at + 1:at + 3])[0]
        self.asked.append((name, kind))
        found = self.records.get((name, kind), [])
        exists = any(known == name for known, _ in self.records)
        code = 2 if name in self.failing else 0 if exists else 3
        header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found) if code == 0 else 0, 0, 0)
        answers = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data for data in map(self.data, found)) if code == 0 else b""
        return header + query[12:at + 5] + answers

    @staticmethod
    def name(text):
        return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"

    def data(self, value):
        if isinstance(value, bytes):
            return value
        if isinstance(value, tuple):
            return struct.pack(">H", value[0]) + self.name(value[1])
        return socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)
