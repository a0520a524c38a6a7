"""Today's programs on the golden tree: a spool and a mail store as an earlier version left them."""
import imaplib
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import unittest

from golden import OrdinaryMartlet
from martlet import PASSWORD, wait_until

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "Golden"


class Golden(unittest.TestCase):
    def test_every_golden_tree_is_read_and_its_queue_delivered(self):
        trees = sorted(GOLDEN.glob("*.tar.gz"))
        self.assertTrue(trees, "no golden tree")
        for tree in trees:
            with self.subTest(tree=tree.name):
                self.check(tree)

    def check(self, tree):
        root = tempfile.mkdtemp(prefix="martlet-test-")
        self.addCleanup(shutil.rmtree, root, ignore_errors=True)
        with tarfile.open(tree) as archive:
            archive.extractall(root)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "65534:65534", root], check=True)
        with OrdinaryMartlet(root=root, adopt=True) as martlet:
            bob = wait_until(lambda: (m := martlet.messages("bob")) and len(m) == 3 and m, "three messages for bob\n" + martlet.log()[-2000:])
            wait_until(lambda: martlet.queue() == [], "an empty queue")
            self.assertEqual(sum(b"queued big\r\n" * 20000 in m for m in bob), 1)
            self.assertEqual(sum(b"still queued" in m for m in martlet.messages("alice")), 1)
            with imaplib.IMAP4("127.0.0.1", martlet.port("imap")) as client:
                client.login("alice@example.org", PASSWORD)
                self.assertEqual(client.select("INBOX")[1], [b"4"])
                _, found = client.uid("FETCH", "1:3", "(UID FLAGS RFC822.SIZE)")
                self.assertEqual(len(found), 3, found)
                self.assertIn(b"UID 1 ", found[0])
                self.assertIn(rb"\Flagged", found[0])
                self.assertEqual(client.select("Archive")[1], [b"1"])


if __name__ == "__main__":
    unittest.main()
