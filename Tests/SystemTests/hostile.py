"""Connections that are rude on purpose, and what they cost the server."""
import contextlib
import pathlib
import socket
import ssl

from martlet import PATIENCE


class Rude:
    """One raw connection; the greeting is read. `source` is the loopback address that it comes from."""

    def __init__(self, port, tls=False, source=None, greeting=True, small=False):
        self.socket = socket.socket()
        if small:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.socket.settimeout(PATIENCE)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        if tls:
            self.secure()
        self.greeting = self.line() if greeting else None

    def secure(self):
        self.socket = ssl._create_unverified_context().wrap_socket(self.socket)

    def line(self):
        """The next line of the server, CRLF included; what came before the end if there is none."""
        line = b""
        with contextlib.suppress(ConnectionError):
            while not line.endswith(b"\n") and (byte := self.socket.recv(1)):
                line += byte
        return line

    def reply(self):
        """The last line of the next reply."""
        while (line := self.line())[3:4] == b"-":
            pass
        return line

    def say(self, *lines):
        """Says each line and waits for its reply; the last one."""
        reply = None
        for line in lines:
            self.socket.sendall(line + b"\r\n")
            reply = self.reply()
        return reply

    def pour(self, piece, count=1):
        """Sends as much as the server takes; how many pieces that were."""
        sent = 0
        with contextlib.suppress(OSError):
            for _ in range(count):
                self.socket.sendall(piece)
                sent += 1
        return sent

    def rest(self):
        """All that the server says until it closes."""
        out = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while chunk := self.socket.recv(65536):
                out += chunk
        return out

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def resident(pid):
    """Bytes of memory that a process holds."""
    status = pathlib.Path("/proc/%d/status" % pid).read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
