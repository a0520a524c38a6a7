"""What mail to other hosts is secured by, for tests: certificates, a name server whose answers are signed, a host that publishes policies."""
import base64
import hashlib
import http.server
import os
import pathlib
import ssl
import struct
import subprocess
import threading

from servers import CNAME, NameServer

TXT, SOA, TLSA = 16, 6, 52


def openssl(*words, input=None):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, input=input).stdout


class Authority:
    """Makes certificates in a folder; `roots` is the file of its own."""

    def __init__(self, folder, name="Test Authority"):
        self.folder, self.serial = folder, 0
        self.key, self.roots = os.path.join(folder, name.replace(" ", "-") + ".key"), os.path.join(folder, name.replace(" ", "-") + ".pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.roots, "-days", "30",
                "-subj", "/CN=" + name, "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, *names, days=10, with_root=False):
        """A certificate for names, with its key: (certificate, key)."""
        self.serial += 1
        base = os.path.join(self.folder, "%d-%s" % (self.serial, names[0].replace("*", "any")))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", base + ".key", "-out", base + ".csr", "-subj", "/O=test")
        pathlib.Path(base + ".ext").write_text("subjectAltName=%s\nbasicConstraints=CA:FALSE\n" % ",".join("DNS:" + n for n in names))
        openssl("x509", "-req", "-in", base + ".csr", "-CA", self.roots, "-CAkey", self.key, "-set_serial", str(1000 + self.serial), "-out", base + ".pem",
                "-days", str(days), "-extfile", base + ".ext")
        if with_root:
            with open(base + ".pem", "a") as file:
                file.write(pathlib.Path(self.roots).read_text())
        return base + ".pem", base + ".key"


def self_signed(folder, name):
    base = os.path.join(folder, "self-" + name)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", base + ".key", "-out", base + ".pem", "-days", "10",
            "-subj", "/CN=" + name)
    return base + ".pem", base + ".key"


def der(certificate):
    return openssl("x509", "-in", certificate, "-outform", "DER")


def public_key(certificate):
    pem = openssl("x509", "-in", certificate, "-pubkey", "-noout").decode()
    return base64.b64decode("".join(line for line in pem.split("\n") if not line.startswith("-")))


def tlsa(usage, selector, matching, certificate):
    """The data of a TLSA record for a certificate."""
    part = public_key(certificate) if selector else der(certificate)
    return bytes([usage, selector, matching]) + (part, hashlib.sha256(part).digest(), hashlib.sha512(part).digest())[matching]


def text(words):
    return bytes([len(words)]) + words.encode()


class SignedNameServer(NameServer):
    """Follows aliases, and says of names that end in `signed`, in questions that ask for it, that it has validated them."""

    def __init__(self, records, failing=(), signed=(), unsigned=()):
        self.signed, self.unsigned = tuple(signed), set(unsigned)
        super().__init__(records, failing)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        name, kind = ".".join(labels), struct.unpack(">H", query[at + 1:at + 3])[0]
        self.asked.append((name, kind))
        answers, owner, chain = b"", name, [name]
        for _ in range(8):
            target = self.records.get((owner, CNAME))
            if not target or kind == CNAME:
                break
            answers += self.record(owner, CNAME, self.name(target[0]))
            owner = target[0]
            chain.append(owner)
        found = self.records.get((owner, kind), [])
        answers += b"".join(self.record(owner, kind, self.data(value)) for value in found)
        exists = any(known == owner or known.endswith("." + owner) for known, _ in self.records)
        code = 2 if any(n in self.failing or (n, kind) in self.failing for n in chain) else 0 if exists else 3
        count = 0 if code == 2 else len(chain) - 1 + len(found)
        vouched = bool(query[3] & 0x20) and code != 2 and all(n.endswith(self.signed) and (n, kind) not in self.unsigned for n in chain) and bool(self.signed)
        header = query[:2] + struct.pack(">HHHHH", 0x8180 | (0x20 if vouched else 0) | code, 1, count, 0, 0)
        return header + query[12:at + 5] + (answers if code != 2 else b"")

    def record(self, owner, kind, data):
        # No time to live: what a test changes holds at once.
        return self.name(owner) + struct.pack(">HHIH", kind, 1, 0, len(data)) + data


class PolicyServer:
    """MTA-STS policies by HTTPS: `policies` maps a host to (status, content type, content) or to the content alone. One in `cut` says no length,
    and TLS does not say its end."""

    def __init__(self, certificate):
        self.policies, self.cut, self.asked = {}, set(), []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host = self.headers.get("Host", "")
                outer.asked.append((host, self.path))
                said = outer.policies.get(host)
                status, kind, content = (404, "text/plain", "") if said is None else said if isinstance(said, tuple) else (200, "text/plain; charset=utf-8", said)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                if status // 100 == 3:
                    self.send_header("Location", content)
                if host not in outer.cut:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content.encode())

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *words):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def policy(mode, *hosts, age=86400):
    return "version: STSv1\r\nmode: %s\r\n%smax_age: %d\r\n" % (mode, "".join("mx: %s\r\n" % h for h in hosts), age)
