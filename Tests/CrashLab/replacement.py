#!/usr/bin/env python3
"""Services replaced under load, and started in any order: nothing is lost, and no connection is refused.

`restarts`: senders, readers by POP3 and IMAP and a prober of every port work on while one service after the other is restarted.
`orders`: all services are stopped, then started one by one in an order drawn by seed, with mail coming in between.
usage: replacement.py restarts|orders [--rounds N] [--seed S] [--json FILE]
"""
import argparse
import imaplib
import json
import os
import poplib
import random
import shutil
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "SystemTests"))
from invariant import Generator, Ledger, Sender, Sink, check
from martlet import BIN, PASSWORD, Martlet, wait_until

ACCOUNTS = ("ann", "ben", "cleo")
ALIASES = {"pair": ("ann", "ben"), "mixed": ("cleo", "dora@far.example")}
SERVICES = ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")
PORTS = ("smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps")
PATIENCE = 180


class World:
    """A Martlet, a remote site, a ledger, and mail by number."""

    def __init__(self, seed):
        self.seed, self.chance = seed, random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="martlet-ledger-")
        self.ledger = Ledger(os.path.join(self.folder, "ledger"))
        self.sink = Sink(self.ledger)
        self.mail = Martlet(accounts=ACCOUNTS, settings={"retry": {"initial": "1 s", "maximum": "2 s"}})
        for name, targets in ALIASES.items():
            self.mail.mailctl("alias", "add", self.mail.address(name), *map(self.mail.address, targets))
        self.mail.mailctl("route", "add", "far.example", "127.0.0.1:%d" % self.sink.port)
        self.generator = Generator(seed, ACCOUNTS, ALIASES, ("far.example",))
        sendmail = [os.path.join(BIN, "sendmail"), "-C", os.path.join(self.mail.root, "etc", "martlet.toml")]
        self.sender = Sender(self.ledger, self.mail.port, sendmail)
        self.lock, self.number = threading.Lock(), 0
        self.outcomes, self.problems = {}, []

    def say(self, problem):
        with self.lock:
            self.problems.append(problem)

    def send(self):
        with self.lock:
            number, self.number = self.number, self.number + 1
        outcome, reason = self.sender.send(self.generator.message(number))
        with self.lock:
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        if outcome == "away" and "refused" in reason:
            self.say("a connection was refused: " + reason)
        return outcome

    def judge(self):
        """Waits until everything has come to rest and compares."""
        try:
            wait_until(lambda: self.mail.queue() == [], lambda: "the queue empty: %r" % self.mail.queue()[:3], PATIENCE)
        except AssertionError as failure:
            self.say(str(failure)[:600])
        mailctl = [os.path.join(BIN, "mailctl"), "--root", self.mail.root]
        verdict = check(self.ledger, self.mail.root, ACCOUNTS, [self.sink], mailctl=mailctl)
        if not verdict.ok:
            self.problems += verdict.details[:20]
        return verdict

    def close(self):
        self.mail.close()
        self.sink.close()
        self.ledger.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def restarts(world, rounds):
    """`rounds` times every service, in a drawn order, while everybody works."""
    over = threading.Event()

    def keep(work):
        def loop():
            while not over.is_set():
                try:
                    work()
                except Exception as error:  # noqa: BLE001 - a prober that dies would prove nothing
                    world.say("%s: %r" % (work.__name__, error))
                    return
        return threading.Thread(target=loop, daemon=True)

    def send():
        world.send()
        time.sleep(0.02)

    def knock():
        for name in PORTS:
            try:
                socket.create_connection(("127.0.0.1", world.mail.port(name)), 60).close()
            except ConnectionRefusedError:
                world.say("a connection to %s was refused" % name)
        time.sleep(0.01)

    def read():
        """A reader may be told that the server goes; it is never refused."""
        try:
            box = poplib.POP3("127.0.0.1", world.mail.port("pop3"), 60)
            box.user(world.mail.address("ann"))
            box.pass_(PASSWORD)
            box.stat()
            box.quit()
            view = imaplib.IMAP4("127.0.0.1", world.mail.port("imap"), 60)
            view.login(world.mail.address("ben"), PASSWORD)
            view.select()
            view.logout()
        except ConnectionRefusedError as error:
            world.say("a reader was refused: %s" % error)
        except (OSError, EOFError, poplib.error_proto, imaplib.IMAP4.error):
            pass
        time.sleep(0.05)

    threads = [keep(send) for _ in range(4)] + [keep(knock), keep(read)]
    for thread in threads:
        thread.start()
    for _ in range(rounds):
        for service in world.chance.sample(SERVICES, len(SERVICES)):
            world.mail.mailctl("restart", service)
            time.sleep(world.chance.random() * 0.3)
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
    if world.outcomes.get("promised", 0) < rounds:
        world.say("hardly any mail was taken: %r" % world.outcomes)
    return rounds * len(SERVICES)


def orders(world, rounds):
    """`rounds` orders; the listeners stay with the supervisor, so that even a client of a stopped service only waits."""
    tried = set()
    for _ in range(rounds):
        order = tuple(world.chance.sample(SERVICES, len(SERVICES)))
        tried.add(order)
        world.mail.mailctl("stop", *SERVICES)
        # sendmail needs no service; a client of a stopped smtpd waits in the listener's queue.
        sender = threading.Thread(target=world.send, daemon=True)
        sender.start()
        for service in order:
            world.mail.mailctl("start", service)
        sender.join(PATIENCE)
        if sender.is_alive():
            world.say("a client that connected before %s was never served" % " ".join(order))
        world.send()
    return len(tried)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("restarts", "orders"))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", type=lambda text: int(text, 16), default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--json")
    options = parser.parse_args()
    rounds = options.rounds or {"restarts": 5, "orders": 200}[options.what]
    world = World(options.seed)
    try:
        points = {"restarts": restarts, "orders": orders}[options.what](world, rounds)
        verdict = world.judge()
        row = dict(verdict.row(), lab="replacement " + options.what, points=points, outcomes=world.outcomes,
                   problems=world.problems[:50], seed="%08x" % options.seed)
    finally:
        world.close()
    if options.json:
        with open(options.json, "a") as out:
            out.write(json.dumps(row) + "\n")
    print(json.dumps(row))
    return 1 if world.problems or not verdict.ok else 0


if __name__ == "__main__":
    sys.exit(main())
