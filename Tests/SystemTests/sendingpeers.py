"""Exim and OpenSMTPD as hosts that send mail here, each in namespaces of its own: no service of the machine is started or configured."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from martlet import wait_until
from unpacked import environment, unpacked

# What the inside of the namespaces sees instead of the machine's: written here, gone with the last process.
INSIDE = """
set -e
mount --bind {folder}/etc /etc
mount --bind {folder}/spool /var/spool
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
mkdir -p /var/lib/opensmtpd/empty
{command}
"""

EXIM = """
primary_hostname = exim.example
exim_path = {program}
spool_directory = /var/spool/exim4
log_file_path = {folder}/logs/%s
never_users =
keep_environment = LD_LIBRARY_PATH
local_from_check = false
begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1
  transport = smtp
  self = send
begin transports
smtp:
  driver = smtp
  port = {port}
  allow_localhost
  hosts_require_tls = *
  message_linelength_limit = 1000000
begin retry
* * F,1h,5s
"""

OPENSMTPD = """
listen on 127.0.0.1 port {own} hostname opensmtpd.example
action "out" relay host smtp+tls://127.0.0.1:{port} tls no-verify helo opensmtpd.example
match from any for any action "out"
"""


def missing(package):
    """Why this peer cannot be run here; None if it can."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return "%s needs root and namespaces" % package
    tried = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True)
    return "no namespaces: %s" % tried.stderr.decode() if tried.returncode else unpacked(package)[1]


class Peer:
    package, program, users = None, None, ()

    def __init__(self, port):
        self.port = port
        self.folder = tempfile.mkdtemp(prefix="martlet-peer-")
        os.chmod(self.folder, 0o755)
        self.files = unpacked(self.package)[0]
        # A lock file of another program may vanish meanwhile.
        subprocess.run(["cp", "-a", "/etc/.", self.folder + "/etc"], capture_output=True)
        os.makedirs(self.folder + "/spool")
        for number, user in enumerate(self.users, 64000):
            self.append("etc/passwd", "%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n" % (user, number, number))
            self.append("etc/group", "%s:x:%d:\n" % (user, number))
        self.running = None

    def append(self, name, text):
        with open(os.path.join(self.folder, name), "a") as file:
            file.write(text)

    def write(self, name, text):
        path = pathlib.Path(self.folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def path(self):
        return self.files + self.program

    def begin(self, command, **more):
        """A process in the namespaces; all in them ends when it does."""
        return subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", INSIDE.format(folder=self.folder, command=command)],
                                env=environment(self.files), **more)

    def log(self):
        return "\n".join(p.read_text(errors="replace") for p in pathlib.Path(self.folder).glob("log*/*"))

    def close(self):
        if self.running and self.running.poll() is None:
            self.running.send_signal(signal.SIGKILL)
            self.running.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


class Exim(Peer):
    """Each message by a process of its own, which sends it, and the notice that may come of it, before it ends."""

    package, program, users = "exim4-daemon-light", "/usr/sbin/exim4", ("Debian-exim",)

    def __init__(self, port):
        super().__init__(port)
        self.write("etc/exim4/exim4.conf", EXIM.format(folder=self.folder, program=self.path(), port=port))
        for place in ("spool/exim4", "logs"):
            os.makedirs(os.path.join(self.folder, place))
            shutil.chown(os.path.join(self.folder, place), 64000, 64000)

    def send(self, content, sender, recipient):
        command = "%s -odf -oi -f %s %s; exec %s -qff" % (self.path(), sender, recipient, self.path())
        running = self.begin(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = running.communicate(content.replace(b"\r\n", b"\n"), timeout=120)
        if running.returncode:
            raise AssertionError("exim: exit %d\n%s\n%s" % (running.returncode, said.decode("utf-8", "replace"), self.log()))


class OpenSMTPD(Peer):
    """In the foreground, with a listener of its own on loopback that takes what it is to send."""

    package, program, users = "opensmtpd", "/usr/sbin/smtpd", ("opensmtpd", "opensmtpq")

    def __init__(self, port):
        super().__init__(port)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.own = s.getsockname()[1]
        self.write("etc/smtpd.conf", OPENSMTPD.format(own=self.own, port=port))
        os.chmod(self.folder + "/etc/smtpd.conf", 0o600)
        self.write("etc/mailname", "opensmtpd.example\n")
        os.mkdir(self.folder + "/logs")
        output = open(self.folder + "/logs/output", "ab")
        self.running = self.begin("exec %s -d -v" % self.path(), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        output.close()
        wait_until(self.accepts, lambda: "OpenSMTPD listening\n" + self.log())

    def accepts(self):
        if self.running.poll() is not None:
            raise AssertionError("OpenSMTPD ended with %d\n%s" % (self.running.returncode, self.log()))
        try:
            socket.create_connection(("127.0.0.1", self.own), 1).close()
            return True
        except OSError:
            return False
