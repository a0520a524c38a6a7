"""An installation by `etc/install` in a folder of a test's own, and trees that other supervisors than `mailctl run` keep running."""
import json
import os
import shutil
import subprocess
import tempfile

from martlet import BIN, Martlet

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SERVICES = ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")


def tools_missing(*names):
    return [name for name in names if not shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")]


class Installed:
    """What `make install` puts on a machine; `prefix` is where its programs believe to be."""

    def __init__(self, prefix=None):
        self.folder = tempfile.mkdtemp(prefix="martlet-install-")
        os.chmod(self.folder, 0o755)
        self.prefix = prefix or os.path.join(self.folder, "usr")
        self.stage = self.folder if prefix else ""
        environment = dict(os.environ, BIN=BIN, PREFIX=self.prefix, DESTDIR=self.stage)
        done = subprocess.run([os.path.join(ROOT, "etc", "install")], text=True, capture_output=True, timeout=300, env=environment)
        if done.returncode:
            raise AssertionError("etc/install: %d\n%s%s" % (done.returncode, done.stdout, done.stderr))

    def path(self, *parts):
        return os.path.join(self.stage + self.prefix, *parts)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Supervised(Martlet):
    """A tree whose services somebody else starts."""

    def __init__(self):
        super().__init__(start=False)

    def states(self):
        return {s["service"]: s["state"] for s in json.loads(self.mailctl("status", "--json").stdout)}

    def close(self):
        if self.own_root:
            shutil.rmtree(self.root, ignore_errors=True)
