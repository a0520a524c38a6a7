"""Debian's rspamd for a test: one process on loopback, ended by pid."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import debian
from martlet import wait_until
from servers import NameServer

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
        self.log = open(self.folder + "/log/rspamd", "wb")
        self.process = subprocess.Popen(
            [root + "/usr/bin/rspamd", "--no-fork", "--insecure", "--config", self.folder + "/etc/rspamd.conf",
             *("--var=%s=%s" % place for place in places.items())],
            env=debian.environment(root), stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
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
