"""The golden spool and mail store: a tree as the first released format wrote it, with mail in every state.

python3 golden.py OUT.tar.gz makes one; test_golden.py takes the one that is committed, starts today's programs on it,
and expects every message where it belongs. A change of format must read it, or bring a migration and a new file.
"""
import imaplib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

from martlet import PASSWORD, Martlet, wait_until


class OrdinaryMartlet(Martlet):
    """All programs as one ordinary user, so that a tree from an archive needs no owners of its own."""

    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []


def make(path):
    root = tempfile.mkdtemp(prefix="martlet-golden-")
    if os.getuid() == 0:
        os.chown(root, 65534, 65534)
    martlet = OrdinaryMartlet(accounts=("alice", "bob"), root=root)
    try:
        martlet.mailctl("alias", "add", "team@example.org", "alice@example.org", "bob@example.org")
        martlet.send("team", "for both\r\n", headers="Subject: to the team\r\n")
        martlet.send("alice", "x" * 70 + "\r\n" + "big\r\n" * 40000, headers="Subject: big\r\n")
        for name, count in (("alice", 2), ("bob", 1)):
            martlet.wait_for_mail(name, count)
        with imaplib.IMAP4("127.0.0.1", martlet.port("imap")) as client:
            client.login("alice@example.org", PASSWORD)
            client.create("Archive")
            client.select("INBOX")
            client.uid("STORE", "1", "+FLAGS", r"(\Seen \Flagged)")
            client.uid("COPY", "1", "Archive")
            client.append("INBOX", None, None, b"Subject: appended\r\n\r\nappended\r\n")
        wait_until(lambda: martlet.queue() == [], "an empty queue")
        martlet.mailctl("stop", "locald")
        wait_until(lambda: martlet.status()["locald"]["state"] != "running", "locald stopped")
        martlet.send("team", "still queued\r\n", headers="Subject: queued\r\n")
        martlet.send("bob", "y" * 200 + "\r\n" + "queued big\r\n" * 20000, headers="Subject: queued big\r\n")
        wait_until(lambda: len(martlet.queue()) == 2, "two messages in the queue")
    finally:
        martlet.stop()
    with tarfile.open(path, "w:gz") as archive:
        for folder in ("spool", "etc"):
            archive.add(os.path.join(root, folder), folder)
    shutil.rmtree(root)


if __name__ == "__main__":
    make(sys.argv[1])
