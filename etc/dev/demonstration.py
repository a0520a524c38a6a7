"""Starts Martlet in this checkout, sends and reads a first message, and stays until Ctrl-C (`make run`).

Uses the programs that `make build` made and the tracked etc/martlet.toml. A second run keeps accounts and mail.
"""
import contextlib
import ctypes
import email
import email.message
import email.policy
import email.utils
import glob
import imaplib
import json
import os
import poplib
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time

import reach

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BIN = os.path.join(ROOT, ".build", "release")
MAILCTL = os.path.join(BIN, "mailctl")
DOMAIN = "example.org"
LOGINS = {"alice": "alice-in-development", "bob": "bob-in-development"}
TEAM = "team@" + DOMAIN
LOG = os.path.join(ROOT, ".build", "martlet.log")
PATIENCE = 30
PICTURE = bytes(range(256)) * 40


class Failure(Exception):
    """Something that the person at the screen must know, in one sentence."""


class Stop(Exception):
    """Ctrl-C or SIGTERM."""


class Steps:
    """Prints what is done, and how long it took."""

    @contextlib.contextmanager
    def step(self, sentence):
        begun = time.monotonic()
        details = []
        yield details.append
        print("  ✓ %-66s %6.0f ms" % (sentence, (time.monotonic() - begun) * 1000), flush=True)
        for line in details:
            print("      " + line, flush=True)


def mailctl(*words, check=True, **options):
    """Runs mailctl on this checkout; its own words explain a failure best."""
    result = subprocess.run([MAILCTL, "--root", ROOT, *words], text=True, capture_output=True, timeout=60, **options)
    if check and result.returncode:
        raise Failure("mailctl %s: %s" % (" ".join(words), (result.stderr or result.stdout).strip()))
    return result


def setting(key):
    return json.loads(mailctl("config", "get", key, "--json").stdout)


def port(name):
    """The first port of a listener, as etc/martlet.toml says."""
    endpoints = setting("listen." + name)
    if not endpoints:
        raise Failure("listen.%s is empty in etc/martlet.toml; the demonstration needs it" % name)
    return int(endpoints[0].rpartition(":")[2])


def address(name):
    return "%s@%s" % (name, DOMAIN)


def prepare():
    """Makes the tree where there is none."""
    if os.path.exists(os.path.join(setting("paths.directory"), "directory.db")):
        print("using the tree that is here: spool/, etc/martlet.toml", flush=True)
    else:
        print("making the tree: spool/, cache/, etc/tls/", flush=True)
        for line in mailctl("init", "--domain", DOMAIN, "--dev").stdout.splitlines():
            if line and not line.startswith("The password"):
                print("    " + line, flush=True)
    user = setting("users.prefix") + "smtpd"
    if os.geteuid() == 0 and not reach.works(ROOT, MAILCTL, user):
        raise Failure("the services run as users of their own, and %s cannot read %s or Swift's libraries; "
                      "give others the right to read them, or run as an ordinary user" % (user, ROOT))
    print(flush=True)


def refuse_a_second():
    """Another instance would answer in place of ours."""
    for name in ("smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps"):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port(name))) == 0:
                raise Failure("somebody listens on port %d (listen.%s) already; if it is this tree, end it with "
                              "`.build/release/mailctl --root . stop`, otherwise change etc/martlet.toml" % (port(name), name))


