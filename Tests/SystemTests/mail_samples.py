"""Messages that are hard to carry unchanged, and how to send and compare them byte for byte."""
import random
import re
import smtplib
import ssl

from martlet import PASSWORD, PATIENCE

CRLF = b"\r\n"


def named(name, body, *more):
    """A message that needs no field added: what arrives must be what was sent."""
    fields = [b"Date: Mon, 01 Jun 2026 10:00:00 +0000", b"From: alice@example.org", b"Message-ID: <" + name.encode() + b"@example.org>", b"Subject: " + name.encode()]
    return b"".join(f + CRLF for f in fields + list(more)) + CRLF + body


def samples():
    random.seed(2026)
    return {
        "plain": named("plain", b"a line\r\nanother\r\n"),
        "dots": named("dots", b".\r\n..\r\n...\r\n.a\r\n a.\r\n\r\n.\r\nMAIL FROM:<x@y.example>\r\n.\r\n..end\r\n"),
        "no-body": named("no-body", b""),
        "blank-lines": named("blank-lines", b"\r\n\r\n\r\n"),
        "long-lines": named("long-lines", (b"x" * 998 + CRLF) * 5 + b"y" * 20000 + CRLF),
        "eight-bit": named("eight-bit", bytes(random.choice([b for b in range(1, 256) if b not in (10, 13)]) for _ in range(900)) + CRLF,
                           b"Content-Transfer-Encoding: 8bit", b"MIME-Version: 1.0"),
        "utf-8": named("utf-8", "Grüße, 東京, 🐦\r\n".encode(), b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: 8bit"),
        "300-KiB": named("300-KiB", b"".join(b".%07d %s\r\n" % (i, bytes(random.choices(b"abcdefghij .", k=60))) for i in range(4400))),
        "just-above-inline": named("just-above-inline", (b"z" * 62 + CRLF) * 2048),
    }


def submit(martlet, content, to, sender="alice@example.org", login="alice", service="submission", tls=False):
    """Sends these very bytes after DATA, dots doubled and nothing else changed."""
    with smtplib.SMTP("127.0.0.1", martlet.port(service), timeout=PATIENCE) as client:
        client.ehlo()
        if tls:
            client.starttls(context=ssl._create_unverified_context())
            client.ehlo()
        if login:
            client.login(martlet.address(login), PASSWORD)
        send(client, content, sender, [to] if isinstance(to, str) else to)


def send(client, content, sender, recipients):
    eight = any(byte > 127 for byte in content) and client.has_extn("8bitmime")
    expect(client.docmd("MAIL", "FROM:<%s>%s" % (sender, " BODY=8BITMIME" if eight else "")), 250)
    for recipient in recipients:
        expect(client.docmd("RCPT", "TO:<%s>" % recipient), 250)
    expect(client.docmd("DATA"), 354)
    assert content == b"" or content.endswith(CRLF)
    client.send(re.sub(rb"(?m)^\.", b"..", content) + b"." + CRLF)
    expect(client.getreply(), 250)


def expect(reply, code):
    if reply[0] != code:
        raise AssertionError("the server said %r" % (reply,))


def without_trace(message):
    """The message below the lines that each host on its way puts on top of it."""
    while True:
        match = re.match(rb"(?i)(return-path|delivered-to|x-original-to|received|envelope-to|delivery-date):[^\r\n]*\r\n([ \t][^\r\n]*\r\n)*", message)
        if not match:
            return message
        message = message[match.end():]
