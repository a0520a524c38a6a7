"""Debian's rspamd for a test: fetched as packages, unpacked beside the build, never installed; one process on loopback, ended by pid."""
import glob
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from martlet import wait_until
from servers import NameServer

KEPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".build", "rspamd")

# Few modules and domains: to compile all those of the stock configuration takes half a minute of a processor.
MAIN = """
options {{
  filters = "";
  pidfile = "$RUNDIR/rspamd.pid";
  cache_file = "$DBDIR/symbols.cache";
  hs_cache_dir = "$DBDIR/";
  tempdir = "$DBDIR";
  url_tld = "$CONFDIR/tld";
  control_socket = "$DBDIR/rspamd.sock mode=0600";
  dns {{ nameserver = ["127.0.0.1:{dns}"]; timeout = 200ms; retransmits = 1; }}
  disable_hyperscan = true;
}}
lang_detection {{ enabled = false; }}
logging {{ type = "console"; level = "notice"; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
modules {{ path = "$PLUGINSDIR/milter_headers.lua"; }}
milter_headers {{ use = ["x-spamd-result", "x-rspamd-server"]; skip_local = false; skip_authenticated = false; }}
worker "rspamd_proxy" {{
  bind_socket = "127.0.0.1:{port}";
  milter = yes;
  timeout = 60s;
  upstream "local" {{ default = yes; self_scan = yes; }}
  count = 1;
}}
"""


def tree():
    """Where its files are; a sentence instead if the packages cannot be had."""
    root = os.path.join(KEPT, "root")
    if os.path.exists(root + "/usr/bin/rspamd"):
        return root, None
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None, "rspamd comes from Debian's packages: no apt-get here"
    os.makedirs(KEPT, exist_ok=True)
    plan = subprocess.run(["apt-get", "-s", "-qq", "--no-install-recommends", "install", "rspamd"], capture_output=True, text=True)
    names = [line.split()[1] for line in plan.stdout.split("\n") if line.startswith("Inst ")]
    names = [name for name in names if not name.startswith(("fonts-", "libjs-"))]
    done = subprocess.run(["apt-get", "download", *names], cwd=KEPT, capture_output=True, text=True) if names else plan
    if not names or done.returncode:
        return None, "Debian's rspamd cannot be fetched: %s" % (done.stderr.strip().split("\n")[-1] or "not among the packages")
    for package in glob.glob(KEPT + "/*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, root + ".new"], check=True)
    os.rename(root + ".new", root)
    return root, None


class Rspamd:
    """Listens as a milter on `port`. Its DNS is a server that knows no name."""

    def __init__(self, root):
        self.folder = tempfile.mkdtemp(prefix="martlet-rspamd-")
        self.names = NameServer({})
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        os.mkdir(self.folder + "/etc")
        pathlib.Path(self.folder, "etc", "rspamd.conf").write_text(MAIN.format(port=self.port, dns=self.names.port))
        pathlib.Path(self.folder, "etc", "tld").write_text("com\norg\nexample\n")
        for name in ("db", "run", "log"):
            os.mkdir(os.path.join(self.folder, name))
        share = root + "/usr/share/rspamd"
        places = {"CONFDIR": self.folder + "/etc", "LOCAL_CONFDIR": self.folder + "/etc", "DBDIR": self.folder + "/db", "RUNDIR": self.folder + "/run",
                  "LOGDIR": self.folder + "/log", "SHAREDIR": share, "RULESDIR": share + "/rules", "PLUGINSDIR": share + "/plugins",
                  "LUALIBDIR": share + "/lualib", "WWWDIR": share + "/www"}
        libraries = ":".join([root + "/usr/lib/rspamd", *glob.glob(root + "/usr/lib/*-linux-gnu"), *glob.glob(root + "/usr/lib/*-linux-gnu/rspamd")])
        self.log = open(self.folder + "/log/rspamd", "wb")
        self.process = subprocess.Popen(
            [root + "/usr/bin/rspamd", "--no-fork", "--insecure", "--config", self.folder + "/etc/rspamd.conf",
             *("--var=%s=%s" % place for place in places.items())],
            env=dict(os.environ, LD_LIBRARY_PATH=libraries), stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        try:
            wait_until(self.accepts, lambda: "rspamd listening\n" + self.said(), 300)
        except AssertionError:
            self.close()
            raise

    def accepts(self):
        if self.process.poll() is not None:
            raise AssertionError("rspamd ended with %d\n%s" % (self.process.returncode, self.said()))
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def said(self):
        return pathlib.Path(self.folder, "log", "rspamd").read_text(errors="replace")[-3000:]

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.names.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