def start():
    """Starts the supervisor outside the terminal's process group, so that Ctrl-C reaches it through us, once."""
    log = open(LOG, "ab")
    begun = log.tell()
    ask_for_end_with_us = ctypes.CDLL(None).prctl
    supervisor = subprocess.Popen(
        [MAILCTL, "--root", ROOT, "run"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        preexec_fn=lambda: ask_for_end_with_us(1, signal.SIGTERM))
    log.close()
    return supervisor, begun


def said_since(offset, lines=15):
    with open(LOG, errors="replace") as log:
        log.seek(offset)
        return "".join("    " + line for line in log.readlines()[-lines:])


def greets(number, tls):
    """Whether the service behind a port says something: an open port alone is only the supervisor's listener."""
    try:
        with socket.create_connection(("127.0.0.1", number), 5) as plain:
            with tls.wrap_socket(plain, server_hostname="localhost") if tls else plain as stream:
                return bool(stream.recv(1))
    except OSError:
        return False


def wait_for(condition, what, supervisor, begun):
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if supervisor.poll() is not None:
            raise Failure("mailctl run ended with status %d:\n%s" % (supervisor.returncode, said_since(begun)))
        if time.monotonic() > end:
            raise Failure("%s did not happen within %d s; the last of %s:\n%s" % (what, PATIENCE, LOG, said_since(begun)))
        time.sleep(0.005)


def trusting_context():
    """TLS with this tree's own certificate as the only one believed."""
    return ssl.create_default_context(cafile=setting("tls.certificate"))


def make_accounts(steps):
    accounts = {entry["address"] for entry in json.loads(mailctl("account", "list", "--json").stdout)}
    for name, password in LOGINS.items():
        if address(name) in accounts:
            with steps.step("account %s is here already, kept" % address(name)):
                pass
            continue
        with steps.step("account %s made" % address(name)):
            mailctl("account", "add", address(name), "--password-stdin", input=password + "\n")
    aliases = {entry["alias"] for entry in json.loads(mailctl("alias", "list", "--json").stdout)}
    if TEAM in aliases:
        with steps.step("alias %s is here already, kept" % TEAM):
            pass
    else:
        with steps.step("alias %s made, for both" % TEAM):
            mailctl("alias", "add", TEAM, *[address(name) for name in LOGINS])


def compose(sender, recipient, subject, text, attachment=None):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Date"] = email.utils.localtime()
    message["Message-ID"] = email.utils.make_msgid(domain=DOMAIN)
    message.set_content(text)
    if attachment:
        message.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="every-byte.bin")
    return message


def submit(message, tls):
    """Sends through submission as alice; the answer to the end of DATA."""
    with smtplib.SMTP("localhost", port("submission"), timeout=PATIENCE) as client:
        client.starttls(context=tls)
        client.login(address("alice"), LOGINS["alice"])
        client.mail(address("alice"))
        client.rcpt(message["To"])
        code, reply = client.data(message.as_bytes())
        if code != 250:
            raise Failure("the message was answered with %d %s" % (code, reply.decode(errors="replace")))
        return "250 " + reply.decode(errors="replace")


def from_outside(message):
    """Sends to port 25 as any other host would: no login, local recipients only."""
    with smtplib.SMTP("localhost", port("smtp"), timeout=PATIENCE) as client:
        client.sendmail("newsletter@elsewhere.example", [message["To"]], message.as_bytes())


def file_with(name, message_id):
    """The file of a message in a Maildir; nil while it is not there."""
    for path in glob.glob(os.path.join(setting_of_store(), DOMAIN, name, "[nc]*", "*")):
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            if message_id.encode() in file.read(8192):
                return path
    return None


def setting_of_store(cache=[]):
    if not cache:
        cache.append(setting("paths.store"))
    return cache[0]


def attachment_of(raw):
    parts = [part.get_payload(decode=True) for part in email.message_from_bytes(raw).walk() if part.get_filename()]
    return parts[0] if parts else None


def read_by_pop3(name, message_id, tls):
    client = poplib.POP3("localhost", port("pop3"), timeout=PATIENCE)
    client.stls(context=tls)
    client.user(address(name))
    client.pass_(LOGINS[name])
    count, octets = client.stat()
    for number in range(count, 0, -1):
        if any(message_id.encode() in line for line in client.top(number, 0)[1]):
            raw = b"\r\n".join(client.retr(number)[1]) + b"\r\n"
            client.quit()
            return raw, "%d message%s, %d bytes in the mailbox" % (count, "s" * (count != 1), octets)
    raise Failure("POP3 does not show the message")


def read_by_imap(name, message_id, tls):
    with imaplib.IMAP4_SSL("localhost", port("imaps"), ssl_context=tls, timeout=PATIENCE) as client:
        client.login(address(name), LOGINS[name])
        _, counted = client.select("INBOX", readonly=True)
        _, found = client.search(None, "HEADER", "Message-ID", '"%s"' % message_id)
        numbers = found[0].split()
        if not numbers:
            raise Failure("IMAP does not find the message")
        _, answer = client.fetch(numbers[-1].decode(), "(UID BODYSTRUCTURE BODY.PEEK[])")
        return answer[0][1], "message %s of %s in INBOX" % (numbers[-1].decode(), counted[0].decode())


def check_same(raw, sent, how):
    if attachment_of(raw) != PICTURE or not raw.endswith(sent.as_bytes().rstrip(b"\r\n") + b"\r\n"):
        raise Failure("what %s gave back is not what was sent" % how)


def relative(path):
    return os.path.relpath(path, ROOT)


