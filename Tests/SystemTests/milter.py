"""A content filter that does what a test tells it, and speaks the milter protocol by itself."""
import os
import socket
import struct
import threading


class Gone(Exception):
    """The connection is over, by their wish or ours."""


def text(*parts):
    return b"".join(part + b"\0" for part in parts)


class Milter:
    """Listens on loopback, or on a Unix socket at `path`. `say` maps a step (connect, helo, mail, rcpt, data, header, eoh, body, end) to a list
    of packets, (letter, data), or to a function of the dialogue that gives one; a step that it lacks is answered `c`. The packet None closes the
    connection, bytes go out as they are, and the word "hang" says nothing more."""

    def __init__(self, say=None, path=None, version=6, actions=0x1FF, steps=0):
        self.say, self.offer = say or {}, (version, actions, steps)
        self.dialogues, self.connections = [], []
        self.path, self.port = path, 0
        self.come_again()
        self.name = "unix:" + path if path else "inet:127.0.0.1:%d" % self.port

    def come_again(self):
        self.socket = socket.socket(socket.AF_UNIX if self.path else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.path or ("127.0.0.1", self.port))
        if self.path:
            os.chmod(self.path, 0o666)
        else:
            self.port = self.socket.getsockname()[1]
        self.socket.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(client)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        dialogue = Dialogue(self, client)
        self.dialogues.append(dialogue)
        try:
            dialogue.run()
        except (OSError, Gone):
            pass
        finally:
            client.close()

    def leave(self):
        """Nobody listens any more."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def close(self):
        self.leave()
        for client in self.connections:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @property
    def messages(self):
        return [message for dialogue in self.dialogues for message in dialogue.messages]


class Dialogue:
    """One connection: what came by it. `messages` has each that came to its end."""

    STEPS = {b"C": "connect", b"H": "helo", b"M": "mail", b"R": "rcpt", b"T": "data", b"L": "header", b"N": "eoh", b"B": "body", b"E": "end", b"U": "unknown"}

    def __init__(self, milter, client):
        self.milter, self.client, self.buffer = milter, client, b""
        self.steps, self.macros, self.messages = [], {}, []
        self.forget()

    def forget(self):
        self.sender, self.recipients, self.headers, self.body = None, [], [], b""

    def read(self, count):
        while len(self.buffer) < count:
            more = self.client.recv(65536)
            if not more:
                raise Gone()
            self.buffer += more
        out, self.buffer = self.buffer[:count], self.buffer[count:]
        return out

    def packet(self):
        length = struct.unpack(">I", self.read(4))[0]
        data = self.read(length)
        return data[:1], data[1:]

    def send(self, letter, data=b""):
        self.client.sendall(struct.pack(">I", 1 + len(data)) + letter + data)

    def run(self):
        while True:
            letter, data = self.packet()
            if letter == b"O":
                offered = struct.unpack(">III", data)
                self.send(b"O", struct.pack(">III", min(self.milter.offer[0], offered[0]), self.milter.offer[1] & offered[1], self.milter.offer[2] & offered[2]))
            elif letter == b"D":
                words = data[1:].split(b"\0")
                self.macros.update({(data[:1].decode(), words[i].decode()): words[i + 1].decode() for i in range(0, len(words) - 1, 2)})
            elif letter == b"A":
                self.steps.append("abort")
                self.forget()
            elif letter == b"Q":
                self.steps.append("quit")
                raise Gone()
            else:
                self.step(self.STEPS[letter], data)

    def step(self, name, data):
        self.steps.append(name)
        words = data.split(b"\0")[:-1]
        if name in ("connect", "helo"):
            setattr(self, name, data)
        elif name == "mail":
            self.forget()
            self.sender = words
        elif name == "rcpt":
            self.recipients.append(words[0])
        elif name == "header":
            self.headers.append((words[0], words[1]))
        elif name == "body":
            self.body += data
        elif name == "end":
            self.messages.append((self.sender, list(self.recipients), list(self.headers), self.body))
        said = self.milter.say.get(name, [(b"c", b"")])
        for packet in said(self) if callable(said) else said:
            if packet is None:
                raise Gone()
            if packet == "hang":
                while self.client.recv(65536):
                    pass
                raise Gone()
            if isinstance(packet, bytes):
                self.client.sendall(packet)
            else:
                self.send(*packet)


def add(name, value):
    return (b"h", text(name, value))


def insert(index, name, value):
    return (b"i", struct.pack(">I", index) + text(name, value))


def change(index, name, value):
    return (b"m", struct.pack(">I", index) + text(name, value))


GO_ON, ACCEPT, REJECT, TEMPFAIL, DISCARD, PROGRESS = ((letter, b"") for letter in (b"c", b"a", b"r", b"t", b"d", b"p"))
