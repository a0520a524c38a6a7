#!/usr/bin/env python3
"""What slow clients cost: thousands of connections that say a byte every few seconds, a legitimate client beside them, and memory a connection.

usage: slow_clients.py [--slow 8000] [--idle 2000] [--pause 5]     MARTLET_BIN names the programs, as for the system tests

Starts a Martlet of its own on loopback ports with its default limits (50 connections an address, so the slow ones come from many addresses).
Needs a descriptor for each connection here and another in smtpd: start it with a limit that suffices (`ulimit -n`), or as root.
"""
import argparse
import os
import pathlib
import resource
import select
import smtplib
import socket
import ssl
import statistics
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "SystemTests"))
from martlet import Martlet

AN_ADDRESS = 40


def source(number):
    """The loopback address of the nth connection."""
    host = number // AN_ADDRESS
    return "127.1.%d.%d" % (host // 250, 1 + host % 250)


def connect(port, number):
    made = socket.socket()
    made.settimeout(120)
    made.bind((source(number), 0))
    made.connect(("127.0.0.1", port))
    return made


def memory(pid):
    """Resident and proportional bytes."""
    text = pathlib.Path("/proc/%d/smaps_rollup" % pid).read_text()
    return [int(text.split("\n" + key)[1].split()[0]) * 1024 for key in ("Rss:", "Pss:")]


class SlowOnes:
    """Connections that send one byte of a command at each pause, all at different moments."""

    LINE = b"NOOP and something to make it long enough for a while" * 30

    def __init__(self, port, count, pause):
        self.sockets = []
        for number in range(count):
            self.sockets.append(connect(port, number))
        for made in self.sockets:
            if not made.recv(500).startswith(b"220"):
                raise SystemExit("a slow client was not greeted")
            made.setblocking(False)
        self.sent, self.lost, self.pause, self.ends = 0, 0, pause, False
        self.thread = threading.Thread(target=self.drip, daemon=True)
        self.thread.start()

    def drip(self):
        begun = time.monotonic()
        while not self.ends:
            due = int((time.monotonic() - begun) / self.pause * len(self.sockets))
            while self.sent < due:
                turn, number = divmod(self.sent, len(self.sockets))
                try:
                    self.sockets[number].send(self.LINE[turn:turn + 1])
                except OSError:
                    self.lost += 1
                self.sent += 1
            time.sleep(0.01)

    def close(self):
        self.ends = True
        self.thread.join()
        for made in self.sockets:
            made.close()


def transaction(port):
    """Seconds from the connection to the 250 of a message."""
    begun = time.monotonic()
    with smtplib.SMTP("127.0.0.1", port, timeout=120) as client:
        client.sendmail("stranger@elsewhere.example", ["alice@example.org"], "Subject: in time\r\n\r\n" + "a line of text\r\n" * 100)
        return time.monotonic() - begun


def times(port, count=20):
    found = sorted(transaction(port) for _ in range(count))
    return "median %.0f ms, %.0f to %.0f ms" % (statistics.median(found) * 1000, found[0] * 1000, found[-1] * 1000)


def idle(port, number, context):
    made = connect(port, number)
    made.recv(500)
    made.sendall(b"EHLO client.example\r\n")
    made.recv(2000)
    if context:
        made.sendall(b"STARTTLS\r\n")
        made.recv(500)
        made = context.wrap_socket(made)
        made.sendall(b"EHLO client.example\r\n")
        made.recv(2000)
    return made


def cost(martlet, count, context):
    """Bytes a connection that is idle after EHLO."""
    pid = martlet.pid("smtpd")
    before = memory(pid)
    held = [idle(martlet.port("smtp"), number, context) for number in range(count)]
    time.sleep(2)
    after = memory(pid)
    for made in held:
        made.close()
    time.sleep(3)
    return [(b - a) / count for a, b in zip(before, after)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--slow", type=int, default=8000)
    parser.add_argument("--idle", type=int, default=2000)
    parser.add_argument("--pause", type=float, default=5)
    given = parser.parse_args()
    wanted = max(given.slow, given.idle) + 2000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    print("load at the start %.1f, %d cores" % (os.getloadavg()[0], os.cpu_count()))
    context = ssl._create_unverified_context()
    for name, chosen in (("in clear", None), ("under TLS", context)):
        with Martlet(accounts=("alice",)) as martlet:
            transaction(martlet.port("smtp"))
            idle(martlet.port("smtp"), 0, context).close()
            resident, proportional = cost(martlet, given.idle, chosen)
            print("memory a connection %s, %d idle after EHLO: %.1f KiB resident, %.1f KiB proportional" % (name, given.idle, resident / 1024, proportional / 1024))
    with Martlet(accounts=("alice",)) as martlet:
        port = martlet.port("smtp")
        transaction(port)
        print("a transaction with no slow client: " + times(port))
        slow = SlowOnes(port, given.slow, given.pause)
        time.sleep(2 * given.pause)
        sent = slow.sent
        print("a transaction beside %d slow clients: %s" % (given.slow, times(port)))
        print("meanwhile %d bytes came from slow clients; %d of them were cut; smtpd holds %.1f MiB" % (slow.sent - sent, slow.lost, memory(martlet.pid("smtpd"))[0] / 2**20))
        slow.close()
    print("load at the end %.1f" % os.getloadavg()[0])


if __name__ == "__main__":
    main()
