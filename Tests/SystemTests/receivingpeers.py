"""Exim, OpenSMTPD and smtp-sink as hosts that take mail, each on a loopback address of its own. Postfix is in postfix.py.

Each takes mail for carol@DOMAIN and u0 to u249@DOMAIN, refuses other names there, and sends mail for example.org to the port that it is given.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

import postfix
from martlet import wait_until
from sendingpeers import Peer

MANY = ["u%d" % number for number in range(250)]

EXIM = """
primary_hostname = exim.example
exim_path = {program}
spool_directory = /var/spool/exim4
log_file_path = {folder}/logs/%s
local_interfaces = {address}
daemon_smtp_ports = {own}
tls_advertise_hosts = *
tls_certificate = {folder}/tls.crt
tls_privatekey = {folder}/tls.key
dsn_advertise_hosts = *
accept_8bitmime = true
never_users =
keep_environment = LD_LIBRARY_PATH
message_size_limit = 50M
recipients_max = 0
queue_run_max = 20
smtp_accept_max = 0
remote_max_parallel = 1
acl_smtp_rcpt = check
acl_smtp_data = accept
begin acl
check:
  accept local_parts = {names}
  accept hosts = :
  deny message = 5.1.1 nobody has this name here
begin routers
out:
  driver = manualroute
  domains = example.org
  route_list = * 127.0.0.1
  transport = smtp
  self = send
here:
  driver = accept
  domains = exim.example
  local_parts = {names}
  transport = maildir
begin transports
smtp:
  driver = smtp
  port = {port}
  allow_localhost
  message_linelength_limit = 1000000
maildir:
  driver = appendfile
  maildir_format
  directory = {folder}/mail/$local_part_data
  create_directory
  user = Debian-exim
  delivery_date_add
  envelope_to_add
  return_path_add
begin retry
* * F,1h,5s
"""

OPENSMTPD = """
pki here cert "{folder}/tls.crt"
pki here key "{folder}/tls.key"
table names file:/etc/names
listen on {address} port {own} tls pki here hostname opensmtpd.example
action "out" relay host smtp://127.0.0.1:{port} helo opensmtpd.example
action "in" mda "{folder}/take %{{rcpt.user}}" virtual <names>
match from any for domain "opensmtpd.example" action "in"
match from any for domain "example.org" action "out"
"""

# Each message a file in a folder that its recipient names.
TAKE = """#!/bin/sh
set -e
mkdir -p {folder}/mail/$1
file=$(mktemp {folder}/logs/new-XXXXXXXX)
cat > $file
mv $file {folder}/mail/$1/
"""


def free_port(address):
    with socket.socket() as s:
        s.bind((address, 0))
        return s.getsockname()[1]


class Server(Peer):
    """A peer in the foreground, on `address`."""

    domain, address = None, None

    def __init__(self, port):
        super().__init__(port)
        self.own = free_port(self.address)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.folder + "/tls.key", "-out", self.folder + "/tls.crt", "-days", "2",
                        "-subj", "/CN=" + self.domain], check=True, capture_output=True)
        for place in ("logs", "mail"):
            os.mkdir(os.path.join(self.folder, place))
            os.chmod(os.path.join(self.folder, place), 0o777)
        self.configure()
        output = open(self.folder + "/logs/output", "ab")
        self.running = self.begin(self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        output.close()
        wait_until(self.accepts, lambda: "%s listening\n%s" % (self.domain, self.log()))

    def fill(self, text):
        return text.format(folder=self.folder, program=self.path(), port=self.port, own=self.own, address=self.address, names=" : ".join(["carol", *MANY]))

    def accepts(self):
        if self.running.poll() is not None:
            raise AssertionError("%s ended with %d\n%s" % (self.domain, self.running.returncode, self.log()))
        try:
            socket.create_connection((self.address, self.own), 1).close()
            return True
        except OSError:
            return False

    def close(self):
        # A program that changes its user no longer ends with its parent: it is the first of its namespace, and all there end with it.
        if self.running and self.running.poll() is None:
            for child in pathlib.Path("/proc/%d/task/%d/children" % (self.running.pid, self.running.pid)).read_text().split():
                os.kill(int(child), signal.SIGKILL)
        super().close()

    def messages(self, name="carol"):
        """What has come for an address, with CRLF at the line ends, which these write as LF."""
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in pathlib.Path(self.folder, "mail", name).glob(self.files_of_one)]

    files_of_one = "*"


class Exim(Server):
    package, program, users = "exim4-daemon-light", "/usr/sbin/exim4", ("Debian-exim",)
    domain, address, files_of_one = "exim.example", "127.0.0.21", "new/*"

    def configure(self):
        self.write("etc/exim4/exim4.conf", self.fill(EXIM))
        os.makedirs(self.folder + "/spool/exim4")
        for place in ("spool/exim4", "logs", "tls.key"):
            shutil.chown(os.path.join(self.folder, place), 64000, 64000)

    def command(self):
        return "exec " + self.path() + " -bdf -q10s"


class OpenSMTPD(Server):
    package, program, users = "opensmtpd", "/usr/sbin/smtpd", ("opensmtpd", "opensmtpq", "taker")
    domain, address = "opensmtpd.example", "127.0.0.22"

    def configure(self):
        self.write("etc/smtpd.conf", self.fill(OPENSMTPD))
        self.write("etc/names", "".join("%s@opensmtpd.example\ttaker\n" % name for name in ["carol", *MANY]))
        self.write("etc/mailname", "opensmtpd.example\n")
        self.write("take", TAKE.format(folder=self.folder))
        os.chmod(self.folder + "/take", 0o755)
        for private in ("etc/smtpd.conf", "tls.key"):
            os.chmod(os.path.join(self.folder, private), 0o600)

    def command(self):
        # It starts its own delivery agents from where they would be installed.
        agents = "mount -t tmpfs tmpfs /usr/libexec; cp -a %s/usr/libexec/opensmtpd /usr/libexec/; " % self.files
        return agents + "exec " + self.path() + " -d -v"


class Postfix(postfix.Postfix):
    domain, address = "postfix.example", "127.0.0.20"

    def __init__(self, port):
        super().__init__({"example.org": port}, self.address, MANY)

    @property
    def own(self):
        return self.port


class Sink:
    """Takes everything, and offers neither TLS nor SIZE; options of smtp-sink take away more."""

    domain, address = "sink.example", "127.0.0.23"

    def __init__(self, _, *options):
        self.folder = tempfile.mkdtemp(prefix="martlet-sink-")
        os.chmod(self.folder, 0o755)
        self.own = free_port(self.address)
        command = [self.program(), "-u", "root", *options, "-d", self.folder + "/message-", "%s:%d" % (self.address, self.own), "100"]
        self.running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_until(self.accepts, lambda: "smtp-sink listening: %r" % self.running.poll())

    @staticmethod
    def program():
        return shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))

    accepts = Server.accepts

    def log(self):
        return ""

    def dumps(self):
        return [path.read_bytes() for path in pathlib.Path(self.folder).iterdir() if path.is_file()]

    def close(self):
        self.running.kill()
        self.running.wait(60)
        self.running.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)
