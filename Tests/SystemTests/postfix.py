"""A private Postfix: its own configuration, queue and data in one folder, on a loopback port. The machine's own one is not touched."""
import glob
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

from martlet import wait_until

MASTER = """
%s:%d inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

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
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
virtual_mailbox_domains = postfix.example
virtual_mailbox_maps = inline:{{ {{carol@postfix.example = carol/}} {mailboxes} }}
virtual_mailbox_base = {folder}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
transport_maps = inline:{{ {transports} }}
smtp_tls_security_level = may
smtpd_tls_security_level = may
smtpd_tls_chain_files = {folder}/tls.pem
smtp_line_length_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
minimal_backoff_time = 1s
queue_run_delay = 1s
"""


def missing():
    """Why no Postfix can be run here; None if one can."""
    if os.geteuid() != 0:
        return "Postfix needs root"
    if not shutil.which("postfix", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", "")):
        return "Postfix is not installed"
    return None


class Postfix:
    """Takes mail for carol@postfix.example and what `mailboxes` names, and sends mail for the given domains to the given ports."""

    def __init__(self, routes, address="127.0.0.1", mailboxes=()):
        self.folder = tempfile.mkdtemp(prefix="martlet-postfix-")
        os.chmod(self.folder, 0o755)
        user = pwd.getpwnam("postfix")
        for name in ("etc", "queue", "data", "mail"):
            os.mkdir(os.path.join(self.folder, name))
        os.chown(os.path.join(self.folder, "data"), user.pw_uid, user.pw_gid)
        os.chown(os.path.join(self.folder, "mail"), user.pw_uid, user.pw_gid)
        self.address = address
        with socket.socket() as s:
            s.bind((address, 0))
            self.port = s.getsockname()[1]
        self.certificate()
        transports = ", ".join("{%s = smtp:[127.0.0.1]:%d}" % route for route in routes.items())
        boxes = " ".join("{%s@postfix.example = %s/}" % (name, name) for name in mailboxes)
        self.write("etc/main.cf", MAIN.format(folder=self.folder, uid=user.pw_uid, gid=user.pw_gid, transports=transports, mailboxes=boxes))
        self.write("etc/master.cf", MASTER % (address, self.port))
        started = self.command("start")
        if started.returncode:
            raise AssertionError("postfix start: %s\n%s" % (started.stderr, self.log()))
        wait_until(self.accepts, "Postfix listening\n" + self.log())

    def certificate(self):
        pem = os.path.join(self.folder, "tls.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", pem + ".key", "-out", pem + ".crt", "-days", "2",
                        "-subj", "/CN=postfix.example"], check=True, capture_output=True)
        self.write("tls.pem", pathlib.Path(pem + ".key").read_text() + pathlib.Path(pem + ".crt").read_text())
        os.chmod(pem, 0o600)

    def write(self, name, text):
        pathlib.Path(self.folder, name).write_text(text)

    def command(self, *words):
        path = dict(os.environ, PATH="/usr/sbin:/sbin:" + os.environ.get("PATH", ""))
        return subprocess.run(["postfix", "-c", self.folder + "/etc", *words], text=True, capture_output=True, env=path, timeout=60)

    def accepts(self):
        try:
            socket.create_connection((self.address, self.port), 1).close()
            return True
        except OSError:
            return False

    def log(self):
        path = pathlib.Path(self.folder, "log")
        return path.read_text(errors="replace") if path.exists() else ""

    def messages(self, name="carol"):
        """What has come for an address, with CRLF again at the line ends, which Postfix writes as LF."""
        found = glob.glob(self.folder + "/mail/%s/new/*" % name)
        return [pathlib.Path(path).read_bytes().replace(b"\n", b"\r\n") for path in found]

    def close(self):
        self.command("stop")
        wait_until(lambda: not self.accepts(), "Postfix stopped")
        shutil.rmtree(self.folder, ignore_errors=True)