def demonstrate(steps, supervisor, begun):
    tls = trusting_context()
    with steps.step("all services started and greet") as detail:
        for name in ("smtp", "submission", "pop3", "imap"):
            wait_for(lambda: greets(port(name), None), "a greeting of " + name, supervisor, begun)
        for name in ("submissions", "pop3s", "imaps"):
            wait_for(lambda: greets(port(name), tls), "a greeting of " + name, supervisor, begun)
        for entry in json.loads(mailctl("status", "--json").stdout):
            detail("%-10s  %s  pid %s  uid %s" % (entry["service"], entry["state"], entry["pid"], entry["uid"]))
    make_accounts(steps)
    message = compose(address("alice"), address("bob"), "A first message", "Hello Bob,\r\nevery byte is attached.\r\n", PICTURE)
    with steps.step("alice sent bob %d bytes with an attachment, STARTTLS, login" % len(message.as_bytes())) as detail:
        detail(submit(message, tls))
    with steps.step("it arrived") as detail:
        detail(relative(wait_for(lambda: file_with("bob", message["Message-ID"]), "delivery to bob", supervisor, begun)))
    with steps.step("bob read it back by POP3, STLS: same bytes") as detail:
        raw, seen = read_by_pop3("bob", message["Message-ID"], tls)
        check_same(raw, message, "POP3")
        detail(seen)
    with steps.step("bob read it back by IMAP, TLS: same bytes") as detail:
        raw, seen = read_by_imap("bob", message["Message-ID"], tls)
        check_same(raw, message, "IMAP")
        detail(seen)
        for line in raw.split(b"\r\n\r\n")[0].decode().split("\r\n")[:4]:
            detail("| " + line)
    news = compose("newsletter@elsewhere.example", TEAM, "For the whole team", "One message, two mailboxes.\r\n")
    with steps.step("a stranger's message to %s reached both" % TEAM) as detail:
        from_outside(news)
        for name in LOGINS:
            detail(relative(wait_for(lambda: file_with(name, news["Message-ID"]), "delivery to " + name, supervisor, begun)))


def summary():
    ports = {name: port(name) for name in ("smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps")}
    tool = ".build/release/mailctl --root ."
    try_next = [
        "%s status" % tool,
        "%s stop locald    # mail now waits: send one, look at `queue list`, then `start locald`" % tool,
        "curl --cacert etc/tls/certificate.pem --user %s:%s imaps://localhost:%d/INBOX;MAILINDEX=1" % (
            address("bob"), LOGINS["bob"], ports["imaps"]),
    ]
    print("\nMartlet is running on loopback, IPv4 and IPv6.\n")
    print("  SMTP        %(smtp)d\n  submission  %(submission)d (STARTTLS)  %(submissions)d (TLS)" % ports)
    print("  POP3        %(pop3)d (STLS)      %(pop3s)d (TLS)\n  IMAP        %(imap)d (STARTTLS)  %(imaps)d (TLS)" % ports)
    for name, password in LOGINS.items():
        print("  login       %s  %s" % (address(name), password))
    print("  log         %s" % relative(LOG))
    print("\nTry next, in another terminal:\n")
    for line in try_next:
        print("  " + line.replace(";MAILINDEX", "\\;MAILINDEX"))
    print("\nCtrl-C stops everything in order.", flush=True)


def finish(supervisor):
    """Stops everything in order; a second Ctrl-C changes nothing."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if supervisor.poll() is None:
        begun = time.monotonic()
        supervisor.terminate()
        print("\nstopping: each program finishes what it has begun", flush=True)
        supervisor.wait()
        print("stopped after %.1f s; mail and accounts stay in spool/" % (time.monotonic() - begun), flush=True)


def on_signal(*_):
    raise Stop


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    if not os.access(MAILCTL, os.X_OK):
        raise Failure("the programs are not built; use `make run`, or `make build` first")
    with reach.way_open(ROOT, MAILCTL):
        prepare()
        refuse_a_second()
        return attend(*start())


def attend(supervisor, begun):
    """Shows everything, then waits; whatever happens, everything is stopped in order."""
    try:
        demonstrate(Steps(), supervisor, begun)
        summary()
        supervisor.wait()
        print("mailctl run ended with status %d; see %s" % (supervisor.returncode, relative(LOG)))
        return supervisor.returncode
    except Stop:
        return 0
    except (OSError, ssl.SSLError, smtplib.SMTPException, poplib.error_proto, imaplib.IMAP4.error) as error:
        raise Failure("%s: %s\n%s" % (type(error).__name__, error, said_since(begun)))
    finally:
        finish(supervisor)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stop:
        sys.exit(130)
    except Failure as failure:
        print("make run: %s" % failure, file=sys.stderr)
        sys.exit(1)
