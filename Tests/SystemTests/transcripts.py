"""Reads the golden transcripts (Tests/Transcripts/README.md) and plays them over sockets against the real programs."""
import base64
import binascii
import os
import pathlib
import re
import socket
import ssl

from martlet import PATIENCE

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Transcripts"
ESCAPES = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def unescape(text):
    def one(match):
        value = bytes([int(match[1][1:], 16)]) if match[1][:1] == b"x" else ESCAPES[match[1]]
        return value * (int(match[2]) if match[2] else 1)
    return re.sub(rb"\\(x[0-9A-Fa-f]{2}|[rnt0\\])(?:\{(\d+)\})?", one, text)


class Transcript:
    def __init__(self, path):
        self.protocol, self.name = path.parent.name, path.stem
        self.settings, self.steps, self.expectations = [], [], []
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if not line.strip() or line.startswith(b"#"):
                continue
            with_, then = self.after(line, b"with:"), self.after(line, b"then:")
            if with_ is not None:
                self.settings.append((with_.split(b" ")[0].decode(), with_[len(with_.split(b" ")[0]) + 1:]))
            elif then is not None:
                key, _, rest = then.partition(b" ")
                self.expectations.append((number, key.decode(), rest))
            else:
                connection, rest = re.match(rb"(\d*)(.*)", line, re.S).groups()
                self.steps.append((number, int(connection or 1), rest))

    @staticmethod
    def after(line, prefix):
        if not line.startswith(prefix):
            return None
        return line[len(prefix):].removeprefix(b" ")

    def all(self, key):
        return [rest for name, rest in self.settings if name == key]

    def has(self, key, rest=None):
        return any(name == key and (rest is None or value == rest) for name, value in self.settings)

    @property
    def is_memory_only(self):
        return self.has("memory", b"only") or any(step in (b"DEADLINE", b"SHUTDOWN") for _, _, step in self.steps)


def transcripts(protocol):
    return [Transcript(path) for path in sorted((FOLDER / protocol).glob("*.txt"))]


class Failed(Exception):
    pass


class Connection:
    def __init__(self, port, tls):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.buffer, self.is_over = b"", False
        if tls:
            self.start_tls()

    def start_tls(self):
        if self.buffer:
            raise Failed("bytes ahead of the handshake: %r" % self.buffer)
        self.socket = ssl._create_unverified_context().wrap_socket(self.socket)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # The server may have closed before it read all; what it said last is still to be read.

    def receive(self, patience):
        """Whether there is something more; False at the end and when the time is over."""
        self.socket.settimeout(patience)
        try:
            more = self.socket.recv(65536)
        except TimeoutError:
            return None
        except OSError:
            more = b""
        self.is_over = self.is_over or not more
        self.buffer += more
        return bool(more)

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.receive(PATIENCE):
                raise Failed("%s instead of a line; %r is left" % ("the end" if self.is_over else "silence", self.buffer[:200]))
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line


def matches(kind, pattern, line):
    if kind == b"S~":
        return re.fullmatch(b".*".join(map(re.escape, pattern.split(b"*"))), line, re.S)
    if pattern.endswith("…".encode()):
        return line.startswith(pattern[:-len("…".encode())])
    return line == pattern


class Play:
    """One transcript against one server. `connect` opens a connection; `known_as` is the login of the world's alice."""

    def __init__(self, transcript, connect, known_as):
        self.transcript, self.connect, self.known_as = transcript, connect, known_as.encode()
        self.connections = {}

    def run(self):
        try:
            for number, index, step in self.transcript.steps:
                if index not in self.connections:
                    self.connections[index] = self.connect()
                try:
                    self.take(self.connections[index], step)
                except Failed as failure:
                    raise Failed("line %d, %s: %s" % (number, step.decode("utf-8", "replace"), failure)) from None
            for number, key, rest in self.transcript.expectations:
                if key in ("closed", "open"):
                    self.judge(number, key, self.connections[int(rest or b"1")])
            for connection in self.connections.values():
                connection.receive(0.02)
                if connection.buffer:
                    raise Failed("unexpected: %r" % connection.buffer[:300])
        finally:
            for connection in self.connections.values():
                connection.socket.close()

    def judge(self, number, key, connection):
        while not connection.is_over and connection.receive(PATIENCE if key == "closed" else 0.1):
            raise Failed("line %d: unexpected %r" % (number, connection.buffer[:200]))
        if connection.is_over != (key == "closed"):
            raise Failed("line %d: not %s" % (number, key))

    def take(self, connection, step):
        text = step[2:].removeprefix(b" ")
        if step == b"TLS":
            connection.start_tls()
        elif step == b"EOF":
            connection.socket.shutdown(socket.SHUT_WR)
        elif step.startswith(b"C:"):
            connection.send(self.named(text) + b"\r\n")
        elif step.startswith(b"C!"):
            connection.send(unescape(self.named(text)))
        elif step.startswith((b"S:", b"S~")):
            line = connection.line()
            if not matches(step[:2], text, line):
                raise Failed("got %r" % line[:300])
        else:
            raise Failed("not understood")

    def named(self, text):
        """alice under the name that she has here: bare, as a literal, or within base64."""
        if self.transcript.protocol in ("imap", "pop3"):
            text = re.sub(rb"^(\S+ LOGIN |USER |user )alice\b", lambda m: m[1] + self.known_as, text)
            text = re.sub(rb"^(\S+ LOGIN )\{5(\+?)\}", lambda m: m[1] + b"{%d%s}" % (len(self.known_as), m[2]), text)
            text = re.sub(rb"^alice( |$)", lambda m: self.known_as + m[1], text)
            text = re.sub(rb"(\\r\\n)alice( |\\)", lambda m: m[1] + self.known_as + m[2], text)
        return re.sub(rb"[A-Za-z0-9+/]{7,}={0,2}", lambda m: self.encoded(m[0]), text)

    def encoded(self, word):
        try:
            plain = base64.b64decode(word, validate=True)
        except binascii.Error:
            return word
        parts = plain.split(b"\0")
        if b"alice" not in parts or len(parts) not in (1, 3):
            return word
        return base64.b64encode(b"\0".join(self.known_as if part == b"alice" else part for part in parts))


def accepted(root, service):
    """The messages in a service's mail log: (record, content below our own trace field)."""
    found = []
    for path in sorted(pathlib.Path(root, "spool", service, "mail").glob("*.log")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            end = data.index(b"\n", at)
            words = data[at:end].split(b" ")
            at = end + 1
            if words[0] != b"accept":
                continue
            fields = {}
            for word in words[2:]:
                key, _, value = word.partition(b"=")
                fields.setdefault(key.decode(), []).append(re.sub(rb"%([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), value))
            length = int(fields["content"][0].split(b":")[0]) if "content" in fields else 0
            content = data[at:at + length]
            at += length + (1 if length else 0)
            found.append((fields, content))
    return found


def below_trace(content):
    """(our Received field unfolded, the rest)."""
    match = re.match(rb"Received:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", content)
    return (re.sub(rb"\r\n[ \t]", b" ", match[0]), content[match.end():]) if match else (b"", content)
