#!/usr/bin/env python3
"""Mail on its way through: messages for ten domains, from smtp-source to smtp-sink, by Martlet and by a private Postfix in turn on one disk.

Counted are the messages that the sink has, from the first connection of the source to the last message, and the CPU of all processes of the
system under test meanwhile. fsync is on for both; Postfix has its limits out of the way and keeps connections as it does by default.
usage: relay.py FOLDER [--messages N] [--size OCTETS] [--rounds N] [--only martlet|postfix]     (root; Debian's postfix; MARTLET_BIN or a build)
"""
import argparse
import os
import pathlib
import pwd
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "SystemTests"))
from martlet import Martlet, wait_until
from postfix import MASTER

DOMAINS = 10
TICKS = os.sysconf("SC_CLK_TCK")
SINK, POSTFIX = 26925, 26926
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = postfix.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
transport_maps = inline:{{ {transports} }}
default_process_limit = 100
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
initial_destination_concurrency = 10
default_destination_concurrency_limit = 100
"""


class Sink:
    """smtp-sink, and how many messages it has."""

    def __init__(self):
        self.count = 0
        self.process = subprocess.Popen(["smtp-sink", "-c", "-u", "nobody", "127.0.0.1:%d" % SINK, "1000"], stdout=subprocess.PIPE, bufsize=0)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        text = b""
        while True:
            more = self.process.stdout.read(4096)
            if not more:
                return
            text = (text + more)[-8192:]
            found = re.findall(rb"mesg=(\d+)", text)
            if found:
                self.count = int(found[-1])

    def close(self):
        self.process.kill()
        self.process.wait()


class Private:
    """A Postfix that relays the ten domains to the sink."""

    name = "Postfix"

    def __init__(self, folder):
        self.folder, self.port = folder, POSTFIX
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("etc", "queue", "data"):
            os.makedirs(os.path.join(folder, name))
        os.chmod(folder, 0o755)
        os.chown(folder + "/data", pwd.getpwnam("postfix").pw_uid, -1)
        transports = ", ".join("{d%d.example = smtp:[127.0.0.1]:%d}" % (number, SINK) for number in range(DOMAINS))
        pathlib.Path(folder, "etc", "main.cf").write_text(MAIN.format(folder=folder, transports=transports))
        pathlib.Path(folder, "etc", "master.cf").write_text(MASTER % ("127.0.0.1", POSTFIX))
        subprocess.run(["postfix", "-c", folder + "/etc", "start"], check=True, capture_output=True)
        self.pid = int(pathlib.Path(folder, "queue", "pid", "master.pid").read_text())

    def recipient(self, number):
        return "user@d%d.example" % number

    def close(self):
        subprocess.run(["postfix", "-c", self.folder + "/etc", "stop"], check=False, capture_output=True)


class Ours:
    """A Martlet that has an alias for each of the ten: port 25 takes in mail for its own domains alone."""

    name = "Martlet"

    def __init__(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.martlet = Martlet(start=False, accounts=("alice",), root=folder)
        for number in range(DOMAINS):
            self.martlet.mailctl("route", "add", "d%d.example" % number, "127.0.0.1:%d" % SINK)
            self.martlet.mailctl("alias", "add", self.recipient(number), "user@d%d.example" % number)
        self.martlet.start()
        self.port, self.pid = self.martlet.port("smtp"), self.martlet.supervisor.pid

    def recipient(self, number):
        return "to%d@example.org" % number

    def close(self):
        self.martlet.close()


def cpu(root):
    """Seconds that a process, all its descendants, and those that they have waited for have used."""
    parents, times = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = pathlib.Path("/proc", entry, "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents[int(entry)], times[int(entry)] = int(fields[1]), sum(map(int, fields[11:15]))
    total, pending = 0, [root]
    while pending:
        pid = pending.pop()
        total += times.get(pid, 0)
        pending += [child for child, parent in parents.items() if parent == pid]
    return total / TICKS


def measure(system, messages, size):
    """Messages a second, and CPU milliseconds of the system for a message."""
    sink = Sink()
    try:
        wait_until(lambda: subprocess.run(["bash", "-c", ": < /dev/tcp/127.0.0.1/%d" % SINK], capture_output=True).returncode == 0, "the sink")
        time.sleep(1)
        used, began = cpu(system.pid), time.monotonic()
        each = messages // DOMAINS
        sources = [subprocess.Popen(["smtp-source", "-d", "-s", "2", "-l", str(size), "-m", str(each), "-f", "sender%d@elsewhere.example" % number, "-t", system.recipient(number), "127.0.0.1:%d" % system.port])
                   for number in range(DOMAINS)]
        wait_until(lambda: sink.count >= each * DOMAINS, lambda: "all %d in the sink, which has %d" % (each * DOMAINS, sink.count), 600)
        spent, used = time.monotonic() - began, cpu(system.pid) - used
        if any(source.wait() for source in sources):
            raise SystemExit("smtp-source failed")
        return each * DOMAINS / spent, used * 1000 / (each * DOMAINS)
    finally:
        sink.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--size", type=int, default=10240)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["martlet", "postfix"])
    arguments = parser.parse_args()
    systems = [s for s in (Private, Ours) if arguments.only in (None, {"Postfix": "postfix", "Martlet": "martlet"}[s.name])]
    results = {s.name: [] for s in systems}
    print("load %.2f; %d messages of %d octets for %d domains" % (os.getloadavg()[0], arguments.messages, arguments.size, DOMAINS))
    for turn in range(arguments.rounds):
        for kind in systems if turn % 2 == 0 else systems[::-1]:
            system = kind(os.path.join(os.path.abspath(arguments.folder), kind.name.lower()))
            try:
                results[kind.name].append(measure(system, arguments.messages, arguments.size))
            finally:
                system.close()
            print("%-8s %7.0f messages/s  %6.2f ms CPU a message" % (kind.name, *results[kind.name][-1]), flush=True)
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in results.items()}
    for name, (rate, milliseconds) in medians.items():
        print("median %-8s %7.0f messages/s  %6.2f ms CPU a message" % (name, rate, milliseconds))
    if len(medians) == 2:
        print("ratio %.2f, CPU %.2f; load %.2f" % (medians["Martlet"][0] / medians["Postfix"][0], medians["Martlet"][1] / medians["Postfix"][1], os.getloadavg()[0]))


if __name__ == "__main__":
    main()
