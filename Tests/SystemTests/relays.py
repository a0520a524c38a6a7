"""Servers that routes lead to: a relay that wants a password, and LMTP over TCP and over a socket."""
import base64
import hashlib
import hmac
import os
import socket
import threading

from servers import Dialogue, Ended, SMTPServer


class RelayDialogue(Dialogue):
    """AUTH before MAIL; what else is said is said as by any server."""
    user = None

    def run(self):
        if self.server.implicit:
            self.client = self.server.context.wrap_socket(self.client, server_side=True)
            self.tls = self.client.version()
        super().run()

    def reply(self, stage, usual, argument=None):
        if stage == "MAIL" and self.user is None and self.server.passwords:
            usual = "530 5.7.0 who are you"
        if stage == "EHLO" and (self.tls or not self.server.context) and self.server.passwords:
            usual = usual.replace("250 ", "250-") + "\r\n250 AUTH " + " ".join(self.server.mechanisms)
        return super().reply(stage, usual, argument)

    def line(self):
        while True:
            line = super().line()
            if not line.upper().startswith(b"AUTH "):
                return line
            words = line.decode().split(" ")
            self.server.logins.append((words[1], self.tls))
            self.user = getattr(self, words[1].lower().replace("-", "_"))(words[2] if len(words) > 2 else None)
            self.client.sendall(b"235 2.7.0 welcome\r\n" if self.user else b"535 5.7.8 wrong password\r\n")

    def ask(self, text):
        self.client.sendall(b"334 " + base64.b64encode(text) + b"\r\n")
        return base64.b64decode(super().line())

    def knows(self, user, password):
        return user.decode() if self.server.passwords.get(user.decode()) == password.decode() else None

    def plain(self, initial):
        _, user, password = base64.b64decode(initial).split(b"\0")
        return self.knows(user, password)

    def login(self, initial):
        return self.knows(self.ask(b"Username:"), self.ask(b"Password:"))

    def scram_sha_256(self, initial):
        bare = base64.b64decode(initial).split(b",", 2)[2]
        user = dict(f.split(b"=", 1) for f in bare.split(b","))[b"n"]
        nonce = dict(f.split(b"=", 1) for f in bare.split(b","))[b"r"] + base64.b64encode(os.urandom(9))
        salt = os.urandom(16)
        first = b"r=%s,s=%s,i=4096" % (nonce, base64.b64encode(salt))
        final = self.ask(first)
        without, proof = final.rsplit(b",p=", 1)
        salted = hashlib.pbkdf2_hmac("sha256", self.server.passwords.get(user.decode(), "").encode(), salt, 4096)
        key = hmac.digest(salted, b"Client Key", "sha256")
        text = b",".join((bare, first, without))
        signature = hmac.digest(hashlib.sha256(key).digest(), text, "sha256")
        if bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature)) != key:
            return None
        if self.ask(b"v=" + base64.b64encode(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), text, "sha256"))) != b"":
            raise Ended()
        return user.decode()


class Relay(SMTPServer):
    """A host that takes mail from whom it knows: `passwords` by user. `logins` has the mechanism and the TLS of each try."""
    dialogue = RelayDialogue

    def __init__(self, passwords=None, mechanisms=("PLAIN", "LOGIN", "SCRAM-SHA-256"), implicit=False, **more):
        self.passwords, self.mechanisms, self.implicit, self.logins = passwords or {}, mechanisms, implicit, []
        super().__init__(**more)
        if implicit:
            self.offers.remove("STARTTLS")

    def serve(self, client):
        client.settimeout(60)
        dialogue = self.dialogue(self, client)
        try:
            dialogue.run()
        except (OSError, ValueError, Ended):
            pass
        finally:
            dialogue.client.close()
            client.close()


class LMTPDialogue(Dialogue):
    def run(self):
        self.reply("greeting", "220 test LMTP")
        while True:
            line = self.line()
            self.commands.append(line)
            verb = line.split(b" ")[0].upper().decode("latin-1")
            if verb == "LHLO":
                self.client.sendall(b"250-test\r\n250 PIPELINING\r\n")
            elif verb in ("EHLO", "HELO"):
                self.client.sendall(b"500 5.5.1 this is LMTP\r\n")
            elif verb == "MAIL":
                self.sender, self.recipients = line, []
                self.reply(verb, "250 2.1.0 ok")
            elif verb == "RCPT":
                address = line.split(b"<")[1].split(b">")[0].decode()
                if self.reply(verb, "250 2.1.5 ok", address).startswith("2"):
                    self.recipients.append(address)
            elif verb == "DATA":
                self.reply(verb, "354 go on")
                self.content()
            elif verb == "QUIT":
                self.reply(verb, "221 bye")
                raise Ended()
            else:
                self.client.sendall(b"250 ok\r\n")

    def content(self):
        lines = []
        while True:
            line = self.line()
            if line == b".":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        taken = []
        for address in self.recipients:
            if self.reply("content", "250 2.0.0 %s has it" % address, address).startswith("2"):
                taken.append(address)
        self.server.messages.append((self.sender, taken, b"".join(l + b"\r\n" for l in lines), None))


class LMTPServer(Relay):
    """`path`: a local socket instead of a port. `say["content"]` may be a function of the recipient."""
    dialogue = LMTPDialogue

    def __init__(self, say=None, path=None):
        if path is None:
            super().__init__(say=say)
            return
        self.say, self.messages, self.dialogues, self.early, self.context = say or {}, [], [], None, None
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()
